//! A worker: one thread with its own runtime, sockets, pools, timers and buffers.

use std::{
    cell::RefCell,
    io,
    net::TcpListener,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use portway_middleware::PasswordPool;
use portway_observe::{FLUSH_PERIOD, Recorder};
use portway_snapshot::{Reader, Subscription};
use portway_upstream::{Pool, Random};
use tokio::{
    runtime::{Builder, LocalOptions},
    sync::Semaphore,
};

use crate::{
    Drain, EntryPoint, ErrorPages, InternalServices, ProxyStatus, accept::accept, buffer::Buffers,
    clock::Clock, drain::Ending, http2, memory::Memories,
};

/// Requests to the API that a worker answers at once, at most; more get 503.
const API_TURNS: usize = 16;

/// How often idle server connections are looked through.
const SWEEP: Duration = Duration::from_secs(5);

/// More than the allocator keeps for a thread, in bytes.
const LARGE: usize = 4 * 1024 * 1024;

/// Lets the allocator look at what it keeps: it gives memory that is long free back to the system when a large piece is
/// freed, and who served many and serves none would free none.
fn give_memory_back() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE)));
}

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
    /// Errors in the form that clients ask for; `None` for plain text.
    pub error_pages: Option<Arc<ErrorPages>>,
    /// What responses say of what went wrong; `None` for nothing.
    pub proxy_status: Option<Arc<ProxyStatus>>,
    /// Where passwords are checked; shared by all workers.
    pub passwords: Arc<PasswordPool>,
    /// How many descriptors the process may have: connections, files and the like.
    pub descriptors: u64,
    /// How the worker is ended.
    pub drain: Drain,
}

/// One thread's part of the data plane. Nothing of it is shared with other workers but the snapshot.
#[derive(Debug)]
pub struct Worker {
    pub(crate) entry_points: Arc<[EntryPoint]>,
    pub(crate) snapshots: Reader,
    pub(crate) internal_services: Arc<dyn InternalServices>,
    /// Requests to the API that are answered at once.
    pub(crate) api_turns: Semaphore,
    pub(crate) recorder: Option<RefCell<Recorder>>,
    pub(crate) error_pages: Option<Arc<ErrorPages>>,
    pub(crate) proxy_status: Option<Arc<ProxyStatus>>,
    pub(crate) passwords: Arc<PasswordPool>,
    pub(crate) descriptors: u64,
    pub(crate) drain: Drain,
    pub(crate) pool: RefCell<Pool>,
    pub(crate) random: Random,
    pub(crate) buffers: Buffers,
    pub(crate) memories: Memories,
    pub(crate) stream_tasks: http2::Tasks,
    pub(crate) clock: Clock,
    endings: Box<[Ending]>,
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
            let endings = parts.entry_points.iter().map(|_| Ending::default()).collect();
            let worker = Rc::new(Self {
                entry_points: parts.entry_points,
                snapshots: parts.subscription.reader(),
                internal_services: parts.internal_services,
                api_turns: Semaphore::new(API_TURNS),
                recorder: parts.recorder.map(RefCell::new),
                error_pages: parts.error_pages,
                proxy_status: parts.proxy_status,
                passwords: parts.passwords,
                descriptors: parts.descriptors,
                drain: parts.drain,
                pool: RefCell::default(),
                random: Random::default(),
                buffers: Buffers::default(),
                memories: Memories::default(),
                stream_tasks: http2::Tasks::default(),
                clock: Clock::new(),
                endings,
            });
            for (entry_point, socket) in parts.sockets.into_iter().enumerate() {
                tokio::task::spawn_local(accept(Rc::clone(&worker), entry_point, socket));
            }
            tokio::task::spawn_local(Rc::clone(&worker).tend());
            worker.drain.begun().await;
            for entry_point in 0..worker.entry_points.len() {
                tokio::task::spawn_local(Rc::clone(&worker).end(entry_point));
            }
            // Each entry point stops accepting in its own time, and is counted until then.
            while worker.drain.connections() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            worker.flush_records();
        });
        Ok(())
    }

    /// How far the end of an entry point has come.
    pub(crate) fn ending(&self, entry_point: usize) -> Option<&Ending> {
        self.endings.get(entry_point)
    }

    /// Leads one entry point through its end.
    async fn end(self: Rc<Self>, entry_point: usize) {
        let settings = self.entry_points.get(entry_point);
        if let (Some(settings), Some(ending)) = (settings, self.ending(entry_point)) {
            ending.go(settings.accept_grace, settings.grace).await;
        }
    }

    /// Closes server connections that were idle too long, hands on access log lines, and lets go of a snapshot
    /// that is not current any more though no request comes.
    async fn tend(self: Rc<Self>) {
        let mut swept = Instant::now();
        loop {
            tokio::time::sleep(FLUSH_PERIOD).await;
            self.flush_records();
            self.snapshots.load();
            let now = Instant::now();
            if now.saturating_duration_since(swept) >= SWEEP {
                swept = now;
                self.pool.borrow_mut().sweep(now);
                give_memory_back();
            }
        }
    }

    fn flush_records(&self) {
        if let Some(recorder) = &self.recorder {
            recorder.borrow_mut().flush();
        }
    }
}
