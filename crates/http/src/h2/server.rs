//! What only servers do: requests come, and responses go.

use super::connection::Connection;
use super::error::{ConnectionError, ErrorCode, Gone};
use super::event::Event;
use super::fields::{Apart, Fault};
use super::hpack::{Encoder, Keeping, Pseudo};
use super::receive::Block;
use super::role::{Role, Server};
use super::send::length_of;
use super::stream::{Half, StreamId};
use super::streams::Past;
use crate::body::BodyFraming;
use crate::codec::ResponseHead;
use crate::codec::framing::{settle_trailer, stated_framing};
use crate::headers::{Known, KnownSet};
use crate::host::{is_canonical_name, is_valid_host};
use crate::method::Method;
use crate::refusal::Reason;
use crate::request::Request;
use crate::version::Version;
use crate::words::refill;

impl Role for Server {
    type Head = Request;
    const IS_SERVER: bool = true;

    fn forget_large(head: &mut Request, most: usize) {
        if head.capacity() > most {
            *head = Request::new();
        }
    }

    fn take_head(
        connection: &mut Connection<Self>,
        block: Block,
        fields: &[u8],
        head: &mut Request,
    ) -> Result<Option<Event>, ConnectionError> {
        connection.take_request(block, fields, head)
    }
}

impl Connection<Server> {
    /// Sends the head of a response, an interim or the final one; `end` says that it has neither
    /// body nor trailers.
    ///
    /// The fields are those that a response of HTTP/1.1 would have, without those of the
    /// connection. There is no 101: what answers a request with a [`Self::protocol`] is a 200.
    ///
    /// Where the request has not ended and is no longer wanted, [`Self::reset`] the stream with
    /// [`ErrorCode::NO_ERROR`] when the response has ended.
    ///
    /// # Errors
    /// When the stream has ended, or its head was sent.
    pub fn respond(
        &mut self,
        stream: StreamId,
        head: &ResponseHead<'_>,
        end: bool,
    ) -> Result<(), Gone> {
        let failed = self.failure().is_some();
        let state = self.streams.get_mut(stream.0).filter(|_| !failed).ok_or(Gone)?;
        if state.sending != Half::Head {
            return Err(Gone);
        }
        let interim = head.status.is_interim();
        if !interim {
            state.sending = if end { Half::Ended } else { Half::Body };
        }
        let end = end && !interim;
        self.write_head(stream.0, end, |encoder, out| write_response(encoder, out, head));
        if end {
            self.settle(stream.0);
        }
        Ok(())
    }

    /// The `:protocol` of the last request that came, if it has one (RFC 8441): it asks for what
    /// an upgrade is in HTTP/1.1.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.apart.get(Pseudo::Protocol).and_then(|text| std::str::from_utf8(text).ok())
    }

    fn take_request(
        &mut self,
        block: Block,
        fields: &[u8],
        request: &mut Request,
    ) -> Result<Option<Event>, ConnectionError> {
        if self.streams.get(block.stream).is_some() {
            return self.take_trailers(block, fields);
        }
        let past = self.streams.past(block.stream);
        if past != Past::Idle {
            self.skip_fields(fields)?;
        }
        match past {
            Past::Idle => {}
            Past::Reset => return self.count_overhead().map(|()| None),
            Past::ResetByPeer => {
                return self.stream_error(block.stream, ErrorCode::STREAM_CLOSED);
            }
            Past::Ended => return Err(ConnectionError::closed("HEADERS on a closed stream")),
            Past::Forgotten => {
                return Err(ConnectionError::protocol("HEADERS on a stream that was skipped"));
            }
        }
        let full = self.streams.open() >= self.limits.streams as usize;
        let unread = self.output.len() > self.limits.unread_output;
        if full || unread || self.takes_no_more() {
            self.skip_fields(fields)?;
            self.streams.highest = block.stream;
            return self.stream_error(block.stream, ErrorCode::REFUSED_STREAM);
        }
        // No more is kept than there is room for.
        let room = match self.streams.head_bytes() {
            0 => usize::MAX,
            held => self.limits.held_head_bytes.saturating_sub(held),
        };
        let most = self.limits.head_bytes.min(room);
        let fault = self.read_fields(fields, &mut request.headers, most)?;
        self.streams.highest = block.stream;
        if fault.is_err() && room < self.limits.head_bytes {
            return self.turn_away(block.stream, ErrorCode::REFUSED_STREAM);
        }
        let bytes = fault.unwrap_or(self.limits.head_bytes);
        let settled = fault.and_then(|_| {
            fill_request(request, &self.apart, block.end, self.limits.extended_connect)
        });
        let (refusal, length) = match settled {
            Ok(refusal) => (refusal, length_of(request.body)),
            Err(Fault::TooLarge) => {
                // The form of the answer may depend on what of it has been read.
                let accept = request.headers.get_all(Known::Accept).map(<[u8]>::to_vec);
                let accept: Vec<_> = accept.collect();
                // An answer to HEAD has no body, even if little else of it is known.
                let is_head = self.apart.get(Pseudo::Method) == Some(b"HEAD");
                request.clear();
                request.version = Version::Http2;
                if is_head {
                    request.method = Method::Head;
                }
                accept.iter().for_each(|value| request.headers.append(Known::Accept, value));
                (Some(Reason::HeadTooLarge), None)
            }
            Err(Fault::Malformed) => {
                return self.turn_away(block.stream, ErrorCode::PROTOCOL_ERROR);
            }
        };
        self.overhead.give(4);
        self.open_stream(block.stream, block.end, length, bytes);
        let stream = StreamId(block.stream);
        Ok(Some(match refusal {
            Some(reason) => Event::Refused { stream, end: block.end, refusal: reason.into() },
            None => Event::Head { stream, end: block.end },
        }))
    }

    /// Resets a stream that was not begun, though its head was read.
    fn turn_away(
        &mut self,
        stream: u32,
        code: ErrorCode,
    ) -> Result<Option<Event>, ConnectionError> {
        self.stream_error(stream, code)?;
        Ok(Some(Event::Wasted))
    }
}

