//! Instances that count in one Redis: shared, while it is away, while it hangs, over TLS, and as a cluster.

use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::certificate::Certificate;
use portway_testkit::client::Client;
use portway_testkit::process::{Process, Setup, free_port};
use portway_testkit::redis::Redis;

use super::Site;

/// A limited router, an unlimited one beside it, and `redis` for what is said of the Redis.
fn setup(limit: &str, redis: &str) -> Setup {
    Setup::web(&format!(
        "
http:
  routers:
    limited: {{rule: 'Host(`limited.test`)', service: s, middlewares: [limit]}}
    also: {{rule: 'Host(`also.test`)', service: s, middlewares: [limit]}}
    free: {{rule: 'Host(`free.test`)', service: s}}
  services:
    s: {{loadBalancer: {{servers: [{{url: 'http://@@backend@@'}}]}}}}
  middlewares:
    limit: {{rateLimit: {{{limit}, sourceCriterion: {{requestHeaderName: X-User}}, redis: {{{redis}}}}}}}
"
    ))
}

fn site(limit: &str, redis: &str) -> Site {
    Site::with(Backend::start(), &setup(limit, redis), &[])
}

/// The status for a user, with what the body says where that is an error.
fn ask(process: &Process, host: &str, user: &str) -> String {
    let mut client = Client::connect(process.address("web")).expect("a connection");
    client.set_patience(Duration::from_secs(20));
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-User: {user}\r\n\r\n");
    let response = client.ask(request).expect("an answer");
    match response.status {
        200 => "200".to_owned(),
        status => format!("{status} {}", response.text().trim_end()),
    }
}

const HOURLY: &str = "average: 1, period: 1h, burst: 3";
const AWAY: &str = "500 Could not insert/update bucket";
const LATER: &str = "429 Too Many Requests";

#[test]
fn instances_and_routers_share_a_bucket_also_after_redis_lost_its_scripts() {
    let Some(redis) = Redis::start(&[], &[]) else { return };
    let endpoints = format!("endpoints: ['{}']", redis.address());
    let sites = [site(HOURLY, &endpoints), site(HOURLY, &endpoints)];
    assert_eq!(ask(&sites[0].process, "limited.test", "a"), "200");
    assert_eq!(redis.ask(&[&["SCRIPT", "FLUSH"]]), "+OK");
    assert_eq!(ask(&sites[1].process, "also.test", "a"), "200");
    assert_eq!(ask(&sites[0].process, "also.test", "a"), "200");
    for site in &sites {
        assert_eq!(ask(&site.process, "limited.test", "a"), LATER);
        assert_eq!(ask(&site.process, "limited.test", "b"), "200");
    }
}

