//! The graceful end: idle connections close, busy ones finish their request and close.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::watch;

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

    /// Ends keep-alive everywhere, and accepting.
    pub fn begin(&self) {
        self.draining.send_replace(true);
    }

    /// Connections that are open, of all workers.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Waits for [`Drain::begin`]. Cancel-safe.
    pub(crate) async fn begun(&self) {
        let mut receiver = self.draining.subscribe();
        // The sender lives in `self`, so the channel cannot close.
        let _ = receiver.wait_for(|draining| *draining).await;
    }

    /// Counts a connection until the guard is dropped.
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
