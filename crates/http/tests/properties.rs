//! Properties of the codec: cutting the input never matters, what is written is read back, two
//! parsers agree, and no input panics.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by panicking")]

use portway_http::codec::{
    HeadLimits, Progress, RequestParser, ResponseHead, ResponseParser, parse_request_head,
    parse_response_head, write_chunk_end, write_chunk_start, write_last_chunk, write_request_head,
    write_response_head,
};
use portway_http::{
    BodyFraming, BodyReader, CanonicalRules, Headers, Known, Method, Reason, Request, Response,
    Status, Target, TrailerLimits, Version, preferred_type,
};
use proptest::prelude::*;

/// What a reader could see of a request.
fn seen(request: &Request) -> String {
    format!(
        "{} {} {} {:?} {:?} {} {} {:?}",
        request.method,
        request.target.request_uri(),
        request.authority(),
        request.version,
        request.body,
        request.keep_alive,
        request.expects_continue,
        fields(&request.headers)
    )
}

fn fields(headers: &Headers) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|field| (field.name.to_owned(), field.value.to_vec())).collect()
}

fn whole(raw: &[u8]) -> (Result<Progress, Reason>, Request) {
    let mut request = Request::new();
    let result = parse_request_head(raw, &HeadLimits::default(), &mut request);
    (result.map_err(|refusal| refusal.reason), request)
}

/// Parses with the buffer growing to each of the given lengths.
fn cut(raw: &[u8], cuts: &[usize]) -> (Result<Progress, Reason>, Request) {
    let mut parser = RequestParser::new();
    let mut request = Request::new();
    for end in cuts.iter().map(|cut| cut % (raw.len() + 1)).chain([raw.len()]) {
        let so_far = raw.get(..end).unwrap_or_default();
        match parser.parse(so_far, &HeadLimits::default(), &mut request) {
            Ok(Progress::Partial) => {}
            result => return (result.map_err(|refusal| refusal.reason), request),
        }
    }
    (Ok(Progress::Partial), request)
}

/// Heads near the border between good and bad.
fn head() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        20 => "[A-Za-z-]{1,12}: [ -~]{0,20}",
        2 => "(Content-Length|content-length): ?(0|5|05|5, 5|-1|x)",
        2 => "(Transfer-Encoding|transfer-encoding ): ?(chunked|gzip|chunked, x)",
        1 => "(Host|HOST): ?[a-z.:/@ ]{0,8}",
        2 => "(Connection|Upgrade|Expect|Te|Trailer): [a-z0-9, -]{0,20}",
        1 => "[\t -~\r\n\0é]{0,20}",
    ];
    let end = prop_oneof![40 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r")];
    let first = prop_oneof![20 => sound_request_line(), 1 => "[ -~]{0,30}"];
    (first, proptest::collection::vec((line, end.clone()), 0..8), end)
        .prop_map(|(first, lines, end)| assemble(&format!("{first}{end}Host: a\r\n"), &lines))
}

/// Heads of which nearly all are good.
fn sound_head() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        10 => "X[A-Za-z-]{1,12}: [ -~]{0,20}",
        1 => "Content-Length: 5",
        1 => "transfer-encoding: chunked",
        1 => "(Connection|Upgrade|Te|Trailer|User-Agent|Cookie|Pragma): [a-z0-9, -]{0,20}",
    ];
    let lines = proptest::collection::vec((line, Just("\r\n")), 0..8);
    (sound_request_line(), lines)
        .prop_map(|(first, lines)| assemble(&format!("{first}\r\nHost: a\r\n"), &lines))
}

fn sound_request_line() -> impl Strategy<Value = String> {
    let target = "(/([a-z0-9./?;|()]|%[0-9A-Fa-f]{2}){0,20}|http://[a-z]{1,4}(:1)?(/[a-z]*)?|[*])";
    ("(GET|POST|OPTIONS|x)", proptest::string::string_regex(target).unwrap(), "HTTP/1[.][01]")
        .prop_map(|(method, target, version)| format!("{method} {target} {version}"))
}

fn assemble(first: &str, lines: &[(String, &str)]) -> Vec<u8> {
    let mut raw = first.to_owned();
    for (line, end) in lines {
        raw.push_str(line);
        raw.push_str(end);
    }
    raw.push_str("\r\n");
    raw.into_bytes()
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..600)
}

