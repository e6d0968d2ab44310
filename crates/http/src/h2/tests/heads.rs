//! What becomes of fields: requests, refusals, trailers.

use super::support::*;
use crate::body::BodyFraming;
use crate::h2::{Event, Limits, StreamId};
use crate::headers::Headers;
use crate::method::Method;
use crate::refusal::Reason;

fn shown(headers: &Headers) -> Vec<String> {
    let line = |name: &str, value| format!("{name}: {}", String::from_utf8_lossy(value));
    headers.iter().map(|field| line(field.name, field.value)).collect()
}

/// Takes a request of these fields, with a body to come or not.
#[track_caller]
fn taken(fields: &[(&str, &str)], flags: u8) -> Peer {
    let mut peer = Peer::new();
    let end = flags & END_STREAM != 0;
    let event = Event::Head { stream: StreamId(1), end };
    assert_eq!(peer.send(&frame(HEADERS, flags, 1, &block(fields))), Ok(vec![event]));
    peer
}

#[track_caller]
fn refused(fields: &[(&str, &str)], limits: &Limits) -> Reason {
    let mut peer = Peer::with(limits);
    match peer.send(&frame(HEADERS, WHOLE, 1, &block(fields))).unwrap().as_slice() {
        [Event::Refused { stream: StreamId(1), end: true, refusal }] => refusal.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_is_the_one_that_http_1_would_be() {
    let fields = [
        (":path", "/a%20b?c=d"),
        (":method", "PUT"),
        (":authority", "A.Test:8443"),
        (":scheme", "https"),
        ("x-one", " padded "),
        ("x_two", ""),
        ("accept", "*/*"),
        ("pragma", "no-cache"),
        ("content-length", "3"),
        ("expect", "100-continue"),
    ];
    let request = taken(&fields, END_HEADERS).request;
    assert_eq!(request.method, Method::Put);
    assert_eq!(request.target.request_uri(), "/a%20b?c=d");
    assert_eq!((request.authority(), request.host()), ("A.Test:8443", "a.test"));
    assert_eq!(request.body, BodyFraming::Length(3));
    assert!(request.keep_alive && request.expects_continue);
    assert_eq!(request.version.as_str(), "HTTP/2.0");
    assert_eq!(
        shown(&request.headers),
        [
            "X-One: padded",
            "X_two: ",
            "Accept: */*",
            "Pragma: no-cache",
            "Content-Length: 3",
            "Expect: 100-continue"
        ]
    );
    assert!(request.headers.may_have_underscores());
}

#[test]
fn a_body_without_a_length_ends_with_its_stream() {
    assert_eq!(taken(POST, END_HEADERS).request.body, BodyFraming::Chunked);
    assert_eq!(taken(POST, WHOLE).request.body, BodyFraming::None);
    let empty = [POST, &[("content-length", "0")]].concat();
    assert_eq!(taken(&empty, WHOLE).request.body, BodyFraming::Length(0));
}

#[test]
fn the_authority_has_precedence_over_the_host() {
    let both = [GET, &[("host", "b.test"), ("host", "c.test")]].concat();
    let request = taken(&both, WHOLE).request;
    assert_eq!(request.authority(), "a.test");
    assert!(request.headers.is_empty());
    let host = [&GET[..3], &[("host", "b.test")]].concat();
    assert_eq!(taken(&host, WHOLE).request.host(), "b.test");
    let empty = [&GET[..3], &[(":authority", ""), ("host", "b.test")]].concat();
    assert_eq!(taken(&empty, WHOLE).request.host(), "b.test");
    assert_eq!(taken(&GET[..3], WHOLE).request.host(), "");
}

#[test]
fn crumbs_of_cookies_become_one_cookie() {
    let crumbs = [GET, &[("cookie", "a=b"), ("x", "y"), ("cookie", "c=d"), ("cookie", "e")]];
    let request = taken(&crumbs.concat(), WHOLE).request;
    assert_eq!(shown(&request.headers), ["X: y", "Cookie: a=b; c=d; e"]);
    let none = [GET, &[("cookie", ""), ("cookie", "")]].concat();
    assert_eq!(shown(&taken(&none, WHOLE).request.headers), ["Cookie: ;"]);
    let empty = [GET, &[("cookie", ""), ("cookie", "b"), ("cookie", " c ")]].concat();
    assert_eq!(shown(&taken(&empty, WHOLE).request.headers), ["Cookie: ; b; c"]);
}

#[test]
fn bad_hosts_are_answered() {
    let limits = Limits::default();
    for host in ["a b", "u@a.test", "a/b"] {
        let fields = [&GET[..3], &[(":authority", host)]].concat();
        assert_eq!(refused(&fields, &limits), Reason::MalformedHost, "{host}");
    }
    let several = [&GET[..3], &[("host", "b.test"), ("host", "c.test")]].concat();
    assert_eq!(refused(&several, &limits), Reason::SeveralHosts);
}

#[test]
fn other_protocols_are_told_where_they_are_allowed() {
    let fields = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "a.test"),
    ];
    let peer = taken(&fields, END_HEADERS);
    assert_eq!(peer.connection.protocol(), Some("websocket"));
    assert_eq!(peer.request.method, Method::Connect);
    assert_eq!(peer.request.target.request_uri(), "/chat");
    assert_eq!(taken(GET, WHOLE).connection.protocol(), None);
    let mut peer = Peer::with(&Limits { extended_connect: false, ..Limits::default() });
    peer.send(&frame(HEADERS, END_HEADERS, 1, &block(&fields))).unwrap();
    assert_eq!(peer.resets().len(), 1);
}

