//! A plain exchange allocates nothing once its buffers have grown.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by panicking")]

use portway_http::codec::{
    Connection, HeadLimits, Progress, RequestParser, ResponseHead, ResponseParser, write_chunk_end,
    write_chunk_start, write_last_chunk, write_request_head, write_response_head,
};
use portway_http::{
    BodyFraming, BodyReader, CanonicalRules, ForwardedRules, HeaderValue, Headers, Known, Request,
    Response, Status, TrailerLimits, Version, append_forwarded_for, h2, remove_request_hop_by_hop,
    remove_response_hop_by_hop,
};

const REQUEST: &[u8] = b"GET /api/users?id=7 HTTP/1.1\r\nHost: app.example.com\r\n\
    User-Agent: curl/8.5.0\r\nAccept: */*\r\nAccept-Language: en\r\nCookie: a=b\r\n\
    X-Request-Id: 0123456789\r\nConnection: keep-alive\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/plain\r\n\
    Transfer-Encoding: chunked\r\nConnection: keep-alive\r\nX-Cache: miss\r\n\r\n";
const BODY: &[u8] = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

/// What a worker keeps between requests.
struct Recycled {
    request: Request,
    response: Response,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    rules: ForwardedRules,
}

fn exchange(kept: &mut Recycled) {
    let limits = HeadLimits::default();
    let peer = "192.0.2.7".parse().unwrap();
    let request = &mut kept.request;
    let mut parser = RequestParser::new();
    // The head comes in two pieces.
    assert_eq!(parser.parse(&REQUEST[..50], &limits, request), Ok(Progress::Partial));
    assert_eq!(parser.parse(REQUEST, &limits, request), Ok(Progress::Complete(REQUEST.len())));
    assert!(request.canonicalize(&CanonicalRules::default()).is_ok());
    let authority = request.authority().len();
    let Request { headers, .. } = request;
    kept.rules.apply(headers, "app.example.com", peer, false);
    remove_request_hop_by_hop(headers, BodyFraming::None);
    append_forwarded_for(headers, peer);
    assert_eq!(authority, 15);
    kept.to_server.clear();
    write_request_head(&mut kept.to_server, &kept.request, "app.example.com", false);

    let response = &mut kept.response;
    let progress = ResponseParser::new().parse(RESPONSE, &limits, &kept.request.method, response);
    assert_eq!(progress, Ok(Progress::Complete(RESPONSE.len())));
    remove_response_hop_by_hop(&mut response.headers, response.body);
    kept.to_client.clear();
    write_response_head(
        &mut kept.to_client,
        &ResponseHead {
            version: kept.request.version,
            status: response.status,
            headers: &response.headers,
            body: response.framing_for(kept.request.version),
            connection: Connection::Unsaid,
            date: b"Mon, 23 Nov 2026 06:44:15 GMT",
        },
    );
    let mut reader = BodyReader::for_response(response.body, TrailerLimits::default());
    let mut rest = BODY;
    while !reader.is_done() {
        let step = reader.step(rest).unwrap();
        if !step.payload.is_empty() {
            write_chunk_start(&mut kept.to_client, step.payload.len());
            kept.to_client.extend_from_slice(&rest[step.payload.clone()]);
            write_chunk_end(&mut kept.to_client);
        }
        rest = &rest[step.consumed..];
    }
    write_last_chunk(&mut kept.to_client, reader.trailers());
    assert!(kept.to_client.ends_with(BODY));
}

#[test]
fn a_plain_exchange_allocates_nothing_after_the_first() {
    let mut kept = Recycled {
        request: Request::new(),
        response: Response::new(),
        to_server: Vec::new(),
        to_client: Vec::new(),
        rules: ForwardedRules {
            server: HeaderValue::parse("machine").ok(),
            ..ForwardedRules::default()
        },
    };
    exchange(&mut kept);
    let info = allocation_counter::measure(|| exchange(&mut kept));
    assert_eq!(info.count_total, 0);
}

/// A client and a server of HTTP/2 that talk to each other.
struct Http2 {
    client: h2::Connection<h2::Client>,
    server: h2::Connection<h2::Server>,
    wanted: Request,
    request: Request,
    response: Response,
    headers: Headers,
}

impl Http2 {
    fn exchange(&mut self) {
        let now = std::time::Instant::now();
        let Self { client, server, request, response, .. } = self;
        let head = h2::RequestHead {
            request: &self.wanted,
            scheme: "https",
            authority: "app.example.com",
            protocol: None,
        };
        client.request(&head, true).unwrap();
        let mut input = client.output();
        while let h2::Step { consumed, event: Some(event) } =
            server.next(input, request, now).unwrap()
        {
            input = &input[consumed..];
            let stream = match event {
                h2::Event::Head { stream, end: true } => Some(stream),
                _ => None,
            };
            let stream = stream.unwrap();
            let head = ResponseHead {
                version: Version::Http2,
                status: Status::OK,
                headers: &self.headers,
                body: BodyFraming::Length(11),
                connection: Connection::Unsaid,
                date: b"Mon, 23 Nov 2026 06:44:15 GMT",
            };
            server.respond(stream, &head, false).unwrap();
            assert_eq!(server.send_data(stream, b"hello world", true), Ok(11));
        }
        client.written(client.output().len());
        let mut input = server.output();
        while let h2::Step { consumed, event: Some(event) } =
            client.next(input, response, now).unwrap()
        {
            input = &input[consumed..];
            if let h2::Event::Data { stream, payload, .. } = event {
                client.release(stream, payload.len());
            }
        }
        server.written(server.output().len());
    }
}

#[test]
fn a_plain_exchange_of_http_2_allocates_nothing_after_some() {
    let limits = h2::Limits::default();
    let mut wanted = Request::new();
    let parsed =
        portway_http::codec::parse_request_head(REQUEST, &HeadLimits::default(), &mut wanted);
    assert!(parsed.is_ok());
    let mut headers = Headers::new();
    headers.append(Known::Server, "x");
    headers.append(Known::ContentType, "text/plain");
    headers.append(Known::Etag, "\"0123456789\"");
    let mut both = Http2 {
        client: h2::Connection::client(&limits),
        server: h2::Connection::server(&limits),
        wanted,
        request: Request::new(),
        response: Response::new(),
        headers,
    };
    for _ in 0..50 {
        both.exchange();
    }
    let info = allocation_counter::measure(|| (0..100).for_each(|_| both.exchange()));
    assert_eq!(info.count_total, 0);
    assert_eq!(both.request.headers.get(Known::UserAgent), Some(&b"curl/8.5.0"[..]));
    assert_eq!(both.response.headers.get(Known::ContentType), Some(&b"text/plain"[..]));
}
