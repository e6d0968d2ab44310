//! Health checks while the configuration changes: no request is lost, nothing is forgotten, and servers are not asked
//! more often.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Step, script};
use portway_testkit::client::Client;
use portway_testkit::process::{Process, Setup};

use super::get;

/// How often servers are asked.
const INTERVAL: Duration = Duration::from_millis(200);

/// A server that says how it is when it is asked for it, and serves everything else.
fn server(well: bool) -> Backend {
    Backend::scripted(move |received| {
        let status = match received.path() {
            "/health" if !well => "503 Service Unavailable",
            _ => "200 OK",
        };
        vec![Step::Write(script::response(status, "", "ok"))]
    })
}

fn site(well: &Backend, sick: &Backend, round: usize) -> String {
    let others: String = (0..round % 5)
        .map(|n| format!("    o{n}: {{rule: 'Host(`o{n}`)', service: s}}\n"))
        .collect();
    let third =
        if round.is_multiple_of(2) { "" } else { ", {url: 'http://127.0.0.1:1', weight: 0}" };
    format!(
        "http:\n  routers:\n    all: {{rule: 'PathPrefix(`/`)', service: s, entryPoints: [web]}}\n{others}  services:\n    \
         s:\n      loadBalancer:\n        healthCheck: {{path: /health, interval: 200ms}}\n        servers: [{{url: \
         'http://{}'}}, {{url: 'http://{}'}}{third}]\n",
        well.address(),
        sick.address()
    )
}

fn asked(backend: &Backend) -> (usize, usize) {
    let all = backend.take();
    let checks = all.iter().filter(|received| received.path() == "/health").count();
    (checks, all.len() - checks)
}

#[test]
fn reloads_neither_lose_requests_nor_forget_health_nor_multiply_checks() {
    let (well, sick) = (server(true), server(false));
    let setup = Setup::web(&site(&well, &sick, 0))
        .flag("--providers.providersThrottleDuration=10ms")
        .flag("--log.level=INFO");
    let portway = Process::start(&crate::portway(), &setup);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !portway.log().contains("is down: health check failed") {
        assert!(Instant::now() < deadline, "{}", portway.log());
        thread::sleep(Duration::from_millis(10));
    }
    let _ = (asked(&well), asked(&sick));
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let address = portway.address("web");
    let clients: Vec<_> = (0..2)
        .map(|_| {
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            thread::spawn(move || {
                let mut client = Client::connect(address).unwrap();
                while !over.load(Ordering::Relaxed) {
                    let response = client.ask(get("/x")).expect("an answer on the same connection");
                    assert_eq!(response.status, 200);
                    answered.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(1));
                }
            })
        })
        .collect();
    let start = Instant::now();
    let mut round = 0;
    while start.elapsed() < Duration::from_secs(4) {
        round += 1;
        portway.write_quietly("dynamic.yml", &site(&well, &sick, round));
        thread::sleep(Duration::from_millis(20));
    }
    let ticks = usize::try_from(start.elapsed().as_millis() / INTERVAL.as_millis()).unwrap();
    let counts = [asked(&well), asked(&sick)];
    over.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().expect("a client without a loss"));
    println!("{round} edits, {answered:?} requests, {ticks} ticks, {counts:?} checks and requests");
    for (checks, _) in counts {
        assert!((ticks / 2..=ticks + 2).contains(&checks), "{checks} checks in {ticks} ticks");
    }
    assert_eq!(counts[1].1, 0, "requests went to the server that is down");
    assert!(answered.load(Ordering::Relaxed) > 100);
    let reloads = portway.log().matches("is live").count();
    // Files are read at most so often.
    assert!(reloads > 10, "only {reloads} reloads");
}
