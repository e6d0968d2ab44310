//! Weighted round robin.
//!
//! Traefik: strategy `wrr`. The order is that of its earliest-deadline-first balancer, computed once as a
//! schedule; a request then costs one addition. The position is shared by all workers, so that shares are
//! exact whichever worker a connection lands on, and it outlives snapshots.

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Slots of a schedule at most; larger weights are scaled down to fit, so shares are exact to 1/4096.
const MAX_SLOTS: u64 = 4096;

/// Chooses among items in proportion to their weights.
#[derive(Debug)]
pub struct Balancer<T> {
    items: Vec<T>,
    schedule: Vec<u32>,
    position: Arc<AtomicUsize>,
}

impl<T> Balancer<T> {
    /// Balances over `weighted` items, continuing from `position`; items of weight 0 or less are left out.
    pub fn new(weighted: Vec<(T, i64)>, position: Arc<AtomicUsize>) -> Self {
        let (items, weights): (Vec<T>, Vec<u64>) = weighted
            .into_iter()
            .filter_map(|(item, weight)| {
                Some((item, u64::try_from(weight).ok().filter(|w| *w > 0)?))
            })
            .unzip();
        Self { items, schedule: schedule(&weights), position }
    }

    /// The next item; `None` when there is none.
    pub fn pick(&self) -> Option<&T> {
        if let [only] = self.items.as_slice() {
            return Some(only);
        }
        let turn = self.position.fetch_add(1, Relaxed);
        let slot = *self.schedule.get(turn.checked_rem(self.schedule.len())?)?;
        self.items.get(usize::try_from(slot).ok()?)
    }

    /// All items that can be picked.
    pub fn items(&self) -> &[T] {
        &self.items
    }
}

/// One round: the index of the item that takes each turn.
fn schedule(weights: &[u64]) -> Vec<u32> {
    let weights = fit(weights);
    let turns = weights.iter().sum::<u64>();
    let mut waiting: BinaryHeap<Turn> = weights
        .iter()
        .zip(0..)
        .map(|(weight, item)| Turn { deadline: 1.0 / to_float(*weight), weight: *weight, item })
        .collect();
    let mut order = Vec::new();
    for _ in 0..turns {
        let Some(turn) = waiting.pop() else { break };
        order.push(turn.item);
        let deadline = turn.deadline + 1.0 / to_float(turn.weight);
        waiting.push(Turn { deadline, ..turn });
    }
    order
}

/// Weights without their common divisor, scaled down to at most [`MAX_SLOTS`] in all.
fn fit(weights: &[u64]) -> Vec<u64> {
    let divisor = weights.iter().copied().fold(0, gcd).max(1);
    let total = weights.iter().map(|weight| u128::from(weight / divisor)).sum::<u128>();
    let reduced = weights.iter().map(|weight| weight / divisor);
    if total <= u128::from(MAX_SLOTS) {
        return reduced.collect();
    }
    reduced
        .map(|weight| {
            let share = u128::from(weight) * u128::from(MAX_SLOTS) / total;
            u64::try_from(share).unwrap_or(MAX_SLOTS).max(1)
        })
        .collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn to_float(weight: u64) -> f64 {
    u32::try_from(weight).map_or(f64::from(u32::MAX), f64::from)
}

/// An item that waits for its turn; the heap's greatest is the earliest deadline, then the first item.
struct Turn {
    deadline: f64,
    weight: u64,
    item: u32,
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        other.deadline.total_cmp(&self.deadline).then(other.item.cmp(&self.item))
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Turn {}

#[cfg(test)]
mod tests {
    use super::*;

    fn picks(weights: &[(char, i64)], count: usize) -> String {
        let balancer = Balancer::new(weights.to_vec(), Arc::default());
        (0..count).filter_map(|_| balancer.pick()).collect()
    }

    #[test]
    fn equal_weights_take_turns() {
        assert_eq!(picks(&[('a', 1), ('b', 1), ('c', 1)], 7), "abcabca");
    }

    #[test]
    fn shares_follow_weights_and_are_spread() {
        assert_eq!(picks(&[('a', 3), ('b', 1)], 8), "aaabaaab");
        assert_eq!(picks(&[('a', 4), ('b', 2)], 6), "aabaab");
    }

    #[test]
    fn weight_zero_takes_nothing() {
        assert_eq!(picks(&[('a', 0), ('b', 2)], 3), "bbb");
        assert_eq!(picks(&[('a', 0)], 3), "");
    }

    #[test]
    fn huge_weights_keep_their_shares() {
        let balancer =
            Balancer::new(vec![('a', i64::MAX / 2), ('b', i64::MAX / 2), ('c', 1)], Arc::default());
        let taken: String = (0..4096).filter_map(|_| balancer.pick()).collect();
        let share = taken.matches('a').count();
        assert!((2040..=2050).contains(&share), "{share}");
    }
}
