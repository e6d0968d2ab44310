//! What all connections together may make the process hold.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// A change of less is not worth telling all cores.
const STEP: usize = 16 * 1024;

/// What a connection may hold in any case, however many there are: little more than a usual head.
const LEAST: usize = 32 * 1024;

/// A limit that many connections share.
#[derive(Debug)]
pub struct Budget {
    /// Bytes that all together hold at most.
    most: usize,
    /// Bytes that each may hold while there is no room: as many, or its share if that is less, and no less than
    /// [`LEAST`].
    fair: usize,
    held: AtomicUsize,
    /// How many connections share it.
    parts: AtomicUsize,
    /// When it was last told that it is used up.
    told: Mutex<Option<Instant>>,
}

impl Budget {
    /// That of all clients, for what they send over HTTP/2 and for heads of unusual size over HTTP/1.1: 512 MiB; one
    /// that holds 256 KiB or less is left alone even then, unless there are so many that its share is less.
    pub const PROCESS: &'static Self = {
        static PROCESS: Budget = Budget::new(512 << 20, 256 << 10);
        &PROCESS
    };

    /// That of all servers of HTTP/2: 512 MiB, as a stream of which 64 KiB or less wait for a client is left alone.
    pub(crate) const SERVERS: &'static Self = {
        static SERVERS: Budget = Budget::new(512 << 20, 64 << 10);
        &SERVERS
    };

    /// One of `most` bytes, of which each has `fair` as long as that is its share.
    pub const fn new(most: usize, fair: usize) -> Self {
        let (held, parts) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { most, fair, held, parts, told: Mutex::new(None) }
    }

    /// Bytes that each may hold while there is no room.
    fn fair(&self) -> usize {
        let share = self.most / self.parts.load(Relaxed).max(1);
        self.fair.min(share.max(LEAST))
    }
}

/// One connection's part of a budget; given back at its end.
#[derive(Debug)]
pub struct Part {
    of: &'static Budget,
    counted: usize,
}

impl Part {
    /// A part that holds nothing yet.
    pub fn new(of: &'static Budget) -> Self {
        of.parts.fetch_add(1, Relaxed);
        Self { of, counted: 0 }
    }

    /// What a stream may hold while there is no room, where the connection is everybody's.
    pub(crate) const fn fair(&self) -> usize {
        self.of.fair
    }

    /// The connection holds so many bytes now; says whether that is too much.
    pub fn holds(&mut self, bytes: usize) -> bool {
        if bytes.abs_diff(self.counted) >= STEP || (bytes == 0 && self.counted > 0) {
            self.count(bytes);
        }
        self.of.held.load(Relaxed) > self.of.most && bytes > self.of.fair()
    }

    /// Warns that there is no room left, once a second at most: clients may ask for it without end.
    pub fn warn(&self) {
        let mut told = self.of.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= Duration::from_secs(1)) {
            *told = Some(Instant::now());
            tracing::warn!(
                "connections hold more than there is room for: those that hold much are let go"
            );
        }
    }

    fn count(&mut self, bytes: usize) {
        self.of.held.fetch_add(bytes, Relaxed);
        self.of.held.fetch_sub(self.counted, Relaxed);
        self.counted = bytes;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.of.parts.fetch_sub(1, Relaxed);
        self.count(0);
    }
}

#[cfg(test)]
mod tests {
    use portway_http::h2::Limits;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;
    use crate::http2::Driver;

    #[test]
    fn who_holds_much_goes_when_all_hold_too_much() {
        static BUDGET: Budget = Budget::new(1_200_000, 100_000);
        let mut parts: Vec<Part> = (0..11).map(|_| Part::new(&BUDGET)).collect();
        assert!(parts.iter_mut().take(10).all(|part| !part.holds(100_000)), "there is room");
        let mut hog = Part::new(&BUDGET);
        assert!(!hog.holds(100_000), "there is room");
        assert!(hog.holds(220_000));
        assert!(parts.iter_mut().take(10).all(|part| !part.holds(100_000)), "it is their due");
        drop(hog);
        assert!(!parts[0].holds(50_000));
        assert!(!parts[0].holds(60_000), "too little to be told");
        assert_eq!(BUDGET.held.load(Relaxed), 950_000);
        drop(parts);
        assert_eq!(BUDGET.held.load(Relaxed), 0);
    }

    #[test]
    fn where_there_are_many_each_may_hold_its_share() {
        static BUDGET: Budget = Budget::new(100 * LEAST, 10 * LEAST);
        let mut parts: Vec<Part> = (0..50).map(|_| Part::new(&BUDGET)).collect();
        for part in &mut parts {
            assert!(!part.holds(2 * LEAST), "there is room");
        }
        assert!(parts[0].holds(2 * LEAST + STEP), "more than a fiftieth");
        assert!(!parts[1].holds(2 * LEAST), "its share");
        parts.extend((0..950).map(|_| Part::new(&BUDGET)));
        assert!(parts[1].holds(2 * LEAST), "more than a thousandth");
        assert!(!parts[999].holds(LEAST), "so much in any case");
    }

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// A client that sends a body of so many frames of 16 KiB, which nobody reads.
    async fn uploading(budget: &'static Budget, frames: usize) -> (DuplexStream, bool) {
        let (mut client, socket) = duplex(1 << 20);
        let mut bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
        // `:method: POST`, `:scheme: http`, `:path: /`, `:authority: a`.
        bytes.extend(frame(1, 4, 1, &[0x83, 0x86, 0x84, 0x41, 0x01, b'a']));
        bytes.extend((0..frames).flat_map(|_| frame(0, 0, 1, &[b'x'; 16_384])));
        client.write_all(&bytes).await.unwrap();
        let stall = Duration::from_secs(100);
        let mut driver = Driver::server(socket, &Limits::default(), stall, budget, &[]);
        let mut streams = Vec::new();
        let accept = async {
            while let Some(arrived) = std::future::poll_fn(|cx| driver.poll_accept(cx)).await {
                streams.push(arrived.stream);
            }
        };
        let ended = tokio::time::timeout(Duration::from_millis(300), accept).await.is_ok();
        (client, ended)
    }

    #[tokio::test]
    async fn a_body_that_nobody_reads_ends_its_connection_when_there_is_no_room() {
        static SMALL: Budget = Budget::new(100_000, 30_000);
        let (mut client, ended) = uploading(&SMALL, 10).await;
        assert!(ended);
        let mut written = Vec::new();
        client.read_to_end(&mut written).await.unwrap();
        let calm = [&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0][..], &[11]].concat();
        assert!(written.ends_with(&calm), "the last frame is GOAWAY with ENHANCE_YOUR_CALM");
        assert_eq!(SMALL.held.load(Relaxed), 0);

        static LARGE: Budget = Budget::new(1_000_000, 30_000);
        let (_client, ended) = uploading(&LARGE, 10).await;
        assert!(!ended, "there is room");
    }
}
