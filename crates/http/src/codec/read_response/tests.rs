//! Response heads, with the answers that Traefik 3.7.15 gave to the same bytes in mind.

use super::*;

fn parse_for(method: &Method, raw: &[u8]) -> Result<(Response, usize), ResponseError> {
    let mut response = Response::new();
    match parse_response_head(raw, &HeadLimits::default(), method, &mut response)? {
        Progress::Complete(length) => Ok((response, length)),
        Progress::Partial => panic!("partial: {:?}", String::from_utf8_lossy(raw)),
    }
}

fn parse(raw: &str) -> Result<Response, ResponseError> {
    parse_for(&Method::Get, raw.as_bytes()).map(|(response, _)| response)
}

#[test]
fn a_plain_response_is_understood() {
    let raw = b"HTTP/1.1 200 Fine\r\nETag: x\r\ncontent-length: 2\r\n\r\nok";
    let (response, length) = parse_for(&Method::Get, raw).unwrap();
    assert_eq!(length, raw.len() - 2);
    assert_eq!((response.status, response.body), (Status::OK, BodyFraming::Length(2)));
    assert_eq!(response.headers.iter().next().unwrap().name, "Etag");
    assert!(response.keep_alive);
}

#[test]
fn framing_follows_status_method_and_fields() {
    for (method, head, body, keep_alive) in [
        (Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 0", BodyFraming::Length(0), true),
        (Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", BodyFraming::Chunked, true),
        (Method::Get, "HTTP/1.1 200 OK", BodyFraming::UntilClose, false),
        (Method::Get, "HTTP/1.0 200 OK", BodyFraming::UntilClose, false),
        (
            Method::Get,
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1",
            BodyFraming::Length(1),
            true,
        ),
        (Method::Get, "HTTP/1.1 204 No\r\nContent-Length: 2", BodyFraming::None, true),
        (Method::Get, "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked", BodyFraming::None, true),
        (Method::Get, "HTTP/1.1 304 No\r\nContent-Length: 2", BodyFraming::None, true),
        (Method::Get, "HTTP/1.1 103 Hints", BodyFraming::None, true),
        (Method::Get, "HTTP/1.1 101 Switching", BodyFraming::None, true),
        (Method::Head, "HTTP/1.1 200 OK\r\nContent-Length: 2", BodyFraming::None, true),
        (Method::Head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", BodyFraming::None, true),
        (Method::Head, "HTTP/1.1 200 OK", BodyFraming::None, true),
        (Method::Connect, "HTTP/1.1 200 OK\r\nContent-Length: 2", BodyFraming::UntilClose, false),
        (
            Method::Get,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2",
            BodyFraming::Length(2),
            false,
        ),
    ] {
        let (response, _) = parse_for(&method, format!("{head}\r\n\r\n").as_bytes()).unwrap();
        assert_eq!((response.body, response.keep_alive), (body, keep_alive), "{method} {head}");
    }
}

#[test]
fn a_transfer_coding_overrides_the_length_and_ends_trust_in_the_connection() {
    let raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n";
    let response = parse(raw).unwrap();
    assert_eq!((response.body, response.keep_alive), (BodyFraming::Chunked, false));
    assert!(!response.headers.contains(Known::ContentLength));
}

#[test]
fn framing_that_cannot_be_understood_is_an_error() {
    for (fields, error) in [
        ("Content-Length: 1\r\nContent-Length: 2", ResponseError::ContentLength),
        ("Content-Length: x", ResponseError::ContentLength),
        ("Content-Length: 1, 1", ResponseError::ContentLength),
        ("Content-Length: -1", ResponseError::ContentLength),
        ("Transfer-Encoding: gzip", ResponseError::TransferEncoding),
        ("Transfer-Encoding: gzip, chunked", ResponseError::TransferEncoding),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            ResponseError::TransferEncoding,
        ),
        ("Transfer-Encoding: chunked\r\nTrailer: content-length", ResponseError::Trailer),
    ] {
        assert_eq!(parse(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n")).unwrap_err(), error);
    }
    let raw = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(parse(raw).unwrap_err(), ResponseError::TransferEncoding);
}

#[test]
fn trailers_are_announced_for_chunked_bodies_only() {
    let response = parse("HTTP/1.1 200 OK\r\nTrailer: Transfer-Encoding\r\n\r\n").unwrap();
    assert!(!response.headers.contains(Known::Trailer));
    let raw = "HTTP/1.1 200 OK\r\nTrailer: X-T, Set-Cookie\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(parse(raw).unwrap().headers.get(Known::Trailer), Some(&b"X-T"[..]));
}

#[test]
fn status_lines_have_one_form() {
    for line in ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 999 x y", "HTTP/1.9 200 OK"] {
        assert!(parse(&format!("{line}\r\n\r\n")).is_ok(), "{line}");
    }
    for (line, error) in [
        ("hello", ResponseError::StatusLine),
        ("", ResponseError::StatusLine),
        ("HTTP/1.1", ResponseError::StatusLine),
        ("HTTP/1.1 ", ResponseError::StatusLine),
        ("HTTP/1.1 20", ResponseError::StatusLine),
        ("HTTP/1.1 2000", ResponseError::StatusLine),
        ("HTTP/1.1 099 x", ResponseError::StatusLine),
        ("HTTP/1.1 -20 x", ResponseError::StatusLine),
        ("HTTP/1.1 2x0 x", ResponseError::StatusLine),
        ("HTTP/1.1  200 OK", ResponseError::StatusLine),
        ("HTTP/1.1\t200 OK", ResponseError::StatusLine),
        ("HTTP/1.1 200 a\0b", ResponseError::StatusLine),
        ("http/1.1 200 OK", ResponseError::StatusLine),
        ("HTTP/2.0 200 OK", ResponseError::Version),
        ("HTTP/1.10 200 OK", ResponseError::StatusLine),
    ] {
        assert_eq!(parse(&format!("{line}\r\n\r\n")).unwrap_err(), error, "{line}");
    }
}

#[test]
fn servers_may_end_lines_with_a_line_feed_fold_them_and_pad_names() {
    let response = parse("HTTP/1.1 200 OK\nX-A: 1\n  2\nX-B : 3\nContent-Length: 2\n\n").unwrap();
    assert_eq!(response.headers.get("x-a"), Some(&b"1 2"[..]));
    assert_eq!(response.headers.get("x-b"), Some(&b"3"[..]));
    assert_eq!(response.body, BodyFraming::Length(2));
    // A padded name of framing frames, since it is passed on without its padding.
    let response = parse("HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n").unwrap();
    assert_eq!(response.body, BodyFraming::Chunked);
}

#[test]
fn malformed_fields_are_errors() {
    for line in ["X", ": x", "X A: x", "X: a\0", "X: a\rb", "X\u{e9}: x", " x: folded first"] {
        let raw = format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n");
        assert_eq!(parse(&raw).unwrap_err(), ResponseError::Header, "{line:?}");
    }
}

#[test]
fn interim_responses_come_one_by_one() {
    let raw =
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let (mut parser, mut response) = (ResponseParser::new(), Response::new());
    let limits = HeadLimits::default();
    let first = parser.parse(raw, &limits, &Method::Get, &mut response).unwrap();
    assert_eq!((first, response.status.code()), (Progress::Complete(37), 103));
    let second = parser.parse(&raw[37..], &limits, &Method::Get, &mut response).unwrap();
    assert_eq!((second, response.status), (Progress::Complete(raw.len() - 37), Status::OK));
    assert!(!response.headers.contains("link"));
}

#[test]
fn http_1_0_clients_get_no_chunks() {
    let response = |body| Response { body, ..Response::new() };
    for (body, http_1_0, http_1_1) in [
        (BodyFraming::Chunked, BodyFraming::UntilClose, BodyFraming::Chunked),
        (BodyFraming::UntilClose, BodyFraming::UntilClose, BodyFraming::Chunked),
        (BodyFraming::Length(3), BodyFraming::Length(3), BodyFraming::Length(3)),
        (BodyFraming::None, BodyFraming::None, BodyFraming::None),
    ] {
        assert_eq!(response(body).framing_for(Version::Http10), http_1_0);
        assert_eq!(response(body).framing_for(Version::Http11), http_1_1);
    }
}
