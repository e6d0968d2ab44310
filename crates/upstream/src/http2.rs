//! HTTP/2: connections that many tasks of one thread share, and a stream of one as the bytes of a body in each
//! direction.
//!
//! The protocol is [`portway_http::h2`]. A [`Driver`] owns the socket and moves bytes between it and the hub,
//! where an [`Http2Stream`] for each exchange reads and writes. What several streams have to send by the time the
//! driver's turn comes leaves in one write.

mod client;
mod driver;
mod hub;
mod pulse;
mod stall;
mod stream;
#[cfg(test)]
mod testing;

pub use client::Multiplexed;
pub(crate) use client::shake_hands;
pub use driver::{Arrived, Driver};
pub use hub::{StreamEnded, Unresponsive};
pub use pulse::Silence;
pub use stream::{Cutter, Http2Stream};
