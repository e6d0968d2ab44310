//! Weighted round robin. Traefik: strategy `wrr`.
//!
//! The order is that of Traefik's earliest-deadline-first balancer, computed once as a schedule; a turn then costs
//! one addition. The position is shared by all workers, so that shares are exact whichever worker a connection
//! lands on, and it outlives snapshots.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashMap, VecDeque},
    hash::BuildHasher,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use foldhash::quality::FixedState;

/// Slots of a schedule at most, if there are not more members; larger weights are scaled down to fit, so shares are
/// exact to 1/4096.
const MAX_SLOTS: u64 = 4096;

/// Turns of members in proportion to their weights.
#[derive(Debug)]
pub(crate) struct Rotation {
    members: Box<[Seat]>,
    /// One round: the member that takes each turn.
    schedule: Box<[u32]>,
    position: Position,
}

/// The turns that were taken. Every request writes to it, so what is read only lies elsewhere.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Position(AtomicUsize);

/// A member, and when in each round it has its turns.
#[derive(Clone, Debug)]
struct Seat {
    /// The hash of its name. Should two ever have the same one, they may swap turns once.
    name: u64,
    weight: u64,
    /// Turns in a round.
    turns: u64,
    /// How much of the time between two of its turns passes before the first, from 0 to 1.
    phase: f64,
}

impl Seat {
    /// The time of the turn after `taken` ones; a round lasts from 0 to 1.
    fn deadline(&self, taken: u64) -> f64 {
        (self.phase + taken as f64) / self.turns as f64
    }
}

impl Rotation {
    /// A rotation of members with their weights, which are positive, that follows on one `before`.
    ///
    /// Members that stay have their next turn when they would have had it, and new ones wait for as long as
    /// lies between two of their turns: however often members come and go, none gets a burst of requests.
    pub(crate) fn new(members: &[(&str, u64)], before: Option<&Self>) -> Self {
        let weights = fit(members);
        let mut phases = before.map(Self::phases).unwrap_or_default();
        let seats = members.iter().zip(weights).map(|(&(name, weight), turns)| Seat {
            name: hash(name),
            weight,
            turns,
            phase: phases.get_mut(&hash(name)).and_then(VecDeque::pop_front).unwrap_or(1.0),
        });
        let seats: Box<[Seat]> = seats.collect();
        Self { schedule: schedule(&seats), members: seats, position: Position::default() }
    }

    /// Whether it is one of just these members.
    pub(crate) fn is_of(&self, members: &[(&str, u64)]) -> bool {
        let own = self.members.iter().map(|seat| (seat.name, seat.weight));
        own.eq(members.iter().map(|(name, weight)| (hash(name), *weight)))
    }

    /// The member whose turn it is.
    pub(crate) fn turn(&self) -> Option<usize> {
        let turn = self.position.0.fetch_add(1, Relaxed);
        let member = self.schedule.get(turn.checked_rem(self.schedule.len())?)?;
        usize::try_from(*member).ok()
    }

    /// The usable member whose turn it is. Turns of members that are not `usable` go to whom the next turn belongs, as in
    /// Traefik; `None` when no member is.
    pub(crate) fn next(&self, usable: impl Fn(usize) -> bool) -> Option<usize> {
        let turn = self.position.0.fetch_add(1, Relaxed);
        let start = turn.checked_rem(self.schedule.len())?;
        let (passed, first) = self.schedule.split_at_checked(start)?;
        for (skipped, &member) in first.iter().chain(passed).enumerate() {
            let member = usize::try_from(member).ok()?;
            if usable(member) {
                if skipped > 0 {
                    self.position.0.fetch_add(skipped, Relaxed);
                }
                return Some(member);
            }
        }
        None
    }

    /// The phases of all members as they stand now, by name; of members with the same name in their order.
    fn phases(&self) -> HashMap<u64, VecDeque<f64>> {
        let position = self.position.0.load(Relaxed);
        let turn = position.checked_rem(self.schedule.len()).unwrap_or_default();
        let mut taken = vec![0; self.members.len()];
        let mut now = 0.0;
        for member in self.schedule.iter().take(turn).filter_map(|m| usize::try_from(*m).ok()) {
            let (Some(seat), Some(taken)) = (self.members.get(member), taken.get_mut(member))
            else {
                continue;
            };
            now = seat.deadline(*taken);
            *taken += 1;
        }
        let mut phases: HashMap<u64, VecDeque<f64>> = HashMap::new();
        for (seat, taken) in self.members.iter().zip(taken) {
            let phase = seat.phase + taken as f64 - now * seat.turns as f64;
            phases.entry(seat.name).or_default().push_back(phase.clamp(0.0, 1.0));
        }
        phases
    }
}

fn hash(name: &str) -> u64 {
    FixedState::default().hash_one(name)
}

/// One round: the index of the member that takes each turn.
fn schedule(seats: &[Seat]) -> Box<[u32]> {
    let first =
        |(seat, member): (&Seat, u32)| Turn { deadline: seat.deadline(0), member, taken: 1 };
    let mut waiting: BinaryHeap<Turn> = seats.iter().zip(0..).map(first).collect();
    let mut order = Vec::new();
    while let Some(turn) = waiting.pop() {
        order.push(turn.member);
        let seat = usize::try_from(turn.member).ok().and_then(|member| seats.get(member));
        // What comes after the last turn of a round comes in the next one.
        if let Some(seat) = seat.filter(|seat| turn.taken < seat.turns) {
            let deadline = seat.deadline(turn.taken);
            waiting.push(Turn { deadline, taken: turn.taken + 1, ..turn });
        }
    }
    order.into()
}

/// Weights without their common divisor, scaled down to at most [`MAX_SLOTS`] in all.
fn fit(members: &[(&str, u64)]) -> Vec<u64> {
    let weights = || members.iter().map(|(_, weight)| *weight);
    let divisor = weights().fold(0, gcd).max(1);
    let total = weights().map(|weight| u128::from(weight / divisor)).sum::<u128>();
    let reduced = weights().map(|weight| weight / divisor);
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

/// A member that waits for its turn; the heap's greatest is the earliest deadline, then the first member.
struct Turn {
    deadline: f64,
    member: u32,
    /// Turns of this round up to this one.
    taken: u64,
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        other.deadline.total_cmp(&self.deadline).then(other.member.cmp(&self.member))
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
mod tests;
