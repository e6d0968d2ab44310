//! HPACK, the compression of heads (RFC 7541).
//!
//! Each direction of a connection has a table of fields that were sent before, so that a field that
//! comes again is a byte or two. What a name is ([`Name`]) is found once, when it enters a table.

mod decode;
mod encode;
mod huffman;
mod integer;
mod statics;
mod table;

pub use decode::{Decoder, HpackError};
pub use encode::{Encoder, Keeping};

#[cfg(test)]
pub(super) use integer::write as write_integer;

use crate::headers::{Known, is_token, is_value, trim};
use crate::words;

/// One field of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as it was sent.
    pub name: &'a [u8],
    /// The value as it was sent.
    pub value: &'a [u8],
    /// What the name is.
    pub kind: Name,
    /// Whether the value is one of a field: no control characters, and no white space around it.
    pub sound: bool,
}

impl Field<'_> {
    /// What the field counts for in a table and in the length of a list (RFC 7541 §4.1).
    pub(super) fn size(&self) -> usize {
        size(self.name, self.value)
    }
}

/// What the name of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// One of those that take the place of the first line of a head.
    Pseudo(Pseudo),
    /// A known one.
    Known(Known),
    /// Any other that is a token in small letters.
    Other,
    /// None that HTTP/2 has: no token, with capitals, or an unknown one that begins with a colon.
    Malformed,
}

/// The names that begin with a colon (RFC 9113 §8.3, RFC 8441 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pseudo {
    /// `:authority`
    Authority,
    /// `:method`
    Method,
    /// `:path`
    Path,
    /// `:protocol`
    Protocol,
    /// `:scheme`
    Scheme,
    /// `:status`
    Status,
}

impl Name {
    /// Looks closely at a name.
    fn classify(name: &[u8]) -> Self {
        if name.first() == Some(&b':') {
            return match name {
                b":authority" => Self::Pseudo(Pseudo::Authority),
                b":method" => Self::Pseudo(Pseudo::Method),
                b":path" => Self::Pseudo(Pseudo::Path),
                b":protocol" => Self::Pseudo(Pseudo::Protocol),
                b":scheme" => Self::Pseudo(Pseudo::Scheme),
                b":status" => Self::Pseudo(Pseudo::Status),
                _ => Self::Malformed,
            };
        }
        if !words::all(name, |byte| !byte.is_ascii_uppercase()) {
            return Self::Malformed;
        }
        match Known::classify(name) {
            Some(known) => Self::Known(known),
            None if is_token(name) => Self::Other,
            None => Self::Malformed,
        }
    }
}

/// Whether a value is one of a field.
fn is_sound(value: &[u8]) -> bool {
    is_value(value) && trim(value).len() == value.len()
}

/// What a field counts for (RFC 7541 §4.1).
fn size(name: &[u8], value: &[u8]) -> usize {
    name.len() + value.len() + OVERHEAD
}

const OVERHEAD: usize = 32;

#[cfg(test)]
mod tests;
