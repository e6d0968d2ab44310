//! HTTP/2 by prior knowledge: many streams at a time, and calls of gRPC among them.

use std::{
    collections::HashMap,
    io::{self, Write as _},
    sync::Arc,
    time::{Duration, Instant},
};

use mio::net::TcpStream;
use portway_http::{
    BodyFraming, Headers, Known, Request, StaticName, Status, Version,
    codec::{Connection as Closing, ResponseHead, write_request_head},
    h2::{Connection, Event, Limits, Rate, Server, StreamId},
};

use super::{ECHO, SIZES, grpc_message};

const GRPC_STATUS: StaticName = StaticName::new("Grpc-Status");

/// The parts of answers.
#[derive(Debug)]
pub(super) struct Answers {
    plain: Headers,
    grpc: Headers,
    trailers: Headers,
    message: Arc<[u8]>,
    sized: Vec<(&'static [u8], Arc<[u8]>)>,
}

/// A connection's state.
#[derive(Debug)]
pub(super) struct Session {
    engine: Connection<Server>,
    request: Request,
    /// Bodies that wait for a window.
    waiting: HashMap<u32, Body>,
}

/// The body of an answer.
#[derive(Clone, Debug)]
struct Body {
    bytes: Arc<[u8]>,
    /// How much of it was sent.
    sent: usize,
    /// Whether the trailers of gRPC follow.
    call: bool,
}

impl Body {
    fn plain(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), sent: 0, call: false }
    }
}

impl Answers {
    /// Makes them.
    pub(super) fn new() -> Self {
        let (mut plain, mut grpc, mut trailers) = (Headers::new(), Headers::new(), Headers::new());
        plain.append(Known::ContentType, "text/plain");
        plain.append(Known::Server, "backend");
        grpc.append(Known::ContentType, "application/grpc");
        trailers.append(GRPC_STATUS, "0");
        let body = |size: usize| Arc::from(vec![b'x'; size]);
        let sized = SIZES.iter().map(|(end, size)| (end.as_bytes(), body(*size))).collect();
        Self { plain, grpc, trailers, message: grpc_message().into(), sized }
    }
}

impl Session {
    /// A new connection.
    pub(super) fn new() -> Self {
        // Whatever a proxy does is measured, and nothing of it held against it.
        let always = Rate { times: u32::MAX, within: Duration::from_secs(1) };
        let limits = Limits {
            resets: always,
            provoked_resets: always,
            overhead: always,
            ..Limits::default()
        };
        let engine = Connection::server(&limits);
        Self { engine, request: Request::new(), waiting: HashMap::new() }
    }

    /// Answers what came.
    pub(super) fn take(&mut self, mut bytes: &[u8], answers: &Answers) -> io::Result<()> {
        let now = Instant::now();
        loop {
            let step = self.engine.next(bytes, &mut self.request, now);
            let step = step.map_err(io::Error::other)?;
            bytes = bytes.get(step.consumed..).unwrap_or_default();
            match step.event {
                None => break,
                Some(Event::Head { stream, end }) => self.take_head(stream, end, answers),
                Some(Event::Data { stream, payload, end }) => {
                    self.engine.release(stream, payload.len());
                    if end {
                        self.answer_call(stream, answers);
                    }
                }
                Some(Event::Trailers { stream }) => self.answer_call(stream, answers),
                Some(Event::Reset { stream, .. }) => drop(self.waiting.remove(&stream.number())),
                Some(Event::Refused { .. }) => return Err(io::ErrorKind::InvalidData.into()),
                Some(Event::GoAway { .. } | Event::Pong { .. } | Event::Wasted) => {}
            }
        }
        Ok(())
    }

    /// Writes what can be written, and sends on what waited for windows or for room in the output.
    pub(super) fn write(&mut self, stream: &mut TcpStream, answers: &Answers) -> io::Result<()> {
        self.go_on(answers);
        while !self.engine.output().is_empty() {
            match stream.write(self.engine.output()) {
                Ok(length) => {
                    self.engine.written(length);
                    self.go_on(answers);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Answers a call of gRPC when its message has come, and other requests at once.
    fn take_head(&mut self, stream: StreamId, end: bool, answers: &Answers) {
        let path = self.request.target.path();
        let sized = answers.sized.iter().find(|(end, _)| path.ends_with(end));
        if path.ends_with(ECHO) {
            let body = Body::plain(echo(&self.request));
            self.answer(stream, Status::OK, body, answers);
        } else if let Some((_, bytes)) = sized {
            self.answer(stream, Status::OK, Body::plain(Arc::clone(bytes)), answers);
        } else if self.request.headers.get(Known::ContentType) != Some(b"application/grpc") {
            let body = Body::plain(b"unknown path\n".as_slice());
            self.answer(stream, Status::NOT_FOUND, body, answers);
        } else if end {
            self.answer_call(stream, answers);
        }
    }

    fn answer_call(&mut self, stream: StreamId, answers: &Answers) {
        let body = Body { bytes: Arc::clone(&answers.message), sent: 0, call: true };
        self.answer(stream, Status::OK, body, answers);
    }

    fn answer(&mut self, stream: StreamId, status: Status, body: Body, answers: &Answers) {
        let length = body.bytes.len() as u64;
        let (headers, framing) = match body.call {
            true => (&answers.grpc, BodyFraming::Chunked),
            false => (&answers.plain, BodyFraming::Length(length)),
        };
        let head = ResponseHead {
            version: Version::Http2,
            status,
            headers,
            body: framing,
            connection: Closing::Unsaid,
            date: b"",
        };
        // One that has its answer already is told of the request's end here, too.
        if self.engine.respond(stream, &head, false).is_ok() {
            self.send(stream, body, answers);
        }
    }

    fn go_on(&mut self, answers: &Answers) {
        while let Some(stream) = self.engine.next_writable() {
            if let Some(body) = self.waiting.remove(&stream.number()) {
                self.send(stream, body, answers);
            }
        }
    }

    /// Sends what the windows take of a body, and the trailers of a call behind it. A stream that is
    /// gone needs nothing more.
    fn send(&mut self, stream: StreamId, mut body: Body, answers: &Answers) {
        let rest = body.bytes.get(body.sent..).unwrap_or_default();
        let Ok(taken) = self.engine.send_data(stream, rest, !body.call) else { return };
        body.sent += taken;
        if body.sent < body.bytes.len() {
            self.waiting.insert(stream.number(), body);
        } else if body.call {
            // As above.
            let _ = self.engine.send_trailers(stream, &answers.trailers);
        }
    }
}

/// A request's head as one of HTTP/1.1.
fn echo(request: &Request) -> Vec<u8> {
    let mut text = Vec::new();
    write_request_head(&mut text, request, request.authority(), false);
    text
}
