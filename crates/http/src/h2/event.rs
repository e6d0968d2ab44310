//! What a connection tells its owner.

use std::ops::Range;

use super::error::ErrorCode;
use super::stream::StreamId;
use crate::refusal::Refusal;

/// What a piece of input was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How many bytes of the input are dealt with; the next step begins behind them.
    pub consumed: usize,
    /// What happened; `None` when all input is dealt with.
    pub event: Option<Event>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The head was filled in, of a request that opens the stream or of a response (which may be an
    /// interim one); `end` says that neither data nor trailers follow.
    Head {
        /// The stream.
        stream: StreamId,
        /// Whether it is all that comes.
        end: bool,
    },
    /// A request came that is to be answered with this status. Its head is what was understood of
    /// it, and empty where it is too large. What else comes on the stream is worth nothing: release
    /// it, or reset the stream after the answer.
    Refused {
        /// The stream.
        stream: StreamId,
        /// Whether it is all that comes.
        end: bool,
        /// Why, and the status.
        refusal: Refusal,
    },
    /// A request came whose stream is not begun, as the peer is told. Nothing is to be done, but reading it was work.
    Wasted,
    /// A piece of a body came; [`Connection::release`](super::Connection::release) it once it is
    /// passed on.
    Data {
        /// The stream.
        stream: StreamId,
        /// Where it lies in the input of this step; may be empty at the end.
        payload: Range<usize>,
        /// Whether it is the last of all that comes.
        end: bool,
    },
    /// The trailers came, which end what comes; they are
    /// [`Connection::trailers`](super::Connection::trailers) until the next step.
    Trailers {
        /// The stream.
        stream: StreamId,
    },
    /// The stream was reset, by the peer or because of what the peer sent. It takes and gives
    /// nothing any more, and what is held of it need not be released.
    Reset {
        /// The stream.
        stream: StreamId,
        /// Why.
        code: ErrorCode,
    },
    /// The peer takes no streams above `last`; those of ours above it are reset with
    /// [`ErrorCode::REFUSED_STREAM`] by the next steps.
    GoAway {
        /// The highest number that the peer may have worked on.
        last: StreamId,
        /// Why.
        code: ErrorCode,
    },
    /// A PING of ours came back.
    Pong {
        /// What was sent.
        payload: [u8; 8],
    },
}
