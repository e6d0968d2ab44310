//! Large bodies, early answers, interim responses and connections that die while idle.

use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Step, script};
use portway_testkit::client::End;

use super::{Site, get};

/// What buffering may cost at most, while a body stands still.
const ROOM: u64 = 16 << 20;

#[test]
fn a_large_answer_waits_for_a_slow_client_in_constant_memory() {
    const SIZE: u64 = 200_000_000;
    let backend = Backend::scripted(|_| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
        vec![Step::Write(head.into_bytes()), Step::Fill(SIZE)]
    });
    let site = Site::start(backend, &["--log.level=ERROR"]);
    let before = site.process.resident_bytes();
    let mut client = site.client();
    client.send(get("/")).unwrap();
    assert_eq!(client.head().unwrap().part(1), "200");
    std::thread::sleep(Duration::from_millis(500));
    let grown = site.process.resident_bytes().saturating_sub(before);
    assert!(grown < ROOM, "{grown} bytes are held for a client that does not read");
    let mut left = usize::try_from(SIZE).unwrap();
    while left > 0 {
        let block = client.bytes(left.min(1 << 20)).unwrap();
        left -= block.len();
    }
    let grown = site.process.resident_bytes().saturating_sub(before);
    assert!(grown < ROOM, "{grown} bytes are held after a large answer");
}

#[test]
fn a_large_upload_waits_for_a_slow_backend_in_constant_memory() {
    let early = |_: &_| {
        let answer = script::response("200 OK", "Connection: close\r\n", "late");
        Some(vec![Step::Wait(Duration::from_millis(1500)), Step::Write(answer), Step::Close])
    };
    let site = Site::start(Backend::with(None, early, script::standard), &["--log.level=ERROR"]);
    let before = site.process.resident_bytes();
    let address = site.process.address("web");
    let sender = std::thread::spawn(move || {
        let mut client = portway_testkit::client::Client::connect(address).unwrap();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000000\r\n\r\n").unwrap();
        let (block, start, mut sent) = (vec![b'x'; 64 * 1024], Instant::now(), 0);
        while start.elapsed() < Duration::from_secs(4) && client.send(&block).is_ok() {
            sent += block.len();
        }
        sent
    });
    std::thread::sleep(Duration::from_millis(1000));
    let grown = site.process.resident_bytes().saturating_sub(before);
    assert!(grown < ROOM, "{grown} bytes are held for a backend that does not read");
    drop(site);
    let sent = sender.join().unwrap();
    assert!(sent < 100_000_000, "{sent} bytes were taken for a backend that reads none");
}

#[test]
fn a_large_upload_arrives_whole() {
    let backend = Backend::scripted(|received| {
        let same = received.body.iter().enumerate().all(|(at, byte)| *byte == (at % 251) as u8);
        let text = format!("{} {same}", received.body.len());
        vec![Step::Write(script::response("200 OK", "", &text))]
    });
    let site = Site::start(backend, &[]);
    let body: Vec<u8> = (0..30_000_000).map(|at| (at % 251) as u8).collect();
    let mut client = site.client();
    client
        .send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len()))
        .unwrap();
    client.send(&body).unwrap();
    assert_eq!(client.response_to("POST").unwrap().text(), "30000000 true");
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    for part in body.chunks(100_001) {
        client.send(format!("{:X}\r\n", part.len())).unwrap();
        client.send(part).unwrap();
        client.send("\r\n").unwrap();
    }
    client.send("0\r\n\r\n").unwrap();
    assert_eq!(client.response_to("POST").unwrap().text(), "30000000 true");
}

#[test]
fn an_answer_before_the_end_of_an_upload_reaches_the_client() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n").unwrap();
    client.send(vec![b'x'; 10_000]).unwrap();
    let response = client.response_to("POST").unwrap();
    assert_eq!((response.status, response.text().as_str()), (403, "early"));
    // The rest of the body was never sent, so nothing else can follow on this connection.
    let _ = client.send(get("/after"));
    let (_, end) = client.until_end(Duration::from_secs(3));
    assert_ne!(end, End::Open);
    assert!(site.backend.take().iter().all(|one| one.path() != "/after"));
}

#[test]
fn the_client_waits_for_100_continue_and_gets_it() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        .unwrap();
    assert_eq!(client.head().unwrap().part(1), "100");
    client.send("hello").unwrap();
    assert_eq!(client.response_to("POST").unwrap().status, 200);
    assert_eq!(site.backend.take()[0].body, b"hello");
}

#[test]
fn a_refusal_replaces_100_continue() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    client
        .send(
            "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        )
        .unwrap();
    // Traefik's Go server answers 100 as soon as anything reads the body; both orders end in 403.
    assert_eq!(client.response_to("POST").unwrap().status, 403);
}

#[test]
fn interim_responses_pass_before_the_final_one() {
    let backend = Backend::scripted(|_| {
        script::write(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n\
             HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        )
    });
    let site = Site::start(backend, &[]);
    let response = site.client().ask(get("/")).unwrap();
    let links: Vec<_> = response.interim.iter().map(|head| head.headers.value("Link")).collect();
    assert_eq!(links, [Some("</a>"), Some("</b>")]);
    assert_eq!(response.text(), "ok");
}

#[test]
fn a_connection_that_died_in_the_pool_costs_no_request() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    for _ in 0..20 {
        assert_eq!(client.ask(get("/")).unwrap().status, 200);
        site.backend.drop_connections();
    }
}

#[test]
fn connections_to_a_backend_are_kept() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    for _ in 0..100 {
        assert_eq!(client.ask(get("/")).unwrap().status, 200);
    }
    assert_eq!(site.backend.connections(), 1);
}

#[test]
fn a_connection_is_not_reused_after_an_answer_that_said_too_much() {
    let site = Site::start(Backend::start(), &[]);
    let mut client = site.client();
    assert_eq!(client.ask(get("/extra")).unwrap().text(), "ok");
    std::thread::sleep(Duration::from_millis(20));
    let response = client.ask(get("/next")).unwrap();
    assert!(response.text().starts_with("GET /next"), "{}", response.text());
}
