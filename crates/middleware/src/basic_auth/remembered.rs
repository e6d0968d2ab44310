//! Credentials that were verified a short time ago.
//!
//! Neither passwords nor hashes are kept: what is looked up is a hash under a random key that
//! never leaves the process, so that neither the table nor the time of a look-up tells anything
//! about them. Each compiled middleware has its own key and table: after a change of its settings
//! nothing is known any more.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A keyed hash of some texts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

/// The credentials that one middleware has verified.
pub(super) struct Remembered {
    /// Has taken in the key, which is one block long.
    keyed: Sha256,
    owner: u64,
    capacity: usize,
    entries: ArcSwap<Entries>,
}

/// By the number of the fingerprint. Written afresh for each new entry, which has just cost a
/// password hash, so that look-ups take no lock.
type Entries = HashMap<u64, Entry, foldhash::fast::RandomState>;

#[derive(Clone, Copy)]
struct Entry {
    fingerprint: Fingerprint,
    until: Instant,
}

impl Remembered {
    /// Remembers nothing yet.
    pub(super) fn new() -> Self {
        static OWNERS: AtomicU64 = AtomicU64::new(0);
        let mut key = [0; 64];
        let mut keyed = Sha256::new();
        // Without a secret key nothing is remembered.
        let capacity = if aws_lc_rs::rand::fill(&mut key).is_ok() { CAPACITY } else { 0 };
        keyed.update(key);
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        Self { keyed, owner, capacity, entries: ArcSwap::default() }
    }

    /// A number of its own among all that this process has made.
    pub(super) fn owner(&self) -> u64 {
        self.owner
    }

    /// The keyed hash of these texts; each is preceded by its length, so that no two lists of
    /// texts look alike.
    pub(super) fn fingerprint(&self, texts: &[&[u8]]) -> Fingerprint {
        let mut hash = self.keyed.clone();
        for text in texts {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        Fingerprint(hash.finalize().into())
    }

    /// Whether this was verified a short time ago.
    pub(super) fn knows(&self, fingerprint: &Fingerprint, now: Instant) -> bool {
        self.entries.load().get(&fingerprint.number()).is_some_and(|entry| {
            bool::from(entry.fingerprint.0.ct_eq(&fingerprint.0)) && now < entry.until
        })
    }

    /// Remembers for a short time that this was verified.
    pub(super) fn remember(&self, fingerprint: Fingerprint, now: Instant) {
        if self.capacity == 0 {
            return;
        }
        let entry = Entry { fingerprint, until: now + LIFETIME };
        self.entries.rcu(|entries| {
            let mut entries = Entries::clone(entries);
            entries.retain(|_, entry| now < entry.until);
            if entries.len() >= self.capacity
                && let Some(oldest) = entries.iter().min_by_key(|(_, entry)| entry.until)
            {
                let oldest = *oldest.0;
                entries.remove(&oldest);
            }
            entries.insert(fingerprint.number(), entry);
            entries
        });
    }
}

impl Fingerprint {
    /// Its first bytes as a number.
    pub(super) fn number(&self) -> u64 {
        self.0.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    /// One that differs from those of other numbers.
    #[cfg(test)]
    pub(crate) fn of_number(number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }
}

impl fmt::Debug for Remembered {
    /// Without key and entries: they are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}

/// How long a verified credential is remembered.
const LIFETIME: Duration = Duration::from_mins(1);

/// How many credentials are remembered.
const CAPACITY: usize = 1024;

#[cfg(test)]
mod tests;
