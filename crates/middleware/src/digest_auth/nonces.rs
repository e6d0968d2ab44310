//! The nonces that clients were given, and how often each was used.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The nonces of one middleware. The oldest are forgotten, as in Traefik, where there are too many.
#[derive(Default)]
pub(super) struct Nonces(Mutex<HashMap<Box<str>, Nonce, foldhash::fast::RandomState>>);

struct Nonce {
    count: u64,
    seen: Instant,
}

/// What a count of uses says.
#[derive(Debug, PartialEq)]
pub(super) enum Count {
    /// The nonce is used once more.
    Next,
    /// It was used more often already.
    Old,
    /// Nobody was given the nonce, or this very use is made again.
    Unknown,
}

impl Nonces {
    /// Adds a nonce.
    pub(super) fn add(&self, nonce: Box<str>, now: Instant) {
        let mut nonces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() > KEPT + TOLERATED {
            let mut seen: Vec<Instant> = nonces.values().map(|nonce| nonce.seen).collect();
            let (_, last, _) = seen.select_nth_unstable(2 * TOLERATED);
            let last = *last;
            nonces.retain(|_, nonce| nonce.seen >= last);
            if nonces.len() > KEPT + TOLERATED {
                // All are equally old.
                nonces.clear();
            }
        }
        nonces.insert(nonce, Nonce { count: 0, seen: now });
    }

    /// Counts a use.
    pub(super) fn count(&self, nonce: &str, count: u64, now: Instant) -> Count {
        let mut nonces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(nonce) = nonces.get_mut(nonce) else { return Count::Unknown };
        if nonce.count != 0 && count <= nonce.count {
            return if count == nonce.count { Count::Unknown } else { Count::Old };
        }
        *nonce = Nonce { count, seen: now };
        Count::Next
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").finish_non_exhaustive()
    }
}

/// How many nonces are kept.
const KEPT: usize = 1000;

/// How many more there may be before the oldest are forgotten, twice as many at once.
const TOLERATED: usize = 100;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn counts_only_grow() {
        let (nonces, now) = (Nonces::default(), Instant::now());
        assert_eq!(nonces.count("a", 1, now), Count::Unknown);
        nonces.add("a".into(), now);
        for (count, expected) in
            [(2, Count::Next), (2, Count::Unknown), (1, Count::Old), (9, Count::Next)]
        {
            assert_eq!(nonces.count("a", count, now), expected, "{count}");
        }
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let (nonces, now) = (Nonces::default(), Instant::now());
        for number in 0..=1101 {
            nonces.add(number.to_string().into(), now + Duration::from_micros(number));
        }
        assert_eq!(nonces.0.lock().unwrap().len(), 902);
        assert_eq!(nonces.count("199", 1, now), Count::Unknown);
        assert_eq!(nonces.count("200", 1, now), Count::Next);
        for number in 0..5000 {
            nonces.add(format!("same {number}").into(), now);
        }
        assert!(nonces.0.lock().unwrap().len() <= KEPT + TOLERATED + 1);
    }
}
