//! State that outlives a snapshot, by name and fingerprint of the settings that define it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

/// What one generation of services hands to the next.
///
/// All generations share it. It holds on to nothing itself: what no living service uses any more is gone.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    positions: Living<AtomicUsize>,
    servers: Living<ServerId>,
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
#[derive(Debug, Eq, Hash, PartialEq)]
pub struct ServerId(u64);

impl ServerId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Relaxed))
    }

    /// The number; never reused.
    pub(crate) fn number(&self) -> u64 {
        self.0
    }
}

impl Carried {
    /// The position of the balancer `key`, where the generation before left it.
    pub fn position(&self, key: &str) -> Arc<AtomicUsize> {
        self.lock(|shared| shared.positions.adopt(key, Arc::default))
    }

    /// The identity of the server `key`: its transport's fingerprint and its address.
    pub fn server(&self, key: &str) -> Arc<ServerId> {
        self.lock(|shared| shared.servers.adopt(key, || Arc::new(ServerId::next())))
    }

    fn lock<T>(&self, adopt: impl FnOnce(&mut Shared) -> T) -> T {
        adopt(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Living<T> {
    fn adopt(&mut self, key: &str, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        if let Some(living) = self.known.get(key).and_then(Weak::upgrade) {
            return living;
        }
        if self.known.len() >= self.swept_at {
            self.known.retain(|_, state| state.strong_count() > 0);
            self.known.shrink_to_fit();
            self.swept_at = FEW.max(2 * self.known.len());
        }
        let state = make();
        self.known.insert(key.into(), Arc::downgrade(&state));
        state
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