#[test]
fn heads_that_are_too_large_are_answered_and_the_connection_goes_on() {
    let limits = Limits { head_bytes: 400, fields: 7, ..Limits::default() };
    let long = "x".repeat(200);
    let large = [GET, &[("a", long.as_str())]].concat();
    assert_eq!(refused(&large, &limits), Reason::HeadTooLarge);
    let many = [GET, &[("a", ""); 4]].concat();
    assert_eq!(refused(&many, &limits), Reason::HeadTooLarge);
    let crumbs = [GET, &[("cookie", "a"); 7], &[("a", ""); 3]].concat();
    assert_eq!(refused(&crumbs, &limits), Reason::HeadTooLarge);
    let crumbs = [GET, &[("a", ""); 2], &[("cookie", "a"); 4]].concat();
    let events = Peer::with(&limits).send(&frame(HEADERS, WHOLE, 1, &block(&crumbs))).unwrap();
    assert!(matches!(events[..], [Event::Head { .. }]));
    // What it put into the table is there for the next.
    let mut peer = Peer::with(&limits);
    let entry = |name: &str, value: &str| {
        let mut bytes = block(&[(name, value)]);
        bytes[0] = 0x40;
        bytes
    };
    let first = [block(GET), entry("a", &long), entry("b", "c")].concat();
    let events = peer.send(&frame(HEADERS, WHOLE, 1, &first)).unwrap();
    assert!(matches!(events[..], [Event::Refused { .. }]));
    assert!(peer.request.headers.is_empty() && peer.request.host().is_empty());
    assert_eq!(peer.request.method, Method::Get);
    let second = [block(GET), vec![0xbe]].concat();
    let events = peer.send(&frame(HEADERS, WHOLE, 3, &second)).unwrap();
    assert!(matches!(events[..], [Event::Head { .. }]));
    assert_eq!(shown(&peer.request.headers), ["B: c"]);
}

#[test]
fn the_method_of_a_head_that_is_too_large_is_known() {
    let limits = Limits { head_bytes: 400, ..Limits::default() };
    let long = "x".repeat(500);
    let mut fields = GET.to_vec();
    for field in &mut fields {
        if field.0 == ":method" {
            field.1 = "HEAD";
        }
    }
    fields.push(("a", &long));
    let mut peer = Peer::with(&limits);
    let events = peer.send(&frame(HEADERS, WHOLE, 1, &block(&fields))).unwrap();
    assert!(matches!(events[..], [Event::Refused { .. }]));
    assert_eq!(peer.request.method, Method::Head);
}

#[test]
fn a_malformed_field_counts_more_than_the_length() {
    let mut peer = Peer::with(&Limits { fields: 5, ..Limits::default() });
    let fields = [GET, &[("a", ""), ("b", ""), ("C", "")]].concat();
    assert_eq!(peer.send(&frame(HEADERS, WHOLE, 1, &block(&fields))), Ok(vec![]));
    assert_eq!(peer.resets().len(), 1);
}

#[test]
fn trailers_come_without_what_must_not_be_one() {
    let mut peer = taken(POST, END_HEADERS);
    let fields = [("x-sum", "1"), ("content-type", "x"), ("x-forwarded-for", "x"), ("y", "2")];
    let events = peer.send(&frame(HEADERS, WHOLE, 1, &block(&fields)));
    assert_eq!(events, Ok(vec![Event::Trailers { stream: StreamId(1) }]));
    assert_eq!(shown(&peer.connection.trailers()), ["X-Sum: 1", "Y: 2"]);
}

#[test]
fn a_trailer_that_frames_must_not_be_announced() {
    let fields = [POST, &[("trailer", "content-length")]].concat();
    let mut peer = Peer::new();
    let events = peer.send(&frame(HEADERS, END_HEADERS, 1, &block(&fields))).unwrap();
    assert!(matches!(events[..], [Event::Refused { .. }]));
    let fields = [POST, &[("trailer", "x-sum")]].concat();
    assert_eq!(shown(&taken(&fields, END_HEADERS).request.headers), ["Trailer: X-Sum"]);
}
