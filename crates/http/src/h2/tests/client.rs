//! The client's side: requests that go, responses that come.

use std::time::Instant;

use super::support::*;
use crate::body::BodyFraming;
use crate::h2::frame::PREFACE;
use crate::h2::hpack::Decoder;
use crate::h2::{Client, Connection, ErrorCode, Event, Limits, RequestHead, StreamId, Unsent};
use crate::headers::{HeaderName, Known};
use crate::method::Method;
use crate::request::Request;
use crate::response::Response;

const ONE: StreamId = StreamId(1);

pub(super) struct Asker {
    pub(super) connection: Connection<Client>,
    response: Response,
}

impl Asker {
    /// One to whom the server has said these settings.
    pub(super) fn new(settings: &[u8]) -> Self {
        let connection = Connection::client(&Limits::default());
        let mut asker = Self { connection, response: Response::new() };
        let output = asker.connection.output().strip_prefix(PREFACE).unwrap().to_vec();
        assert_eq!(frames(&output)[0].0, SETTINGS);
        assert_eq!(asker.send(&frame(SETTINGS, 0, 0, settings)), Ok(vec![]));
        asker.connection.written(asker.connection.output().len());
        asker
    }

    /// One that has asked for something.
    pub(super) fn asking(method: Method) -> Self {
        let mut asker = Self::new(&[]);
        assert_eq!(asker.ask(method, true), Some(ONE));
        asker.read();
        asker
    }

    pub(super) fn ask(&mut self, method: Method, end: bool) -> Option<StreamId> {
        let request = asked(method);
        let head =
            RequestHead { request: &request, scheme: "http", authority: "a.test", protocol: None };
        self.connection.request(&head, end).ok()
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<Vec<Event>, ErrorCode> {
        drive(&mut self.connection, bytes, &mut self.response, Instant::now())
            .map_err(|error| error.code)
    }

    fn respond(&mut self, flags: u8, fields: &[(&str, &str)]) -> Result<Vec<Event>, ErrorCode> {
        self.send(&frame(HEADERS, flags, 1, &block(fields)))
    }

    pub(super) fn read(&mut self) -> Vec<(u8, u8, u32, Vec<u8>)> {
        let output = frames(self.connection.output());
        self.connection.written(self.connection.output().len());
        output
    }
}

fn asked(method: Method) -> Request {
    let mut request = Request::new();
    request.method = method;
    request
}

fn head(end: bool) -> Result<Vec<Event>, ErrorCode> {
    Ok(vec![Event::Head { stream: ONE, end }])
}

#[track_caller]
fn written(request: &RequestHead<'_>) -> Vec<String> {
    let mut asker = Asker::new(&setting(8, 1));
    asker.connection.request(request, true).unwrap();
    let mut fields = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let block = asker.read().pop().unwrap().3;
    let mut decoder = Decoder::new(4096);
    let take = |field: crate::h2::hpack::Field<'_>| {
        fields.push(format!("{}: {}", text(field.name), text(field.value)));
    };
    decoder.decode(&block, take).unwrap();
    // Exactly as much is what a server must take (RFC 9113 §6.5.2).
    let length = fields.iter().map(|field: &String| field.len() - ": ".len() + 32).sum::<usize>();
    let limited = |limit: usize| {
        let settings = [setting(8, 1), setting(6, u32::try_from(limit).unwrap())].concat();
        let mut asker = Asker::new(&settings);
        let asked = asker.connection.request(request, true);
        (asked, asker.read().len(), asker.connection.open_streams())
    };
    assert_eq!(limited(length), (Ok(ONE), 1, 1));
    assert_eq!(limited(length - 1), (Err(Unsent::HeadTooLong), 0, 0));
    fields
}

#[test]
fn a_request_is_written_without_what_belongs_to_http_1() {
    let mut request = asked(Method::Post);
    request.target.set_path_and_query(b"/a%20b?c").unwrap();
    for (name, value) in [
        ("connection", "close"),
        ("Keep-Alive", "5"),
        ("transfer-encoding", "chunked"),
        ("Content-Length", "9"),
        ("te", "gzip"),
        ("te", "trailers"),
        ("X-A", "b"),
        ("Cookie", "secret"),
    ] {
        request.headers.append(HeaderName::parse(name).unwrap(), value);
    }
    let head =
        RequestHead { request: &request, scheme: "https", authority: "a.test", protocol: None };
    assert_eq!(
        written(&head),
        [
            ":method: POST",
            ":scheme: https",
            ":path: /a%20b?c",
            ":authority: a.test",
            "te: trailers",
            "x-a: b",
            "cookie: secret",
            "content-length: 0"
        ]
    );
    let tunnel = asked(Method::Connect);
    let head = RequestHead { request: &tunnel, scheme: "https", authority: "a:1", protocol: None };
    assert_eq!(written(&head), [":method: CONNECT", ":authority: a:1"]);
    let socket = RequestHead {
        request: &Request::new(),
        scheme: "https",
        authority: "a.test",
        protocol: Some("websocket"),
    };
    assert_eq!(
        written(&socket),
        [
            ":method: CONNECT",
            ":protocol: websocket",
            ":scheme: https",
            ":path: /",
            ":authority: a.test"
        ]
    );
}

