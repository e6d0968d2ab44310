//! Request heads: what is understood, and above all what is refused.

use super::*;
use crate::body::{BodyFraming, BodyReader};
use crate::chunked::TrailerLimits;
use crate::target::TargetForm;

fn parse(raw: &[u8]) -> Result<(Request, usize), Reason> {
    let mut request = Request::new();
    match parse_request_head(raw, &HeadLimits::default(), &mut request) {
        Ok(Progress::Complete(length)) => Ok((request, length)),
        Ok(Progress::Partial) => panic!("partial: {:?}", String::from_utf8_lossy(raw)),
        Err(refusal) => Err(refusal.reason),
    }
}

#[track_caller]
fn refuse(raw: impl AsRef<[u8]>, reason: Reason) {
    let raw = raw.as_ref();
    match parse(raw) {
        Err(given) => assert_eq!(given, reason, "{:?}", String::from_utf8_lossy(raw)),
        Ok((request, _)) => panic!("accepted {:?} as {request:?}", String::from_utf8_lossy(raw)),
    }
}

/// A POST request with these field lines, each of which is ended with CRLF here.
fn post(fields: &[&str]) -> Vec<u8> {
    let mut raw = b"POST / HTTP/1.1\r\nHost: a\r\n".to_vec();
    for field in fields {
        raw.extend(field.chars().map(|c| u8::try_from(u32::from(c)).unwrap()));
        raw.extend(b"\r\n");
    }
    raw.extend(b"\r\n");
    raw
}

#[test]
fn a_plain_request_is_understood() {
    let raw = b"GET /a%2fb/../c?x=1 HTTP/1.1\r\nhost: Example.com:8080\r\nACCEPT: */*\r\n\
        x-empty:\r\ncookie:  a=b \t\r\n\r\nGET";
    let (request, length) = parse(raw).unwrap();
    assert_eq!(length, raw.len() - 3);
    assert_eq!(request.method, Method::Get);
    assert_eq!(request.target.request_uri(), "/a%2fb/../c?x=1");
    assert_eq!(request.target.form(), TargetForm::Origin);
    assert_eq!((request.authority(), request.host()), ("Example.com:8080", "example.com"));
    assert_eq!(request.headers.len(), 3);
    assert_eq!(request.headers.get("cookie"), Some(&b"a=b"[..]));
    assert_eq!(request.headers.get("x-empty"), Some(&b""[..]));
    assert!(request.keep_alive && !request.expects_continue);
    assert_eq!(request.body, BodyFraming::None);
}

#[test]
fn lengths_frame_bodies() {
    for (fields, expected) in [
        (&["Content-Length: 5"][..], BodyFraming::Length(5)),
        (&["Content-Length: 0"], BodyFraming::Length(0)),
        (&["Content-Length: 05"], BodyFraming::Length(5)),
        (&["content-length:5\t"], BodyFraming::Length(5)),
        (&["Content-Length: 5", "Content-Length: 5"], BodyFraming::Length(5)),
        (&["Content-Length: 9223372036854775807"], BodyFraming::Length(i64::MAX as u64)),
        (&["Transfer-Encoding: chunked"], BodyFraming::Chunked),
        (&["transfer-encoding:  CHUNKED\t"], BodyFraming::Chunked),
        (&[], BodyFraming::None),
    ] {
        let (request, _) = parse(&post(fields)).unwrap();
        assert_eq!(request.body, expected, "{fields:?}");
        assert!(request.headers.count(Known::ContentLength) <= 1);
        assert!(!request.headers.contains(Known::TransferEncoding));
    }
}

#[test]
fn lengths_that_servers_read_differently_are_refused() {
    for value in [
        "",
        "+5",
        "-5",
        "-0",
        "5,5",
        "5, 5",
        "5,6",
        "5 5",
        "0x5",
        "5h",
        "5.0",
        "5e1",
        "5;",
        "5_0",
        "\u{b2}",
        "５",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999",
        "abc",
        "\"5\"",
        "5\u{a0}",
    ] {
        let line = format!("Content-Length: {value}");
        let raw = [b"POST / HTTP/1.1\r\nHost: a\r\n", line.as_bytes(), b"\r\n\r\n"].concat();
        refuse(raw, Reason::InvalidContentLength);
    }
    for fields in [
        &["Content-Length: 5", "Content-Length: 6"][..],
        &["Content-Length: 5", "Content-Length: 05"],
        &["Content-Length: 5", "content-length:"],
        &["Content-Length: 5", "CONTENT-LENGTH: 5", "Content-length: 4"],
    ] {
        refuse(post(fields), Reason::InvalidContentLength);
    }
}

