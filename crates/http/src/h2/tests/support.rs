//! A peer that writes what it likes, frame by frame.

use std::time::{Duration, Instant};

use crate::body::BodyFraming;
use crate::codec::ResponseHead;
use crate::h2::frame::{FrameHead, HEAD_BYTES, PREFACE};
use crate::h2::{
    Connection, ConnectionError, ErrorCode, Event, Gone, Limits, Role, Server, StreamId,
};
use crate::headers::Headers;
use crate::request::Request;
use crate::status::Status;
use crate::version::Version;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const ACK: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;
pub(super) const WITH_PRIORITY: u8 = 0x20;
/// A head that is all there is.
pub(super) const WHOLE: u8 = END_HEADERS | END_STREAM;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let head = FrameHead { length: payload.len(), kind, flags, stream };
    [&head.bytes(), payload].concat()
}

/// A block of literals without tables.
pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        for text in [name, value] {
            crate::h2::hpack::write_integer(&mut out, 0, 7, text.len());
            out.extend_from_slice(text.as_bytes());
        }
    }
    out
}

pub(super) const GET: &[(&str, &str)] =
    &[(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a.test")];
pub(super) const POST: &[(&str, &str)] =
    &[(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "a.test")];

/// The head of a GET on a stream, with these flags.
pub(super) fn get(flags: u8, stream: u32) -> Vec<u8> {
    frame(HEADERS, flags, stream, &block(GET))
}

pub(super) fn setting(id: u16, value: u32) -> Vec<u8> {
    [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// The frames of some output.
pub(super) fn frames(mut output: &[u8]) -> Vec<(u8, u8, u32, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = output.split_first_chunk::<HEAD_BYTES>() {
        let head = FrameHead::parse(head);
        let (payload, rest) = rest.split_at(head.length);
        frames.push((head.kind, head.flags, head.stream, payload.to_vec()));
        output = rest;
    }
    assert!(output.is_empty());
    frames
}

/// A server, and what came out of it.
pub(super) struct Peer {
    pub(super) connection: Connection<Server>,
    pub(super) request: Request,
    pub(super) now: Instant,
}

impl Peer {
    /// One that has shaken hands.
    pub(super) fn new() -> Self {
        Self::with(&Limits::default())
    }

    pub(super) fn with(limits: &Limits) -> Self {
        let mut peer = Self::fresh(limits);
        let greeting = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(SETTINGS, ACK, 0, &[])];
        assert_eq!(peer.send(&greeting.concat()), Ok(vec![]));
        peer.read();
        peer
    }

    /// One that has sent nothing.
    pub(super) fn fresh(limits: &Limits) -> Self {
        let connection = Connection::server(limits);
        Self { connection, request: Request::new(), now: Instant::now() }
    }

    /// Sends bytes and returns what happens.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<Vec<Event>, ErrorCode> {
        drive(&mut self.connection, bytes, &mut self.request, self.now).map_err(|error| error.code)
    }

    /// Reads all that was written.
    pub(super) fn read(&mut self) -> Vec<(u8, u8, u32, Vec<u8>)> {
        let output = frames(self.connection.output());
        self.connection.written(self.connection.output().len());
        output
    }

    /// Answers a stream with 200.
    pub(super) fn respond(&mut self, stream: u32, end: bool) {
        self.respond_with(stream, &Headers::new(), end);
    }

    pub(super) fn respond_with(&mut self, stream: u32, headers: &Headers, end: bool) {
        self.try_respond(stream, headers, end).unwrap();
    }

    pub(super) fn try_respond(
        &mut self,
        stream: u32,
        headers: &Headers,
        end: bool,
    ) -> Result<(), Gone> {
        let head = ResponseHead {
            version: Version::Http2,
            status: Status::OK,
            headers,
            body: BodyFraming::None,
            connection: Default::default(),
            date: b"",
        };
        self.connection.respond(StreamId(stream), &head, end)
    }

    pub(super) fn reset(&mut self, stream: u32) {
        self.connection.reset(StreamId(stream), ErrorCode::CANCEL);
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// The codes of the streams that were reset since the last read.
    pub(super) fn resets(&mut self) -> Vec<(u32, ErrorCode)> {
        let code = |payload: Vec<u8>| ErrorCode(crate::h2::frame::number(&payload).unwrap());
        self.read()
            .into_iter()
            .filter(|(kind, ..)| *kind == RST_STREAM)
            .map(|(_, _, stream, payload)| (stream, code(payload)))
            .collect()
    }
}

/// Gives all bytes to a connection.
pub(super) fn drive<R: Role>(
    connection: &mut Connection<R>,
    bytes: &[u8],
    head: &mut R::Head,
    now: Instant,
) -> Result<Vec<Event>, ConnectionError> {
    let (mut events, mut rest) = (Vec::new(), bytes);
    loop {
        let step = connection.next(rest, head, now)?;
        rest = &rest[step.consumed..];
        match step.event {
            // Nothing is to be done.
            Some(Event::Wasted) => {}
            Some(event) => events.push(event),
            None => {
                assert!(rest.is_empty());
                return Ok(events);
            }
        }
    }
}
