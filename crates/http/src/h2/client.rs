//! What only clients do: requests go, and responses come.

use super::connection::Connection;
use super::error::{ConnectionError, ErrorCode};
use super::event::Event;
use super::fields::{Apart, Fault};
use super::flow::{ReceiveWindow, SendWindow};
use super::frame::MAX_STREAM;
use super::hpack::{Encoder, Keeping, Pseudo};
use super::receive::Block;
use super::role::{Client, Role};
use super::send::length_of;
use super::server::OF_CONNECTIONS;
use super::stream::{Half, Stream, StreamId};
use super::streams::Past;
use crate::body::BodyFraming;
use crate::codec::framing::{settle_trailer, stated_framing};
use crate::headers::Known;
use crate::method::Method;
use crate::request::Request;
use crate::response::Response;
use crate::status::Status;
use crate::version::Version;

/// A request as it is sent.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// Method, target, fields and framing of the body. What belongs to a connection of HTTP/1.1 is
    /// not sent.
    pub request: &'a Request,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host, with its port where it has one.
    pub authority: &'a str,
    /// The protocol that is asked for with an extended CONNECT (RFC 8441); the method is then
    /// CONNECT, whatever the request's is.
    pub protocol: Option<&'a str>,
}

/// Why a request was not sent; the connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// No stream can be opened now.
    #[error("no stream can be opened")]
    NoRoom,
    /// The server has said that it takes no such head (SETTINGS_MAX_HEADER_LIST_SIZE).
    #[error("the head is longer than the server takes")]
    HeadTooLong,
}

impl Role for Client {
    type Head = Response;
    const IS_SERVER: bool = false;

    fn forget_large(head: &mut Response, most: usize) {
        if head.capacity() > most {
            *head = Response::new();
        }
    }

    fn take_head(
        connection: &mut Connection<Self>,
        block: Block,
        fields: &[u8],
        head: &mut Response,
    ) -> Result<Option<Event>, ConnectionError> {
        connection.take_response(block, fields, head)
    }
}

impl Connection<Client> {
    /// Opens a stream with the head of a request; `end` says that it has neither body nor
    /// trailers.
    ///
    /// # Errors
    /// When there is no room for a stream, see [`Self::free_streams`], or the head is longer than
    /// the server has said that it takes.
    pub fn request(&mut self, head: &RequestHead<'_>, end: bool) -> Result<StreamId, Unsent> {
        if self.free_streams() == 0 {
            return Err(Unsent::NoRoom);
        }
        let mut target = std::mem::take(&mut self.target);
        target.clear();
        head.request.target.write_server_uri(&mut target);
        // Few servers say so little that it must be counted.
        if self.theirs.head_bytes < usize::MAX && length(head, &target) > self.theirs.head_bytes {
            self.target = target;
            return Err(Unsent::HeadTooLong);
        }
        let id = self.next_stream;
        self.next_stream += 2;
        self.streams.add(Stream {
            id,
            receiving: Half::Head,
            sending: if end { Half::Ended } else { Half::Body },
            receive_window: ReceiveWindow::new(self.limits.usable_stream_window()),
            send_window: SendWindow::new(self.theirs.window),
            sent: 0,
            length_left: None,
            head_bytes: 0,
            interim_bytes: 0,
            bodiless: head.request.method == Method::Head,
            waits: false,
        });
        self.write_head(id, end, |encoder, out| write_request(encoder, out, head, &target));
        // An answer may come in several blocks, and too late.
        self.overhead.give(4);
        self.target = target;
        Ok(StreamId(id))
    }

    /// How many more streams may be opened now: 0 when the server or we leave, or all numbers are
    /// used.
    #[must_use]
    pub fn free_streams(&self) -> usize {
        let ends = self.peer_leaves || self.takes_no_more() || self.failure().is_some();
        if ends || self.next_stream > MAX_STREAM {
            return 0;
        }
        (self.theirs.streams as usize).saturating_sub(self.streams.open())
    }

    /// How many streams may be open at a time: what the server has said, or a guess until then.
    #[must_use]
    pub fn most_streams(&self) -> u32 {
        self.theirs.streams
    }

