//! The graceful end: idle connections close, busy ones finish their request and close, late ones are cut.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

/// How the control plane ends the data plane.
#[derive(Clone, Debug)]
pub struct Drain {
    draining: watch::Sender<bool>,
    connections: Arc<AtomicUsize>,
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drain {
    /// Nothing ends yet.
    pub fn new() -> Self {
        let (draining, _) = watch::channel(false);
        Self { draining, connections: Arc::default() }
    }

    /// Begins the end. Each entry point goes on for its `requestAcceptGraceTimeout`, then stops accepting
    /// and ends keep-alive, and cuts what is left after its `graceTimeOut`.
    pub fn begin(&self) {
        self.draining.send_replace(true);
    }

    /// Connections that are open, of all workers; listening sockets count until they are closed.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Waits for [`Drain::begin`]. Cancel-safe.
    pub(crate) async fn begun(&self) {
        let mut receiver = self.draining.subscribe();
        // The sender lives in `self`, so the channel cannot close.
        let _ = receiver.wait_for(|draining| *draining).await;
    }

    /// Counts a connection or a listening socket until the guard is dropped.
    pub(crate) fn count(&self) -> Counted {
        self.connections.fetch_add(1, Ordering::AcqRel);
        Counted(Arc::clone(&self.connections))
    }
}

/// A connection that is counted as open.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How far the end of one entry point has come, on one worker.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    draining: Mark,
    cut: Mark,
}

impl Ending {
    /// Goes through the end: drains after `accept`, cuts after `grace` more.
    pub(crate) async fn go(&self, accept: Duration, grace: Duration) {
        sleep(accept).await;
        self.draining.set();
        sleep(grace).await;
        self.cut.set();
    }

    /// Whether connections end after their current request.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_set.get()
    }

    /// Whether what is left is to end at once. Whoever is cut is woken by [`Ending::cut`].
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.is_set.get()
    }

    /// Waits until nothing more is accepted. Cancel-safe.
    pub(crate) async fn drained(&self) {
        self.draining.wait().await;
    }

    /// Waits until what is left is cut. Cancel-safe.
    pub(crate) async fn cut(&self) {
        self.cut.wait().await;
    }
}

/// Something that happens once.
#[derive(Debug, Default)]
struct Mark {
    is_set: Cell<bool>,
    notify: Notify,
}

impl Mark {
    fn set(&self) {
        self.is_set.set(true);
        self.notify.notify_waiters();
    }

    async fn wait(&self) {
        let notified = self.notify.notified();
        if !self.is_set.get() {
            notified.await;
        }
    }
}
