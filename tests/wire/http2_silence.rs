//! Servers that speak HTTP/2 and fall silent: `readIdleTimeout` and `pingTimeout`.

use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::http2::Http2Client;
use portway_testkit::http2_server::{
    DATA, END_HEADERS, Frame, HEADERS, Http2Server, OK, PING, frame, whole,
};
use portway_testkit::message::{Head, Headers};
use portway_testkit::process::Setup;

use super::{Site, get};

/// After half a second of silence a PING, and half a second later the end.
const TIMEOUTS: &str = "{readIdleTimeout: 500ms, pingTimeout: 500ms}";

/// When silence must have ended a connection, from its beginning on; machines under load are slow.
const LOST: std::ops::Range<Duration> = Duration::from_millis(950)..Duration::from_secs(4);

const PATIENCE: Duration = Duration::from_secs(8);

#[track_caller]
fn start(
    timeouts: &str,
    script: impl Fn(&Frame) -> Vec<u8> + Clone + Send + 'static,
) -> (Site, Http2Server) {
    let server = Http2Server::start(&[], script);
    let dynamic = format!(
        "http:\n  routers: {{all: {{rule: 'PathPrefix(`/`)', service: s, entryPoints: [web]}}}}\n  \
         services: {{s: {{loadBalancer: {{serversTransport: t, servers: [{{url: \
         'h2c://{}'}}]}}}}}}\n  serversTransports: {{t: {{forwardingTimeouts: {timeouts}}}}}\n",
        server.address()
    );
    (Site::with(Backend::start(), &Setup::web(&dynamic), &[]), server)
}

/// Says nothing but that it takes the connection.
fn mute(frame: &Frame) -> Vec<u8> {
    if frame.kind == PING || !frame.asks() { Vec::new() } else { frame.acknowledged() }
}

fn head(target: &str) -> Head {
    let headers = Headers(vec![("Host".to_owned(), "a".to_owned())]);
    Head { line: format!("GET {target} HTTP/1.1"), headers }
}

#[test]
fn requests_to_a_silent_server_end_and_the_next_go_over_a_new_connection() {
    // The first connection falls silent, others work.
    let (site, server) = start(TIMEOUTS, |frame| match frame.kind {
        HEADERS if frame.connection > 0 => whole(frame.stream),
        _ if frame.connection > 0 && frame.asks() => frame.acknowledged(),
        _ => mute(frame),
    });
    let mut client = Http2Client::connect(site.process.address("web")).unwrap();
    let start = Instant::now();
    let exchanges = ["/one", "/two"].map(|target| client.begin(&head(target), true).unwrap());
    for exchange in exchanges {
        let response = client.response(exchange).expect("an answer");
        // As Traefik.
        assert_eq!((response.status, &*response.body), (500, &b"Internal Server Error"[..]));
        assert!(LOST.contains(&start.elapsed()), "{:?}", start.elapsed());
    }
    let connections: Vec<_> = server.frames().iter().map(|frame| frame.connection).collect();
    assert!(connections.iter().all(|number| *number == 0), "{:?}", server.frames());
    assert_eq!((server.count(HEADERS), server.count(PING)), (2, 1), "{:?}", server.frames());
    let response = client.ask(&head("/three"), &[]).expect("an answer");
    assert_eq!((response.status, &*response.body), (200, &b"whole"[..]));
    assert_eq!(server.frames().last().map(|frame| frame.connection), Some(1));
}

#[test]
fn a_response_that_stops_in_the_middle_is_broken_off() {
    let (site, server) = start(TIMEOUTS, |received| match received.kind {
        HEADERS => {
            let head = frame(HEADERS, END_HEADERS, received.stream, OK);
            [head, frame(DATA, 0, received.stream, b"half")].concat()
        }
        _ => mute(received),
    });
    let start = Instant::now();
    let mut client = site.client();
    let response = client.ask(get("/")).expect("a head");
    assert_eq!(
        (response.status, response.text().as_str(), response.complete),
        (200, "half", false)
    );
    assert!(LOST.contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!(server.count(PING), 1, "{:?}", server.frames());
}

#[test]
fn a_server_that_answers_pings_may_think_as_long_as_it_likes_and_keeps_its_connection() {
    // It answers the request with the fourth PING, after twice the time that loses a silent one.
    let pings = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (site, server) = start(TIMEOUTS, move |frame| match frame.kind {
        PING if frame.asks() => {
            let count = pings.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            let answer = if count == 4 { whole(1) } else { Vec::new() };
            [frame.acknowledged(), answer].concat()
        }
        HEADERS if frame.stream > 1 => whole(frame.stream),
        _ => mute(frame),
    });
    let mut client = site.client();
    let start = Instant::now();
    assert_eq!(client.ask(get("/slow")).expect("an answer").text(), "whole");
    assert!(start.elapsed() > Duration::from_millis(1950), "{:?}", start.elapsed());
    // Without requests it goes on being asked, and is kept.
    server.wait_for(PING, 7, PATIENCE);
    assert_eq!(client.ask(get("/quick")).expect("an answer").text(), "whole");
    assert!(server.frames().iter().all(|frame| frame.connection == 0), "{:?}", server.frames());
}

#[test]
fn nobody_is_asked_where_silence_has_no_limit() {
    let (site, server) = start("{pingTimeout: 100ms}", |frame| match frame.kind {
        HEADERS => whole(frame.stream),
        _ => mute(frame),
    });
    let mut client = site.client();
    assert_eq!(client.ask(get("/")).expect("an answer").text(), "whole");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(client.ask(get("/")).expect("an answer").text(), "whole");
    assert_eq!(server.count(PING), 0, "{:?}", server.frames());
    assert!(server.frames().iter().all(|frame| frame.connection == 0), "{:?}", server.frames());
}
