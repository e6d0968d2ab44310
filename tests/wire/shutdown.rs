//! SIGTERM: what is in flight ends, nothing new begins, and the exit is clean.

use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::client::{Client, End};

use super::{EVERYTHING, Site, get};

#[test]
fn a_request_in_flight_survives_sigterm() {
    let mut site = Site::start(Backend::start(), &[]);
    let mut busy = site.client();
    let mut idle = site.client();
    assert_eq!(idle.ask(get("/")).unwrap().status, 200);
    let _ = site.backend.take();
    busy.send(get("/slow")).unwrap();
    assert_eq!(site.backend.take_at_least(1, Duration::from_secs(5)).len(), 1);
    site.process.signal("TERM");
    assert_ne!(
        idle.until_end(Duration::from_secs(3)).1,
        End::Open,
        "an idle connection stayed open"
    );
    assert_eq!(busy.response_to("GET").unwrap().status, 200);
    let status = site.process.wait(Duration::from_secs(12)).expect("an end");
    assert!(status.success(), "{status}");
}

#[test]
fn whoever_asks_again_at_once_is_told_that_it_ends() {
    let mut site = Site::start(Backend::start(), &[]);
    let clients: Vec<_> = (0..24)
        .map(|number| {
            let mut client = site.client();
            std::thread::spawn(move || {
                for asked in 1.. {
                    // Some answers are sent while the end begins, some requests come just then.
                    let response = client.ask(get("/")).map_err(|error| (number, asked, error))?;
                    if response.headers.value("Connection") == Some("close") {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(number % 8));
                }
                Ok::<(), (u64, u64, std::io::Error)>(())
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    site.process.signal("TERM");
    for client in clients {
        client.join().unwrap().unwrap();
    }
    let status = site.process.wait(Duration::from_secs(12)).expect("an end");
    assert!(status.success(), "{status}");
}

#[test]
fn an_idle_process_ends_at_once() {
    let mut site = Site::start(Backend::start(), &[]);
    let _idle = site.client();
    let start = Instant::now();
    site.process.signal("TERM");
    let status = site.process.wait(Duration::from_secs(12)).expect("an end");
    assert!(status.success(), "{status}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn readiness_fails_before_connections_are_refused() {
    let flag = "--entryPoints.web.transport.lifeCycle.requestAcceptGraceTimeout=2s";
    let ping = "--entryPoints.traefik.transport.lifeCycle.requestAcceptGraceTimeout=2s";
    let mut site = Site::start(Backend::start(), &[flag, ping]);
    let probe = |site: &Site| {
        let client = Client::connect(site.process.address("traefik"));
        client.and_then(|mut client| client.ask(get("/ping"))).map(|response| response.status).ok()
    };
    assert_eq!(probe(&site), Some(200));
    site.process.signal("TERM");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(probe(&site), Some(503));
    assert_eq!(site.client().ask(get("/")).unwrap().status, 200);
    let status = site.process.wait(Duration::from_secs(12)).expect("an end");
    assert!(status.success(), "{status}");
}

#[test]
fn changes_are_followed_while_requests_are_still_accepted() {
    let flag = "--entryPoints.web.transport.lifeCycle.requestAcceptGraceTimeout=4s";
    let site = Site::start(Backend::start(), &[flag]);
    site.process.signal("TERM");
    let other = Backend::start();
    let dynamic = EVERYTHING.replace("@@backend@@", &other.address().to_string());
    site.process.write_quietly("dynamic.yml", &dynamic);
    let start = Instant::now();
    while other.take().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(3), "the change was never live");
        assert_eq!(site.client().ask(get("/")).unwrap().status, 200);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_request_that_never_ends_is_cut_after_the_grace_time() {
    let flag = "--entryPoints.web.transport.lifeCycle.graceTimeOut=500ms";
    let mut site = Site::start(Backend::start(), &[flag]);
    let mut client = site.client();
    client.send(get("/slow")).unwrap();
    assert_eq!(site.backend.take_at_least(1, Duration::from_secs(5)).len(), 1);
    let start = Instant::now();
    site.process.signal("TERM");
    assert!(site.process.wait(Duration::from_secs(10)).is_some());
    let elapsed = start.elapsed();
    assert!(
        elapsed > Duration::from_millis(400) && elapsed < Duration::from_millis(1400),
        "{elapsed:?}"
    );
}