    /// Guesses that the server takes so many streams at a time, as long as it has not said it.
    pub fn expect_streams(&mut self, most: u32) {
        if !self.is_settled() {
            self.theirs.streams = self.theirs.streams.min(most.max(1));
        }
    }

    /// Whether the server takes CONNECT with a protocol (RFC 8441).
    #[must_use]
    pub fn takes_protocols(&self) -> bool {
        self.theirs.extended_connect
    }

    /// Counts the head of an interim response. All of a stream are as long as one head may be: they
    /// wait for a reader who may be slow, and a byte can stand for 4 KiB of them.
    fn has_room_for_interim(&mut self, stream: u32, bytes: usize) -> bool {
        let Some(stream) = self.streams.get_mut(stream) else { return false };
        stream.interim_bytes = stream.interim_bytes.saturating_add(bytes);
        stream.interim_bytes <= self.limits.head_bytes
    }

    fn take_response(
        &mut self,
        block: Block,
        fields: &[u8],
        response: &mut Response,
    ) -> Result<Option<Event>, ConnectionError> {
        let Some(stream) = self.streams.get(block.stream) else {
            self.skip_fields(fields)?;
            return match self.streams.past(block.stream) {
                Past::Idle => Err(ConnectionError::protocol("HEADERS on an idle stream")),
                Past::Reset => self.count_overhead().map(|()| None),
                Past::Ended => Err(ConnectionError::closed("HEADERS on a closed stream")),
                Past::ResetByPeer | Past::Forgotten => {
                    self.stream_error(block.stream, ErrorCode::STREAM_CLOSED)
                }
            };
        };
        if stream.receiving != Half::Head {
            return self.take_trailers(block, fields);
        }
        let bodiless = stream.bodiless;
        let read = self.read_fields(fields, &mut response.headers, self.limits.head_bytes)?;
        let filled = read.and_then(|bytes| {
            let length = fill_response(response, &self.apart, block.end, bodiless)?;
            Ok((bytes, length))
        });
        let Ok((bytes, length)) = filled else {
            return self.stream_error(block.stream, ErrorCode::PROTOCOL_ERROR);
        };
        let id = StreamId(block.stream);
        if response.status.is_interim() {
            self.count_overhead()?;
            if !self.has_room_for_interim(block.stream, bytes) {
                return self.stream_error(block.stream, ErrorCode::ENHANCE_YOUR_CALM);
            }
            return Ok(Some(Event::Head { stream: id, end: false }));
        }
        self.overhead.give(4);
        if let Some(stream) = self.streams.get_mut(block.stream) {
            stream.receiving = if block.end { Half::Ended } else { Half::Body };
            stream.length_left = length;
        }
        self.settle(block.stream);
        Ok(Some(Event::Head { stream: id, end: block.end }))
    }
}

/// Makes the response of its fields (RFC 9113 §8.3.2); returns how much may follow.
fn fill_response(
    response: &mut Response,
    apart: &Apart,
    end: bool,
    bodiless: bool,
) -> Result<Option<u64>, Fault> {
    let others =
        [Pseudo::Authority, Pseudo::Method, Pseudo::Path, Pseudo::Protocol, Pseudo::Scheme];
    if others.iter().any(|pseudo| apart.get(*pseudo).is_some()) {
        return Err(Fault::Malformed);
    }
    response.version = Version::Http2;
    response.keep_alive = true;
    let status = apart.get(Pseudo::Status).ok_or(Fault::Malformed)?;
    response.status = parse_status(status).ok_or(Fault::Malformed)?;
    if response.status == Status::SWITCHING_PROTOCOLS || (response.status.is_interim() && end) {
        return Err(Fault::Malformed);
    }
    let stated = stated_framing(Version::Http2, &mut response.headers);
    let stated = stated.map_err(|_| Fault::Malformed)?;
    let empty = bodiless || !response.status.allows_body();
    response.body = match stated {
        _ if empty => BodyFraming::None,
        BodyFraming::Length(1..) if end => return Err(Fault::Malformed),
        BodyFraming::None if end => BodyFraming::Length(0),
        // Of an unknown length, which everything behind calls chunked.
        BodyFraming::None => BodyFraming::Chunked,
        stated => stated,
    };
    if settle_trailer(&mut response.headers, response.body, b", ").is_err() {
        // It announces what would frame a message of HTTP/1.1, which means nothing here.
        response.headers.remove(Known::Trailer);
    }
    Ok(length_of(response.body))
}

