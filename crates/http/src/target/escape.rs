//! Percent-encoding of paths by the rules of Go's `net/url`, byte for byte.

use crate::words;

/// The value of two hexadecimal digits.
pub(super) fn unhex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// Appends the decoded form; `false` when a `%` is not followed by two hexadecimal digits.
#[must_use]
pub(super) fn unescape(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut rest = text;
    while let Some(position) = memchr::memchr(b'%', rest) {
        let (plain, escape) = rest.split_at_checked(position).unwrap_or((rest, &[]));
        let [_, high, low, after @ ..] = escape else { return false };
        let Some(byte) = unhex(*high, *low) else { return false };
        out.extend_from_slice(plain);
        out.push(byte);
        rest = after;
    }
    out.extend_from_slice(rest);
    true
}

/// Appends the default encoding of a path (Go: `escape(path, encodePath)`).
pub(super) fn escape(path: &[u8], out: &mut String) {
    for &byte in path {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            push_escaped(byte, out);
        }
    }
}

/// Whether this is the default encoding of what it decodes to.
pub(super) fn is_default_encoding(path: &[u8], raw: &[u8]) -> bool {
    let mut raw = raw.iter().copied();
    let mut next = || raw.next();
    for &byte in path {
        let equal = if is_plain(byte) {
            next() == Some(byte)
        } else {
            next() == Some(b'%') && next() == Some(hex(byte >> 4)) && next() == Some(hex(byte & 15))
        };
        if !equal {
            return false;
        }
    }
    next().is_none()
}

/// Go's `validEncoded(path, encodePath)`: whether an encoding may be sent as it is.
pub(super) fn is_valid_encoding(raw: &[u8]) -> bool {
    raw.iter().all(|&byte| {
        is_plain(byte) || matches!(byte, b'!' | b'\'' | b'(' | b')' | b'*' | b'[' | b']' | b'%')
    })
}

pub(super) fn push_escaped(byte: u8, out: &mut String) {
    out.push('%');
    out.push(char::from(hex(byte >> 4)));
    out.push(char::from(hex(byte & 15)));
}

/// Whether the default encoding leaves all of a path alone.
pub(super) fn is_all_plain(path: &[u8]) -> bool {
    words::all(path, is_plain)
}

/// Bytes that the default encoding of a path leaves alone: letters, digits and `-._~$&+,/:;=@`.
///
/// Without branches, for [`words::all`].
pub(super) fn is_plain(byte: u8) -> bool {
    let among = |first: u8, last: u8| (first <= byte) & (byte <= last);
    among(b'a', b'z')
        | among(b'@', b'Z')
        | among(b'+', b';')
        | (byte == b'_')
        | (byte == b'~')
        | (byte == b'=')
        | (byte == b'$')
        | (byte == b'&')
}

/// Unreserved characters (RFC 3986 §2.3), whose encoded form means the same as the plain one.
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'A' - 10 + nibble }
}
