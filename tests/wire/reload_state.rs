//! What requests have left behind outlives reloads at fifty a second that do not touch its settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Step, script};
use portway_testkit::client::{Client, Response};
use portway_testkit::process::{Process, Setup};

/// How long the configuration changes.
const CHANGES: Duration = Duration::from_secs(5);

/// Time between two changes.
const BETWEEN: Duration = Duration::from_millis(20);

/// A site of which everything that holds state stays, and the rest changes with `round`.
fn site(servers: &[Backend], round: usize) -> String {
    let urls = |which: &[usize]| {
        let urls = which.iter().map(|number| format!("{{url: '{}'}}", servers[*number].url()));
        urls.collect::<Vec<_>>().join(", ")
    };
    let (all, one, other) = (urls(&[0, 1, 2]), urls(&[0]), urls(&[3]));
    let more: String = (0..round % 5)
        .map(|number| {
            format!("    more{number}: {{rule: 'Host(`m{number}-{round}`)', service: all, middlewares: [more]}}\n")
        })
        .collect();
    format!(
        "http:
  routers:
    turns: {{rule: 'Host(`turns`)', service: all, entryPoints: [web]}}
    stays: {{rule: 'Host(`stays`)', service: stays, entryPoints: [web]}}
    mirrored: {{rule: 'Host(`mirrored`)', service: mirrored, entryPoints: [web]}}
    shares: {{rule: 'Host(`shares`)', service: shares, entryPoints: [web]}}
    rate: {{rule: 'Host(`rate`)', service: one, middlewares: [rate], entryPoints: [web]}}
    guarded: {{rule: 'Host(`guarded`)', service: guarded, entryPoints: [web]}}
    single: {{rule: 'Host(`single`)', service: one, middlewares: [single], entryPoints: [web]}}
    broken: {{rule: 'Host(`broken`)', service: one, middlewares: [breaker], entryPoints: [web]}}
{more}  services:
    all: {{loadBalancer: {{servers: [{all}]}}}}
    one: {{loadBalancer: {{servers: [{one}]}}}}
    other: {{loadBalancer: {{servers: [{other}]}}}}
    stays: {{loadBalancer: {{sticky: {{cookie: {{name: c}}}}, servers: [{all}]}}}}
    shares: {{weighted: {{services: [{{name: one, weight: 3}}, {{name: other, weight: 1}}]}}}}
    mirrored: {{mirroring: {{service: one, mirrors: [{{name: other, percent: 25}}]}}}}
    guarded: {{middlewares: [rate], loadBalancer: {{servers: [{one}]}}}}
  middlewares:
    rate: {{rateLimit: {{average: 1, period: 1h, burst: 30}}}}
    single: {{inFlightReq: {{amount: 1}}}}
    breaker: {{circuitBreaker: {{expression: 'ResponseCodeRatio(500, 600, 0, 600) > 0.5', fallbackDuration: 1h, checkPeriod: 10ms}}}}
    more: {{headers: {{customRequestHeaders: {{X-Round: '{round}'}}}}}}
"
    )
}

/// Four servers that say their numbers; `/slow` takes as long as the changes, `/bad` fails.
fn servers() -> Vec<Backend> {
    let server = |number: usize| {
        let name = format!("X-Server: {number}\r\n");
        Backend::scripted(move |received| {
            let wait = if received.path() == "/slow" { CHANGES } else { Duration::ZERO };
            let status = if received.path() == "/bad" { "500 Bad" } else { "200 OK" };
            vec![Step::Wait(wait), Step::Write(script::response(status, &name, ""))]
        })
    };
    (0..4).map(server).collect()
}

/// One client of one host, which counts what it gets.
struct Asker {
    client: Client,
    host: &'static str,
    /// Answers by status.
    statuses: BTreeMap<u16, usize>,
    /// Answers by server.
    servers: BTreeMap<String, usize>,
}

impl Asker {
    fn new(process: &Process, host: &'static str) -> Self {
        let client = Client::connect(process.address("web")).expect("a connection");
        Self { client, host, statuses: BTreeMap::new(), servers: BTreeMap::new() }
    }

