//! How responses and connections end: what was said reaches the client whole.

use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Step};
use portway_testkit::client::Client;
use portway_testkit::http2::Http2Client;
use portway_testkit::http2_server::{DATA, END_HEADERS, HEADERS, Http2Server, RESET, frame};
use portway_testkit::message::parse_head;
use portway_testkit::process::{Process, Setup};

use super::{EVERYTHING, Site, get};

#[test]
fn a_slow_reader_that_goes_on_sending_gets_the_last_answer_whole() {
    // More than a client's socket takes unread, and less than that and Portway's together.
    const SIZE: u64 = 400_000;
    let backend = Backend::scripted(|_| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
        vec![Step::Write(head.into_bytes()), Step::Fill(SIZE)]
    });
    let site = Site::start(backend, &[]);
    let mut client = site.client();
    client.send(format!("{}{}", get("/").trim_end(), "\r\nConnection: close\r\n\r\n")).unwrap();
    for _ in 0..15 {
        thread::sleep(Duration::from_millis(100));
        // A next request that nobody wants any more.
        let _ = client.send("x");
    }
    let response = client.response_to("GET").unwrap();
    assert!(response.complete && response.body.len() as u64 == SIZE, "{}", response.body.len());
}

#[test]
fn a_client_that_never_stops_sending_does_not_keep_its_connection() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    client.send(format!("{}{}", get("/").trim_end(), "\r\nConnection: close\r\n\r\n")).unwrap();
    assert_eq!(client.response_to("GET").unwrap().status, 200);
    let begun = Instant::now();
    while client.send("x").is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(12), "still open");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_response_of_which_only_the_end_of_its_stream_is_missing_is_whole_by_its_length() {
    let server = Http2Server::start(&[], |received| {
        if received.asks() {
            return received.acknowledged();
        }
        if received.kind != HEADERS {
            return Vec::new();
        }
        // RFC 7541: `:status: 200`, `content-length: 5`.
        let head = frame(HEADERS, END_HEADERS, received.stream, b"\x88\x5c\x015");
        let body = frame(DATA, 0, received.stream, b"hello");
        let reset = frame(RESET, 0, received.stream, &2_u32.to_be_bytes());
        [head, body, reset].concat()
    });
    let url = format!("h2c://{}", server.address());
    let dynamic = EVERYTHING.replace("http://@@backend@@", &url);
    let process = Process::start(&crate::portway(), &Setup::web(&dynamic));
    let mut client = Client::connect(process.address("web")).unwrap();
    for _ in 0..2 {
        let response = client.ask(get("/")).unwrap();
        assert_eq!((response.status, response.text().as_str()), (200, "hello"));
        assert!(response.complete);
    }
    let mut client = Http2Client::connect(process.address("web")).unwrap();
    let head = parse_head(get("/").trim_end());
    // Its trailers could have come yet.
    for _ in 0..20 {
        let response = client.ask(&head, b"").unwrap();
        assert_eq!((response.text().as_str(), response.complete), ("hello", false));
    }
}

#[test]
fn a_request_counts_no_more_once_its_answer_is_whole() {
    let dynamic = EVERYTHING.replace("service: s,", "service: s, middlewares: [one],")
        + "  middlewares: {one: {inFlightReq: {amount: 1}}}\n";
    let site = Site::with(Backend::start(), &Setup::web(&dynamic), &[]);
    // Several connections, so that several workers serve them.
    let mut clients: Vec<_> = (0..8).map(|_| site.client()).collect();
    for path in ["/", "/chunked", "/large", "/status-404"] {
        let rounds = if path == "/large" { 3 } else { 40 };
        for _ in 0..rounds {
            for client in &mut clients {
                assert_ne!(client.ask(get(path)).unwrap().status, 429, "{path}");
            }
        }
    }
}

#[test]
fn a_response_that_nobody_waits_for_is_cancelled_at_its_server() {
    let server = Http2Server::start(&[], |received| match received.asks() {
        true => received.acknowledged(),
        false => Vec::new(),
    });
    let url = format!("h2c://{}", server.address());
    let dynamic = EVERYTHING.replace("http://@@backend@@", &url);
    let process = Process::start(&crate::portway(), &Setup::web(&dynamic));
    let mut client = Client::connect(process.address("web")).unwrap();
    client.send(get("/")).unwrap();
    server.wait_for(HEADERS, 1, Duration::from_secs(5));
    drop(client);
    server.wait_for(RESET, 1, Duration::from_secs(5));
    let reset = server.frames().into_iter().find(|frame| frame.kind == RESET).unwrap();
    // CANCEL (RFC 9113 §7).
    assert_eq!(reset.payload, [0, 0, 0, 8]);
}
