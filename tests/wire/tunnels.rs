//! Upgrade tunnels: bytes both ways, half-closing, and a reload in the middle.

use std::time::Duration;

use portway_testkit::backend::Backend;
use portway_testkit::client::{Client, End};

use super::{EVERYTHING, Site};

const OPEN: &str =
    "GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

fn open(site: &Site) -> Client {
    let mut client = site.client();
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
