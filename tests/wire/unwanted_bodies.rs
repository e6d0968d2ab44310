//! Answers that come before the request's body has: a client that goes on is never surprised by the end of its
//! connection.

use std::io::{ErrorKind, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::client::Client;
use portway_testkit::http2_server::{DATA, END, END_HEADERS, GOAWAY, HEADERS, RESET, frame};

use super::http2_stalls::{connect, fields, read_frame};
use super::{Site, get};

const NOWHERE: &str = r#"
http:
  routers:
    all: {rule: "Host(`a`)", service: s, entryPoints: [web]}
    dead: {rule: "Host(`dead`)", service: dead, entryPoints: [web]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
"#;

fn site() -> Site {
    Site::with(Backend::start(), &portway_testkit::process::Setup::web(NOWHERE), &[])
}

/// Begins a request, and gives the status of its answer and what that says of the connection.
#[track_caller]
fn begin(client: &mut Client, host: &str, framing: &str, body: &str) -> (u16, Option<String>) {
    let head = format!("POST /early HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n\r\n{body}");
    client.send(head).unwrap();
    let response = client.response_to("POST").unwrap();
    (response.status, response.headers.value("Connection").map(str::to_owned))
}

#[test]
fn an_answer_says_that_its_connection_ends_where_a_body_of_unknown_length_is_underway() {
    let site = site();
    for (host, status) in [("a", 403), ("dead", 502), ("nobody", 404)] {
        let said = begin(&mut site.client(), host, "Transfer-Encoding: chunked", "1\r\nx\r\n");
        assert_eq!(said, (status, Some("close".to_owned())), "{host}");
    }
}

#[test]
fn an_answer_says_that_its_connection_ends_where_much_of_the_body_is_to_come() {
    let site = site();
    for (host, status) in [("a", 403), ("dead", 502), ("nobody", 404)] {
        let said = begin(&mut site.client(), host, "Content-Length: 5000000", "x");
        assert_eq!(said, (status, Some("close".to_owned())), "{host}");
    }
}

#[test]
fn a_connection_goes_on_where_little_of_the_body_is_to_come() {
    let site = site();
    for (host, status) in [("a", 403), ("dead", 502), ("nobody", 404)] {
        let mut client = site.client();
        assert_eq!(
            begin(&mut client, host, "Content-Length: 60000", "x"),
            (status, None),
            "{host}"
        );
        client.send(vec![b'x'; 59_999]).unwrap();
        let next = client.ask(get("/next")).unwrap();
        assert_eq!(next.status, 200, "{host}");
        assert!(next.text().starts_with("GET /next"), "{host}: {}", next.text());
    }
}

#[test]
fn a_connection_goes_on_where_all_of_the_body_is_here() {
    let site = site();
    for (host, status) in [("a", 403), ("dead", 502), ("nobody", 404)] {
        let mut client = site.client();
        let said = begin(&mut client, host, "Transfer-Encoding: chunked", "1\r\nx\r\n0\r\n\r\n");
        assert_eq!(said, (status, None), "{host}");
        assert_eq!(client.ask(get("/next")).unwrap().status, 200, "{host}");
    }
}

/// Begins a request over HTTP/2 whose answer does not wait for its body, and reads that answer.
#[track_caller]
fn begin_stream(site: &Site, host: &str) -> TcpStream {
    let head =
        [(":method", "POST"), (":scheme", "http"), (":path", "/early"), (":authority", host)];
    let mut socket = connect(site, 65_535);
    socket.write_all(&frame(HEADERS, END_HEADERS, 1, &fields(&head))).unwrap();
    socket.write_all(&frame(DATA, 0, 1, b"x")).unwrap();
    loop {
        let (kind, stream, _) = read_frame(&mut socket).unwrap();
        assert_ne!(kind, RESET, "{host}: the answer is lost on clients that read both at once");
        if kind == DATA && stream == 1 {
            return socket;
        }
    }
}

#[test]
fn a_stream_is_given_up_only_when_its_client_can_have_read_the_answer() {
    let site = site();
    for host in ["a", "dead", "nobody"] {
        let mut socket = begin_stream(&site, host);
        let answered = Instant::now();
        let told = loop {
            match read_frame(&mut socket).unwrap() {
                (RESET, 1, code) => break code,
                frame => assert_ne!(frame.0, HEADERS, "{host}: another answer"),
            }
        };
        assert_eq!(told, [0; 4], "{host}: nothing went wrong");
        let waited = answered.elapsed();
        assert!(waited > Duration::from_millis(250), "{host}: {waited:?}");
    }
}

#[test]
fn a_stream_whose_client_goes_on_ends_as_if_all_had_been_wanted() {
    let site = site();
    for host in ["a", "dead", "nobody"] {
        let mut socket = begin_stream(&site, host);
        // Nearly as much as there is room for, whenever more is given.
        for _ in 0..16 {
            socket.write_all(&frame(DATA, 0, 1, &[b'x'; 16_000])).unwrap();
        }
        socket.write_all(&frame(DATA, END, 1, b"x")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let silence = loop {
            match read_frame(&mut socket) {
                Ok((kind, ..)) => assert!(![RESET, GOAWAY].contains(&kind), "{host}: {kind}"),
                Err(error) => break error.kind(),
            }
        };
        assert_eq!(silence, ErrorKind::WouldBlock, "{host}: the connection stays");
    }
}
