//! How busy and how quick a server of a service is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

/// The latest response times of which a mean is taken, as in Traefik.
const SAMPLES: usize = 100;

/// How busy and how quick a server is: what `p2c` and `leasttime` choose by.
///
/// All workers share it, and it outlives snapshots as long as the server is in the service. It has a cache line
/// of its own, since every request writes to it.
#[derive(Debug)]
#[repr(align(64))]
pub struct Load {
    in_flight: AtomicUsize,
    /// The bits of the time of its next turn among equals; [`UNSET`] before it has one.
    turn: AtomicU64,
    /// Milliseconds, the sum of `samples`.
    sum: AtomicU64,
    /// Samples ever taken.
    taken: AtomicUsize,
    /// The latest response times in milliseconds; none where nobody asks for them.
    samples: Box<[AtomicU32]>,
}

/// A request under way, from its beginning to the last byte of its response.
#[derive(Debug)]
pub struct InFlight<'a> {
    load: &'a Arc<Load>,
    since: Instant,
}

/// A request that has become a tunnel, to its end. It needs no snapshot to stay.
#[derive(Debug)]
pub struct Tunnelled(Arc<Load>);

/// No turn: the bits of a number that is none.
const UNSET: u64 = u64::MAX;

impl Load {
    /// Counts requests under way; `timed` says whether it measures response times, too.
    pub(crate) fn new(timed: bool) -> Self {
        let samples = if timed { SAMPLES } else { 0 };
        Self {
            in_flight: AtomicUsize::default(),
            turn: AtomicU64::new(UNSET),
            sum: AtomicU64::default(),
            taken: AtomicUsize::default(),
            samples: (0..samples).map(|_| AtomicU32::default()).collect(),
        }
    }

    /// Counts a request until the guard is dropped.
    pub fn begin(self: &Arc<Self>, now: Instant) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Relaxed);
        InFlight { load: self, since: now }
    }

    /// Requests under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// The mean of the latest response times in milliseconds; 0 before the first, so that a new server is tried.
    pub fn mean(&self) -> f64 {
        let samples = self.taken.load(Relaxed).min(self.samples.len());
        if samples == 0 { 0.0 } else { self.sum.load(Relaxed) as f64 / samples as f64 }
    }

    fn take_sample(&self, milliseconds: u32) {
        let Some(slot) = self.taken.load(Relaxed).checked_rem(self.samples.len()) else { return };
        let Some(slot) = self.samples.get(slot) else { return };
        let before = slot.swap(milliseconds, Relaxed);
        // Each sum is that of the slots as they were swapped, whoever comes first.
        self.sum.fetch_add(u64::from(milliseconds).wrapping_sub(before.into()), Relaxed);
        self.taken.fetch_add(1, Relaxed);
    }

    /// The time of its next turn among equals; `None` before it has one.
    pub(crate) fn turn(&self) -> Option<f64> {
        let bits = self.turn.load(Relaxed);
        (bits != UNSET).then(|| f64::from_bits(bits))
    }

    pub(crate) fn set_turn(&self, turn: f64) {
        self.turn.store(turn.to_bits(), Relaxed);
    }

    /// Moves the turn on; says whether nobody else did so meanwhile.
    pub(crate) fn move_turn(&self, from: f64, to: f64) -> bool {
        self.turn.compare_exchange(from.to_bits(), to.to_bits(), Relaxed, Relaxed).is_ok()
    }
}

impl InFlight<'_> {
    /// The first bytes of the response are here. Whole milliseconds count, as in Traefik.
    pub fn answered(&self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.since).as_millis();
        self.load.take_sample(u32::try_from(elapsed).unwrap_or(u32::MAX));
    }

    /// Counts it on as a tunnel.
    pub fn into_tunnel(self) -> Tunnelled {
        self.load.in_flight.fetch_add(1, Relaxed);
        Tunnelled(Arc::clone(self.load))
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.load.in_flight.fetch_sub(1, Relaxed);
    }
}

impl Drop for Tunnelled {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn requests_count_until_their_guards_are_gone() {
        let load = Arc::new(Load::new(false));
        let now = Instant::now();
        let (one, two) = (load.begin(now), load.begin(now));
        assert_eq!(load.in_flight(), 2);
        drop(one);
        assert_eq!(load.in_flight(), 1);
        two.answered(now + Duration::from_secs(1));
        assert!(load.mean().abs() < f64::EPSILON, "nobody asked for times");
        drop(two);
        assert_eq!(load.in_flight(), 0);
    }

    #[test]
    fn a_tunnel_counts_once_and_to_its_end() {
        let load = Arc::new(Load::new(false));
        let tunnel = load.begin(Instant::now()).into_tunnel();
        assert_eq!(load.in_flight(), 1);
        drop(tunnel);
        assert_eq!(load.in_flight(), 0);
    }

    #[test]
    fn the_mean_is_that_of_the_latest_samples() {
        let load = Arc::new(Load::new(true));
        let now = Instant::now();
        let answer = |after| load.begin(now).answered(now + Duration::from_micros(after));
        answer(3_999);
        assert_eq!(load.mean().to_bits(), 3.0f64.to_bits());
        (0..SAMPLES).for_each(|_| answer(10_000));
        assert_eq!(load.mean().to_bits(), 10.0f64.to_bits());
        (0..SAMPLES / 2).for_each(|_| answer(0));
        assert_eq!(load.mean().to_bits(), 5.0f64.to_bits());
    }

    #[test]
    fn many_threads_leave_the_sum_of_what_is_kept() {
        let load = Load::new(true);
        thread::scope(|scope| {
            for thread in 0..4 {
                let load = &load;
                scope.spawn(move || (0..10_000).for_each(|n| load.take_sample(n % 97 + thread)));
            }
        });
        let kept: u64 = load.samples.iter().map(|slot| u64::from(slot.load(Relaxed))).sum();
        assert_eq!(load.sum.load(Relaxed), kept);
    }

    #[test]
    fn a_load_has_cache_lines_of_its_own() {
        assert_eq!(align_of::<Load>(), 64);
        assert_eq!(size_of::<Load>(), 64);
    }
}
