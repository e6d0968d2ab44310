//! What bodies are made of: bytes that follow from whose they are and where they stand.

use std::sync::LazyLock;

use portway_testkit::random::Random;

/// How long the table is; a prime, so that no buffer's length is a whole number of rounds.
const ROUND: usize = 65_521;

/// Two rounds of letters, so that a piece of one round lies in one place wherever it begins.
static TABLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = Random::new(1);
    // Few letters: bodies can then be compressed.
    let round: Vec<u8> = (0..ROUND).map(|_| b"abcdefghijklmnop"[random.below(16)]).collect();
    [round.clone(), round].concat()
});

/// Which way a body goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// From the client.
    Up,
    /// To the client.
    Down,
}

/// Writes or checks the body of one request, from its beginning.
#[derive(Clone, Debug)]
pub(super) struct Content {
    offset: usize,
    /// Bytes so far.
    pub(super) position: usize,
    /// Whether each of them was the right one.
    pub(super) right: bool,
}

impl Content {
    pub(super) fn of(id: u64, way: Way) -> Self {
        let mut random = Random::new(id ^ if way == Way::Up { 0 } else { 0xD0D0 << 40 });
        Self { offset: random.below(ROUND), position: 0, right: true }
    }

    /// The next bytes, of one round at most.
    pub(super) fn next(&mut self, length: usize) -> &'static [u8] {
        let start = (self.offset + self.position) % ROUND;
        self.position += length;
        &TABLE[start..start + length]
    }

    /// Compares what has come with what should come next.
    pub(super) fn check(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(ROUND));
            let right = self.next(now.len()) == now;
            self.right &= right;
            bytes = later;
        }
    }
}
