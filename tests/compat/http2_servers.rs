//! Servers that speak HTTP/2 as few do: silent ones, ones that take short heads only; and clients that do.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portway_testkit::client::Client;
use portway_testkit::http2_server::{
    DATA, END, END_HEADERS, Frame, GOAWAY, HEADERS, Http2Server, OK, PING, RESET, SETTINGS, frame,
    whole,
};
use portway_testkit::process::Setup;

use super::pair::{Case, Pair};

/// After half a second of silence a PING, and half a second later the end.
const DYNAMIC: &str = r#"
http:
  routers:
    any: {rule: "PathPrefix(`/`)", service: s}
  services:
    s: {loadBalancer: {serversTransport: t, servers: [{url: "h2c://@@server@@"}]}}
  serversTransports:
    t: {forwardingTimeouts: {readIdleTimeout: 500ms, pingTimeout: 500ms}}
"#;

fn start(server: &Http2Server) -> Option<Pair> {
    let dynamic = DYNAMIC.replace("@@server@@", &server.address().to_string());
    Pair::start(&Setup::web(&dynamic), 0)
}

/// Takes the connection and nothing more.
fn mute(frame: &Frame) -> Vec<u8> {
    if frame.kind == PING || !frame.asks() { Vec::new() } else { frame.acknowledged() }
}

