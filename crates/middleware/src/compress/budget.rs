//! The memory that compressors of the whole process may take at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Encoding;

const KIB: usize = 1024;

/// Bytes of memory that may be in use at once. What does not fit is refused, and never waits.
#[derive(Debug)]
pub struct Budget {
    used: AtomicUsize,
    limit: usize,
}

/// Memory in use; it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: &'static Budget,
    bytes: usize,
}

impl Budget {
    /// What all compressors of the process share: 512 MiB, which is enough for about 1,170 responses by gzip, 300 by
    /// zstd, or 170 short and 85 long ones by brotli at a time.
    ///
    /// Only a long response whose client takes it slowly needs its memory for longer than it takes to compute: that of
    /// one that has been read whole is given back.
    pub const PROCESS: &'static Self = &PROCESS;

    /// So many bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { used: AtomicUsize::new(0), limit }
    }

    /// Takes so many bytes, if they are there.
    pub(super) fn take(&'static self, bytes: usize) -> Option<Share> {
        let more = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        // Nothing is read or written on account of the number but the number.
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Share { budget: self, bytes })
    }
}

static PROCESS: Budget = Budget::new(512 * KIB * KIB);

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Bytes that a compressor holds between two pieces of a body, with a window of so many bits, as measured: resident
/// memory of sixty of them that were fed source text, rounded up.
pub(super) fn memory(encoding: Encoding, window: u32, length: Option<u64>) -> usize {
    let kib = match encoding {
        Encoding::Gzip => 448,
        Encoding::Zstd => match window {
            ..=16 => 1152,
            17 => 1408,
            18 => 1600,
            19.. => 1792,
        },
        Encoding::Brotli => match length {
            Some(..=0x1_0000) => 3072,
            Some(..=0x4_0000) => 3840,
            _ => 6144,
        },
    };
    kib * KIB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_cannot_be_taken_again() {
        static SMALL: Budget = Budget::new(10);
        let six = SMALL.take(6).unwrap();
        assert!(SMALL.take(5).is_none());
        let four = SMALL.take(4).unwrap();
        assert!(SMALL.take(1).is_none());
        drop(six);
        assert!(SMALL.take(7).is_none());
        drop(SMALL.take(6).unwrap());
        drop(four);
        assert!(SMALL.take(usize::MAX).is_none());
        drop(SMALL.take(10).unwrap());
    }
}
