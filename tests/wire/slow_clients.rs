//! Slow and silent clients: they time out, and they cost nobody else anything.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::client::{Client, End};
use portway_testkit::folder::Folder;
use portway_testkit::process::{Process, Program, Setup};

use super::{Site, get};

#[test]
fn a_head_that_trickles_in_is_served() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    for byte in get("/trickle").as_bytes() {
        client.send([*byte]).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(client.response_to("GET").unwrap().status, 200);
}

#[test]
fn a_head_that_does_not_end_meets_the_read_timeout() {
    let flag = "--entryPoints.web.transport.respondingTimeouts.readTimeout=500ms";
    let site = Site::start(Backend::start(), &[flag]);
    for start in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut client = site.client();
        client.send(start).unwrap();
        let begun = Instant::now();
        let (_, end) = client.until_end(Duration::from_secs(5));
        assert_ne!(end, End::Open, "after {start:?}");
        let elapsed = begun.elapsed();
        assert!(elapsed > Duration::from_millis(300), "closed after {elapsed:?} already");
    }
    assert_eq!(site.backend.take().len(), 0);
}

/// So many clients begin a head of `size` bytes and stop; with what the process grows by.
fn hold_heads(site: &Site, count: u64, size: usize) -> (Vec<Client>, u64) {
    let before = site.process.resident_bytes();
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(size));
    let clients = (0..count)
        .map(|_| {
            let mut client = site.client();
            // Who is refused need not read all of it.
            _ = client.send(&head);
            client
        })
        .collect();
    // Where all of them are read.
    assert_eq!(site.client().ask(get("/")).unwrap().status, 200);
    std::thread::sleep(Duration::from_millis(300));
    (clients, site.process.resident_bytes().saturating_sub(before))
}

#[test]
fn heads_that_do_not_end_cost_little_more_than_their_bytes() {
    let site = Site::start(Backend::start(), &[]);
    let (clients, grown) = hold_heads(&site, 1000, 100);
    assert!(grown / 1000 < 12 << 10, "{grown} bytes");
    drop(clients);
}

#[test]
fn long_heads_that_do_not_end_have_a_common_limit() {
    let site = Site::start(Backend::start(), &[]);
    let (clients, grown) = hold_heads(&site, 500, 900_000);
    assert!(grown < 400 << 20, "{grown} bytes");
    let refused = |client: &mut Client| {
        let (answer, end) = client.until_end(Duration::from_millis(1));
        end != End::Open && (answer.is_empty() || answer.starts_with(b"HTTP/1.1 503"))
    };
    let gone =
        clients.into_iter().map(|mut client| refused(&mut client)).filter(|gone| *gone).count();
    assert!((100..400).contains(&gone), "{gone} of 500");
    assert!(site.process.log().contains("connections hold more than there is room for"));
    // Room that is given back is there for others.
    let long = get("/long").replace("\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "x".repeat(200_000)));
    let start = Instant::now();
    while site.client().ask(&long).unwrap().status != 200 {
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_body_that_does_not_end_meets_the_read_timeout() {
    let flag = "--entryPoints.web.transport.respondingTimeouts.readTimeout=500ms";
    let site = Site::start(Backend::start(), &[flag]);
    let mut client = site.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart").unwrap();
    assert_ne!(client.until_end(Duration::from_secs(5)).1, End::Open);
    std::thread::sleep(Duration::from_millis(50));
    assert!(site.backend.take().iter().all(|one| !one.complete));
}

#[test]
fn an_idle_connection_meets_the_idle_timeout() {
    let flag = "--entryPoints.web.transport.respondingTimeouts.idleTimeout=500ms";
    let site = Site::start(Backend::start(), &[flag]);
    let mut client = site.client();
    assert_eq!(client.ask(get("/")).unwrap().status, 200);
    assert_eq!(client.until_end(Duration::from_secs(5)), (Vec::new(), End::Closed));
}

#[test]
fn silent_connections_do_not_keep_others_waiting() {
    let site = Site::start(Backend::start(), &["--log.level=ERROR"]);
    let silent: Vec<_> = (0..300)
        .map(|index| {
            let mut client = site.client();
            if index % 2 == 0 {
                client.send("GET / HTTP/1.1\r\nHost: a\r\n").unwrap();
            }
            client
        })
        .collect();
    let start = Instant::now();
    for _ in 0..50 {
        assert_eq!(site.client().ask(get("/")).unwrap().status, 200);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    drop(silent);
}

#[test]
fn a_slow_answer_does_not_keep_other_connections_waiting() {
    let site = Site::start(Backend::start(), &[]);
    let mut slow: Vec<_> = (0..20).map(|_| site.client()).collect();
    for client in &mut slow {
        client.send(get("/slow")).unwrap();
    }
    let start = Instant::now();
    assert_eq!(site.client().ask(get("/")).unwrap().status, 200);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    for client in &mut slow {
        assert_eq!(client.response_to("GET").unwrap().status, 200);
    }
}

/// Portway with so many descriptors.
fn with_descriptors(count: usize, folder: &Folder) -> Program {
    let Program::Portway(portway) = crate::portway() else { unreachable!("it is Portway") };
    let script = folder.path().join("portway");
    let text = format!("#!/bin/sh\nulimit -n {count}\nexec '{}' \"$@\"\n", portway.display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    Program::Portway(script)
}

#[test]
fn clients_leave_descriptors_for_connections_to_servers() {
    let (folder, backend) = (Folder::new("descriptors"), Backend::start());
    let text = super::EVERYTHING.replace("@@backend@@", &backend.address().to_string());
    let process = Process::start(&with_descriptors(200, &folder), &Setup::web(&text));
    let site = Site { process, backend };
    let mut first: Vec<_> = (0..30).map(|_| site.client()).collect();
    for client in &mut first {
        assert_eq!(client.ask(get("/")).unwrap().status, 200);
    }
    // What the first have opened is closed; then there are more clients than descriptors.
    site.backend.drop_connections();
    let idle: Vec<_> = (0..300).map(|_| site.client()).collect();
    std::thread::sleep(Duration::from_millis(300));
    for client in &mut first {
        client.send(get("/slow")).unwrap();
    }
    for client in &mut first {
        assert_eq!(client.response_to("GET").unwrap().status, 200);
    }
    assert!(site.process.log().contains("connections wait to be accepted"));
    let mut owner = Client::connect(site.process.address("traefik")).unwrap();
    assert_eq!(owner.ask(get("/ping")).unwrap().status, 200);
    drop(idle);
    let start = Instant::now();
    assert_eq!(site.client().ask(get("/")).unwrap().status, 200);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
