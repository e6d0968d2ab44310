//! What Portway tells about the requests it served: the access log.
//!
//! Each worker owns a [`Recorder`] and gives it one [`Record`] for each request, on every exit. Lines are
//! formatted at once into the recorder's own buffer; full buffers go through a bounded channel to the one
//! writer thread of the [`AccessLog`].
//!
//! # Invariants
//!
//! - A worker never waits for the log: what the writer cannot take in time is dropped and counted.
//! - One record is one line: no byte of a request can begin another.
//! - Formatting allocates nothing once buffers have grown, but for the date, once a second.

mod access_log;
mod fields;
mod line;
mod moment;
mod reason;
mod record;
mod recorder;
mod text;

#[cfg(test)]
mod tests;

pub use access_log::{AccessLog, NotOpened};
pub use fields::Needs;
pub use reason::Reason;
pub use record::{NoHeaders, Origin, Record, Served, Tls};
pub use recorder::{FLUSH_PERIOD, Recorder};