#[test]
fn a_great_many_requests_at_once_take_as_many_tokens_as_there_are() {
    let Some(redis) = Redis::start(&[], &[]) else { return };
    let endpoints = format!("endpoints: ['{}'], maxActiveConns: 1", redis.address());
    let site = site("average: 1, period: 1h, burst: 100", &endpoints);
    let passed: usize = thread::scope(|scope| {
        let ask = || (0..25).filter(|_| ask(&site.process, "limited.test", "a") == "200").count();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 100);
    let clients = redis.ask(&[&["CLIENT", "LIST"]]);
    assert!(clients.lines().count() <= 2, "{clients}");
}

#[test]
fn while_redis_is_away_nobody_is_let_in_and_afterwards_all_are() {
    let port = free_port();
    let endpoints = format!("endpoints: ['127.0.0.1:{port}']");
    let site = site(HOURLY, &endpoints);
    assert_eq!(ask(&site.process, "limited.test", "a"), AWAY);
    assert_eq!(ask(&site.process, "free.test", "a"), "200");
    for _ in 0..2 {
        let Some(redis) = Redis::start_at(port, &[], &[]) else { return };
        let start = Instant::now();
        while ask(&site.process, "limited.test", "a") != "200" {
            assert!(start.elapsed() < Duration::from_secs(5), "Redis is there");
            thread::sleep(Duration::from_millis(20));
        }
        // The connection that is open now ends with it.
        drop(redis);
        assert_eq!(ask(&site.process, "limited.test", "a"), AWAY);
    }
    let log = site.process.log();
    assert!(log.contains("middleware limit@file: no connection to Redis 127.0.0.1"), "{log}");
}

#[test]
fn a_redis_that_was_started_again_is_asked_at_once() {
    let Some(redis) = Redis::start(&[], &[]) else { return };
    let port = redis.port();
    let site = site(HOURLY, &format!("endpoints: ['{}']", redis.address()));
    assert_eq!(ask(&site.process, "limited.test", "a"), "200");
    drop(redis);
    let _redis = Redis::start_at(port, &[], &[]);
    assert_eq!(ask(&site.process, "limited.test", "a"), "200");
}

#[test]
fn a_redis_that_hangs_delays_those_who_need_it_and_nobody_else() {
    let Some(redis) = Redis::start(&[], &[]) else { return };
    let endpoints = format!(
        "endpoints: ['{}'], readTimeout: 300ms, writeTimeout: 200ms, dialTimeout: 400ms",
        redis.address()
    );
    let site = site(HOURLY, &endpoints);
    assert_eq!(ask(&site.process, "limited.test", "a"), "200");
    redis.signal("STOP");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let start = Instant::now();
                    assert_eq!(ask(&site.process, "limited.test", "a"), AWAY);
                    let waited = start.elapsed();
                    assert!(waited < Duration::from_secs(2), "waited {waited:?}");
                }
            });
        }
        for _ in 0..50 {
            let start = Instant::now();
            assert_eq!(ask(&site.process, "free.test", "a"), "200");
            assert!(start.elapsed() < Duration::from_millis(300), "a worker was blocked");
        }
    });
    redis.signal("CONT");
    let start = Instant::now();
    while ask(&site.process, "limited.test", "b") != "200" {
        assert!(start.elapsed() < Duration::from_secs(5), "Redis goes on");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn redis_is_asked_over_tls_by_those_whom_it_knows() {
    let (own, client) = (Certificate::for_names(&["localhost"]), Certificate::for_names(&["me"]));
    let other = Certificate::for_names(&["localhost"]);
    let files = [
        ("own.pem", own.certificate_pem.as_str()),
        ("own.key", &own.key_pem),
        ("client.pem", &client.certificate_pem),
    ];
    let arguments = [
        "--port",
        "0",
        "--tls-port",
        "@@port@@",
        "--tls-cert-file",
        "@@folder@@/own.pem",
        "--tls-key-file",
        "@@folder@@/own.key",
        "--tls-ca-cert-file",
        "@@folder@@/client.pem",
    ];
    let Some(redis) = Redis::start(&arguments, &files) else { return };
    let folder = "@@folder@@/dynamic";
    for (tls, expected) in [
        (format!("ca: {folder}/own.pem, cert: {folder}/me.pem, key: {folder}/me.key"), "200"),
        (format!("insecureSkipVerify: true, cert: {folder}/me.pem, key: {folder}/me.key"), "200"),
        (format!("ca: {folder}/other.pem, cert: {folder}/me.pem, key: {folder}/me.key"), AWAY),
        (format!("ca: {folder}/own.pem"), AWAY),
        (format!("cert: {folder}/me.pem, key: {folder}/me.key"), AWAY),
    ] {
        let said = format!("endpoints: ['localhost:{}'], tls: {{{tls}}}", redis.port());
        let mut setup = setup(HOURLY, &said);
        for (name, text) in [
            ("own.pem", &own.certificate_pem),
            ("other.pem", &other.certificate_pem),
            ("me.pem", &client.certificate_pem),
            ("me.key", &client.key_pem),
        ] {
            setup.files.push((name.to_owned(), text.clone()));
        }
        let site = Site::with(Backend::start(), &setup, &[]);
        assert_eq!(ask(&site.process, "limited.test", &tls), expected, "{tls}");
    }
}

#[test]
fn the_servers_of_a_cluster_are_found() {
    // The one that a server would choose beside its own could be taken.
    let buses = [free_port(), free_port()].map(|port| port.to_string());
    let start = |bus: &str| {
        let cluster = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
        Redis::start(&[&cluster[..], &["--cluster-port", bus]].concat(), &[])
    };
    let Some(first) = start(&buses[0]) else { return };
    let Some(second) = start(&buses[1]) else { return };
    for (redis, range) in [(&first, ["0", "8191"]), (&second, ["8192", "16383"])] {
        let [from, to] = range;
        assert_eq!(redis.ask(&[&["CLUSTER", "ADDSLOTSRANGE", from, to]]), "+OK");
    }
    let port = second.port().to_string();
    assert_eq!(first.ask(&[&["CLUSTER", "MEET", "127.0.0.1", &port, &buses[1]]]), "+OK");
    let start = Instant::now();
    let is_whole = |redis: &Redis| redis.ask(&[&["CLUSTER", "INFO"]]).contains("cluster_state:ok");
    while !(is_whole(&first) && is_whole(&second)) {
        assert!(start.elapsed() < Duration::from_secs(20), "no cluster");
        thread::sleep(Duration::from_millis(50));
    }
    // The second address is nobody's: the others are found through the first.
    let endpoints = format!("endpoints: ['{}', '127.0.0.1:1'], db: 5", first.address());
    let site = site("average: 1, period: 1h, burst: 1", &endpoints);
    for user in 0..20 {
        assert_eq!(ask(&site.process, "limited.test", &user.to_string()), "200", "{user}");
        assert_eq!(ask(&site.process, "limited.test", &user.to_string()), LATER, "{user}");
    }
    let counts = [&first, &second].map(|redis| redis.ask(&[&["DBSIZE"]]));
    assert!(counts.iter().all(|count| count != ":0"), "{counts:?}");
}

#[test]
fn user_and_password_of_redis_are_shown_nowhere() {
    let Some(redis) = Redis::start(&["--requirepass", "open sesame"], &[]) else { return };
    for (password, expected) in [("open sesame", "200"), ("open nothing", AWAY)] {
        let said =
            format!("endpoints: ['{}'], username: default, password: {password}", redis.address());
        let setup = setup(HOURLY, &said).flag("--log.level=DEBUG");
        let site = Site::with(Backend::start(), &setup, &[]);
        assert_eq!(ask(&site.process, "limited.test", "a"), expected);
        let mut api = Client::connect(site.process.address("traefik")).expect("a connection");
        let shown = api.ask("GET /api/rawdata HTTP/1.1\r\nHost: a\r\n\r\n").expect("an answer");
        assert!(shown.text().contains("limit@file"));
        for text in [shown.text(), site.process.log()] {
            assert!(!text.contains("open "), "{text}");
        }
    }
}
