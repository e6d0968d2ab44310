//! How a body is delimited, and reading it without copying.

use std::ops::Range;

use crate::chunked::{ChunkedDecoder, TrailerLimits};
use crate::headers::Headers;

/// How the end of a body is found (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyFraming {
    /// There is no body.
    #[default]
    None,
    /// This many bytes; may be 0 where the head said so.
    Length(u64),
    /// The chunked transfer coding.
    Chunked,
    /// All bytes until the connection ends; responses only.
    UntilClose,
}

impl BodyFraming {
    /// Whether it is certain from the head that no byte of body comes.
    #[must_use]
    pub fn is_empty(self) -> bool {
        matches!(self, Self::None | Self::Length(0))
    }
}

/// Why a body could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// A chunk size is missing, too large, has foreign characters or no CRLF behind it.
    #[error("malformed chunk size")]
    ChunkSize,
    /// A chunk extension holds control characters.
    #[error("malformed chunk extension")]
    ChunkExtension,
    /// There is no CRLF behind the data of a chunk.
    #[error("chunk does not end with CRLF")]
    ChunkEnd,
    /// A chunk-size line is too long, or all of them are in relation to the data.
    #[error("chunked coding with too much framing")]
    TooMuchFraming,
    /// A trailer line is malformed.
    #[error("malformed trailer")]
    Trailer,
    /// The trailer section is longer than its limit.
    #[error("trailer section too large")]
    TrailerTooLarge,
    /// The connection ended before the body.
    #[error("the body ends early")]
    Truncated,
}

/// What a piece of input was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyStep {
    /// How many bytes of the input are dealt with; the next step begins behind them.
    pub consumed: usize,
    /// Which of the consumed bytes are payload; may be empty.
    pub payload: Range<usize>,
    /// Whether the body is complete; what follows in the input belongs to the next message.
    pub done: bool,
}

/// Reads one body from pieces of input.
#[derive(Debug, Clone)]
pub enum BodyReader {
    /// Nothing is left to read.
    Done,
    /// This many bytes are left; more than 0.
    Length(u64),
    /// The chunked transfer coding.
    Chunked(ChunkedDecoder),
    /// Everything is payload until the connection ends.
    UntilClose,
    /// Everything is payload until its stream of HTTP/2 says that the body has ended.
    Stream,
}

impl BodyReader {
    /// A reader for the body of a request.
    #[must_use]
    pub fn for_request(framing: BodyFraming, limits: TrailerLimits) -> Self {
        match framing {
            BodyFraming::Chunked => Self::Chunked(ChunkedDecoder::for_request(limits)),
            framing => Self::unchunked(framing),
        }
    }

    /// A reader for the body of a response.
    #[must_use]
    pub fn for_response(framing: BodyFraming, limits: TrailerLimits) -> Self {
        match framing {
            BodyFraming::Chunked => Self::Chunked(ChunkedDecoder::for_response(limits)),
            framing => Self::unchunked(framing),
        }
    }

    fn unchunked(framing: BodyFraming) -> Self {
        match framing {
            BodyFraming::None | BodyFraming::Length(0) | BodyFraming::Chunked => Self::Done,
            BodyFraming::Length(length) => Self::Length(length),
            BodyFraming::UntilClose => Self::UntilClose,
        }
    }

    /// Whether the body is complete. Never true for [`BodyReader::UntilClose`].
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self {
            Self::Done => true,
            Self::Chunked(decoder) => decoder.is_done(),
            Self::Length(_) | Self::UntilClose | Self::Stream => false,
        }
    }

    /// Reads on: at most one piece of payload for each call.
    ///
    /// Call it again with the rest of the input until `done`, or until nothing of the input is
    /// left.
    ///
    /// # Errors
    ///
    /// [`BodyError`] for a malformed chunked coding; the connection cannot be used again.
    pub fn step(&mut self, input: &[u8]) -> Result<BodyStep, BodyError> {
        match self {
            Self::Done => Ok(BodyStep { consumed: 0, payload: 0..0, done: true }),
            Self::Chunked(decoder) => decoder.step(input),
            Self::UntilClose | Self::Stream => {
                Ok(BodyStep { consumed: input.len(), payload: 0..input.len(), done: false })
            }
            Self::Length(left) => {
                let taken =
                    usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                *left -= taken as u64;
                let done = *left == 0;
                if done {
                    *self = Self::Done;
                }
                Ok(BodyStep { consumed: taken, payload: 0..taken, done })
            }
        }
    }

    /// Says what the end of the connection, or of the stream, means for the body.
    ///
    /// # Errors
    ///
    /// [`BodyError::Truncated`] if the body was not complete.
    pub fn finish(&mut self) -> Result<(), BodyError> {
        if matches!(self, Self::Stream) {
            *self = Self::Done;
        }
        if self.is_done() || matches!(self, Self::UntilClose) {
            Ok(())
        } else {
            Err(BodyError::Truncated)
        }
    }

    /// The trailer fields of a chunked body that is complete.
    #[must_use]
    pub fn trailers(&self) -> Option<&Headers> {
        match self {
            Self::Chunked(decoder) if !decoder.trailers().is_empty() => Some(decoder.trailers()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_delimited_body_ends_where_the_next_message_begins() {
        let mut reader = BodyReader::for_request(BodyFraming::Length(5), TrailerLimits::default());
        let step = reader.step(b"abc").unwrap();
        assert_eq!(step, BodyStep { consumed: 3, payload: 0..3, done: false });
        assert_eq!(reader.finish(), Err(BodyError::Truncated));
        let step = reader.step(b"deGET /").unwrap();
        assert_eq!(step, BodyStep { consumed: 2, payload: 0..2, done: true });
        assert_eq!(reader.finish(), Ok(()));
        assert_eq!(reader.step(b"GET /").unwrap().consumed, 0);
    }

    #[test]
    fn bodies_without_bytes_are_done_at_once() {
        for framing in [BodyFraming::None, BodyFraming::Length(0)] {
            assert!(BodyReader::for_request(framing, TrailerLimits::default()).is_done());
            assert!(framing.is_empty());
        }
    }

    #[test]
    fn a_body_until_close_takes_everything_and_may_end_at_any_time() {
        let mut reader =
            BodyReader::for_response(BodyFraming::UntilClose, TrailerLimits::default());
        assert_eq!(reader.step(b"abc").unwrap().payload, 0..3);
        assert!(!reader.is_done());
        assert_eq!(reader.finish(), Ok(()));
    }
}
