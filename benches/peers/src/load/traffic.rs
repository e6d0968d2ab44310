//! What is asked, and what came of it.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use hdrhistogram::Histogram;

use super::{call::Call, channel::TlsClient};

/// What a load generator does.
#[derive(Clone, Debug)]
pub(crate) struct Plan<'requests> {
    /// The contender's address.
    pub(crate) address: SocketAddr,
    /// `None` for plain connections.
    pub(crate) tls: Option<TlsClient>,
    /// How many connections are used at a time.
    pub(crate) connections: usize,
    /// Each request gets a connection of its own.
    pub(crate) renew: bool,
    /// What is sent.
    pub(crate) traffic: &'requests Traffic,
    /// The length that each answer's body must have.
    pub(crate) length: u64,
    /// How long it runs before the window.
    pub(crate) warm_up: Duration,
    /// How long is measured.
    pub(crate) window: Duration,
    /// Requests a second of an open loop; `None` for a closed one.
    pub(crate) rate: Option<f64>,
    /// Connections stay open and idle after one answer each; the window begins when all have theirs.
    pub(crate) hold: bool,
}

/// What is sent, and how.
#[derive(Clone, Debug)]
pub(crate) enum Traffic {
    /// HTTP/1.1, one request at a time on each connection.
    Requests(Requests),
    /// HTTP/2, so many calls at a time on each connection.
    Streams(Box<Call>, usize),
}

/// Requests of HTTP/1.1 as bytes, made before the run.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Requests {
    /// Puts requests together; they are picked at random.
    pub(crate) fn new(requests: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut all = Self { bytes: Vec::new(), ends: Vec::new() };
        for request in requests {
            all.bytes.extend_from_slice(&request);
            all.ends.push(all.bytes.len());
        }
        all
    }

    /// Picks one.
    pub(super) fn pick(&self, random: &mut Random) -> &[u8] {
        let index = match self.ends.len() {
            0 | 1 => 0,
            count => random.below(count),
        };
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.bytes.get(start.unwrap_or_default()..end).unwrap_or_default()
    }
}

/// Marsaglia's xorshift: enough to spread requests over routers, the same in each run.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % count as u64).unwrap_or_default()
    }
}

/// What went wrong, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Answers with another status than 200.
    pub(crate) status: u64,
    /// Answers with a body of another length.
    pub(crate) length: u64,
    /// Answers that are no HTTP/1.1.
    pub(crate) malformed: u64,
    /// Answers without `grpc-status: 0` in their trailers.
    pub(crate) trailers: u64,
    /// Connections and streams that ended before an answer did.
    pub(crate) closed: u64,
    /// Connections that failed: refused, reset, errors of TLS and HTTP/2.
    pub(crate) failed: u64,
}

impl Faults {
    /// All of them.
    pub(crate) fn total(self) -> u64 {
        self.status + self.length + self.malformed + self.trailers + self.closed + self.failed
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Right answers within the window.
    pub(crate) completed: u64,
    /// How long the window was.
    pub(crate) elapsed: Duration,
    /// Nanoseconds from request (when it was due, in an open loop) to the answer's end, within the window.
    pub(crate) latency: Histogram<u64>,
    /// Faults of the whole run, warm-up included.
    pub(crate) faults: Faults,
    /// One of the failures in words.
    pub(crate) complaint: Option<String>,
    /// TLS handshakes within the window that were full ones.
    pub(crate) full_handshakes: u64,
    /// TLS handshakes within the window that resumed a session.
    pub(crate) resumed_handshakes: u64,
}

impl Outcome {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            completed: 0,
            elapsed: Duration::ZERO,
            // A nanosecond to a minute, three digits.
            latency: Histogram::new_with_bounds(1, 60_000_000_000, 3)?,
            faults: Faults::default(),
            complaint: None,
            full_handshakes: 0,
            resumed_handshakes: 0,
        })
    }
}
