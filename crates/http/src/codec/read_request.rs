//! Reading the head of a request.

use super::framing::{BadFraming, settle_pragma, settle_trailer, stated_framing};
use super::lines::{BadLine, Line, Lines, push_field};
use super::{HeadLimits, Progress};
use crate::connection::wants_keep_alive;
use crate::headers::Known;
use crate::host::{is_canonical_name, is_valid_host};
use crate::method::Method;
use crate::refusal::{Reason, Refusal};
use crate::request::Request;
use crate::version::Version;
use crate::words::{find_soon, refill};

/// Reads one request head from a buffer that grows.
#[derive(Debug, Clone, Default)]
pub struct RequestParser {
    lines: Lines,
    empty_lines: u8,
    in_fields: bool,
    hosts: u8,
}

/// Parses a request head that may be complete; for a head that comes in pieces use a
/// [`RequestParser`].
///
/// # Errors
///
/// As [`RequestParser::parse`].
pub fn parse_request_head(
    buffer: &[u8],
    limits: &HeadLimits,
    request: &mut Request,
) -> Result<Progress, Refusal> {
    RequestParser::new().parse(buffer, limits, request)
}

impl RequestParser {
    /// A parser at the beginning of a message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a byte of a message other than empty lines has been read as a line; before that
    /// the connection may be closed silently.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.in_fields
    }

    /// Reads on in `buffer`, which holds the message from its first byte and more than at the
    /// last call. At [`Progress::Complete`] the parser is ready for the next message.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]: answer with [`super::write_refusal`] and close the connection.
    pub fn parse(
        &mut self,
        buffer: &[u8],
        limits: &HeadLimits,
        request: &mut Request,
    ) -> Result<Progress, Refusal> {
        loop {
            if self.in_fields && self.lines.take_usual(buffer, limits, &mut request.headers) {
                self.count_host()?;
                continue;
            }
            let line = match self.lines.next(buffer, limits, false) {
                Line::Text(line) => line,
                Line::Partial => return Ok(Progress::Partial),
                Line::BareEnd => return Err(Reason::BareLineEnd.into()),
                Line::TooLong => return Err(Reason::HeadTooLarge.into()),
            };
            if !self.in_fields {
                self.take_first_line(line, limits, request)?;
            } else if line.is_empty() {
                let consumed = self.lines.consumed();
                *self = Self::default();
                settle(request)?;
                return Ok(Progress::Complete(consumed));
            } else {
                self.take_field(line, limits, request)?;
            }
        }
    }

    fn take_first_line(
        &mut self,
        line: &[u8],
        limits: &HeadLimits,
        request: &mut Request,
    ) -> Result<(), Reason> {
        if line.is_empty() && self.empty_lines < limits.empty_lines {
            self.empty_lines += 1;
            return Ok(());
        }
        self.in_fields = true;
        request.clear();
        take_request_line(line, request)
    }

    fn take_field(
        &mut self,
        line: &[u8],
        limits: &HeadLimits,
        request: &mut Request,
    ) -> Result<(), Reason> {
        let name = push_field(line, &mut request.headers, limits).map_err(|bad| match bad {
            BadLine::Folded => Reason::FoldedLine,
            BadLine::Name => Reason::MalformedHeader,
            BadLine::Blank => Reason::InvalidHeaderName,
            BadLine::Value => Reason::InvalidHeaderValue,
            BadLine::TooMany => Reason::HeadTooLarge,
        })?;
        if name == Some(Known::Host) { self.count_host() } else { Ok(()) }
    }

    fn count_host(&mut self) -> Result<(), Reason> {
        self.hosts = self.hosts.saturating_add(1);
        if self.hosts > 1 { Err(Reason::SeveralHosts) } else { Ok(()) }
    }
}

/// `method SP target SP version`, with single spaces (RFC 9112 §3).
fn take_request_line(line: &[u8], request: &mut Request) -> Result<(), Reason> {
    let (method, rest) = split_at_space(line).ok_or(Reason::MalformedRequestLine)?;
    let (target, version) = split_at_space(rest).ok_or(Reason::MalformedRequestLine)?;
    request.method = Method::parse(method).map_err(|_| Reason::InvalidMethod)?;
    request.version = parse_version(version)?;
    request.target.parse(target, &request.method, &mut request.authority)
}

/// What is before the first space and what is behind it.
fn split_at_space(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = find_soon(b' ', text).or_else(|| memchr::memchr(b' ', text))?;
    let (before, after) = text.split_at_checked(space)?;
    Some((before, after.get(1..)?))
}

fn parse_version(text: &[u8]) -> Result<Version, Reason> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        // A higher minor version is read as the highest known one (RFC 9110 §2.5).
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            Err(Reason::UnsupportedVersion)
        }
        _ => Err(Reason::MalformedVersion),
    }
}

/// What can be said only when all fields are there.
fn settle(request: &mut Request) -> Result<(), Reason> {
    settle_host(request)?;
    settle_pragma(&mut request.headers);
    request.keep_alive = wants_keep_alive(request.version, &request.headers);
    request.body =
        stated_framing(request.version, &mut request.headers).map_err(|bad| match bad {
            BadFraming::Length => Reason::InvalidContentLength,
            BadFraming::TransferEncoding => Reason::UnsupportedTransferEncoding,
            BadFraming::Http10 => Reason::TransferEncodingOnHttp10,
            BadFraming::Both => Reason::ConflictingFraming,
        })?;
    settle_trailer(&mut request.headers, request.body, b",")
        .map_err(|_| Reason::ForbiddenTrailer)?;
    let Some(expectation) = request.headers.get(Known::Expect) else { return Ok(()) };
    if request.headers.has_token(Known::Expect, "100-continue") {
        request.expects_continue = request.version == Version::Http11 && !request.body.is_empty();
        Ok(())
    } else if expectation.is_empty() {
        Ok(())
    } else {
        Err(Reason::UnknownExpectation)
    }
}

/// Takes `Host` out of the fields; the authority of the target has precedence (RFC 9112 §3.2.2).
fn settle_host(request: &mut Request) -> Result<(), Reason> {
    let Some(host) = request.headers.get(Known::Host) else {
        if request.version != Version::Http10 && request.method != Method::Connect {
            return Err(Reason::MissingHost);
        }
        request.refresh_host();
        return Ok(());
    };
    let canonical = is_canonical_name(host);
    if !canonical && !is_valid_host(host) {
        return Err(Reason::MalformedHost);
    }
    if !request.authority.is_empty() {
        request.refresh_host();
    } else {
        refill(&mut request.authority, host).map_err(|_| Reason::MalformedHost)?;
        if canonical { request.copy_host() } else { request.refresh_host() }
    }
    request.headers.remove_only(Known::Host);
    Ok(())
}

#[cfg(test)]
mod tests;