/// Feeds a body reader with pieces of these sizes; the payload and what was consumed.
fn read_body(mut reader: BodyReader, raw: &[u8], sizes: &[usize]) -> Option<(Vec<u8>, usize)> {
    let mut payload = Vec::new();
    let mut position = 0;
    let mut sizes = sizes.iter().cycle();
    while position < raw.len() && !reader.is_done() {
        let size = sizes.next().map_or(1, |size| size % 50 + 1);
        let piece = &raw[position..raw.len().min(position + size)];
        let mut rest = piece;
        while !rest.is_empty() && !reader.is_done() {
            let step = reader.step(rest).ok()?;
            payload.extend_from_slice(&rest[step.payload.clone()]);
            position += step.consumed;
            rest = &rest[step.consumed..];
        }
    }
    reader.is_done().then_some((payload, position))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_accept_is_read(values in prop::collection::vec("[ -~]{0,40}|[a-z*/;=q.,0-9 \"\\\\]{0,40}", 0..4)) {
        let mut headers = Headers::new();
        values.iter().for_each(|value| headers.append(Known::Accept, value));
        let place = preferred_type(&headers, &["text/plain", "text/html"]);
        prop_assert!(place.is_none_or(|place| place < 2));
    }

    #[test]
    fn what_is_wanted_most_is_chosen(weights in prop::collection::vec(0_u16..=1000, 4)) {
        const OFFERS: [&str; 4] = ["text/plain", "text/html", "application/json", "image/png"];
        let mut headers = Headers::new();
        for (offer, weight) in OFFERS.iter().zip(&weights) {
            let value = format!("{offer};q={}.{:03}", weight / 1000, weight % 1000);
            headers.append(Known::Accept, value);
        }
        let most = weights.iter().copied().max().filter(|most| *most > 0);
        let expected = most.and_then(|most| weights.iter().position(|weight| *weight == most));
        prop_assert_eq!(preferred_type(&headers, &OFFERS), expected);
    }

    #[test]
    fn cutting_a_head_never_matters(raw in head(), cuts in proptest::collection::vec(any::<usize>(), 0..6)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (raw.len() + 1)).collect();
        cuts.sort_unstable();
        let (result, request) = whole(&raw);
        let (cut_result, cut_request) = cut(&raw, &cuts);
        prop_assert_eq!(result, cut_result);
        if let Ok(Progress::Complete(_)) = result {
            prop_assert_eq!(seen(&request), seen(&cut_request));
        }
    }

    #[test]
    fn what_is_accepted_httparse_accepts_with_the_same_tokens(raw in prop_oneof![head(), sound_head()]) {
        let (result, request) = whole(&raw);
        let Ok(Progress::Complete(length)) = result else { return Ok(()) };
        let mut slots = [httparse::EMPTY_HEADER; 64];
        let mut other = httparse::Request::new(&mut slots);
        let status = other.parse(&raw).unwrap();
        prop_assert_eq!(status, httparse::Status::Complete(length));
        prop_assert_eq!(other.method, Some(request.method.as_str()));
        for header in other.headers.iter() {
            let known = Known::classify(header.name.as_bytes());
            if matches!(known, Some(Known::Host | Known::TransferEncoding | Known::Trailer | Known::ContentLength)) {
                continue;
            }
            let value = header.value.trim_ascii();
            prop_assert!(request.headers.get_all(header.name).any(|ours| ours.trim_ascii() == value));
        }
    }

    #[test]
    fn no_bytes_panic(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = whole(&raw);
        let _ = parse_response_head(&raw, &HeadLimits::default(), &Method::Get, &mut Response::new());
        for framing in [BodyFraming::Chunked, BodyFraming::Length(10), BodyFraming::UntilClose] {
            let _ = read_body(BodyReader::for_request(framing, TrailerLimits::default()), &raw, &[7]);
            let _ = read_body(BodyReader::for_response(framing, TrailerLimits::default()), &raw, &[3]);
        }
    }

    #[test]
    fn a_forwarded_request_is_read_back_the_same(raw in sound_head()) {
        let (result, mut request) = whole(&raw);
        prop_assume!(matches!(result, Ok(Progress::Complete(_))));
        prop_assume!(request.canonicalize(&CanonicalRules::default()).is_ok());
        prop_assume!(request.method != Method::Connect);
        let mut out = Vec::new();
        let host = request.authority().to_owned();
        write_request_head(&mut out, &request, &host, false);
        let (result, again) = whole(&out);
        prop_assert_eq!(result, Ok(Progress::Complete(out.len())), "{:?}", String::from_utf8_lossy(&out));
        prop_assert_eq!(request.target.request_uri(), again.target.request_uri());
        prop_assert_eq!(request.authority(), again.authority());
        prop_assert_eq!(request.body.is_empty(), again.body.is_empty());
        if !request.body.is_empty() {
            prop_assert_eq!(request.body, again.body);
        }
        request.headers.remove(Known::ContentLength);
        // As Go: the first of several is sent, before the others, and an empty one stands for none.
        let agent = request.headers.get(Known::UserAgent).unwrap_or_default().to_vec();
        prop_assert_eq!(agent.as_slice(), again.headers.get(Known::UserAgent).unwrap_or_default());
        prop_assert!(again.headers.count(Known::UserAgent) <= 1);
        let mut again = again;
        for headers in [&mut request.headers, &mut again.headers] {
            headers.remove(Known::ContentLength);
            headers.remove(Known::UserAgent);
        }
        prop_assert_eq!(fields(&request.headers), fields(&again.headers));
    }

    #[test]
    fn canonical_paths_are_stable(path in "/([a-z0-9./|() é-]|%[0-9a-fA-F]{2}|/[.]{0,2}/){0,20}") {
        let mut target = Target::default();
        prop_assume!(target.set_path_and_query(path.as_bytes()).is_ok());
        target.clean();
        let once = target.request_uri();
        prop_assert!(once.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert!(!once.contains("//") && !once.contains("/../") && !once.contains("/./"));
        prop_assert!(once.starts_with('/'));
        let mut again = Target::default();
        again.set_path_and_query(once.as_bytes()).unwrap();
        prop_assert_eq!(again.path(), target.path());
        again.clean();
        prop_assert_eq!(again.request_uri(), once);
    }

    #[test]
    fn chunks_are_read_back_under_any_cut(
        chunks in proptest::collection::vec(payload(), 0..6),
        sizes in proptest::collection::vec(any::<usize>(), 1..10),
    ) {
        let mut raw = Vec::new();
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            write_chunk_start(&mut raw, chunk.len());
            raw.extend_from_slice(chunk);
            write_chunk_end(&mut raw);
        }
        write_last_chunk(&mut raw, None);
        let length = raw.len();
        raw.extend_from_slice(b"NEXT");
        for reader in [
            BodyReader::for_request(BodyFraming::Chunked, TrailerLimits::default()),
            BodyReader::for_response(BodyFraming::Chunked, TrailerLimits::default()),
        ] {
            prop_assert_eq!(read_body(reader, &raw, &sizes), Some((chunks.concat(), length)));
        }
    }

    #[test]
    fn a_flipped_byte_in_a_chunked_body_never_moves_its_end_beyond_the_input(
        chunk in payload(), at in any::<usize>(), byte in any::<u8>(),
    ) {
        prop_assume!(!chunk.is_empty());
        let mut raw = Vec::new();
        write_chunk_start(&mut raw, chunk.len());
        raw.extend_from_slice(&chunk);
        write_chunk_end(&mut raw);
        write_last_chunk(&mut raw, None);
        let length = raw.len();
        raw[at % length] = byte;
        let decoded = |size| {
            let reader = BodyReader::for_request(BodyFraming::Chunked, TrailerLimits::default());
            read_body(reader, &raw, &[size])
        };
        prop_assert_eq!(decoded(0), decoded(49));
    }

    #[test]
    fn a_written_response_is_read_back_the_same(
        code in 200_u16..1000,
        names in proptest::collection::vec("[A-Za-z-]{1,10}", 0..6),
        value in "[!-~]{0,20}",
        length in proptest::option::of(0_u64..1000),
    ) {
        let mut headers = Headers::new();
        for name in &names {
            let name = portway_http::HeaderName::parse(name).unwrap();
            if !["Connection", "Trailer", "Pragma"].contains(&name.as_str()) {
                headers.append(&name, &value);
            }
        }
        let status = Status::new(code).unwrap();
        let body = length.map_or(BodyFraming::Chunked, BodyFraming::Length);
        let mut out = Vec::new();
        write_response_head(&mut out, &ResponseHead {
            version: Version::Http11, status, headers: &headers, body,
            connection: Default::default(), date: b"now",
        });
        let mut response = Response::new();
        let progress = ResponseParser::new()
            .parse(&out, &HeadLimits::default(), &Method::Get, &mut response).unwrap();
        prop_assert_eq!(progress, Progress::Complete(out.len()));
        prop_assert_eq!(response.status, status);
        prop_assert_eq!(response.body, if status.allows_body() { body } else { BodyFraming::None });
        for field in headers.iter() {
            let framing = matches!(field.known, Some(Known::ContentLength | Known::TransferEncoding));
            let suppressed = code == 304 && field.known == Some(Known::ContentType);
            prop_assert!(framing || suppressed || response.headers.get_all(field.name).any(|v| v == field.value));
        }
    }
}
