//! The HTTP/1.1 codec on arbitrary bytes.
//!
//! The first byte chooses where the input is cut. Beyond not panicking: cutting never matters,
//! what is accepted and written again is read back with the same meaning and to its last byte,
//! and `httparse` accepts what is accepted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portway_http::codec::{
    HeadLimits, Progress, RequestParser, ResponseHead, parse_request_head, parse_response_head,
    write_request_head, write_response_head,
};
use portway_http::{BodyReader, CanonicalRules, Method, Request, Response, TrailerLimits, Version};

fuzz_target!(|data: &[u8]| {
    let Some((&cut, raw)) = data.split_first() else { return };
    request(raw, usize::from(cut));
    response(raw, usize::from(cut));
});

fn request(raw: &[u8], cut: usize) {
    let limits = HeadLimits { bytes: 4096, fields: 60, empty_lines: 2 };
    let mut request = Request::new();
    let whole = parse_request_head(raw, &limits, &mut request);
    let mut parser = RequestParser::new();
    let mut in_pieces = Request::new();
    let first = parser.parse(&raw[..cut.min(raw.len())], &limits, &mut in_pieces);
    let pieces = match first {
        Ok(Progress::Partial) => parser.parse(raw, &limits, &mut in_pieces),
        decided => decided,
    };
    assert_eq!(whole, pieces);
    let Ok(Progress::Complete(length)) = whole else { return };
    assert_eq!(request.headers, in_pieces.headers);
    assert_eq!(request.body, in_pieces.body);
    httparse_agrees(&raw[..length]);
    body(BodyReader::for_request(request.body, TrailerLimits::default()), &raw[length..], cut);

    if request.canonicalize(&CanonicalRules::default()).is_err() || request.method == Method::Connect
    {
        return;
    }
    let mut written = Vec::new();
    let authority = request.authority().to_owned();
    write_request_head(&mut written, &request, &authority, false);
    let mut again = Request::new();
    let progress = parse_request_head(&written, &HeadLimits::default(), &mut again);
    assert_eq!(progress, Ok(Progress::Complete(written.len())));
    assert_eq!(again.method, request.method);
    assert_eq!(again.target.request_uri(), request.target.request_uri());
    assert_eq!(again.body.is_empty(), request.body.is_empty());
    assert!(again.canonicalize(&CanonicalRules::default()).is_ok());
    assert_eq!(again.target.routing_path(), request.target.routing_path());
}

fn response(raw: &[u8], cut: usize) {
    let limits = HeadLimits { bytes: 4096, fields: 60, empty_lines: 0 };
    let mut response = Response::new();
    let progress = parse_response_head(raw, &limits, &Method::Get, &mut response);
    let Ok(Progress::Complete(length)) = progress else { return };
    body(BodyReader::for_response(response.body, TrailerLimits::default()), &raw[length..], cut);
    let mut written = Vec::new();
    let framing = response.framing_for(Version::Http11);
    write_response_head(
        &mut written,
        &ResponseHead {
            version: Version::Http11,
            status: response.status,
            headers: &response.headers,
            body: framing,
            connection: Default::default(),
            date: b"",
        },
    );
    let mut again = Response::new();
    let progress = parse_response_head(&written, &HeadLimits::default(), &Method::Get, &mut again);
    assert_eq!(progress, Ok(Progress::Complete(written.len())));
    assert_eq!((again.status, again.body), (response.status, framing));
}

/// Reads a body whole and in two pieces: payload and end are the same.
fn body(reader: BodyReader, raw: &[u8], cut: usize) {
    let whole = read(reader.clone(), &[raw]);
    let (first, second) = raw.split_at(cut.min(raw.len()));
    assert_eq!(whole, read(reader, &[first, second]));
}

fn read(mut reader: BodyReader, pieces: &[&[u8]]) -> Option<(Vec<u8>, usize, bool)> {
    let (mut payload, mut consumed) = (Vec::new(), 0);
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() && !reader.is_done() {
            let step = reader.step(rest).ok()?;
            payload.extend_from_slice(&rest[step.payload.clone()]);
            consumed += step.consumed;
            rest = &rest[step.consumed..];
        }
    }
    Some((payload, consumed, reader.is_done()))
}

fn httparse_agrees(head: &[u8]) {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut other = httparse::Request::new(&mut slots);
    // The parser under test reads any HTTP/1 minor version as 1.1, and Latin-1 in targets.
    match other.parse(head) {
        Ok(status) => assert_eq!(status, httparse::Status::Complete(head.len())),
        Err(httparse::Error::Version) => {}
        Err(httparse::Error::Token) if !head.is_ascii() => {}
        Err(error) => panic!("httparse refuses what was accepted: {error}"),
    }
}
