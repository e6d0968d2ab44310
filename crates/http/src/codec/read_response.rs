//! Reading the head of a response.
//!
//! Servers are read a little more generously than clients: a line may end with a bare line feed
//! and a folded line is joined, as Go does. Everything is written afresh, so that nobody behind
//! can read it differently.

use super::framing::{BadFraming, settle_pragma, settle_trailer, stated_framing};
use super::lines::{BadLine, Line, Lines, push_field};
use super::{HeadLimits, Progress};
use crate::body::BodyFraming;
use crate::connection::wants_keep_alive;
use crate::headers::{Headers, Known};
use crate::method::Method;
use crate::response::{Response, ResponseError};
use crate::status::Status;
use crate::version::Version;

/// Reads one response head from a buffer that grows.
#[derive(Debug, Clone, Default)]
pub struct ResponseParser {
    lines: Lines,
    in_fields: bool,
}

/// Parses a response head that may be complete; for a head that comes in pieces use a
/// [`ResponseParser`].
///
/// # Errors
///
/// As [`ResponseParser::parse`].
pub fn parse_response_head(
    buffer: &[u8],
    limits: &HeadLimits,
    method: &Method,
    response: &mut Response,
) -> Result<Progress, ResponseError> {
    ResponseParser::new().parse(buffer, limits, method, response)
}

impl ResponseParser {
    /// A parser at the beginning of a message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads on in `buffer`, which holds the message from its first byte and more than at the
    /// last call; `method` is that of the request. Interim responses are returned like others.
    /// At [`Progress::Complete`] the parser is ready for the next message.
    ///
    /// # Errors
    ///
    /// A [`ResponseError`]; the connection cannot be used again.
    pub fn parse(
        &mut self,
        buffer: &[u8],
        limits: &HeadLimits,
        method: &Method,
        response: &mut Response,
    ) -> Result<Progress, ResponseError> {
        loop {
            if self.in_fields && self.lines.take_usual(buffer, limits, &mut response.headers) {
                continue;
            }
            let line = match self.lines.next(buffer, limits, true) {
                Line::Text(line) => line,
                Line::Partial => return Ok(Progress::Partial),
                Line::BareEnd => return Err(ResponseError::Header),
                Line::TooLong => return Err(ResponseError::HeadTooLarge),
            };
            if !self.in_fields {
                self.in_fields = true;
                response.clear();
                take_status_line(line, response)?;
            } else if line.is_empty() {
                let consumed = self.lines.consumed();
                *self = Self::default();
                settle(response, method)?;
                return Ok(Progress::Complete(consumed));
            } else {
                take_field(line, limits, response)?;
            }
        }
    }
}

fn take_field(
    line: &[u8],
    limits: &HeadLimits,
    response: &mut Response,
) -> Result<(), ResponseError> {
    match push_field(line, &mut response.headers, limits) {
        Ok(_) => Ok(()),
        // White space before the colon is taken out of responses (RFC 9112 §5.1).
        Err(BadLine::Blank) => push_trimmed(line, &mut response.headers),
        Err(BadLine::Folded) => {
            response.headers.unfold_wire(line).map_err(|_| ResponseError::Header)
        }
        Err(BadLine::TooMany) => Err(ResponseError::HeadTooLarge),
        Err(BadLine::Name | BadLine::Value) => Err(ResponseError::Header),
    }
}

fn push_trimmed(line: &[u8], headers: &mut Headers) -> Result<(), ResponseError> {
    let (name, value) = memchr::memchr(b':', line)
        .and_then(|colon| line.split_at_checked(colon))
        .ok_or(ResponseError::Header)?;
    let value = value.get(1..).unwrap_or_default();
    headers.push_wire(name.trim_ascii_end(), value).map_err(|_| ResponseError::Header)?;
    Ok(())
}

/// `version SP status [SP reason]` (RFC 9112 §4).
fn take_status_line(line: &[u8], response: &mut Response) -> Result<(), ResponseError> {
    let (version, rest) = line.split_at_checked(8).ok_or(ResponseError::StatusLine)?;
    response.version = match version {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Version::Http11,
        _ if version.starts_with(b"HTTP/") => return Err(ResponseError::Version),
        _ => return Err(ResponseError::StatusLine),
    };
    let [b' ', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', reason @ ..] = rest else {
        return Err(ResponseError::StatusLine);
    };
    if !matches!(reason.first(), None | Some(b' ')) || !crate::headers::is_value(reason) {
        return Err(ResponseError::StatusLine);
    }
    let digit = |byte: u8| u16::from(byte - b'0');
    let code = digit(*a) * 100 + digit(*b) * 10 + digit(*c);
    response.status = Status::new(code).ok_or(ResponseError::StatusLine)?;
    Ok(())
}

/// The framing of RFC 9112 §6.3.
fn settle(response: &mut Response, method: &Method) -> Result<(), ResponseError> {
    settle_pragma(&mut response.headers);
    response.keep_alive = wants_keep_alive(response.version, &response.headers);
    let stated = match stated_framing(response.version, &mut response.headers) {
        // The transfer coding overrides the length, and the connection is not trusted further.
        Err(BadFraming::Both) => {
            response.headers.remove(Known::ContentLength);
            response.keep_alive = false;
            BodyFraming::Chunked
        }
        Err(BadFraming::Length) => return Err(ResponseError::ContentLength),
        Err(BadFraming::TransferEncoding | BadFraming::Http10) => {
            return Err(ResponseError::TransferEncoding);
        }
        Ok(stated) => stated,
    };
    settle_trailer(&mut response.headers, stated, b", ").map_err(|_| ResponseError::Trailer)?;
    let tunnel = *method == Method::Connect && (200..300).contains(&response.status.code());
    response.body = match stated {
        _ if tunnel => BodyFraming::UntilClose,
        _ if *method == Method::Head || !response.status.allows_body() => BodyFraming::None,
        BodyFraming::None => BodyFraming::UntilClose,
        stated => stated,
    };
    if response.body == BodyFraming::UntilClose {
        response.keep_alive = false;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
