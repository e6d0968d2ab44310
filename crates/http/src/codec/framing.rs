//! How the length of a body is told, shared by both directions (RFC 9112 §6).

use crate::body::BodyFraming;
use crate::chunked::is_forbidden_trailer;
use crate::headers::{Headers, Known};
use crate::version::Version;

/// What is wrong with the framing fields of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadFraming {
    /// A length that is no number, or several that differ.
    Length,
    /// Not exactly one `chunked`.
    TransferEncoding,
    /// A transfer coding in HTTP/1.0.
    Http10,
    /// A transfer coding and a length.
    Both,
}

/// The framing that the fields state; `None` if they state none.
///
/// `Transfer-Encoding` and all but one of several equal lengths are removed from the fields.
pub(crate) fn stated_framing(
    version: Version,
    headers: &mut Headers,
) -> Result<BodyFraming, BadFraming> {
    let length = stated_length(headers)?;
    let mut codings = headers.get_all(Known::TransferEncoding);
    let Some(coding) = codings.next() else {
        return Ok(length.map_or(BodyFraming::None, BodyFraming::Length));
    };
    let chunked = coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
    drop(codings);
    if version == Version::Http10 {
        return Err(BadFraming::Http10);
    }
    if !chunked {
        return Err(BadFraming::TransferEncoding);
    }
    headers.remove(Known::TransferEncoding);
    if length.is_some() { Err(BadFraming::Both) } else { Ok(BodyFraming::Chunked) }
}

/// The value of `Content-Length`; several equal ones become one.
fn stated_length(headers: &mut Headers) -> Result<Option<u64>, BadFraming> {
    let mut values = headers.get_all(Known::ContentLength);
    let Some(first) = values.next() else { return Ok(None) };
    let mut several = false;
    for other in values {
        several = true;
        if other != first {
            return Err(BadFraming::Length);
        }
    }
    let length = parse_length(first).ok_or(BadFraming::Length)?;
    if several {
        headers.set(Known::ContentLength, itoa::Buffer::new().format(length));
    }
    Ok(Some(length))
}

/// One or more digits, up to 2⁶³ − 1 (Go: `parseContentLength`).
fn parse_length(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut length: u64 = 0;
    for &byte in text {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        length = length.checked_mul(10)?.checked_add(digit)?;
    }
    i64::try_from(length).is_ok().then_some(length)
}

/// Takes out of the announcement of trailers (`Trailer`) what is not passed on as trailer, and
/// joins the rest. A message that cannot have trailers loses its announcement.
///
/// Fields that frame the message make it malformed (Go: `fixTrailer`).
pub(crate) fn settle_trailer(
    headers: &mut Headers,
    framing: BodyFraming,
    separator: &[u8],
) -> Result<(), ForbiddenTrailer> {
    if !headers.contains(Known::Trailer) {
        return Ok(());
    }
    if framing != BodyFraming::Chunked {
        headers.remove(Known::Trailer);
        return Ok(());
    }
    let mut names: Vec<Vec<u8>> = Vec::new();
    for token in headers.tokens(Known::Trailer) {
        let known = Known::classify(token);
        if let Some(Known::TransferEncoding | Known::Trailer | Known::ContentLength) = known {
            return Err(ForbiddenTrailer);
        }
        let text = std::str::from_utf8(token).unwrap_or_default();
        if crate::headers::is_token(token) && !is_forbidden_trailer(text, known) {
            let mut name = token.to_vec();
            crate::headers::canonicalize(&mut name);
            names.push(name);
        }
    }
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        headers.remove(Known::Trailer);
    } else {
        headers.set(Known::Trailer, names.join(separator));
    }
    Ok(())
}

/// `Trailer` announces a field that frames the message.
#[derive(Debug)]
pub(crate) struct ForbiddenTrailer;

/// `Pragma: no-cache` implies `Cache-Control: no-cache` for those who know only the latter
/// (Go: `fixPragmaCacheControl`).
pub(crate) fn settle_pragma(headers: &mut Headers) {
    if headers.get(Known::Pragma) == Some(b"no-cache") && !headers.contains(Known::CacheControl) {
        headers.append(Known::CacheControl, "no-cache");
    }
}
