//! Upgrade tunnels: bytes both ways, half-closing, reloads in the middle, and what is held and said to the end.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::client::{Client, End};
use portway_testkit::process::{Process, Setup};

use super::{EVERYTHING, Site, get};

pub(super) const OPEN: &str =
    "GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

fn open(site: &Site) -> Client {
    open_at(&site.process)
}

fn open_at(process: &Process) -> Client {
    let mut client = Client::connect(process.address("web")).expect("a connection");
    client.send(OPEN).unwrap();
    let head = client.head().unwrap();
    assert_eq!(head.part(1), "101");
    assert_eq!(head.headers.value("X-Tunnel"), Some("1"));
    client
}

#[test]
fn bytes_pass_both_ways_through_a_tunnel() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = open(&site);
    for size in [1, 1000, 300_000] {
        let sent: Vec<u8> = (0..size).map(|at| (at % 253) as u8).collect();
        client.send(&sent).unwrap();
        assert_eq!(client.bytes(size).unwrap(), sent);
    }
}

#[test]
fn bytes_that_come_with_the_request_enter_the_tunnel() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    client.send(format!("{OPEN}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
    assert_eq!(client.head().unwrap().part(1), "101");
    assert_eq!(client.bytes(5).unwrap(), b"GET /");
    assert_eq!(site.backend.take().len(), 1);
}

#[test]
fn the_end_of_one_side_ends_the_tunnel() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = open(&site);
    client.send("last").unwrap();
    client.finish_sending().unwrap();
    let (rest, end) = client.until_end(Duration::from_secs(5));
    assert_eq!((rest.as_slice(), end), (&b"last"[..], End::Closed));

    let mut client = open(&site);
    site.backend.drop_connections();
    assert_ne!(client.until_end(Duration::from_secs(5)).1, End::Open);
}

#[test]
fn a_reload_leaves_tunnels_alone() {
    let mut site = Site::start(Backend::start(), &[]);
    let mut client = open(&site);
    let dynamic = EVERYTHING.replace("@@backend@@", &site.backend.address().to_string());
    site.process.reload("dynamic.yml", &dynamic.replace("PathPrefix(`/`)", "PathPrefix(`/other`)"));
    client.send("still here").unwrap();
    assert_eq!(client.bytes(10).unwrap(), b"still here");
}

/// Routers whose names begin with `prefix`, so that no two configurations have one in common.
fn many_routers(prefix: &str, backend: &Backend) -> String {
    let mut text = "http:\n  routers:\n".to_owned();
    for number in 0..3000 {
        let _ = writeln!(
            text,
            "    {prefix}{number}: {{rule: 'Host(`{prefix}{number}.test`)', service: s, entryPoints: [web]}}"
        );
    }
    let all = EVERYTHING.replace("http:\n  routers:\n", "");
    text + &all.replace("@@backend@@", &backend.address().to_string())
}

#[test]
fn tunnels_keep_no_configuration_that_is_gone() {
    let mut site = Site::start(Backend::start(), &["--log.level=ERROR"]);
    let mut tunnels = Vec::new();
    let mut grown = 0;
    // The first ones fill what is kept in any case.
    for turn in 0..12 {
        let dynamic = many_routers(&format!("router-{turn}-"), &site.backend);
        site.process.reload("dynamic.yml", &dynamic);
        let before = site.process.resident_bytes();
        tunnels.push(open(&site));
        if turn == 3 {
            grown = before;
        }
    }
    let grown = site.process.resident_bytes().saturating_sub(grown);
    assert!(grown < 16 << 20, "{grown} bytes more, of eight configurations that are gone");
    for tunnel in &mut tunnels {
        tunnel.send("still here").unwrap();
        assert_eq!(tunnel.bytes(10).unwrap(), b"still here");
    }
}

#[test]
fn a_tunnel_counts_to_its_end_as_a_request_in_flight() {
    let dynamic = EVERYTHING.replace("service: s,", "service: s, middlewares: [one],")
        + "  middlewares: {one: {inFlightReq: {amount: 1}}}\n";
    let site = Site::with(Backend::start(), &Setup::web(&dynamic), &[]);
    let status = || site.client().ask(get("/")).unwrap().status;
    for _ in 0..3 {
        let mut tunnel = open(&site);
        assert_eq!(status(), 429);
        tunnel.send("hello").unwrap();
        assert_eq!(tunnel.bytes(5).unwrap(), b"hello");
        assert_eq!(status(), 429);
        drop(tunnel);
        let start = Instant::now();
        while status() != 200 {
            assert!(start.elapsed() < Duration::from_secs(5), "the tunnel still counts");
        }
    }
}

