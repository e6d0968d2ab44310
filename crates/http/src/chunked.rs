//! The chunked transfer coding (RFC 9112 §7.1), decoded incrementally.
//!
//! The decoder never copies payload: it says which range of the input is payload. Lines end with
//! CRLF and nothing else, extensions are bounded and dropped, trailers are parsed and filtered.

use crate::body::{BodyError, BodyStep};
use crate::headers::{Headers, Known};

/// Limits of a trailer section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrailerLimits {
    /// The length of all trailer lines together, in bytes.
    pub bytes: usize,
    /// The number of fields.
    pub fields: usize,
}

impl Default for TrailerLimits {
    fn default() -> Self {
        Self { bytes: 16 * 1024, fields: 100 }
    }
}

/// The state of one chunked body.
#[derive(Debug, Clone)]
pub struct ChunkedDecoder {
    state: State,
    /// Bytes of the current chunk-size line.
    line_length: usize,
    /// Bytes that were not payload, less what is fair for the payload seen (as in Go).
    excess: u64,
    /// Whether blanks behind the chunk size are tolerated, as old servers pad it.
    padded_sizes: bool,
    limits: TrailerLimits,
    trailer_bytes: usize,
    line: Vec<u8>,
    trailers: Headers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Reading digits of the chunk size.
    Size { digits: u8, value: u64 },
    /// Blanks behind the digits.
    Padding { value: u64 },
    /// Behind the semicolon.
    Extension { value: u64 },
    /// The line feed of the chunk-size line must follow.
    SizeEnd { value: u64 },
    /// Payload.
    Data { left: u64 },
    /// The carriage return behind the payload must follow.
    DataReturn,
    /// The line feed behind the payload must follow.
    DataFeed,
    /// Collecting a trailer line.
    Trailer,
    /// The line feed of the empty line that ends the body must follow.
    End,
    /// The end has been read.
    Done,
}

/// Go: `maxLineLength` of its chunk reader.
const LONGEST_LINE: usize = 4096;
/// Go: how much more framing than payload a sender may send.
const MOST_EXCESS: u64 = 16 * 1024;
const FIRST: State = State::Size { digits: 0, value: 0 };

impl ChunkedDecoder {
    /// A decoder for the body of a request: nothing is tolerated.
    #[must_use]
    pub fn for_request(limits: TrailerLimits) -> Self {
        Self {
            state: FIRST,
            line_length: 0,
            excess: 0,
            padded_sizes: false,
            limits,
            trailer_bytes: 0,
            line: Vec::new(),
            trailers: Headers::new(),
        }
    }

    /// A decoder for the body of a response: blanks behind a chunk size are tolerated.
    #[must_use]
    pub fn for_response(limits: TrailerLimits) -> Self {
        Self { padded_sizes: true, ..Self::for_request(limits) }
    }

    /// Begins another body and keeps the memory.
    pub fn reset(&mut self) {
        self.state = FIRST;
        self.line_length = 0;
        self.excess = 0;
        self.trailer_bytes = 0;
        self.line.clear();
        self.trailers.clear();
    }

    /// Whether the end has been read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The trailer fields that may be passed on; complete once [`ChunkedDecoder::is_done`].
    ///
    /// Fields that frame, route, authenticate or belong to one hop have been dropped
    /// (RFC 9110 §6.5.1).
    #[must_use]
    pub fn trailers(&self) -> &Headers {
        &self.trailers
    }

    /// Reads on, up to the end of the next piece of payload, of the body or of the input.
    ///
    /// # Errors
    ///
    /// [`BodyError`]; the body cannot be read on and the connection cannot be used again.
    pub fn step(&mut self, input: &[u8]) -> Result<BodyStep, BodyError> {
        let mut position = 0;
        loop {
            if let State::Data { left } = self.state {
                let available = input.len().saturating_sub(position);
                let length = usize::try_from(left).map_or(available, |left| left.min(available));
                let end = position + length;
                let left = left - length as u64;
                self.state = if left == 0 { State::DataReturn } else { State::Data { left } };
                return Ok(BodyStep { consumed: end, payload: position..end, done: false });
            }
            if self.state == State::Done {
                break;
            }
            let Some(&byte) = input.get(position) else { break };
            position += 1;
            self.take(byte)?;
        }
        Ok(BodyStep { consumed: position, payload: position..position, done: self.is_done() })
    }

