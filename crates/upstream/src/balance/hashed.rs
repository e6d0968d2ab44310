//! Rendezvous hashing, also called highest random weight. Traefik: strategy `hrw`, service `highestRandomWeight`.
//!
//! Each client's address gives each member a score, and the best one takes all its requests: when a member comes or
//! goes, only the clients that it gains or loses change places.

use std::{
    fmt::{self, Write},
    net::IpAddr,
};

/// A member's name and its weight, which is positive.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: Box<str>,
    pub(super) weight: f64,
}

/// The usable member with the best score for `client`; `None` when none is usable.
pub(super) fn pick(
    members: &[Named],
    client: IpAddr,
    usable: impl Fn(usize) -> bool,
) -> Option<usize> {
    let mut seed = Fnv1a::default();
    // An address that came through a socket for both families is the same client. Writing cannot fail.
    let _ = write!(seed, "{}", client.to_canonical());
    let numbered = members.iter().enumerate().filter(|(index, _)| usable(*index));
    let scored = numbered.map(|(index, member)| (index, member.score(seed)));
    // Of equals the first.
    scored.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(index, _)| index)
}

impl Named {
    /// Traefik: `getNodeScore`.
    fn score(&self, mut hash: Fnv1a) -> f64 {
        hash.add(self.name.as_bytes());
        // A power of two, so that the division is exact.
        let share = hash.0 as f64 / 18_446_744_073_709_551_616.0;
        self.weight / -share.ln()
    }
}

/// FNV-1a with 64 bits.
#[derive(Clone, Copy)]
struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv1a {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Write for Fnv1a {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.add(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
