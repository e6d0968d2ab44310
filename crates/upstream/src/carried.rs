//! State that outlives a snapshot, by name and fingerprint of the settings that define it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use crate::{Load, Passive, Standing, balance::Rotation};

/// What one generation of services hands to the next.
///
/// All generations share it. It holds on to nothing itself: what no living service uses any more is gone.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    rotations: Living<Rotation>,
    loads: Living<Load>,
    servers: Living<ServerId>,
    standings: Living<Standing>,
    passives: Living<Passive>,
}

/// State by its address, while somebody uses it.
#[derive(Debug)]
struct Living<T> {
    known: HashMap<Box<str>, Weak<T>>,
    /// What is dead is forgotten when so much is known, so that an edit costs the same on average.
    swept_at: usize,
}

/// Dead state is not looked for among less than this.
const FEW: usize = 64;

/// What tells a server's pooled connections from all others, for the life of the process.
#[derive(Debug)]
pub struct ServerId {
    number: u64,
    /// How many idle connections all workers together have places for.
    places: AtomicUsize,
}

impl ServerId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { number: NEXT.fetch_add(1, Relaxed), places: AtomicUsize::new(0) }
    }

    /// The number; never reused.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Takes a place for one more idle connection, unless `most` are taken.
    pub(crate) fn take_place(&self, most: usize) -> bool {
        let more = |taken| (taken < most).then_some(taken + 1);
        self.places.fetch_update(Relaxed, Relaxed, more).is_ok()
    }

    /// Gives places back that were taken.
    pub(crate) fn give_back(&self, places: usize) {
        self.places.fetch_sub(places, Relaxed);
    }
}

impl Carried {
    /// The rotation of the balancer `key` where the generation before left it; one that follows on it where the
    /// members are others than before.
    pub(crate) fn rotation(&self, key: &str, members: &[(&str, u64)]) -> Arc<Rotation> {
        self.lock(|shared| {
            let before = shared.rotations.find(key);
            match before {
                Some(before) if before.is_of(members) => before,
                before => {
                    let new = Arc::new(Rotation::new(members, before.as_deref()));
                    shared.rotations.put(key, &new);
                    new
                }
            }
        })
    }

    /// What is known of how busy the server `key` is, a balancer's name and the server's; `timed` as in [`Load`].
    pub(crate) fn load(&self, key: &str, timed: bool) -> Arc<Load> {
        self.lock(|shared| shared.loads.adopt(key, || Arc::new(Load::new(timed))))
    }

    /// The identity of the server `key`: its transport's fingerprint and its address.
    pub fn server(&self, key: &str) -> Arc<ServerId> {
        self.lock(|shared| shared.servers.adopt(key, || Arc::new(ServerId::next())))
    }

    /// The standing of the server `key`: its service's name, the settings that make it, and its URL.
    pub(crate) fn standing(&self, key: &str) -> Arc<Standing> {
        self.lock(|shared| shared.standings.adopt(key, Arc::default))
    }

    /// Who hears of the requests of the server `key`, its standing's key and the settings.
    pub(crate) fn passive(&self, key: &str, make: impl FnOnce() -> Passive) -> Arc<Passive> {
        self.lock(|shared| shared.passives.adopt(key, || Arc::new(make())))
    }

    fn lock<T>(&self, adopt: impl FnOnce(&mut Shared) -> T) -> T {
        adopt(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Living<T> {
    fn adopt(&mut self, key: &str, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        self.find(key).unwrap_or_else(|| {
            let state = make();
            self.put(key, &state);
            state
        })
    }

    fn find(&self, key: &str) -> Option<Arc<T>> {
        self.known.get(key).and_then(Weak::upgrade)
    }

    fn put(&mut self, key: &str, state: &Arc<T>) {
        if self.known.len() >= self.swept_at {
            self.known.retain(|_, state| state.strong_count() > 0);
            self.known.shrink_to_fit();
            self.swept_at = FEW.max(2 * self.known.len());
        }
        self.known.insert(key.into(), Arc::downgrade(state));
    }
}

impl<T> Default for Living<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), swept_at: FEW }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let carried = Carried::default();
        let kept = carried.server("kept");
        let gone = carried.server("gone").number();
        assert_ne!(carried.server("gone").number(), gone);
        for number in 0..10_000 {
            carried.server(&number.to_string());
        }
        assert!(Arc::ptr_eq(&carried.server("kept"), &kept));
        let known = carried.lock(|shared| shared.servers.known.len());
        assert!(known <= 2 * FEW, "{known}");
    }
}