    /// Takes a byte that is not payload.
    fn take(&mut self, byte: u8) -> Result<(), BodyError> {
        self.state = match self.state {
            State::Size { digits, value } => self.take_size(byte, digits, value)?,
            State::Padding { value } => match byte {
                b' ' | b'\t' => self.within_line(State::Padding { value })?,
                b'\r' => State::SizeEnd { value },
                b';' => self.within_line(State::Extension { value })?,
                _ => return Err(BodyError::ChunkSize),
            },
            State::Extension { value } => match byte {
                b'\r' => State::SizeEnd { value },
                b'\t' | b' '..=b'~' | 0x80.. => self.within_line(State::Extension { value })?,
                _ => return Err(BodyError::ChunkExtension),
            },
            State::SizeEnd { value } if byte == b'\n' => self.begin_chunk(value)?,
            State::SizeEnd { .. } => return Err(BodyError::ChunkSize),
            State::DataReturn if byte == b'\r' => State::DataFeed,
            State::DataFeed if byte == b'\n' => FIRST,
            State::DataReturn | State::DataFeed => return Err(BodyError::ChunkEnd),
            State::Trailer if byte == b'\r' && self.line.is_empty() => State::End,
            State::Trailer => self.take_trailer(byte)?,
            State::End if byte == b'\n' => State::Done,
            State::End => return Err(BodyError::Trailer),
            state @ (State::Data { .. } | State::Done) => state,
        };
        Ok(())
    }

    fn take_size(&mut self, byte: u8, digits: u8, value: u64) -> Result<State, BodyError> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ if digits == 0 => return Err(BodyError::ChunkSize),
            b'\r' => return Ok(State::SizeEnd { value }),
            b';' => return self.within_line(State::Extension { value }),
            b' ' | b'\t' if self.padded_sizes => return self.within_line(State::Padding { value }),
            _ => return Err(BodyError::ChunkSize),
        };
        // Sixteen digits fill the number, and sizes beyond a signed one are read differently
        // by different servers.
        if digits == 16 || value > u64::MAX >> 5 {
            return Err(BodyError::ChunkSize);
        }
        self.within_line(State::Size { digits: digits + 1, value: value << 4 | u64::from(digit) })
    }

    /// Counts a byte of a chunk-size line.
    fn within_line(&mut self, next: State) -> Result<State, BodyError> {
        self.line_length += 1;
        if self.line_length >= LONGEST_LINE { Err(BodyError::TooMuchFraming) } else { Ok(next) }
    }

    fn begin_chunk(&mut self, size: u64) -> Result<State, BodyError> {
        let overhead = self.line_length as u64 + 2;
        self.line_length = 0;
        self.excess = (self.excess + overhead).saturating_sub(size.saturating_mul(2) + 16);
        if self.excess > MOST_EXCESS {
            return Err(BodyError::TooMuchFraming);
        }
        Ok(if size == 0 { State::Trailer } else { State::Data { left: size } })
    }

    fn take_trailer(&mut self, byte: u8) -> Result<State, BodyError> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > self.limits.bytes {
            return Err(BodyError::TrailerTooLarge);
        }
        if byte != b'\n' {
            self.line.push(byte);
            return Ok(State::Trailer);
        }
        let Some((b'\r', line)) = self.line.split_last() else { return Err(BodyError::Trailer) };
        let colon = memchr::memchr(b':', line).ok_or(BodyError::Trailer)?;
        let (name, value) = line.split_at_checked(colon).ok_or(BodyError::Trailer)?;
        let value = value.get(1..).unwrap_or_default();
        self.trailers.push_wire(name, value).map_err(|_| BodyError::Trailer)?;
        if self.trailers.len() > self.limits.fields {
            return Err(BodyError::TrailerTooLarge);
        }
        self.trailers.remove_where(|field| is_forbidden_trailer(field.name, field.known));
        self.line.clear();
        Ok(State::Trailer)
    }
}

/// Whether a field must not come in a trailer section (RFC 9110 §6.5.1): it would frame, route,
/// authenticate or control a request whose head was already acted on.
pub(crate) fn is_forbidden_trailer(name: &str, known: Option<Known>) -> bool {
    crate::forwarded::is_managed(name)
        || known.is_some_and(|known| {
            matches!(
                known,
                Known::Authorization
                    | Known::CacheControl
                    | Known::Connection
                    | Known::ContentEncoding
                    | Known::ContentLength
                    | Known::ContentRange
                    | Known::ContentType
                    | Known::Cookie
                    | Known::Expect
                    | Known::Forwarded
                    | Known::Host
                    | Known::KeepAlive
                    | Known::Pragma
                    | Known::ProxyAuthenticate
                    | Known::ProxyAuthorization
                    | Known::ProxyConnection
                    | Known::Range
                    | Known::SetCookie
                    | Known::Te
                    | Known::Trailer
                    | Known::TransferEncoding
                    | Known::Upgrade
                    | Known::WwwAuthenticate
            )
        })
}

#[cfg(test)]
mod tests;