    fn ask(&mut self, path: &str, fields: &str) -> Response {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{fields}\r\n", self.host);
        let response = self.client.ask(request).expect("an answer on the same connection");
        *self.statuses.entry(response.status).or_default() += 1;
        let server = response.headers.value("X-Server").unwrap_or_default().to_owned();
        *self.servers.entry(server).or_default() += 1;
        response
    }
}

#[test]
fn state_outlives_fifty_reloads_a_second() {
    let servers = servers();
    let process = Process::start(&crate::portway(), &Setup::web(&site(&servers, 0)));
    let asker = |host| Asker::new(&process, host);
    let [mut turns, mut stays, mut mirrored, mut shares] =
        ["turns", "stays", "mirrored", "shares"].map(asker);
    let [mut rate, mut guarded, mut single, mut slow, mut broken] =
        ["rate", "guarded", "single", "single", "broken"].map(asker);
    let first = stays.ask("/", "");
    let cookie = first.headers.value("Set-Cookie").expect("a cookie");
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap_or_default());
    // Opens the breaker.
    while broken.ask("/bad", "").status != 503 {
        assert!(broken.statuses[&500] < 1_000, "the breaker does not open");
        thread::sleep(Duration::from_millis(5));
    }
    let failed = broken.statuses[&500];
    slow.client.send("GET /slow HTTP/1.1\r\nHost: single\r\n\r\n").expect("a request");
    thread::sleep(Duration::from_millis(100));
    for server in &servers {
        let _ = server.take();
    }
    let over = Arc::new(AtomicBool::new(false));
    let mut rounds = 0;
    let begun = Instant::now();
    thread::scope(|scope| {
        let (over, servers, process) = (Arc::clone(&over), &servers, &process);
        let changer = scope.spawn(move || {
            let mut round = 0;
            while begun.elapsed() < CHANGES - Duration::from_millis(500) {
                round += 1;
                process.write_quietly("dynamic.yml", &site(servers, round));
                thread::sleep(BETWEEN);
            }
            over.store(true, Ordering::Relaxed);
            round
        });
        while !changer.is_finished() {
            for one in
                [&mut turns, &mut mirrored, &mut shares, &mut rate, &mut guarded, &mut single]
            {
                one.ask("/", "");
            }
            stays.ask("/", &cookie);
            broken.ask("/bad", "");
        }
        rounds = changer.join().expect("changes");
    });
    assert!(over.load(Ordering::Relaxed) && rounds > 50, "{rounds} changes");
    let reloads = process.log().matches("configuration").count();
    println!("{rounds} changes, {} requests to each, {reloads} lines", turns.statuses[&200]);

    let requests = turns.statuses[&200];
    assert_eq!(turns.statuses.len(), 1, "{:?}", turns.statuses);
    let (least, most) = (turns.servers.values().min(), turns.servers.values().max());
    assert!(most.unwrap() - least.unwrap() <= 1, "in turns: {:?}", turns.servers);
    let of_one =
        |counts: &BTreeMap<String, usize>, server: &str| counts.get(server).copied().unwrap_or(0);
    let quarter = of_one(&shares.servers, "3");
    assert!(quarter.abs_diff(requests / 4) <= 1, "3 : 1 of {requests}: {:?}", shares.servers);
    assert_eq!(stays.servers.len(), 1, "by cookie: {:?}", stays.servers);
    assert_eq!(rate.statuses[&200], 30, "{:?}", rate.statuses);
    assert_eq!(guarded.statuses[&200], 30, "{:?}", guarded.statuses);
    assert_eq!(single.statuses.keys().collect::<Vec<_>>(), [&429], "{:?}", single.statuses);
    assert_eq!(broken.statuses[&500], failed, "the breaker stays open");
    assert_eq!(slow.client.response_to("GET").expect("the slow answer").status, 200);
    thread::sleep(Duration::from_millis(200));
    let copies = servers[3]
        .take()
        .iter()
        .filter(|one| one.head.headers.value("Host") == Some("mirrored"))
        .count();
    assert!(copies.abs_diff(requests / 4) <= 1, "a quarter of {requests} is mirrored: {copies}");
}
