//! State that outlives a snapshot, by name and fingerprint of the settings that define it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

/// What one generation of services hands to the next.
///
/// Every compile fills a new `Carried` and takes from the one before: what nobody asked for is gone with
/// the old generation.
#[derive(Debug, Default)]
pub struct Carried {
    positions: HashMap<String, Arc<AtomicUsize>>,
    servers: HashMap<String, Arc<ServerId>>,
}

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
    pub fn position(&mut self, before: &Self, key: &str) -> Arc<AtomicUsize> {
        adopt(&mut self.positions, &before.positions, key, Arc::default)
    }

    /// The identity of the server `key`: its transport's fingerprint and its address.
    pub fn server(&mut self, before: &Self, key: &str) -> Arc<ServerId> {
        adopt(&mut self.servers, &before.servers, key, || Arc::new(ServerId::next()))
    }
}

fn adopt<T>(
    now: &mut HashMap<String, Arc<T>>,
    before: &HashMap<String, Arc<T>>,
    key: &str,
    make: impl FnOnce() -> Arc<T>,
) -> Arc<T> {
    if let Some(known) = now.get(key) {
        return Arc::clone(known);
    }
    let state = before.get(key).map_or_else(make, Arc::clone);
    now.insert(key.to_owned(), Arc::clone(&state));
    state
}
