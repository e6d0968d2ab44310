//! Writing heads, chunks and refusals.
//!
//! Framing fields are written from [`BodyFraming`] and never copied; `Host` is written from the
//! argument; names and values are valid by the construction of [`Headers`].

use crate::answer::Answer;
use crate::body::BodyFraming;
use crate::headers::{Headers, Known, KnownSet};
use crate::method::Method;
use crate::refusal::{Reason, Refusal};
use crate::request::Request;
use crate::status::Status;
use crate::version::Version;
use crate::words;

/// What the `Connection` field of a response says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connection {
    /// Nothing; the fields of the head keep their own `Connection`, if any.
    #[default]
    Unsaid,
    /// `close`: the connection ends after the body.
    Close,
    /// `keep-alive`, for HTTP/1.0 clients that asked for it.
    KeepAlive,
}

/// The parts of a response head.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    /// The version of the client: HTTP/1.0 clients get HTTP/1.0.
    pub version: Version,
    /// The status; its text follows it.
    pub status: Status,
    /// The fields; framing fields among them are not written, but for `Content-Length` of a
    /// response to HEAD ([`BodyFraming::None`]).
    pub headers: &'a Headers,
    /// How the body is delimited.
    pub body: BodyFraming,
    /// What is said about the connection.
    pub connection: Connection,
    /// The value of `Date`, written if the fields have none; empty for no `Date`.
    pub date: &'a [u8],
}

