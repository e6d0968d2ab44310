//! Clients that leave before the answer: 499 in the access log, and nothing else is disturbed.

use std::fs;
use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;

use super::{Site, get};

#[test]
fn a_client_that_leaves_is_logged_as_499() {
    let flags = [
        "--accessLog=true",
        "--accessLog.format=json",
        "--accessLog.filePath=@@folder@@/access.log",
    ];
    let site = Site::start(Backend::start(), &flags);
    let mut client = site.client();
    client.send(get("/slow")).unwrap();
    assert_eq!(site.backend.take_at_least(1, Duration::from_secs(5)).len(), 1);
    drop(client);
    assert_eq!(site.client().ask(get("/after")).unwrap().status, 200);
    let path = site.process.folder().path().join("access.log");
    let start = Instant::now();
    loop {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let line = text.lines().find(|line| line.contains("/slow"));
        if let Some(line) = line {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["DownstreamStatus"], 499, "{line}");
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(5), "no line for /slow in\n{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn clients_that_leave_do_not_disturb_those_that_stay() {
    let site = Site::start(Backend::start(), &["--log.level=ERROR"]);
    let mut staying = site.client();
    for _ in 0..50 {
        let mut leaving = site.client();
        leaving.send(get("/large")).unwrap();
        drop(leaving);
        let mut leaving = site.client();
        leaving.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart").unwrap();
        drop(leaving);
        assert_eq!(staying.ask(get("/")).unwrap().status, 200);
    }
    // What was left half said is never taken for a whole request.
    let received = site.backend.take();
    assert!(received.iter().all(|one| one.complete == (one.head.part(0) == "GET")), "{received:?}");
}