#[test]
fn a_request_says_no_more_than_go_does() {
    for (agents, length, expected) in [
        (&[""][..], BodyFraming::None, &[][..]),
        (&["", "a"], BodyFraming::Length(0), &[]),
        (&["a", "b"], BodyFraming::Length(5), &["user-agent: a", "content-length: 5"]),
    ] {
        let mut request = asked(Method::Get);
        request.body = length;
        for agent in agents {
            request.headers.append(Known::UserAgent, *agent);
        }
        let head =
            RequestHead { request: &request, scheme: "http", authority: "a", protocol: None };
        assert_eq!(written(&head)[4..], *expected, "{agents:?} {length:?}");
    }
}

#[test]
fn trailers_that_would_frame_a_message_of_http_1_are_not_announced() {
    let mut asker = Asker::asking(Method::Get);
    let fields = [(":status", "200"), ("trailer", "X-Sum, Content-Length"), ("x-a", "b")];
    assert_eq!(asker.respond(END_HEADERS, &fields), head(false));
    assert!(!asker.response.headers.contains(Known::Trailer));
    assert_eq!(asker.response.headers.get("x-a"), Some(&b"b"[..]));
}

#[test]
fn bodies_of_responses_end_with_their_stream() {
    for (method, end, fields, body) in [
        (Method::Get, false, &[(":status", "200")][..], BodyFraming::Chunked),
        (Method::Get, true, &[(":status", "200")], BodyFraming::Length(0)),
        (
            Method::Get,
            false,
            &[(":status", "200"), ("content-length", "5")],
            BodyFraming::Length(5),
        ),
        (Method::Head, true, &[(":status", "200"), ("content-length", "5")], BodyFraming::None),
        (Method::Get, true, &[(":status", "304"), ("content-length", "5")], BodyFraming::None),
        (Method::Get, true, &[(":status", "204")], BodyFraming::None),
    ] {
        let mut asker = Asker::asking(method);
        let flags = if end { WHOLE } else { END_HEADERS };
        assert_eq!(asker.respond(flags, fields), head(end));
        assert_eq!(asker.response.body, body, "{fields:?}");
        assert_eq!(asker.response.version.as_str(), "HTTP/2.0");
        assert_eq!(asker.connection.open_streams(), usize::from(!end));
    }
}

#[test]
fn what_has_no_body_may_still_end_with_an_empty_one() {
    for (method, status) in [(Method::Head, "200"), (Method::Get, "204"), (Method::Get, "304")] {
        let mut asker = Asker::asking(method);
        let fields = [(":status", status), ("content-length", "5")];
        assert_eq!(asker.respond(END_HEADERS, &fields), head(false));
        let end = Event::Data { stream: ONE, payload: 0..0, end: true };
        assert_eq!(asker.send(&frame(DATA, END_STREAM, 1, b"")), Ok(vec![end]));
    }
    let mut asker = Asker::asking(Method::Head);
    asker.respond(END_HEADERS, &[(":status", "200")]).unwrap();
    let reset = Event::Reset { stream: ONE, code: ErrorCode::PROTOCOL_ERROR };
    assert_eq!(asker.send(&frame(DATA, END_STREAM, 1, b"x")), Ok(vec![reset]));
}

#[test]
fn interim_responses_come_before_the_final_one() {
    let mut asker = Asker::asking(Method::Get);
    assert_eq!(asker.respond(END_HEADERS, &[(":status", "103"), ("link", "x")]), head(false));
    assert_eq!(asker.response.status.code(), 103);
    assert_eq!(asker.respond(END_HEADERS, &[(":status", "100")]), head(false));
    assert_eq!(asker.respond(WHOLE, &[(":status", "200"), ("server", "x")]), head(true));
    assert_eq!(asker.response.headers.get(Known::Server), Some(&b"x"[..]));
}