/// A setting of a number.
fn setting(id: u16, value: u32) -> Vec<u8> {
    [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// SETTINGS_MAX_CONCURRENT_STREAMS.
const MAX_STREAMS: u16 = 3;

/// SETTINGS_MAX_HEADER_LIST_SIZE.
const MAX_HEAD: u16 = 6;

#[test]
fn requests_to_silent_servers_end_alike() {
    let server = Http2Server::start(&[], mute);
    let Some(mut pair) = start(&server) else { return };
    for method in ["GET", "POST"] {
        pair.compare(&Case::request(method, "a.test", "/", "", "").watched());
        pair.compare(&Case::request(method, "a.test", "/", "", "body"));
        pair.compare(&Case::request(method, "a.test", "/", "", "body").over_http2());
    }
    // Each router has asked on each connection that it lost; Go asks again when it gives a stream up.
    let connections = server.frames().iter().map(|frame| frame.connection).max();
    assert_eq!(connections.map(|last| last + 1), Some(12), "{:?}", server.frames());
    assert_eq!(server.count(HEADERS), 12, "{:?}", server.frames());
    assert!(server.count(PING) >= 12, "{:?}", server.frames());
    pair.finish();
}

/// The code by which a server says that it has not begun to work on a stream.
const REFUSED: u32 = 7;

/// What a server says of a request that it has not begun; `None` where it answers.
type Refusal = fn(&Frame) -> Option<Vec<u8>>;

#[test]
fn what_a_server_has_not_begun_is_asked_again_alike() {
    let refusals: [Refusal; 2] = [
        // The first connection of each router is ended before anything is done on it.
        |asked| {
            let nothing_done = frame(GOAWAY, 0, 0, &[0; 8]);
            asked.connection.is_multiple_of(2).then_some(nothing_done)
        },
        |asked| (asked.stream == 1).then(|| frame(RESET, 0, 1, &REFUSED.to_be_bytes())),
    ];
    for (number, refusal) in refusals.into_iter().enumerate() {
        let server = Http2Server::start(&[], move |received| match received.kind {
            HEADERS => refusal(received).unwrap_or_else(|| whole(received.stream)),
            _ => mute(received),
        });
        for method in ["GET", "POST"] {
            let Some(mut pair) = start(&server) else { return };
            pair.compare(&Case::request(method, "a.test", &format!("/{number}"), "", "").watched());
            pair.finish();
        }
    }
}

#[test]
fn streams_that_a_server_resets_are_not_asked_again() {
    for code in [0_u32, 2, 5, 8, 11, 13, 99] {
        let server = Http2Server::start(&[], move |received| match received.kind {
            HEADERS if received.stream == 1 => whole(1),
            HEADERS => frame(RESET, 0, received.stream, &code.to_be_bytes()),
            _ => mute(received),
        });
        let Some(mut pair) = start(&server) else { return };
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        pair.compare(&Case::new(format!("code {code}"), request.repeat(2)).answers(2));
        assert_eq!(server.count(HEADERS), 4, "code {code}: {:?}", server.frames());
        pair.finish();
    }
}

#[test]
fn few_streams_at_a_time_are_enough_for_many_requests() {
    // Who has not heard of the limit yet is refused.
    let told = Arc::new(Mutex::new(BTreeSet::new()));
    let server = Http2Server::start(&setting(MAX_STREAMS, 1), move |received| {
        let mut told = told.lock().unwrap();
        match received.kind {
            HEADERS if received.stream == 1 || told.contains(&received.connection) => {
                whole(received.stream)
            }
            HEADERS => frame(RESET, 0, received.stream, &REFUSED.to_be_bytes()),
            SETTINGS if !received.asks() => {
                told.insert(received.connection);
                Vec::new()
            }
            _ => mute(received),
        }
    });
    let Some(mut pair) = start(&server) else { return };
    let [portway, traefik] = pair.sides.each_ref().map(|side| {
        let address = side.process.address("web");
        let mut clients: Vec<_> = (0..20).map(|_| Client::connect(address).unwrap()).collect();
        for client in &mut clients {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        }
        let status = |client: &mut Client| client.response_to("GET").map_or(0, |one| one.status);
        clients.iter_mut().map(status).collect::<BTreeSet<u16>>()
    });
    assert_eq!(portway, BTreeSet::from([200]));
    // Traefik gives up those that a busy machine has refused too often.
    assert!(traefik.is_subset(&BTreeSet::from([200, 500])), "{traefik:?}");
    pair.count();
    pair.finish();
}

#[test]
fn responses_of_servers_that_fall_silent_are_cut_off_alike() {
    let server = Http2Server::start(&[], |received| match received.kind {
        HEADERS => {
            let head = frame(HEADERS, END_HEADERS, received.stream, OK);
            [head, frame(DATA, 0, received.stream, b"half")].concat()
        }
        _ => mute(received),
    });
    let Some(mut pair) = start(&server) else { return };
    pair.compare(&Case::get("a.test", "/", "").watched());
    pair.compare(&Case::get("a.test", "/", "").over_http2());
    pair.finish();
}

#[test]
fn heads_longer_than_the_server_takes_are_refused_alike() {
    let server = Http2Server::start(&setting(MAX_HEAD, 1000), |frame| match frame.kind {
        HEADERS => whole(frame.stream),
        _ if frame.asks() => frame.acknowledged(),
        _ => Vec::new(),
    });
    let Some(mut pair) = start(&server) else { return };
    // The settings come with the first answer.
    for length in [10, 1000, 5000] {
        let field = format!("X-Long: {}\r\n", "x".repeat(length));
        let request = |field: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n");
        let bytes = [request(""), request(&field), request("")].concat();
        pair.compare(&Case::new(format!("a field of {length}"), bytes).answers(3));
    }
    // Of nine requests four were not sent, by either.
    assert_eq!(server.count(HEADERS), 2 * 7, "{:?}", server.frames());
    pair.finish();
}

#[test]
fn connect_without_a_protocol_is_refused_over_http2() {
    let server = Http2Server::start(&[], mute);
    let Some(mut pair) = start(&server) else { return };
    pair.compare(&Case::request("CONNECT", "a.test:443", "/", "", "").over_http2());
    assert_eq!(server.count(HEADERS), 0, "{:?}", server.frames());
    pair.finish();
}

#[test]
fn heads_longer_than_the_client_takes_are_sent_alike() {
    // A field of 120 bytes.
    let long = [&[0x88, 0, 1, b'x', 0x78][..], &[b'y'; 120]].concat();
    let server = Http2Server::start(&[], move |received| match received.kind {
        HEADERS => frame(HEADERS, END_HEADERS | END, received.stream, &long),
        _ if received.asks() => received.acknowledged(),
        _ => Vec::new(),
    });
    let Some(mut pair) = start(&server) else { return };
    let answers = [0, 1].map(|side: usize| {
        let kinds = kinds_for_a_short_head(pair.sides[side].process.address("web"));
        format!("kinds of frames of the stream: {kinds:?}\n")
    });
    assert!(answers[0].contains("[1]"), "{answers:?}");
    pair.compare_texts("a response whose head is too long", answers);
    pair.finish();
}

/// The kinds of the frames that come on a stream whose client takes heads of 100 bytes.
fn kinds_for_a_short_head(address: SocketAddr) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    // `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a`.
    let fields = [0x82, 0x86, 0x84, 0x41, 0x01, b'a'];
    let opening = [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &frame(SETTINGS, 0, 0, &setting(MAX_HEAD, 100)),
        &frame(HEADERS, END_HEADERS | END, 1, &fields),
    ];
    socket.write_all(&opening.concat()).unwrap();
    let mut kinds = Vec::new();
    let mut head = [0; 9];
    while socket.read_exact(&mut head).is_ok() {
        let [a, b, c, kind, _, stream @ ..] = head;
        socket.read_exact(&mut vec![0; u32::from_be_bytes([0, a, b, c]) as usize]).unwrap();
        if u32::from_be_bytes(stream) == 1 {
            kinds.push(kind);
        }
    }
    kinds
}