/// Makes the request of its fields (RFC 9113 §8.3.1); a reason says that it is to be refused.
fn fill_request(
    request: &mut Request,
    apart: &Apart,
    end: bool,
    extended_connect: bool,
) -> Result<Option<Reason>, Fault> {
    request.version = Version::Http2;
    request.keep_alive = true;
    request.expects_continue = false;
    let method = apart.get(Pseudo::Method).ok_or(Fault::Malformed)?;
    request.method = Method::parse(method).map_err(|_| Fault::Malformed)?;
    let (path, scheme) = (apart.get(Pseudo::Path), apart.get(Pseudo::Scheme));
    // As in Go, an empty one is none.
    let authority = apart.get(Pseudo::Authority).filter(|authority| !authority.is_empty());
    if apart.get(Pseudo::Status).is_some() {
        return Err(Fault::Malformed);
    }
    let protocol = apart.get(Pseudo::Protocol);
    if protocol.is_some() && (!extended_connect || request.method != Method::Connect) {
        return Err(Fault::Malformed);
    }
    let target = if request.method == Method::Connect && protocol.is_none() {
        if path.is_some() || scheme.is_some() {
            return Err(Fault::Malformed);
        }
        authority.ok_or(Fault::Malformed)?
    } else {
        // As in Go, no other schemes.
        if !matches!(scheme, Some(b"http" | b"https")) {
            return Err(Fault::Malformed);
        }
        path.filter(|path| path.starts_with(b"/") || *path == b"*").ok_or(Fault::Malformed)?
    };
    let parsed = request.target.parse(target, &request.method, &mut request.authority);
    parsed.map_err(|_| Fault::Malformed)?;
    let host = settle_host(request, authority);
    let stated = stated_framing(Version::Http2, &mut request.headers);
    request.body = match stated.map_err(|_| Fault::Malformed)? {
        BodyFraming::Length(1..) if end => return Err(Fault::Malformed),
        // Of an unknown length, which everything behind calls chunked.
        BodyFraming::None if !end => BodyFraming::Chunked,
        stated => stated,
    };
    let trailer = settle_trailer(&mut request.headers, request.body, b",");
    request.expects_continue =
        !request.body.is_empty() && request.headers.has_token(Known::Expect, "100-continue");
    let trailer = trailer.map_err(|_| Reason::ForbiddenTrailer);
    Ok(host.and(trailer).err())
}

/// The authority has precedence over `Host`, as in Go.
fn settle_host(request: &mut Request, authority: Option<&[u8]>) -> Result<(), Reason> {
    let mut hosts = request.headers.get_all(Known::Host);
    let host = match authority {
        Some(authority) => authority,
        None => hosts.next().unwrap_or_default(),
    };
    let several = authority.is_none() && hosts.next().is_some();
    let canonical = is_canonical_name(host);
    let filled = refill(&mut request.authority, host);
    drop(hosts);
    request.headers.remove(Known::Host);
    if several {
        return Err(Reason::SeveralHosts);
    }
    if canonical {
        request.copy_host();
        return Ok(());
    }
    if filled.is_err() || !is_valid_host(request.authority.as_bytes()) {
        request.authority.clear();
        request.refresh_host();
        return Err(Reason::MalformedHost);
    }
    request.refresh_host();
    Ok(())
}

/// Writes the fields of a response as `write_response_head` does for HTTP/1.1, and the type and length of a 304, which
/// Go sends over HTTP/2 alone.
fn write_response(encoder: &mut Encoder, out: &mut Vec<u8>, head: &ResponseHead<'_>) {
    let mut code = itoa::Buffer::new();
    match STATUS_INDICES.iter().find(|(code, _)| *code == head.status.code()) {
        Some((_, index)) => encoder.index(out, *index),
        None => {
            let code = code.format(head.status.code()).as_bytes();
            encoder.write(out, STATUS, b":status", code, Keeping::Repeated);
        }
    }
    let mut skipped = OF_CONNECTIONS;
    let may_say_length = head.status.allows_body() || head.status.code() == 304;
    if head.body != BodyFraming::None || !may_say_length {
        skipped.insert(Known::ContentLength);
    }
    for (known, name, value) in head.headers.lines() {
        if !known.is_some_and(|known| skipped.contains(known)) {
            encoder.field(out, known, name, value);
        }
    }
    if let BodyFraming::Length(length) = head.body
        && head.status.allows_body()
    {
        let mut text = itoa::Buffer::new();
        encoder.known(out, Known::ContentLength, text.format(length).as_bytes());
    }
    let dated = head.headers.contains(Known::Date) || head.status.code() < 200;
    if !dated && !head.date.is_empty() {
        encoder.known(out, Known::Date, head.date);
    }
}

/// Fields that HTTP/2 has no use for (RFC 9113 §8.2.2).
pub(super) const OF_CONNECTIONS: KnownSet = KnownSet::of(&[
    Known::Connection,
    Known::KeepAlive,
    Known::ProxyConnection,
    Known::TransferEncoding,
    Known::Upgrade,
]);

/// Statuses that are a byte, and the index of `:status`.
const STATUS_INDICES: &[(u16, usize)] =
    &[(200, 8), (204, 9), (206, 10), (304, 11), (400, 12), (404, 13), (500, 14)];
const STATUS: usize = 8;