#[test]
fn a_tunnel_counts_to_its_end_at_its_server() {
    let (one, other) = (Backend::start(), Backend::start());
    let dynamic = EVERYTHING.replace(
        "servers: [{url: \"http://@@backend@@\"}]",
        &format!("strategy: p2c, servers: [{{url: '{}'}}, {{url: '{}'}}]", one.url(), other.url()),
    );
    let mut process = Process::start(&crate::portway(), &Setup::web(&dynamic));
    let tunnel = open_at(&process);
    let asked = || (one.take().len(), other.take().len());
    let (busy, _) = asked();
    // On one connection a request ends before the next one begins.
    let mut client = Client::connect(process.address("web")).expect("a connection");
    let mut ask = || (0..20).for_each(|_| assert_eq!(client.ask(get("/")).unwrap().status, 200));
    ask();
    assert_eq!(asked(), if busy == 1 { (0, 20) } else { (20, 0) });
    // The count is not that of a snapshot.
    let changed = dynamic.replace("PathPrefix(`/`)", "PathPrefix(`/`) && !Path(`/x`)");
    process.reload("dynamic.yml", &changed);
    ask();
    assert_eq!(asked(), if busy == 1 { (0, 20) } else { (20, 0) });
    drop(tunnel);
    let start = Instant::now();
    loop {
        ask();
        let (first, second) = asked();
        if first > 0 && second > 0 {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(5), "the tunnel still counts");
    }
}

const LOG: [&str; 2] = ["--accessLog.format=json", "--accessLog.filePath=@@folder@@/access.log"];

/// The lines about tunnels.
fn logged(site: &Site) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(site.process.folder().path().join("access.log"));
    let text = text.unwrap_or_default();
    let lines = text.lines().filter(|line| line.contains("\"/tunnel\""));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_tunnel_is_logged_once_at_its_end() {
    let mut site = Site::start(Backend::start(), &LOG);
    let mut client = open(&site);
    client.send("hello").unwrap();
    assert_eq!(client.bytes(5).unwrap(), b"hello");
    // Its router is gone before it is.
    let dynamic = EVERYTHING.replace("@@backend@@", &site.backend.address().to_string());
    site.process.reload("dynamic.yml", &dynamic.replace("    all:", "    other:"));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(logged(&site).len(), 0);
    client.finish_sending().unwrap();
    assert_eq!(client.until_end(Duration::from_secs(5)).1, End::Closed);
    let start = Instant::now();
    while logged(&site).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(5), "no line");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let lines = logged(&site);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!(line["DownstreamStatus"], 0, "{line}");
    assert_eq!(line["OriginStatus"], 0, "{line}");
    assert_eq!(line["DownstreamContentSize"], 5, "{line}");
    assert_eq!(line["RouterName"], "all@file", "{line}");
    assert_eq!(line["ServiceName"], "s@file", "{line}");
    assert_eq!(line["RequestHost"], "a", "{line}");
    assert!(line["Duration"].as_u64() >= Some(300_000_000), "{line}");
}

#[test]
fn a_tunnel_that_the_grace_time_cuts_is_logged() {
    let grace = "--entryPoints.web.transport.lifeCycle.graceTimeOut=500ms";
    let mut site = Site::start(Backend::start(), &[&LOG[..], &[grace]].concat());
    let mut client = open(&site);
    client.send("hello").unwrap();
    assert_eq!(client.bytes(5).unwrap(), b"hello");
    let start = Instant::now();
    site.process.signal("TERM");
    let (rest, end) = client.until_end(Duration::from_secs(10));
    assert!(rest.is_empty() && end != End::Open);
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    assert!(site.process.wait(Duration::from_secs(10)).is_some());
    let lines = logged(&site);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["DownstreamContentSize"], 5, "{}", lines[0]);
    assert_eq!(lines[0]["Reason"], "GraceOver", "{}", lines[0]);
}
