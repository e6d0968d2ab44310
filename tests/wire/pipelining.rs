//! Several requests in one write: answered one by one, in order, on one connection.

use std::time::Duration;

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::client::End;

use super::{Site, get};

/// The path as the body; `slow` waits first.
fn answer(received: &Received) -> Vec<Step> {
    let path = received.path().to_owned();
    let wait = Duration::from_millis(if path.contains("slow") { 100 } else { 0 });
    let text = format!("{path}:{}", received.body.len());
    vec![Step::Wait(wait), Step::Write(script::response("200 OK", "", &text))]
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let site = Site::start(Backend::scripted(answer), &[]);
    let mut client = site.client();
    let requests: String = (0..50).map(|index| get(&format!("/{index}"))).collect();
    client.send(requests).unwrap();
    for index in 0..50 {
        let response = client.response_to("GET").unwrap();
        assert_eq!(response.text(), format!("/{index}:0"));
    }
    assert_eq!(client.until_end(Duration::from_millis(50)), (Vec::new(), End::Open));
}

#[test]
fn a_slow_answer_is_not_overtaken_by_the_next() {
    let site = Site::start(Backend::scripted(answer), &[]);
    let mut client = site.client();
    client.send(get("/slow") + &get("/fast")).unwrap();
    assert_eq!(client.response_to("GET").unwrap().text(), "/slow:0");
    assert_eq!(client.response_to("GET").unwrap().text(), "/fast:0");
}

#[test]
fn bodies_of_pipelined_requests_stay_apart() {
    let site = Site::start(Backend::scripted(answer), &[]);
    let mut client = site.client();
    let mut bytes = String::new();
    for size in [0, 1, 10, 5000, 100_000] {
        let body = "b".repeat(size);
        bytes +=
            &format!("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{body}");
        bytes += "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        bytes += &if size == 0 {
            "0\r\n\r\n".to_owned()
        } else {
            format!("{size:x}\r\n{body}\r\n0\r\n\r\n")
        };
    }
    client.send(bytes).unwrap();
    for size in [0, 1, 10, 5000, 100_000] {
        assert_eq!(client.response_to("POST").unwrap().text(), format!("/length:{size}"));
        assert_eq!(client.response_to("POST").unwrap().text(), format!("/chunked:{size}"));
    }
}

#[test]
fn requests_cut_at_any_byte_are_understood() {
    let site = Site::start(Backend::scripted(answer), &[]);
    let mut client = site.client();
    let request = "POST /cut HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n";
    for cut in 1..request.len() {
        client.send(&request[..cut]).unwrap();
        std::thread::sleep(Duration::from_millis(1));
        client.send(&request[cut..]).unwrap();
        assert_eq!(client.response_to("POST").unwrap().text(), "/cut:3", "cut at {cut}");
    }
}

#[test]
fn nothing_is_answered_after_a_request_that_closes() {
    let site = Site::start(Backend::scripted(answer), &[]);
    let mut client = site.client();
    let closing = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned();
    client.send(closing + &get("/after")).unwrap();
    let response = client.response_to("GET").unwrap();
    assert_eq!(response.text(), "/last:0");
    assert_eq!(response.headers.value("Connection"), Some("close"));
    let (rest, end) = client.until_end(Duration::from_secs(2));
    assert!(rest.is_empty() && end != End::Open, "{rest:?} {end:?}");
    assert_eq!(site.backend.take().len(), 1);
}
