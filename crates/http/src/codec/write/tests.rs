//! What is written, byte for byte.

use super::*;
use crate::codec::{HeadLimits, parse_request_head};
use crate::headers::{HeaderName, HeaderValue};

const DATE: &[u8] = b"Mon, 23 Nov 2026 06:44:15 GMT";

fn request(raw: &str) -> Request {
    let mut request = Request::new();
    parse_request_head(raw.as_bytes(), &HeadLimits::default(), &mut request).unwrap();
    request
}

fn written(request: &Request, host: &str, close: bool) -> String {
    let mut out = Vec::new();
    write_request_head(&mut out, request, host, close);
    String::from_utf8(out).unwrap()
}

fn response(head: ResponseHead<'_>) -> String {
    let mut out = Vec::new();
    write_response_head(&mut out, &head);
    String::from_utf8(out).unwrap()
}

fn head(headers: &Headers, body: BodyFraming) -> ResponseHead<'_> {
    ResponseHead {
        version: Version::Http11,
        status: Status::OK,
        headers,
        body,
        connection: Connection::Unsaid,
        date: DATE,
    }
}

fn headers(fields: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in fields {
        let name = HeaderName::parse(name).unwrap();
        headers.append(&name, HeaderValue::parse(value).unwrap());
    }
    headers
}

