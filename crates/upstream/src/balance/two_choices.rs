//! Power of two choices. Traefik: strategy `p2c`.
//!
//! Of two different servers, taken by chance, the one with fewer requests under way. Weights do not count, as in
//! Traefik: one of 0 does not keep requests away either.

use super::Candidate;
use crate::Random;

/// The candidate to take; `None` when none is usable.
pub(super) fn pick<T>(candidates: &[Candidate<T>], random: &Random) -> Option<usize> {
    let usable = || candidates.iter().enumerate().filter(|(_, candidate)| candidate.is_up());
    let count = usable().count();
    if count <= 1 {
        return usable().next().map(|(index, _)| index);
    }
    let (one, other) = (random.below(count), random.below(count));
    // The same one twice gives way to the next.
    let other = if other == one { (other + 1) % count } else { other };
    // A standing can change between counting and taking.
    let (one, first) = usable().nth(one).or_else(|| usable().next())?;
    let (other, second) = usable().nth(other).or_else(|| usable().next())?;
    let in_flight = |candidate: &Candidate<T>| candidate.load.as_ref().map(|load| load.in_flight());
    Some(if in_flight(second) < in_flight(first) { other } else { one })
}
