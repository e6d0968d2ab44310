//! Upgrades: what opens a tunnel, and what runs through it.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use portway_testkit::client::Client;
use portway_testkit::message::readable;
use portway_testkit::process::Setup;

use super::pair::{Case, Pair, Side};

const DYNAMIC: &str = r#"
http:
  routers:
    web: {rule: "PathPrefix(`/`)", service: s, middlewares: [mark]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    mark: {headers: {customResponseHeaders: {X-Mark: "1"}}}
"#;

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n";

#[test]
fn tunnels_open_and_carry_bytes_as_through_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    let texts = pair.sides.each_ref().map(|side| {
        let text = tunnel(side).unwrap_or_else(|error| format!("{:?}", error.kind()));
        side.anonymous(&text)
    });
    pair.compare_texts("a tunnel", texts);
    for target in ["/", "/status-400", "/close", "/until-close", "/chunked", "/cut"] {
        pair.compare(&Case::get("a", target, UPGRADE).watched());
    }
    pair.compare(&Case::request("POST", "a", "/", UPGRADE, "a body").watched());
    pair.compare(&Case::get("a", "/unasked", "").watched());
    pair.compare(&Case::get("a", "/tunnel", "Upgrade: websocket\r\n").watched());
    pair.finish();
}

fn tunnel(side: &Side) -> io::Result<String> {
    let mut client = Client::connect(side.process.address("web"))?;
    client.set_patience(Duration::from_secs(3));
    client.send(format!("GET /tunnel HTTP/1.1\r\nHost: a\r\n{UPGRADE}\r\n"))?;
    let head = client.head()?;
    let mut text = format!("{}\n", head.part(1));
    for (name, value) in head.headers.sorted() {
        let _ = writeln!(text, "{name}: {value}");
    }
    for size in [1, 100, 100_000] {
        let sent: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
        client.send(&sent)?;
        let same = client.bytes(size)? == sent;
        let _ = writeln!(text, "{size} bytes came back: {same}");
    }
    client.finish_sending()?;
    let (rest, end) = client.until_end(Duration::from_secs(2));
    let _ = writeln!(text, "then {} and {end:?}", readable(&rest));
    for (_, received) in side.received() {
        let _ = writeln!(text, "{}", received.head.line);
        for (name, value) in received.head.headers.sorted() {
            // Go asks for gzip of its own accord (wanted difference 10).
            if name != "accept-encoding" {
                let _ = writeln!(text, "{name}: {value}");
            }
        }
    }
    Ok(text)
}
