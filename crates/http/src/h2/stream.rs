//! One stream.

use super::flow::{ReceiveWindow, SendWindow};

/// The number of a stream; clients open those of odd numbers, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(super) u32);

impl StreamId {
    /// That of a number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A stream that is not idle and not closed.
///
/// The states of RFC 9113 §5.1 are those of its two halves: *open* while neither has ended,
/// *half-closed (remote)* when what is received has ended, *half-closed (local)* when what is sent
/// has. When both have, it is *closed*, and stays here only while it holds what is not released.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) receiving: Half,
    pub(super) sending: Half,
    pub(super) receive_window: ReceiveWindow,
    pub(super) send_window: SendWindow,
    /// How much data was sent.
    pub(super) sent: u64,
    /// How much of the announced length has not come.
    pub(super) length_left: Option<u64>,
    /// What its head counts for.
    pub(super) head_bytes: usize,
    /// What the heads of interim responses to it count for, as a client knows.
    pub(super) interim_bytes: usize,
    /// Whether the answer to it has no body whatever it says (to HEAD), as a client knows.
    pub(super) bodiless: bool,
    /// Whether it stands in the row of those that wait to send.
    pub(super) waits: bool,
}

/// One direction of a stream: it goes from top to bottom, and may skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Half {
    /// The head has not come, or gone; interim responses change nothing.
    Head,
    /// The head has, and data or trailers follow.
    Body,
    /// All has.
    Ended,
}

impl Stream {
    pub(super) fn is_closed(&self) -> bool {
        self.receiving == Half::Ended && self.sending == Half::Ended
    }
}