#[test]
fn two_framings_are_refused_in_any_order() {
    for fields in [
        &["Content-Length: 5", "Transfer-Encoding: chunked"][..],
        &["Transfer-Encoding: chunked", "Content-Length: 5"],
        &["Transfer-Encoding: chunked", "Content-Length: 0"],
        &["transfer-encoding: CHUNKED", "X: y", "content-length: 5"],
        &["Content-Length: 5", "Content-Length: 5", "Transfer-Encoding: chunked"],
    ] {
        refuse(post(fields), Reason::ConflictingFraming);
    }
    // A length that is no number is the first thing that is wrong.
    let fields = ["Transfer-Encoding: chunked", "Content-Length: x"];
    refuse(post(&fields), Reason::InvalidContentLength);
}

#[test]
fn transfer_codings_other_than_one_chunked_are_refused() {
    for value in [
        "",
        "gzip",
        "identity",
        "chunked, identity",
        "identity, chunked",
        "gzip, chunked",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "chunked;q=1",
        "chunked ;x",
        "xchunked",
        "chunkedx",
        "chunke",
        "\"chunked\"",
        "'chunked'",
        "[chunked]",
        "x chunked",
        "chunked x",
        "chunk\u{e9}d",
        "\u{a0}chunked",
        "chunked\u{a0}",
        "\u{85}chunked",
        "deflate",
        "c hunked",
        "trailers",
    ] {
        let field = format!("Transfer-Encoding: {value}");
        refuse(post(&[&field]), Reason::UnsupportedTransferEncoding);
        refuse(post(&[&field, "Content-Length: 5"]), Reason::UnsupportedTransferEncoding);
    }
    for fields in [
        &["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"][..],
        &["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        &["Transfer-Encoding: identity", "Transfer-Encoding: chunked"],
        &["Transfer-Encoding: chunked", "transfer-encoding:"],
        &["Transfer-Encoding:", "transfer-encoding: chunked"],
    ] {
        refuse(post(fields), Reason::UnsupportedTransferEncoding);
    }
    let refusal = Refusal::from(Reason::UnsupportedTransferEncoding);
    assert_eq!(refusal.status.code(), 501);
}

#[test]
fn a_transfer_coding_in_http_1_0_is_refused() {
    for value in ["chunked", "identity", ""] {
        let raw = format!("POST / HTTP/1.0\r\nTransfer-Encoding: {value}\r\n\r\n");
        refuse(raw, Reason::TransferEncodingOnHttp10);
    }
    let raw = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n";
    refuse(raw, Reason::TransferEncodingOnHttp10);
}

#[test]
fn framing_names_that_are_hidden_from_others_are_refused() {
    for (line, reason) in [
        ("Transfer-Encoding : chunked", Reason::InvalidHeaderName),
        ("Transfer-Encoding\t: chunked", Reason::MalformedHeader),
        ("Transfer Encoding: chunked", Reason::InvalidHeaderName),
        ("Content-Length : 5", Reason::InvalidHeaderName),
        (" Transfer-Encoding: chunked", Reason::FoldedLine),
        ("\tTransfer-Encoding: chunked", Reason::FoldedLine),
        ("X: y\r\n Transfer-Encoding: chunked", Reason::FoldedLine),
        ("Transfer-Encoding:\r\n chunked", Reason::FoldedLine),
        ("Content-Length: 5\r\n 5", Reason::FoldedLine),
        ("Transfer-Encoding", Reason::MalformedHeader),
        ("Transfer-Encoding chunked", Reason::MalformedHeader),
        (": chunked", Reason::MalformedHeader),
        ("Transfer-Encoding\0: chunked", Reason::MalformedHeader),
        ("\0Transfer-Encoding: chunked", Reason::MalformedHeader),
        ("Transfer-Encoding: \x0bchunked", Reason::InvalidHeaderValue),
        ("Transfer-Encoding: \x0cchunked", Reason::InvalidHeaderValue),
        ("Transfer-Encoding: chunked\0", Reason::InvalidHeaderValue),
        ("Transfer-Encoding: \x7fchunked", Reason::InvalidHeaderValue),
        ("X: y\rTransfer-Encoding: chunked", Reason::InvalidHeaderValue),
        ("X: y\r\rTransfer-Encoding: chunked", Reason::InvalidHeaderValue),
        ("X: y\nTransfer-Encoding: chunked", Reason::BareLineEnd),
        ("X: y\n\nGET /evil HTTP/1.1", Reason::BareLineEnd),
        ("\rTransfer-Encoding: chunked", Reason::MalformedHeader),
        ("Transfer-\u{e9}ncoding: chunked", Reason::MalformedHeader),
        ("\"Transfer-Encoding\": chunked", Reason::MalformedHeader),
        ("(x)Transfer-Encoding: chunked", Reason::MalformedHeader),
        ("Transfer-Encoding;: chunked", Reason::MalformedHeader),
        ("Content-Length: 5\x0b", Reason::InvalidHeaderValue),
        ("Content-Length: \x1f5", Reason::InvalidHeaderValue),
    ] {
        refuse(post(&[line]), reason);
    }
}

#[test]
fn names_that_only_look_like_framing_do_not_frame() {
    for line in
        ["Transfer_Encoding: chunked", "Content_Length: 5", "X-Content-Length: 5", "TE: chunked"]
    {
        let (request, _) = parse(&post(&[line])).unwrap();
        assert_eq!(request.body, BodyFraming::None, "{line}");
    }
}

#[test]
fn lines_end_with_crlf_and_nothing_else() {
    for raw in [
        &b"GET / HTTP/1.1\nHost: a\n\n"[..],
        b"GET / HTTP/1.1\r\nHost: a\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\n",
        b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    ] {
        refuse(raw, Reason::BareLineEnd);
    }
    refuse(b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Reason::MalformedVersion);
    refuse(b"GET / HTTP/1.1\rHost: a\r\n\r\n", Reason::MalformedVersion);
    refuse(b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", Reason::InvalidHeaderValue);
    refuse(b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Reason::InvalidMethod);
}

#[test]
fn few_empty_lines_before_a_request_are_passed_over() {
    let lenient = HeadLimits { empty_lines: 2, ..HeadLimits::default() };
    let two = b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut request = Request::new();
    assert_eq!(parse_request_head(two, &lenient, &mut request), Ok(Progress::Complete(31)));
    assert_eq!(request.host(), "a");
    let three = [b"\r\n", two.as_slice()].concat();
    let refused = parse_request_head(&three, &lenient, &mut request);
    assert_eq!(refused, Err(Reason::MalformedRequestLine.into()));
    // As Go's server, an entry point passes over none.
    refuse(two, Reason::MalformedRequestLine);
}

#[test]
fn request_lines_have_one_form() {
    for (line, reason) in [
        ("", Reason::MalformedRequestLine),
        ("GET", Reason::MalformedRequestLine),
        ("GET /", Reason::MalformedRequestLine),
        ("GET / ", Reason::MalformedVersion),
        ("GET  / HTTP/1.1", Reason::MalformedVersion),
        ("GET /  HTTP/1.1", Reason::MalformedVersion),
        (" GET / HTTP/1.1", Reason::InvalidMethod),
        ("GET / HTTP/1.1 ", Reason::MalformedVersion),
        ("GET / HTTP/1.1 x", Reason::MalformedVersion),
        ("GET /a b HTTP/1.1", Reason::MalformedVersion),
        ("GET\t/\tHTTP/1.1", Reason::MalformedRequestLine),
        ("GET\t/ HTTP/1.1", Reason::MalformedRequestLine),
        ("G@T / HTTP/1.1", Reason::InvalidMethod),
        ("GET\0 / HTTP/1.1", Reason::InvalidMethod),
        ("\u{16}\u{3}\u{1} / HTTP/1.1", Reason::InvalidMethod),
        ("GET / http/1.1", Reason::MalformedVersion),
        ("GET / HTTP/1", Reason::MalformedVersion),
        ("GET / HTTP/1.10", Reason::MalformedVersion),
        ("GET / HTTP/11.1", Reason::MalformedVersion),
        ("GET / HTTP/1,1", Reason::MalformedVersion),
        ("GET / HTTP/ 1.1", Reason::MalformedVersion),
        ("GET / HTTPS/1.1", Reason::MalformedVersion),
        ("GET / HTTP/-1.1", Reason::MalformedVersion),
        ("GET / HTTP/0.9", Reason::UnsupportedVersion),
        ("GET / HTTP/2.0", Reason::UnsupportedVersion),
        ("GET / HTTP/3.0", Reason::UnsupportedVersion),
        ("PRI * HTTP/2.0", Reason::UnsupportedVersion),
        ("GET foo HTTP/1.1", Reason::MalformedTarget),
        ("GET /\x7f HTTP/1.1", Reason::MalformedTarget),
        ("GET /%zz HTTP/1.1", Reason::MalformedTarget),
        ("GET http://a@b/ HTTP/1.1", Reason::MalformedHost),
    ] {
        refuse(format!("{line}\r\nHost: a\r\n\r\n").repeat(3), reason);
    }
    let (request, _) = parse(b"GET / HTTP/1.2\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(request.version, Version::Http11);
}

#[test]
fn there_is_exactly_one_host() {
    for (head, reason) in [
        ("GET / HTTP/1.1\r\n", Reason::MissingHost),
        ("GET http://b/ HTTP/1.1\r\n", Reason::MissingHost),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", Reason::SeveralHosts),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n", Reason::SeveralHosts),
        ("GET / HTTP/1.0\r\nHost: a\r\nHOST:\r\n", Reason::SeveralHosts),
        ("GET http://b/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n", Reason::SeveralHosts),
        ("GET / HTTP/1.1\r\nHost: a b\r\n", Reason::MalformedHost),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n", Reason::MalformedHost),
        ("GET / HTTP/1.1\r\nHost: u@a\r\n", Reason::MalformedHost),
        ("GET / HTTP/1.1\r\nHost: a#b\r\n", Reason::MalformedHost),
        ("GET / HTTP/1.1\r\nHost: a\u{e9}\r\n", Reason::MalformedHost),
        ("GET http://b/ HTTP/1.1\r\nHost: a/b\r\n", Reason::MalformedHost),
        ("GET / HTTP/1.1\r\nHost : a\r\n", Reason::InvalidHeaderName),
        ("GET / HTTP/1.1\r\n Host: a\r\n", Reason::FoldedLine),
        ("GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n", Reason::FoldedLine),
    ] {
        refuse(format!("{head}\r\n"), reason);
    }
    for (head, authority) in [
        ("GET / HTTP/1.1\r\nHost:\r\n", ""),
        ("GET / HTTP/1.0\r\n", ""),
        ("GET http://B:1/ HTTP/1.1\r\nHost: a\r\n", "B:1"),
        ("GET http:///x HTTP/1.1\r\nHost: a\r\n", "a"),
        ("CONNECT a:443 HTTP/1.1\r\n", "a:443"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: b\r\n", "a:443"),
    ] {
        let (request, _) = parse(format!("{head}\r\n").as_bytes()).unwrap();
        assert_eq!(request.authority(), authority, "{head}");
        assert!(!request.headers.contains(Known::Host));
    }
}

#[test]
fn expectations_are_understood_or_refused() {
    let expects = |fields: &[&str]| parse(&post(fields)).unwrap().0.expects_continue;
    assert!(expects(&["Expect: 100-Continue", "Content-Length: 5"]));
    assert!(expects(&["Expect: 100-continue", "Transfer-Encoding: chunked"]));
    assert!(!expects(&["Expect: 100-continue"]));
    assert!(!expects(&["Expect: 100-continue", "Content-Length: 0"]));
    assert!(!expects(&["Expect:", "Content-Length: 5"]));
    refuse(post(&["Expect: x"]), Reason::UnknownExpectation);
    let (request, _) =
        parse(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").unwrap();
    assert!(!request.expects_continue);
}

#[test]
fn announced_trailers_cannot_frame() {
    for name in ["Content-Length", "transfer-encoding", "TRAILER"] {
        let field = format!("Trailer: x-a, {name}");
        refuse(post(&["Transfer-Encoding: chunked", &field]), Reason::ForbiddenTrailer);
    }
    let fields = ["Transfer-Encoding: chunked", "Trailer: x-b, x-a", "trailer: Authorization,x-a"];
    let (request, _) = parse(&post(&fields)).unwrap();
    assert_eq!(request.headers.get_all(Known::Trailer).collect::<Vec<_>>(), [b"X-A,X-B"]);
    let (request, _) = parse(&post(&["Transfer-Encoding: chunked", "Trailer: host"])).unwrap();
    assert!(!request.headers.contains(Known::Trailer));
}

#[test]
fn pragma_implies_cache_control() {
    let (request, _) = parse(&post(&["Pragma: no-cache"])).unwrap();
    assert_eq!(request.headers.get(Known::CacheControl), Some(&b"no-cache"[..]));
    let (request, _) = parse(&post(&["Pragma: no-cache", "Cache-Control: x"])).unwrap();
    assert_eq!(request.headers.get_all(Known::CacheControl).collect::<Vec<_>>(), [b"x"]);
}

#[test]
fn an_upgrade_does_not_change_the_framing() {
    // Premature upgrade: what follows is the body or the next request, never the new protocol.
    let fields = ["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 3"];
    let (request, length) = parse(&post(&fields)).unwrap();
    assert!(request.is_websocket());
    assert_eq!((request.body, length), (BodyFraming::Length(3), post(&fields).len()));
    let (request, _) = parse(&post(&["Connection: Upgrade", "Upgrade: h2c"])).unwrap();
    assert_eq!(request.upgrade(), None);
}

#[test]
fn heads_are_bounded() {
    let limits = HeadLimits { bytes: 100, fields: 3, empty_lines: 0 };
    let parse = |raw: &[u8]| parse_request_head(raw, &limits, &mut Request::new());
    let endless = vec![b'a'; 100 + 4096];
    assert_eq!(parse(&endless), Ok(Progress::Partial));
    assert_eq!(parse(&[&endless[..], b"a"].concat()), Err(Reason::HeadTooLarge.into()));
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(5000));
    assert_eq!(parse(long.as_bytes()), Err(Reason::HeadTooLarge.into()));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(3));
    assert_eq!(parse(many.as_bytes()), Err(Reason::HeadTooLarge.into()));
    assert!(parse(b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n").is_ok());
    assert_eq!(Refusal::from(Reason::HeadTooLarge).status.code(), 431);
}

#[test]
fn a_bad_line_is_refused_before_the_head_is_complete() {
    refuse(b"GET /\r\n", Reason::MalformedRequestLine);
    refuse(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", Reason::SeveralHosts);
    refuse(b"GET / HTTP/1.1\r\nX : b\r\n", Reason::InvalidHeaderName);
    refuse(b"GET / HTTP/1.1\n", Reason::BareLineEnd);
}

/// Reads a whole stream as a server would: the targets of the requests, and how it ended.
fn pipeline(mut raw: &[u8]) -> (Vec<String>, Option<Reason>) {
    let mut targets = Vec::new();
    let mut request = Request::new();
    while !raw.is_empty() {
        match parse_request_head(raw, &HeadLimits::default(), &mut request) {
            Ok(Progress::Complete(length)) => raw = &raw[length..],
            Ok(Progress::Partial) => break,
            Err(refusal) => return (targets, Some(refusal.reason)),
        }
        targets.push(request.target.request_uri());
        let mut reader = BodyReader::for_request(request.body, TrailerLimits::default());
        while !reader.is_done() {
            let Ok(step) = reader.step(raw) else { return (targets, None) };
            if step.consumed == 0 && !step.done {
                return (targets, None);
            }
            raw = &raw[step.consumed..];
        }
    }
    (targets, None)
}

#[test]
fn hidden_requests_are_never_seen() {
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = "POST /seen HTTP/1.1\r\nHost: a\r\n";
    for stream in [
        // CL.TE, TE.CL, TE.TE and their variants.
        format!("{head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{head}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n8\r\n{hidden}"),
        format!(
            "{head}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n{hidden}"
        ),
        format!("{head}Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{hidden}"),
        format!("{head}Content-Length: 0\r\nContent-Length: 44\r\n\r\n{hidden}"),
        // A body that looks like a request stays a body.
        format!("{head}Content-Length: {}\r\n\r\n{hidden}", hidden.len()),
        format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n",
            hidden.len()
        ),
        // Chunk sizes that overflow, hide or wrap.
        format!("{head}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{hidden}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{hidden}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n0;\n\r\n{hidden}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n0\r\n\r\n{hidden}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\nAXX0\r\n\r\n{hidden}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n0\r\nX: \n\r\n{hidden}"),
    ] {
        let (targets, _) = pipeline(stream.as_bytes());
        assert!(!targets.iter().any(|target| target == "/hidden"), "{stream:?}: {targets:?}");
    }
    // And a request that is not hidden is seen.
    let (targets, end) = pipeline(format!("{head}Content-Length: 2\r\n\r\nok{hidden}").as_bytes());
    assert_eq!((targets, end), (vec!["/seen".to_owned(), "/hidden".to_owned()], None));
}
