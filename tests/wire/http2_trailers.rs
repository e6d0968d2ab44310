//! Trailers of requests to servers that speak HTTP/2: those written in Go end the connection where trailers reach a
//! stream that they have left, so that others must not be on it.

use std::time::Duration;

use portway_testkit::backend::Backend;
use portway_testkit::client::Client;
use portway_testkit::http2_server::{DATA, END, Frame, HEADERS, Http2Server, whole};
use portway_testkit::process::Setup;

use super::{Site, get};

/// Answers each request at its end.
fn answer(received: &Frame) -> Vec<u8> {
    match received.kind {
        DATA | HEADERS if received.flags & END != 0 => whole(received.stream),
        _ if received.asks() => received.acknowledged(),
        _ => Vec::new(),
    }
}

fn start() -> (Site, Http2Server) {
    let server = Http2Server::start(&[], answer);
    let dynamic = format!(
        "http:\n  routers: {{all: {{rule: 'PathPrefix(`/`)', service: s}}}}\n  \
         services: {{s: {{loadBalancer: {{servers: [{{url: 'h2c://{}'}}]}}}}}}\n",
        server.address()
    );
    // One worker, so that all requests find the same connections.
    (Site::with(Backend::start(), &Setup::web(&dynamic), &["--workers=1"]), server)
}

/// The beginning of an upload; `fields` are whole lines.
fn begin(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
}

/// The end of one.
const LAST: &str = "0\r\nX-Sum: 9\r\n\r\n";

const PATIENCE: Duration = Duration::from_secs(5);

const ANNOUNCED: &str = "Trailer: X-Sum\r\n";

/// The connection and the kind of the frame that ended the last request.
fn last_end(server: &Http2Server) -> (usize, u8) {
    let frames = server.frames();
    let ends = |frame: &&Frame| frame.flags & END != 0 && [DATA, HEADERS].contains(&frame.kind);
    let end = frames.iter().rfind(ends).expect("a request");
    (end.connection, end.kind)
}

#[track_caller]
fn ask(client: &mut Client, request: &str) {
    let response = client.ask(request).expect("an answer");
    assert_eq!((response.status, response.text()), (200, "whole".into()));
}

#[test]
fn announced_trailers_go_over_connections_of_their_own() {
    let (site, server) = start();
    let mut clients = [site.client(), site.client()];
    ask(&mut clients[0], &get("/"));
    assert_eq!(last_end(&server), (0, HEADERS));
    for _ in 0..2 {
        ask(&mut clients[0], &(begin(ANNOUNCED) + LAST));
        assert_eq!(last_end(&server), (1, HEADERS));
    }
    // While one is under way, the next has another connection.
    clients[0].send(begin(ANNOUNCED)).unwrap();
    server.wait_for(DATA, 3, PATIENCE);
    ask(&mut clients[1], &(begin(ANNOUNCED) + LAST));
    assert_eq!(last_end(&server), (2, HEADERS));
    ask(&mut clients[0], LAST);
    assert_eq!(last_end(&server), (1, HEADERS));
    ask(&mut clients[0], &get("/"));
    assert_eq!(last_end(&server), (0, HEADERS));
}

#[test]
fn trailers_that_nobody_announced_stay_behind() {
    let (site, server) = start();
    let mut client = site.client();
    ask(&mut client, &get("/"));
    ask(&mut client, &(begin("") + LAST));
    assert_eq!(last_end(&server), (0, DATA));
}
