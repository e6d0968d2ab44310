//! Least response time. Traefik: strategy `leasttime`.
//!
//! The server with the least product of its mean response time and its requests under way, over its weight; among
//! equals, each has its turn in proportion to its weight.

use super::Candidate;
use crate::Load;

/// Other workers may take a turn at the same moment; after so many times it is shared with them.
const TRIES: usize = 4;

/// The candidate to take, of those with `weights`; `None` when none is usable.
pub(super) fn pick<T>(candidates: &[Candidate<T>], weights: &[f64]) -> Option<usize> {
    let mut taken = None;
    for _ in 0..TRIES {
        let best = best(candidates, weights)?;
        taken = Some(best.index);
        if !best.tied || best.load.move_turn(best.turn, best.turn + 1.0 / best.weight) {
            break;
        }
    }
    taken
}

/// Gives each candidate that has no turn yet one after the latest: it has no claim to what others had before.
pub(super) fn seat<T>(candidates: &[Candidate<T>], weights: &[f64]) {
    let loads = || candidates.iter().filter_map(|candidate| candidate.load.as_deref());
    let mut latest = loads().filter_map(Load::turn).fold(0.0, f64::max);
    for (load, weight) in loads().zip(weights) {
        if load.turn().is_none() {
            latest += 1.0 / weight;
            load.set_turn(latest);
        }
    }
}

struct Best<'a> {
    index: usize,
    load: &'a Load,
    weight: f64,
    score: f64,
    turn: f64,
    tied: bool,
}

fn best<'a, T>(candidates: &'a [Candidate<T>], weights: &[f64]) -> Option<Best<'a>> {
    let mut best: Option<Best<'_>> = None;
    for (index, (candidate, &weight)) in candidates.iter().zip(weights).enumerate() {
        let Some(load) = candidate.load.as_deref().filter(|_| candidate.is_up()) else { continue };
        let score = load.mean() * (1.0 + load.in_flight() as f64) / weight;
        let turn = load.turn().unwrap_or_default();
        let next = Best { index, load, weight, score, turn, tied: false };
        best = Some(match best {
            Some(best) if score > best.score => best,
            Some(best) if score < best.score => next,
            Some(best) if best.turn <= turn => Best { tied: true, ..best },
            Some(_) => Best { tied: true, ..next },
            None => next,
        });
    }
    best
}
