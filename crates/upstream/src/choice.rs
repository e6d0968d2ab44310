//! What a choice of a server depends on, and what comes of it.

use std::{
    cell::Cell,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::Arc,
};

use portway_http::Headers;

use crate::{Load, Server};

/// What the choice of a server may depend on. Making one costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'r> {
    /// The request's fields, for sticky cookies.
    pub headers: &'r Headers,
    /// Who is connected, or who the PROXY protocol says is: the key of `hrw`.
    pub client: IpAddr,
    /// Where chance comes from.
    pub random: &'r Random,
}

/// The server that takes a request.
#[derive(Clone, Copy, Debug)]
pub struct Picked<'a> {
    /// The qualified name of the service that the server belongs to.
    pub service: &'a Arc<str>,
    /// The server.
    pub server: &'a Arc<Server>,
    /// Whether it sees the client's Host instead of its own.
    pub pass_host_header: bool,
    /// Where the request is counted while it is under way, if the strategy asks for it; see [`Load::begin`].
    pub load: Option<&'a Arc<Load>>,
}

/// A cheap source of chance, one for each worker; no secret may depend on it.
#[derive(Debug)]
pub struct Random(Cell<u64>);

impl Random {
    /// A source that says the same after the same `seed`.
    pub const fn seeded(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// A number below `limit`, each as likely as any other; 0 where `limit` is 0.
    pub fn below(&self, limit: usize) -> usize {
        let product = u128::from(self.next()) * limit as u128;
        usize::try_from(product >> 64).unwrap_or_default()
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
    fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Default for Random {
    /// A source that differs from every other one.
    fn default() -> Self {
        Self::seeded(RandomState::new().hash_one(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_below_the_limit_and_all_come() {
        let random = Random::seeded(1);
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
        let mut seen = [0; 5];
        (0..50_000).for_each(|_| seen[random.below(5)] += 1);
        assert!(seen.iter().all(|count| (9_500..10_500).contains(count)), "{seen:?}");
    }
}
