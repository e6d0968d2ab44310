//! One atomic pointer, one view for each request.

use std::{
    cell::{Cell, RefCell},
    ops::Deref,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;

use crate::Snapshot;

/// Where the current snapshot is kept.
#[derive(Debug)]
pub struct Publisher {
    shared: Arc<Shared>,
    /// Snapshots that are not current any more, until nobody else holds them: to take a large one apart keeps a
    /// thread busy for a while, and must not fall to a worker.
    retired: Mutex<Vec<Arc<Snapshot>>>,
}

#[derive(Debug)]
struct Shared {
    /// Grows with every publication; workers compare it before they touch the pointer, so that between
    /// publications they share a line of memory that nobody writes.
    version: AtomicU64,
    current: ArcSwap<Snapshot>,
}

impl Publisher {
    /// Starts with `snapshot`.
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        let current = ArcSwap::new(snapshot);
        let shared = Arc::new(Shared { version: AtomicU64::new(1), current });
        Self { shared, retired: Mutex::default() }
    }

    /// Makes `snapshot` the one that new requests run on.
    ///
    /// The one before is kept until nobody uses it and [`Self::take_unused`] is called.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        let before = self.shared.current.swap(snapshot);
        self.shared.version.fetch_add(1, Ordering::Release);
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).push(before);
    }

    /// Snapshots that nobody uses any more, to be dropped where that may take its time.
    pub fn take_unused(&self) -> Vec<Arc<Snapshot>> {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        // What only this list holds nobody can get hold of again.
        retired.extract_if(.., |snapshot| Arc::strong_count(snapshot) == 1).collect()
    }

    /// The current snapshot.
    pub fn current(&self) -> Arc<Snapshot> {
        self.shared.current.load_full()
    }

    /// What one worker reads snapshots with; send this to its thread.
    pub fn subscribe(&self) -> Subscription {
        Subscription { shared: Arc::clone(&self.shared) }
    }
}

/// A [`Reader`] on its way to its thread.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
}

impl Subscription {
    /// The reader, for the thread that this is called on.
    pub fn reader(self) -> Reader {
        let version = self.shared.version.load(Ordering::Acquire);
        let held = Rc::new(Held(self.shared.current.load_full()));
        Reader { shared: self.shared, version: Cell::new(version), held: RefCell::new(held) }
    }
}

/// One worker's view of the current snapshot.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    version: Cell<u64>,
    held: RefCell<Rc<Held>>,
}

/// A snapshot as one worker holds it: counted per worker, so that requests write no shared memory.
#[derive(Debug)]
pub struct Held(Arc<Snapshot>);

impl Held {
    /// The snapshot for another thread.
    pub fn share(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0)
    }
}

impl Deref for Held {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.0
    }
}

impl Reader {
    /// The current snapshot.
    pub fn load(&self) -> Rc<Held> {
        let version = self.shared.version.load(Ordering::Acquire);
        if version != self.version.get() {
            self.version.set(version);
            *self.held.borrow_mut() = Rc::new(Held(self.shared.current.load_full()));
        }
        Rc::clone(&self.held.borrow())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_unused_when_neither_a_request_nor_a_worker_holds_it() {
        let publisher = Publisher::new(Arc::default());
        let first = Arc::downgrade(&publisher.current());
        let worker = publisher.subscribe().reader();
        let request = worker.load();
        publisher.publish(Arc::default());
        assert_eq!(publisher.take_unused().len(), 0);
        drop(worker.load());
        assert_eq!(publisher.take_unused().len(), 0, "the request runs on it");
        drop(request);
        let unused = publisher.take_unused();
        assert_eq!(unused.len(), 1);
        assert!(first.upgrade().is_some(), "it was dropped elsewhere");
        drop(unused);
        assert!(first.upgrade().is_none());
        assert_eq!(publisher.take_unused().len(), 0, "the current one is used");
    }
}
