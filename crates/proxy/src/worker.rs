//! A worker: one thread with its own runtime, sockets, pools, timers and buffers.

use std::{
    cell::{Cell, RefCell},
    io,
    net::TcpListener,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use portway_middleware::PasswordPool;
use portway_observe::{FLUSH_PERIOD, Recorder};
use portway_snapshot::{Reader, Subscription};
use portway_upstream::Pool;
use tokio::{
    runtime::{Builder, LocalOptions},
    sync::Notify,
};

use crate::{Drain, EntryPoint, InternalServices, accept::accept, buffer::Buffers, clock::Clock};

/// How often idle server connections are looked through.
const SWEEP: Duration = Duration::from_secs(5);

/// What a worker is made of; sent to its thread.
#[derive(Debug)]
pub struct WorkerParts {
    /// All entry points, in the order of the snapshot's.
    pub entry_points: Arc<[EntryPoint]>,
    /// One listening socket for each entry point.
    pub sockets: Vec<TcpListener>,
    /// Where snapshots come from.
    pub subscription: Subscription,
    /// What answers for `api@internal` and its kin.
    pub internal_services: Arc<dyn InternalServices>,
    /// Where access log lines go; `None` without an access log.
    pub recorder: Option<Recorder>,
    /// Where passwords are checked; shared by all workers.
    pub passwords: Arc<PasswordPool>,
    /// How the worker is ended.
    pub drain: Drain,
}

/// One thread's part of the data plane. Nothing of it is shared with other workers but the snapshot.
#[derive(Debug)]
pub struct Worker {
    pub(crate) entry_points: Arc<[EntryPoint]>,
    pub(crate) snapshots: Reader,
    pub(crate) internal_services: Arc<dyn InternalServices>,
    pub(crate) recorder: Option<RefCell<Recorder>>,
    pub(crate) passwords: Arc<PasswordPool>,
    pub(crate) drain: Drain,
    pub(crate) pool: RefCell<Pool>,
    pub(crate) buffers: Buffers,
    pub(crate) clock: Clock,
    draining: Cell<bool>,
    drained: Notify,
}

impl Worker {
    /// Serves until the drain began and every connection has ended. Blocks the thread.
    ///
    /// # Errors
    /// When the runtime cannot be built.
    pub fn run(parts: WorkerParts) -> io::Result<()> {
        let runtime =
            Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
        runtime.block_on(async {
            let worker = Rc::new(Self {
                entry_points: parts.entry_points,
                snapshots: parts.subscription.reader(),
                internal_services: parts.internal_services,
                recorder: parts.recorder.map(RefCell::new),
                passwords: parts.passwords,
                drain: parts.drain,
                pool: RefCell::default(),
                buffers: Buffers::default(),
                clock: Clock::new(),
                draining: Cell::new(false),
                drained: Notify::new(),
            });
            for (entry_point, socket) in parts.sockets.into_iter().enumerate() {
                tokio::task::spawn_local(accept(Rc::clone(&worker), entry_point, socket));
            }
            tokio::task::spawn_local(Rc::clone(&worker).tend());
            worker.drain.begun().await;
            worker.draining.set(true);
            worker.drained.notify_waiters();
            while worker.drain.connections() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            worker.flush_records();
        });
        Ok(())
    }

    /// Whether connections end after their current request.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Waits until the worker drains. Cancel-safe.
    pub(crate) async fn drained(&self) {
        let notified = self.drained.notified();
        if !self.draining.get() {
            notified.await;
        }
    }

    /// Closes server connections that were idle too long, and hands on access log lines.
    async fn tend(self: Rc<Self>) {
        let mut swept = Instant::now();
        loop {
            tokio::time::sleep(FLUSH_PERIOD).await;
            self.flush_records();
            let now = Instant::now();
            if now.saturating_duration_since(swept) >= SWEEP {
                swept = now;
                self.pool.borrow_mut().sweep(now);
            }
        }
    }

    fn flush_records(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.borrow_mut().flush();
        }
    }
}
