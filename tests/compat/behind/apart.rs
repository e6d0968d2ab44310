//! What is told of connections: whose they are, what is asked of them before they are used, and how long that may take.

use std::collections::BTreeSet;
use std::time::Duration;

use portway_testkit::backend::{Backend, Http2Settings, Received, Step, script};
use portway_testkit::certificate::Certificate;
use portway_testkit::client::Client;
use portway_testkit::http2::Http2Client;
use portway_testkit::message::{Head, Headers};
use portway_testkit::process::Setup;

use super::super::pair::{Case, Pair, Side, answer};

const DYNAMIC: &str = r#"
http:
  routers:
    plain: {rule: "Host(`plain.test`)", service: plain}
    http2: {rule: "Host(`http2.test`)", service: http2}
    late: {rule: "Host(`late.test`)", service: late}
    alone: {rule: "Host(`alone.test`)", service: alone}
    both: {rule: "Host(`both.test`)", service: both}
    forbidden: {rule: "Host(`forbidden.test`)", service: forbidden}
  services:
    plain: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    http2: {loadBalancer: {servers: [{url: "h2c://@@backend0@@"}]}}
    late: {loadBalancer: {serversTransport: hasty, servers: [{url: "https://@@backend1@@"}]}}
    alone: {loadBalancer: {serversTransport: old, servers: [{url: "https://@@backend2@@"}]}}
    both: {loadBalancer: {serversTransport: any, servers: [{url: "https://@@backend3@@"}]}}
    forbidden: {loadBalancer: {serversTransport: old, servers: [{url: "h2c://@@backend0@@"}]}}
  serversTransports:
    any: {insecureSkipVerify: true, maxIdleConnsPerHost: 5}
    hasty: {insecureSkipVerify: true, forwardingTimeouts: {dialTimeout: 100ms}}
    old: {insecureSkipVerify: true, disableHTTP2: true}
"#;

/// Asks for what the path names.
fn challenge(received: &Received) -> Vec<Step> {
    let scheme = received.path().trim_start_matches('/');
    if !["NTLM", "Negotiate", "Basic"].contains(&scheme) {
        return answer(received);
    }
    let fields = format!("WWW-Authenticate: {scheme} x\r\n");
    vec![Step::Write(script::response("401 Unauthorized", &fields, "who?"))]
}

fn backends() -> Vec<Backend> {
    let never = |_: &Head| None;
    let certificate = Certificate::for_names(&["server.test"]);
    let mut alone = (*certificate.server()).clone();
    alone.alpn_protocols = vec![b"h2".to_vec()];
    let mut both = alone.clone();
    both.alpn_protocols.push(b"http/1.1".to_vec());
    vec![
        Backend::with(None, never, challenge).settings(Http2Settings::default()),
        Backend::with(Some(certificate.server()), never, answer)
            .greeting(vec![Step::Wait(Duration::from_millis(300))]),
        Backend::with(Some(alone.into()), never, answer),
        Backend::with(Some(both.into()), never, answer),
    ]
}

/// Clients that come after the one that was asked who it is, enough for each worker to have served some.
const OTHERS: usize = 24;

#[test]
fn connections_that_are_authenticated_are_one_clients() {
    let Some(mut pair) = Pair::start_with(&Setup::web(DYNAMIC), backends) else { return };
    let texts = pair.sides.each_ref().map(|side| text(&used(side, "Basic")));
    pair.compare_texts("what authenticates requests", texts);
    // Traefik gives them to others, too (66).
    let portway = &pair.sides[0];
    for used in [used(portway, "NTLM"), used(portway, "Negotiate"), used_over_http2(portway)] {
        assert_eq!(text(&used), "1 of its own, apart: true\n");
    }
    pair.finish();
}

fn text((own, others): &(BTreeSet<usize>, BTreeSet<usize>)) -> String {
    format!("{} of its own, apart: {}\n", own.len(), own.is_disjoint(others))
}

/// The server's connections that a client uses after a challenge, and those that others use then.
fn used(side: &Side, scheme: &str) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: plain.test\r\n\r\n");
    let mut client = Client::connect(side.process.address("web")).expect("a connection");
    client.ask(get(&format!("/{scheme}"))).expect("a challenge");
    let _ = side.received();
    for _ in 0..3 {
        client.ask(get("/")).expect("an answer");
    }
    let own = connections(side);
    ask_others(side);
    (own, connections(side))
}

fn used_over_http2(side: &Side) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let get = |path: &str| Head {
        line: format!("GET {path} HTTP/2.0"),
        headers: Headers(vec![("Host".to_owned(), "plain.test".to_owned())]),
    };
    let mut client = Http2Client::connect(side.process.address("web")).expect("a connection");
    client.ask(&get("/NTLM"), b"").expect("a challenge");
    let _ = side.received();
    for _ in 0..3 {
        client.ask(&get("/"), b"").expect("an answer");
    }
    let own = connections(side);
    ask_others(side);
    (own, connections(side))
}

fn ask_others(side: &Side) {
    for _ in 0..OTHERS {
        let mut other = Client::connect(side.process.address("web")).expect("a connection");
        other.ask("GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n").expect("an answer");
    }
}

fn connections(side: &Side) -> BTreeSet<usize> {
    side.received().into_iter().map(|(_, received)| received.connection).collect()
}

#[test]
fn servers_are_spoken_to_as_their_transport_says() {
    let Some(mut pair) = Pair::start_with(&Setup::web(DYNAMIC), backends) else { return };
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n";
    // What is to be upgraded goes to a server of HTTP/2 over HTTP/1.1, and other requests do not follow it.
    for (path, fields) in [("/", ""), ("/tunnel", upgrade), ("/", upgrade), ("/", "")] {
        pair.compare(&Case::get("http2.test", path, fields));
    }
    for fields in ["", upgrade, ""] {
        pair.compare(&Case::get("both.test", "/", fields));
    }
    // TLS has a time of its own.
    pair.compare(&Case::get("late.test", "/", ""));
    // A server that knows HTTP/2 alone by name speaks HTTP/1.1 to those who name nothing.
    pair.compare(&Case::get("alone.test", "/", ""));
    pair.compare(&Case::get("forbidden.test", "/", ""));
    pair.finish();
}