#[test]
fn requests_are_written_afresh() {
    let raw =
        "POST /a//b?x HTTP/1.0\r\nhost: A\r\nuser-agent:\r\nx-a: 1\r\ncontent-length: 03\r\n\r\n";
    assert_eq!(
        written(&request(raw), "b.test:81", false),
        "POST /a//b?x HTTP/1.1\r\nHost: b.test:81\r\nContent-Length: 3\r\nX-A: 1\r\n\r\n"
    );
    let raw = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n";
    assert_eq!(
        written(&request(raw), "a", true),
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
}

#[test]
fn empty_bodies_are_announced_for_methods_that_usually_have_one() {
    for (method, announced) in
        [("POST", true), ("PUT", true), ("PATCH", true), ("GET", false), ("DELETE", false)]
    {
        for fields in ["", "Content-Length: 0\r\n"] {
            let raw = format!("{method} / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
            let out = written(&request(&raw), "a", false);
            assert_eq!(out.contains("Content-Length: 0\r\n"), announced, "{raw}");
        }
    }
}

#[test]
fn the_zone_of_an_address_stays_here() {
    let raw = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (host, sent) in [
        ("[fe80::1%25eth0]:80", "[fe80::1]:80"),
        ("[fe80::1%eth0]", "[fe80::1]"),
        ("[::1]:80", "[::1]:80"),
        ("a%b", "a%b"),
    ] {
        let line = format!("Host: {sent}\r\n");
        assert!(written(&request(raw), host, false).contains(&line), "{host}");
    }
}

#[test]
fn framing_of_responses_comes_from_the_body() {
    let fields = headers(&[("content-length", "9"), ("x", "y")]);
    let date = format!("Date: {}\r\n\r\n", std::str::from_utf8(DATE).unwrap());
    for (body, expected) in [
        (BodyFraming::Length(2), "X: y\r\nContent-Length: 2\r\n"),
        (BodyFraming::Chunked, "X: y\r\nTransfer-Encoding: chunked\r\n"),
        (BodyFraming::UntilClose, "X: y\r\n"),
        // The response to HEAD says how long the body would be.
        (BodyFraming::None, "Content-Length: 9\r\nX: y\r\n"),
    ] {
        assert_eq!(response(head(&fields, body)), format!("HTTP/1.1 200 OK\r\n{expected}{date}"));
    }
}

#[test]
fn responses_without_body_say_nothing_about_one() {
    let fields = headers(&[("content-length", "9"), ("content-type", "t"), ("etag", "e")]);
    for (code, line, fields_left) in [
        (204, "HTTP/1.1 204 No Content", "Content-Type: t\r\nEtag: e\r\n"),
        (304, "HTTP/1.1 304 Not Modified", "Etag: e\r\n"),
    ] {
        for body in [BodyFraming::None, BodyFraming::Length(9), BodyFraming::Chunked] {
            let status = Status::new(code).unwrap();
            let out = response(ResponseHead { status, date: b"", ..head(&fields, body) });
            assert_eq!(out, format!("{line}\r\n{fields_left}\r\n"));
        }
    }
}

#[test]
fn status_lines_are_those_of_go() {
    let fields = Headers::new();
    for (version, code, line) in [
        (Version::Http11, 200, "HTTP/1.1 200 OK\r\n"),
        (Version::Http10, 404, "HTTP/1.0 404 Not Found\r\n"),
        (Version::Http11, 418, "HTTP/1.1 418 I'm a teapot\r\n"),
        (Version::Http11, 499, "HTTP/1.1 499 status code 499\r\n"),
        (Version::Http11, 599, "HTTP/1.1 599 status code 599\r\n"),
    ] {
        let status = Status::new(code).unwrap();
        let out = response(ResponseHead { version, status, ..head(&fields, BodyFraming::None) });
        assert!(out.starts_with(line), "{out}");
    }
}

#[test]
fn a_date_is_added_only_where_there_is_none() {
    let dated = headers(&[("date", "yesterday")]);
    let out = response(head(&dated, BodyFraming::Length(0)));
    assert_eq!(out.matches("Date: ").count(), 1);
    assert!(out.contains("Date: yesterday\r\n"));
    let interim = ResponseHead { status: Status::CONTINUE, ..head(&dated, BodyFraming::None) };
    let none = Headers::new();
    assert_eq!(
        response(ResponseHead { headers: &none, ..interim }),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
}

#[test]
fn connection_is_said_once() {
    let fields = headers(&[("connection", "x")]);
    for (connection, line) in [
        (Connection::Unsaid, "Connection: x\r\n"),
        (Connection::Close, "Connection: close\r\n"),
        (Connection::KeepAlive, "Connection: keep-alive\r\n"),
    ] {
        let out = response(ResponseHead { connection, ..head(&fields, BodyFraming::Length(0)) });
        assert!(out.contains(line) && out.matches("Connection:").count() == 1, "{out}");
    }
}

#[test]
fn answers_have_length_and_body() {
    let text = |method: &Method| {
        let mut out = Vec::new();
        let answer = Answer::not_found();
        write_answer(&mut out, &answer, method, Version::Http11, Connection::Unsaid, DATE);
        String::from_utf8(out).unwrap()
    };
    let head = "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n\
        X-Content-Type-Options: nosniff\r\nContent-Length: 19\r\n\
        Date: Mon, 23 Nov 2026 06:44:15 GMT\r\n\r\n";
    assert_eq!(text(&Method::Get), format!("{head}404 page not found\n"));
    assert_eq!(text(&Method::Head), head);
}

#[test]
fn refusals_look_like_those_of_go() {
    let fields = "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n";
    for (reason, line, body) in [
        (Reason::SeveralHosts, "400 Bad Request", "400 Bad Request"),
        (
            Reason::MissingHost,
            "400 Bad Request: missing required Host header",
            "400 Bad Request: missing required Host header",
        ),
        (
            Reason::MalformedHost,
            "400 Bad Request: malformed Host header",
            "400 Bad Request: malformed Host header",
        ),
        (
            Reason::InvalidHeaderName,
            "400 Bad Request: invalid header name",
            "400 Bad Request: invalid header name",
        ),
        (
            Reason::UnsupportedVersion,
            "505 HTTP Version Not Supported: unsupported protocol version",
            "505 HTTP Version Not Supported: unsupported protocol version",
        ),
        (
            Reason::HeadTooLarge,
            "431 Request Header Fields Too Large",
            "431 Request Header Fields Too Large",
        ),
        (
            Reason::UnsupportedTransferEncoding,
            "501 Not Implemented",
            "Unsupported transfer encoding",
        ),
    ] {
        let mut out = Vec::new();
        write_refusal(&mut out, reason.into(), &Headers::new(), DATE);
        assert_eq!(String::from_utf8(out).unwrap(), format!("HTTP/1.1 {line}\r\n{fields}{body}"));
    }
    let mut out = Vec::new();
    write_refusal(&mut out, Reason::UnknownExpectation.into(), &Headers::new(), DATE);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\
         Date: Mon, 23 Nov 2026 06:44:15 GMT\r\n\r\n"
    );
}

#[test]
fn chunks_are_written_in_small_hexadecimal() {
    for (length, line) in [(1, "1\r\n"), (15, "f\r\n"), (16, "10\r\n"), (0xabc_def0, "abcdef0\r\n")]
    {
        let mut out = Vec::new();
        write_chunk_start(&mut out, length);
        assert_eq!(String::from_utf8(out).unwrap(), line);
    }
    let trailers = headers(&[("grpc-status", "0"), ("content-length", "5"), ("x-real-ip", "1")]);
    let mut out = Vec::new();
    write_last_chunk(&mut out, Some(&trailers));
    assert_eq!(out, b"0\r\nGrpc-Status: 0\r\n\r\n");
}
