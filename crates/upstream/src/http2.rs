//! HTTP/2: one stream as the bytes of a body in each direction, and connections to servers that many streams
//! share.
//!
//! Framing, flow control and HPACK are the `h2` crate's.

mod client;
mod stream;

pub use client::Multiplexed;
pub(crate) use client::shake_hands;
pub use stream::Http2Stream;

/// What a stream may receive before it is passed on, in bytes; the memory that a slow reader holds.
pub const STREAM_WINDOW: u32 = 256 * 1024;

/// The same for all streams of a connection together.
pub const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// What a stream may have waiting to be written to the connection, in bytes.
pub const SEND_BUFFER: usize = 64 * 1024;
