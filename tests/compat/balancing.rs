//! Strategies: which shares servers get, and which server a client gets.
//!
//! Traefik shuffles servers when it starts, so what is compared is what does not depend on their order.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use portway_testkit::client::Client;
use portway_testkit::process::Setup;

use super::named::{Named, ask, ask_from, request};
use super::pair::{Pair, Side};

const DYNAMIC: &str = r#"
http:
  routers:
    hrw: {rule: "Host(`hrw.test`)", service: hrw}
    heavy: {rule: "Host(`heavy.test`)", service: heavy}
    fenced: {rule: "Host(`fenced.test`)", service: fenced}
    walls: {rule: "Host(`walls.test`)", service: walls}
    clients: {rule: "Host(`clients.test`)", service: clients}
    nested: {rule: "Host(`nested.test`)", service: nested}
    nobody: {rule: "Host(`nobody.test`)", service: nobody}
    wrr: {rule: "Host(`wrr.test`)", service: wrr}
    wrrfenced: {rule: "Host(`wrrfenced.test`)", service: wrrfenced}
    p2c: {rule: "Host(`p2c.test`)", service: p2c}
    pair: {rule: "Host(`pair.test`)", service: pair}
    quick: {rule: "Host(`quick.test`)", service: quick}
    empty: {rule: "Host(`empty.test`)", service: empty}
    zero: {rule: "Host(`zero.test`)", service: zero}
  services:
    hrw: {loadBalancer: {strategy: hrw, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@"}, {url: "http://@@s2@@"}]}}
    heavy: {loadBalancer: {strategy: hrw, servers: [{url: "http://@@s0@@", weight: 5}, {url: "http://@@s1@@", weight: 0}, {url: "http://@@s2@@", weight: 2}]}}
    fenced: {loadBalancer: {strategy: hrw, servers: [{url: "http://@@s0@@", fenced: true}, {url: "http://@@s1@@"}, {url: "http://@@s2@@"}]}}
    walls: {loadBalancer: {strategy: p2c, servers: [{url: "http://@@s0@@", fenced: true}]}}
    one: {loadBalancer: {servers: [{url: "http://@@s0@@"}]}}
    two: {loadBalancer: {servers: [{url: "http://@@s1@@"}]}}
    clients: {highestRandomWeight: {services: [{name: one}, {name: two@file, weight: 3}, {name: empty, weight: 0}]}}
    nested: {highestRandomWeight: {services: [{name: clients, weight: 2}, {name: hrw}]}}
    nobody: {highestRandomWeight: {services: []}}
    wrr: {loadBalancer: {strategy: wrr, servers: [{url: "http://@@s0@@", weight: 3}, {url: "http://@@s1@@"}, {url: "http://@@s2@@", weight: 2}]}}
    wrrfenced: {loadBalancer: {servers: [{url: "http://@@s0@@", weight: 3}, {url: "http://@@s1@@", fenced: true}, {url: "http://@@s2@@"}]}}
    p2c: {loadBalancer: {strategy: p2c, servers: [{url: "http://@@s0@@", weight: 5}, {url: "http://@@s1@@"}, {url: "http://@@s2@@", weight: 0}]}}
    pair: {loadBalancer: {strategy: p2c, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@"}]}}
    quick: {loadBalancer: {strategy: leasttime, servers: [{url: "http://@@s0@@"}, {url: "http://@@s1@@"}]}}
    empty: {loadBalancer: {strategy: leasttime, servers: []}}
    zero: {loadBalancer: {strategy: leasttime, servers: [{url: "http://@@s0@@", weight: 0}]}}
"#;

fn start(servers: &Named) -> Option<Pair> {
    let setup = Setup::web(&servers.fill(DYNAMIC))
        .entry_point("proxied")
        .flag("--entryPoints.proxied.proxyProtocol.insecure=true");
    Pair::start(&setup, 0)
}

#[test]
fn clients_get_the_servers_that_they_get_from_traefik() {
    let servers = Named::start(3);
    let Some(mut pair) = start(&servers) else { return };
    for host in ["hrw", "heavy", "fenced", "clients", "nested", "nobody"] {
        let texts = pair.sides.each_ref().map(|side| by_client(side, &format!("{host}.test")));
        pair.compare_texts(host, texts);
    }
    pair.finish();
}

/// Which server each of many clients gets.
fn by_client(side: &Side, host: &str) -> String {
    let mut text = String::new();
    let request = request(host, "/", "");
    for number in 1..=30u8 {
        let source = IpAddr::from([127, 0, number, number.wrapping_mul(37)]);
        let outcome = ask_from(side, source, "web", "", &request).expect("an answer");
        let _ = writeln!(text, "{source}: {} {}", outcome.status, outcome.server);
    }
    let local = IpAddr::from([127, 0, 0, 1]);
    for number in 0..30 {
        let preamble = match number % 3 {
            0 => format!("PROXY TCP6 2001:db8::{number}:1 ::1 1234 80\r\n"),
            1 => format!("PROXY TCP6 ::ffff:192.0.2.{number} ::1 1234 80\r\n"),
            _ => format!("PROXY TCP4 198.51.{number}.7 127.0.0.1 1234 80\r\n"),
        };
        let outcome = ask_from(side, local, "proxied", &preamble, &request).expect("an answer");
        let _ = writeln!(text, "{}: {} {}", preamble.trim(), outcome.status, outcome.server);
    }
    text
}

#[test]
fn turns_are_shared_as_in_traefik() {
    let servers = Named::start(3);
    let Some(mut pair) = start(&servers) else { return };
    for host in ["wrr", "wrrfenced", "walls", "empty", "zero"] {
        let texts = pair.sides.each_ref().map(|side| {
            let shares = shares(side, &format!("{host}.test"), "/", 120);
            format!("{shares:?}")
        });
        pair.compare_texts(host, texts);
    }
    pair.finish();
}

fn shares(side: &Side, host: &str, path: &str, requests: usize) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::new();
    for _ in 0..requests {
        let outcome = ask(side, host, path, "");
        *shares.entry(format!("{} {}", outcome.status, outcome.server)).or_default() += 1;
    }
    shares
}

/// Weights do not count, and chance decides where all are idle.
#[test]
fn two_choices_share_as_in_traefik() {
    let servers = Named::start(3);
    let Some(mut pair) = start(&servers) else { return };
    let texts = pair.sides.each_ref().map(|side| {
        let shares = shares(side, "p2c.test", "/", 150);
        let fair = shares.values().all(|share| (25..75).contains(share));
        format!("{:?} fair: {fair}", shares.keys())
    });
    pair.compare_texts("idle servers", texts);
    // Of two, both are looked at: requests that stay are shared exactly.
    let texts = pair.sides.each_ref().map(|side| {
        let address = side.process.address("web");
        let mut clients = Vec::new();
        for _ in 0..30 {
            let mut client = Client::connect(address).expect("a connection");
            client.send(request("pair.test", "/wait-all-1500", "")).expect("a request");
            clients.push(client);
            thread::sleep(Duration::from_millis(10));
        }
        let mut shares = BTreeMap::<String, usize>::new();
        for mut client in clients {
            let response = client.response_to("GET").expect("an answer");
            let server = response.headers.value("X-Server").unwrap_or_default().to_owned();
            *shares.entry(server).or_default() += 1;
        }
        format!("{shares:?}")
    });
    pair.compare_texts("busy servers", texts);
    pair.finish();
}

/// A server that is slow gets one request, and then no more while the other has time.
#[test]
fn the_quickest_gets_the_requests_as_in_traefik() {
    let servers = Named::start(2);
    let Some(mut pair) = start(&servers) else { return };
    let texts = pair.sides.each_ref().map(|side| {
        let shares = shares(side, "quick.test", "/wait-400", 40);
        format!("{shares:?}")
    });
    pair.compare_texts("quick", texts);
    pair.finish();
}
