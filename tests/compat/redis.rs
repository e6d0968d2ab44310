//! `rateLimit` with `redis`: both routers count in one Redis, apart and together.

use std::fmt::Write as _;

use portway_testkit::client::{Client, Response};
use portway_testkit::process::Setup;
use portway_testkit::redis::Redis;

use super::pair::{Pair, Side};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    burst: {rule: "Host(`burst.test`)", service: s, middlewares: [burst]}
    other: {rule: "Host(`other.test`)", service: s, middlewares: [burst]}
    twice: {rule: "Host(`twice.test`)", service: s, middlewares: [burst, burst]}
    chained: {rule: "Host(`chained.test`)", service: s, middlewares: [chained]}
    slow: {rule: "Host(`slow.test`)", service: s, middlewares: [outer, slow]}
    fast: {rule: "Host(`fast.test`)", service: s, middlewares: [fast]}
    waits: {rule: "Host(`waits.test`)", service: s, middlewares: [waits]}
    off: {rule: "Host(`off.test`)", service: s, middlewares: [off]}
    noburst: {rule: "Host(`noburst.test`)", service: s, middlewares: [noburst]}
    byuser: {rule: "Host(`byuser.test`)", service: s, middlewares: [byuser]}
    byhost: {rule: "HostRegexp(`(?i)^byhost`)", service: s, middlewares: [byhost]}
    bydepth: {rule: "Host(`bydepth.test`)", service: s, middlewares: [bydepth]}
    bysubnet: {rule: "Host(`bysubnet.test`)", service: s, middlewares: [bysubnet]}
    elsewhere: {rule: "Host(`elsewhere.test`)", service: s, middlewares: [elsewhere]}
    user: {rule: "Host(`user.test`)", service: s, middlewares: [user]}
    wrong: {rule: "Host(`wrong.test`)", service: s, middlewares: [wrong]}
    nobody: {rule: "Host(`nobody.test`)", service: s, middlewares: [outer, nobody]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    outer: {headers: {customResponseHeaders: {X-Outer: "1"}}}
    burst: {rateLimit: {average: 1, period: 10m, burst: 4, redis: {endpoints: ["@@redis@@"]}}}
    chained: {chain: {middlewares: [burst, outer, burst]}}
    slow: {rateLimit: {average: 1, period: 1h, redis: {endpoints: ["@@redis@@"], poolSize: 1, maxActiveConns: 1}}}
    fast: {rateLimit: {average: 1000000, redis: {endpoints: ["@@redis@@"], poolSize: 5, minIdleConns: 2}}}
    waits: {rateLimit: {average: 2, redis: {endpoints: ["@@redis@@"]}}}
    off: {rateLimit: {average: 0, burst: 5, redis: {endpoints: ["@@redis@@"]}}}
    noburst: {rateLimit: {average: 1, period: 10m, burst: 0, redis: {endpoints: ["@@redis@@"]}}}
    byuser: {rateLimit: {average: 1, period: 1h, sourceCriterion: {requestHeaderName: X-User}, redis: {endpoints: ["@@redis@@"]}}}
    byhost: {rateLimit: {average: 1, period: 1h, sourceCriterion: {requestHost: true}, redis: {endpoints: ["@@redis@@"]}}}
    bydepth: {rateLimit: {average: 1, period: 1h, sourceCriterion: {ipStrategy: {depth: 2}}, redis: {endpoints: ["@@redis@@"]}}}
    bysubnet: {rateLimit: {average: 1, period: 1h, sourceCriterion: {ipStrategy: {depth: 1, ipv6Subnet: 64}}, redis: {endpoints: ["@@redis@@"]}}}
    elsewhere: {rateLimit: {average: 1, period: 1h, redis: {endpoints: ["@@redis@@"], db: 3}}}
    user: {rateLimit: {average: 1, period: 1h, redis: {endpoints: ["@@redis@@"], username: alice, password: "s3cret word"}}}
    wrong: {rateLimit: {average: 1, period: 1h, redis: {endpoints: ["@@redis@@"], username: alice, password: nonsense, readTimeout: 500ms, writeTimeout: 1s, dialTimeout: 2s}}}
    nobody: {rateLimit: {average: 1, period: 1h, redis: {endpoints: ["127.0.0.1:1"], dialTimeout: 1s}}}
"#;

/// How often each is asked, one right after the other.
const ASKED: &[(&str, &str, usize)] = &[
    ("burst.test", "", 6),
    ("other.test", "", 5),
    ("twice.test", "", 3),
    ("chained.test", "", 3),
    ("slow.test", "", 3),
    ("fast.test", "", 5),
    ("waits.test", "", 2),
    ("off.test", "", 2),
    ("noburst.test", "", 2),
    ("byuser.test", "", 2),
    ("byuser.test", "X-User: a b\r\n", 2),
    ("byuser.test", "X-User: é\r\n", 2),
    ("byuser.test", "X-User: {a}:b\r\nX-User: c\r\n", 2),
    ("byhost.test", "", 2),
    ("BYhost.test:80", "", 2),
    ("bydepth.test", "", 1),
    ("bydepth.test", "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n", 2),
    ("bysubnet.test", "X-Forwarded-For: 2001:db8:1:2:3::4\r\n", 2),
    ("bysubnet.test", "X-Forwarded-For: 1.1.1.1:80\r\n", 1),
    ("bysubnet.test", "X-Forwarded-For: nobody\r\n", 1),
    ("elsewhere.test", "", 2),
    ("user.test", "", 2),
    ("wrong.test", "", 1),
    ("nobody.test", "", 2),
];

#[test]
fn redis_holds_what_it_holds_for_traefik() {
    let Some((redis, mut pair)) = start() else { return };
    for (host, fields, times) in ASKED {
        let texts = pair.sides.each_ref().map(|side| {
            redis.ask(&[&["FLUSHALL"]]);
            let mut text = String::new();
            for _ in 0..*times {
                let _ = writeln!(text, "{}", ask(side, host, fields));
            }
            text + &kept(&redis)
        });
        pair.compare_texts(&format!("{host} {fields}"), texts);
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}

#[test]
fn both_routers_share_a_bucket() {
    let Some((redis, mut pair)) = start() else { return };
    for first in [0, 1] {
        redis.ask(&[&["FLUSHALL"]]);
        let answers: Vec<String> =
            (0..6).map(|number| ask(&pair.sides[(first + number) % 2], "burst.test", "")).collect();
        let passed = answers.iter().filter(|answer| answer.starts_with("200")).count();
        assert_eq!(passed, 4, "{answers:?}");
        pair.compare_texts("the last two", [answers[4].clone(), answers[5].clone()]);
    }
    pair.finish();
}

fn start() -> Option<(Redis, Pair)> {
    let redis = Redis::start(&[], &[])?;
    let rules = ["ACL", "SETUSER", "alice", "on", ">s3cret word", "~rate:*", "+@all"];
    assert_eq!(redis.ask(&[&rules]), "+OK");
    let setup = Setup::web(&DYNAMIC.replace("@@redis@@", &redis.address()))
        .flag("--entryPoints.web.forwardedHeaders.insecure=true");
    Some((redis, Pair::start(&setup, 1)?))
}

fn ask(side: &Side, host: &str, fields: &str) -> String {
    let mut client = Client::connect(side.process.address("web")).expect("a connection");
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
    summary(&client.ask(request).expect("an answer"))
}

/// Status, fields and body. How long one has to wait depends on when both are asked.
fn summary(response: &Response) -> String {
    let mut fields = response.headers.sorted();
    fields.retain(|(name, _)| name != "date");
    for (name, value) in &mut fields {
        if name == "x-retry-in" {
            value.truncate(2);
        }
        if name == "retry-after" {
            let seconds: u64 = value.parse().expect("a number of seconds");
            *value = format!("{} minutes", seconds.div_ceil(60));
        }
    }
    format!("{} {fields:?} {:?}", response.status, response.text())
}

/// The keys of each database with what they are, whole tokens in them, and how long they are kept.
fn kept(redis: &Redis) -> String {
    let mut text = String::new();
    for database in ["0", "3"] {
        let select: &[&str] = &["SELECT", database];
        let keys = redis.ask(&[select, &["KEYS", "*"]]);
        let mut keys: Vec<&str> = keys.lines().collect();
        keys.sort_unstable();
        for key in keys {
            let fields = redis.ask(&[select, &["HGETALL", key]]);
            let mut fields: Vec<&str> = fields.lines().collect();
            // The time has its place, and whole tokens are what no time changes.
            let last = fields.get_mut(1).expect("a time");
            assert!(last.parse::<u64>().expect("microseconds") > 1_700_000_000_000_000);
            *last = "microseconds";
            let tokens: f64 = fields.pop().expect("tokens").parse().expect("a number");
            let seconds = redis.ask(&[select, &["TTL", key]]);
            let seconds = seconds.trim_start_matches(':').parse::<u64>().expect("seconds");
            // A second may have passed for one of both.
            let seconds = if seconds < 5 { seconds } else { seconds.div_ceil(10) * 10 };
            let _ =
                writeln!(text, "{database} {key}: {fields:?} {:.0}, {seconds} s", tokens.trunc());
        }
    }
    text
}