/// Writes a request head in HTTP/1.1 with this `Host`.
///
/// A body is announced by its framing, an empty one only for methods whose servers expect a
/// length (as Go does). `close` asks the server to close the connection.
pub fn write_request_head(out: &mut Vec<u8>, request: &Request, host: &str, close: bool) {
    out.extend_from_slice(request.method.as_str().as_bytes());
    out.push(b' ');
    request.target.write_server_uri(out);
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    debug_assert!(crate::host::is_valid_host(host.as_bytes()));
    write_host(out, host);
    out.extend_from_slice(b"\r\n");
    if close {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    match request.body {
        BodyFraming::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        BodyFraming::Length(length) if length > 0 => write_length(out, length),
        _ if request.method.announces_empty_body() => write_length(out, 0),
        _ => {}
    }
    let mut skipped = FRAMING.with(Known::Host);
    if close {
        skipped.insert(Known::Connection);
    }
    // Go takes an empty one for the wish to send none, and sends the first of several.
    let mut agents = request.headers.get_all(Known::UserAgent);
    let agent = agents.next().unwrap_or_default();
    let several = agents.next().is_some();
    if several || agent.is_empty() {
        skipped.insert(Known::UserAgent);
    }
    if several && !agent.is_empty() {
        write_field(out, b"User-Agent", agent);
    }
    request.headers.write(out, skipped);
    out.extend_from_slice(b"\r\n");
}

/// Writes a host without the zone of an IPv6 address, which means nothing to another machine
/// (RFC 6874 §4), and without bytes that could end the line.
fn write_host(out: &mut Vec<u8>, host: &str) {
    debug_assert!(crate::host::is_valid_host(host.as_bytes()));
    if !host.starts_with('[') && words::all(host.as_bytes(), |byte| byte.is_ascii_graphic()) {
        return out.extend_from_slice(host.as_bytes());
    }
    let zone =
        host.starts_with('[').then(|| host.rsplit_once(']')).flatten().and_then(
            |(address, rest)| address.rsplit_once('%').map(|(address, _)| (address, rest)),
        );
    let parts = zone.map_or(["", "", host], |(address, rest)| [address, "]", rest]);
    for part in parts {
        out.extend(part.bytes().filter(u8::is_ascii_graphic));
    }
}

/// Writes a response head.
pub fn write_response_head(out: &mut Vec<u8>, head: &ResponseHead<'_>) {
    write_status_line(out, head.version, head.status);
    let mut skipped = KnownSet::of(&[Known::TransferEncoding]);
    if head.body != BodyFraming::None || !head.status.allows_body() {
        skipped.insert(Known::ContentLength);
    }
    // Go suppresses the type of a body that cannot be there.
    if head.status.code() == 304 {
        skipped.insert(Known::ContentType);
    }
    if head.connection != Connection::Unsaid {
        skipped.insert(Known::Connection);
    }
    head.headers.write(out, skipped);
    if head.status.allows_body() {
        match head.body {
            BodyFraming::Length(length) => write_length(out, length),
            BodyFraming::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            BodyFraming::None | BodyFraming::UntilClose => {}
        }
    }
    match head.connection {
        Connection::Unsaid => {}
        Connection::Close => out.extend_from_slice(b"Connection: close\r\n"),
        Connection::KeepAlive => out.extend_from_slice(b"Connection: keep-alive\r\n"),
    }
    let dated = head.headers.contains(Known::Date) || head.status.code() < 200;
    if !dated && !head.date.is_empty() {
        write_field(out, b"Date", head.date);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes an answer of our own, head and body. `method` is that of the request: HEAD gets no
/// body, but the length it would have.
pub fn write_answer(
    out: &mut Vec<u8>,
    answer: &Answer,
    method: &Method,
    version: Version,
    connection: Connection,
    date: &[u8],
) {
    write_response_head(out, &answer_head(answer, method, version, connection, date));
    out.extend_from_slice(answer.body_for(method));
}

/// The head of an answer of our own to a request of `method`.
#[must_use]
pub fn answer_head<'a>(
    answer: &'a Answer,
    method: &Method,
    version: Version,
    connection: Connection,
    date: &'a [u8],
) -> ResponseHead<'a> {
    let connection = if answer.close { Connection::Close } else { connection };
    // As Go: the length of nothing is not told to HEAD.
    let body = match answer.body.len() as u64 {
        0 if *method == Method::Head => BodyFraming::None,
        length => BodyFraming::Length(length),
    };
    let (status, headers) = (answer.status, &answer.headers);
    ResponseHead { version, status, headers, body, connection, date }
}

/// Writes the answer to a refused request as Go's server does; the connection ends after it.
///
/// It is written as HTTP/1.1, without `Date` and without length, but for a 417, which looks like
/// other answers. `fields` are further ones, none that frame it.
pub fn write_refusal(out: &mut Vec<u8>, refusal: Refusal, fields: &Headers, date: &[u8]) {
    const FIELDS: &[u8] = b"\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n";
    if refusal.reason == Reason::UnknownExpectation {
        let mut answer = Answer::empty(refusal.status);
        answer.headers.extend_from(fields);
        let connection = Connection::Close;
        return write_answer(out, &answer, &Method::Get, Version::Http11, connection, date);
    }
    let detail = match refusal.reason {
        Reason::MissingHost => ": missing required Host header",
        Reason::MalformedHost => ": malformed Host header",
        Reason::InvalidHeaderName => ": invalid header name",
        Reason::UnsupportedVersion => ": unsupported protocol version",
        _ => "",
    };
    let mut code = itoa::Buffer::new();
    let line = [
        code.format(refusal.status.code()).as_bytes(),
        b" ",
        refusal.status.text().as_bytes(),
        detail.as_bytes(),
    ];
    out.extend_from_slice(b"HTTP/1.1 ");
    line.iter().for_each(|part| out.extend_from_slice(part));
    out.extend_from_slice(FIELDS);
    fields.write(out, FRAMING);
    out.extend_from_slice(b"\r\n");
    if refusal.reason == Reason::UnsupportedTransferEncoding {
        out.extend_from_slice(b"Unsupported transfer encoding");
    } else {
        line.iter().for_each(|part| out.extend_from_slice(part));
    }
}

/// Writes the size line before the data of a chunk; `length` is more than 0, since a chunk of
/// no bytes would end the body.
pub fn write_chunk_start(out: &mut Vec<u8>, length: usize) {
    debug_assert!(length > 0);
    let digits = (usize::BITS - length.leading_zeros()).div_ceil(4).max(1);
    for index in (0..digits).rev() {
        let nibble = u8::try_from(length >> (index * 4) & 15).unwrap_or_default();
        out.push(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble });
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes what follows the data of a chunk.
pub fn write_chunk_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

/// Writes the last chunk, the trailer fields and the end of the body.
pub fn write_last_chunk(out: &mut Vec<u8>, trailers: Option<&Headers>) {
    out.extend_from_slice(b"0\r\n");
    for field in trailers.into_iter().flat_map(Headers::iter) {
        if !crate::chunked::is_forbidden_trailer(field.name, field.known) {
            write_field(out, field.name.as_bytes(), field.value);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// As Go: known statuses with their text, others with `status code N`.
fn write_status_line(out: &mut Vec<u8>, version: Version, status: Status) {
    out.extend_from_slice(if version == Version::Http10 { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    let mut code = itoa::Buffer::new();
    let code = code.format(status.code()).as_bytes();
    out.extend_from_slice(code);
    out.push(b' ');
    if status.text().is_empty() || status == Status::CLIENT_CLOSED_REQUEST {
        out.extend_from_slice(b"status code ");
        out.extend_from_slice(code);
    } else {
        out.extend_from_slice(status.text().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// What is written from the framing and never copied.
const FRAMING: KnownSet = KnownSet::of(&[Known::ContentLength, Known::TransferEncoding]);

fn write_length(out: &mut Vec<u8>, length: u64) {
    write_field(out, b"Content-Length", itoa::Buffer::new().format(length).as_bytes());
}

fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    debug_assert!(crate::headers::is_token(name) && crate::headers::is_value(value));
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