fn parse_status(text: &[u8]) -> Option<Status> {
    let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] = text else { return None };
    let digit = |byte: &u8| u16::from(byte - b'0');
    Status::new(digit(a) * 100 + digit(b) * 10 + digit(c))
}

/// The length of a head as RFC 9113 §6.5.2 counts it: names, values, and 32 bytes for each field.
fn length(head: &RequestHead<'_>, target: &[u8]) -> usize {
    let size = |name: &[u8], value: &[u8]| name.len() + value.len() + 32;
    let method = method(head);
    let mut length = size(b":method", method.as_str().as_bytes());
    length += head.protocol.map_or(0, |protocol| size(b":protocol", protocol.as_bytes()));
    if *method != Method::Connect || head.protocol.is_some() {
        length += size(b":scheme", head.scheme.as_bytes()) + size(b":path", target);
    }
    length += size(b":authority", head.authority.as_bytes());
    length += fields(head.request).map(|(_, name, value)| size(name, value)).sum::<usize>();
    let mut text = itoa::Buffer::new();
    let content_length = content_length(head).map(|length| text.format(length).as_bytes());
    length + content_length.map_or(0, |value| size(b"content-length", value))
}

fn method<'a>(head: &RequestHead<'a>) -> &'a Method {
    if head.protocol.is_some() { &Method::Connect } else { &head.request.method }
}

/// What is sent of a request's fields as they are.
fn fields(request: &Request) -> impl Iterator<Item = (Option<Known>, &[u8], &[u8])> {
    let skipped = OF_CONNECTIONS.with(Known::Host).with(Known::ContentLength);
    let mut agents = 0;
    request.headers.lines().filter(move |(known, _, value)| {
        if *known == Some(Known::UserAgent) {
            // Go takes an empty one for the wish to send none, and sends the first of several.
            agents += 1;
            return agents == 1 && !value.is_empty();
        }
        let is_skipped = known.is_some_and(|known| skipped.contains(known));
        let bad_te = *known == Some(Known::Te) && *value != b"trailers";
        !is_skipped && !bad_te
    })
}

fn content_length(head: &RequestHead<'_>) -> Option<u64> {
    match head.request.body {
        BodyFraming::Length(length @ 1..) => Some(length),
        BodyFraming::None | BodyFraming::Length(0) if method(head).announces_empty_body() => {
            Some(0)
        }
        _ => None,
    }
}

/// Writes the fields of a request.
fn write_request(encoder: &mut Encoder, out: &mut Vec<u8>, head: &RequestHead<'_>, target: &[u8]) {
    let method = method(head);
    match method {
        Method::Get => encoder.index(out, METHOD),
        Method::Post => encoder.index(out, METHOD + 1),
        method => {
            let text = method.as_str().as_bytes();
            encoder.write(out, METHOD, b":method", text, Keeping::Repeated);
        }
    }
    if let Some(protocol) = head.protocol {
        encoder.write(out, 0, b":protocol", protocol.as_bytes(), Keeping::Repeated);
    }
    if *method != Method::Connect || head.protocol.is_some() {
        match head.scheme {
            "http" => encoder.index(out, SCHEME),
            "https" => encoder.index(out, SCHEME + 1),
            other => encoder.write(out, SCHEME, b":scheme", other.as_bytes(), Keeping::Repeated),
        }
        match target {
            b"/" => encoder.index(out, PATH),
            path => encoder.write(out, PATH, b":path", path, Keeping::Unrepeated),
        }
    }
    let authority = head.authority.as_bytes();
    encoder.write(out, AUTHORITY, b":authority", authority, Keeping::Repeated);
    for (known, name, value) in fields(head.request) {
        encoder.field(out, known, name, value);
    }
    if let Some(length) = content_length(head) {
        let mut text = itoa::Buffer::new();
        encoder.known(out, Known::ContentLength, text.format(length).as_bytes());
    }
}

/// Indices of the static table.
const AUTHORITY: usize = 1;
const METHOD: usize = 2;
const PATH: usize = 4;
const SCHEME: usize = 6;
