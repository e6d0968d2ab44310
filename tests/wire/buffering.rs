//! Bodies that are too long to be held: they pass as they come, within their limits, and are sent once.

use portway_testkit::backend::Backend;
use portway_testkit::process::Setup;

use super::{Site, get};

const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", priority: 1, service: s, middlewares: [bounded]}
    again: {rule: "Host(`again`)", service: s, middlewares: [again]}
    status: {rule: "Host(`status`)", service: s, middlewares: [status]}
  middlewares:
    bounded: {buffering: {maxRequestBodyBytes: 16777217, memRequestBodyBytes: 100000}}
    again: {buffering: {memRequestBodyBytes: 1000, retryExpression: "ResponseCode() >= 500 && Attempts() < 4"}}
    status: {retry: {attempts: 4, status: ["500-599"], maxRequestBodyBytes: 1000}}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
"#;

fn site() -> Site {
    Site::with(Backend::start(), &Setup::web(DYNAMIC), &[])
}

fn chunked(length: usize) -> Vec<u8> {
    let mut request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..length / 65536 {
        request.extend_from_slice(b"10000\r\n");
        request.extend_from_slice(&[b'x'; 65536]);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}

#[test]
fn a_long_body_passes_as_far_as_it_may() {
    let site = site();
    let mut client = site.client();
    let mebibytes = 1024 * 1024;
    assert_eq!(client.ask(chunked(16 * mebibytes)).unwrap().status, 200);
    let received = site.backend.take();
    assert_eq!(received[0].body.len(), 16 * mebibytes);
    // The answer may overtake what is still being sent.
    let mut client = site.client();
    let _ = client.send(chunked(17 * mebibytes));
    assert_eq!(client.response_to("POST").unwrap().status, 413);
    assert!(site.backend.take().iter().all(|one| !one.complete));
    let long = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16777218\r\n\r\n";
    assert_eq!(site.client().ask(long).unwrap().status, 413);
    assert!(site.backend.take().is_empty(), "a length that is too long is refused at once");
}

#[test]
fn a_body_that_was_streamed_is_sent_once() {
    let site = site();
    for host in ["again", "status"] {
        for (length, attempts) in [(500, 4), (5000, 1)] {
            let body = "x".repeat(length);
            let head = format!(
                "PUT /status-500 HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n"
            );
            assert_eq!(site.client().ask(head + &body).unwrap().status, 500);
            let received = site.backend.take();
            assert_eq!(received.len(), attempts, "{host} {length}");
            assert!(received.iter().all(|one| one.body == body.as_bytes()));
        }
    }
    assert_eq!(site.client().ask(get("/")).unwrap().status, 200);
}