#[test]
fn trailers_and_a_wrong_length_end_a_response() {
    let mut asker = Asker::asking(Method::Get);
    asker.respond(END_HEADERS, &[(":status", "200")]).unwrap();
    assert_eq!(
        asker.respond(WHOLE, &[("grpc-status", "0")]),
        Ok(vec![Event::Trailers { stream: ONE }])
    );
    assert_eq!(asker.connection.trailers().len(), 1);
    let mut asker = Asker::asking(Method::Get);
    asker.respond(END_HEADERS, &[(":status", "200"), ("content-length", "5")]).unwrap();
    let reset = Event::Reset { stream: ONE, code: ErrorCode::PROTOCOL_ERROR };
    assert_eq!(asker.respond(WHOLE, &[("grpc-status", "0")]), Ok(vec![reset]));
}

#[test]
fn malformed_responses_are_errors_of_their_stream() {
    for fields in [
        &[("server", "x")][..],
        &[(":status", "20")],
        &[(":status", "099")],
        &[(":status", "2000")],
        &[(":status", "101")],
        &[(":status", "103")],
        &[(":status", "200"), (":status", "200")],
        &[(":status", "200"), (":method", "GET")],
        &[("server", "x"), (":status", "200")],
        &[(":status", "200"), ("connection", "close")],
        &[(":status", "200"), ("Server", "x")],
        &[(":status", "200"), ("content-length", "5")],
        &[(":status", "200"), ("content-length", "x")],
        &[(":status", "200"), ("a", "b\nc")],
    ] {
        let mut asker = Asker::asking(Method::Get);
        let reset = Event::Reset { stream: ONE, code: ErrorCode::PROTOCOL_ERROR };
        assert_eq!(asker.respond(WHOLE, fields), Ok(vec![reset]), "{fields:?}");
        assert_eq!(asker.read()[0].0, RST_STREAM);
    }
}

#[test]
fn data_comes_after_a_head_and_on_streams_that_were_opened() {
    let mut asker = Asker::asking(Method::Get);
    let reset = Event::Reset { stream: ONE, code: ErrorCode::PROTOCOL_ERROR };
    assert_eq!(asker.send(&frame(DATA, 0, 1, b"x")), Ok(vec![reset]));
    let protocol = Err(ErrorCode::PROTOCOL_ERROR);
    assert_eq!(asker.send(&frame(DATA, 0, 3, b"x")), protocol);
    assert_eq!(Asker::asking(Method::Get).send(&get(WHOLE, 3)), protocol);
    assert_eq!(Asker::asking(Method::Get).send(&get(WHOLE, 2)), protocol);
    let promise = frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]);
    assert_eq!(Asker::asking(Method::Get).send(&promise), protocol);
    let mut asker = Asker::new(&[]);
    assert_eq!(asker.send(&frame(SETTINGS, 0, 0, &setting(2, 1))), protocol);
}

#[test]
fn no_more_streams_are_opened_than_the_server_takes() {
    let mut asker = Asker::new(&setting(3, 2));
    assert_eq!(asker.connection.free_streams(), 2);
    assert!(asker.ask(Method::Get, true).is_some() && asker.ask(Method::Get, false).is_some());
    assert_eq!(asker.ask(Method::Get, true), None);
    asker.respond(WHOLE, &[(":status", "200")]).unwrap();
    assert_eq!(asker.ask(Method::Get, true), Some(StreamId(5)));
    // A server that says nothing has no limit; before it has spoken we guess.
    assert!(Asker::new(&[]).connection.free_streams() > 1_000_000);
    assert_eq!(Connection::client(&Limits::default()).free_streams(), 100);
}

#[test]
fn what_a_leaving_server_leaves_undone_is_refused() {
    let mut asker = Asker::new(&[]);
    for _ in 0..3 {
        asker.ask(Method::Get, true).unwrap();
    }
    let leave = frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    let code = ErrorCode::REFUSED_STREAM;
    assert_eq!(
        asker.send(&leave),
        Ok(vec![
            Event::GoAway { last: ONE, code: ErrorCode::NO_ERROR },
            Event::Reset { stream: StreamId(3), code },
            Event::Reset { stream: StreamId(5), code },
        ])
    );
    assert_eq!(asker.ask(Method::Get, true), None);
    assert!(!asker.connection.is_done());
    assert_eq!(asker.respond(WHOLE, &[(":status", "200")]), head(true));
    assert!(asker.connection.is_done());
}

#[test]
fn a_response_may_end_before_its_request_has() {
    let mut asker = Asker::new(&[]);
    let stream = asker.ask(Method::Post, false).unwrap();
    assert_eq!(asker.respond(WHOLE, &[(":status", "413")]), head(true));
    let enough = Event::Reset { stream, code: ErrorCode::NO_ERROR };
    assert_eq!(asker.send(&frame(RST_STREAM, 0, 1, &[0; 4])), Ok(vec![enough]));
    assert!(asker.connection.send_data(stream, b"x", true).is_err());
    assert_eq!(asker.connection.open_streams(), 0);
}
