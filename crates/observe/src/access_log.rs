//! The log itself: where lines go, and the one thread that writes them.

use std::{
    fmt, fs,
    io::{self, Write},
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use portway_model::static_config;

use crate::{Needs, Recorder, fields::Chosen, recorder::Settings};

/// The access log: a file or standard output, and the thread that writes to it.
#[derive(Debug)]
pub struct AccessLog {
    settings: Arc<Settings>,
    shared: Arc<Shared>,
    batches: SyncSender<Message>,
    ended: Mutex<Receiver<()>>,
}

/// The access log's file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the access log `{path}`: {cause}")]
pub struct NotOpened {
    path: String,
    cause: io::Error,
}

/// What workers, the writer and the owner of the log share.
#[derive(Debug)]
pub(crate) struct Shared {
    output: Mutex<fs::File>,
    path: Option<PathBuf>,
    lost: AtomicU64,
    /// The next number of a request that no recorder has taken.
    next_count: AtomicU64,
}

/// What goes to the writer.
pub(crate) enum Message {
    /// Lines, and where the empty buffer goes back to.
    Lines {
        /// Whole lines.
        bytes: Vec<u8>,
        /// How many.
        lines: u64,
        /// Whose buffer it is.
        home: SyncSender<Vec<u8>>,
    },
    /// What is queued is the last.
    End,
}

impl AccessLog {
    /// Opens the log and starts its writer thread. Folders are made as needed; an existing file is appended
    /// to.
    ///
    /// # Errors
    /// When the file cannot be opened or the thread not be started.
    pub fn open(config: &static_config::AccessLog) -> Result<Self, NotOpened> {
        let path = Some(&config.file_path).filter(|path| !path.is_empty()).map(PathBuf::from);
        let fail = |cause| {
            let path = path.as_deref().unwrap_or(Path::new("standard output"));
            NotOpened { path: path.display().to_string(), cause }
        };
        let output = output(path.as_deref()).map_err(fail)?;
        let shared = Arc::new(Shared {
            output: Mutex::new(output),
            path: path.clone(),
            lost: AtomicU64::new(0),
            next_count: AtomicU64::new(1),
        });
        let capacity = BATCHES + (config.buffering_size / LINES_IN_A_BATCH).min(MORE_BATCHES);
        let (batches, queue) = mpsc::sync_channel(capacity);
        let (end, ended) = mpsc::sync_channel(1);
        let writer = Arc::clone(&shared);
        thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || {
                writer.run(&queue);
                // Nobody may be waiting.
                let _ = end.try_send(());
            })
            .map_err(fail)?;
        let settings = Settings {
            format: config.format,
            filters: config.filters.clone(),
            chosen: Chosen::new(&config.fields),
            add_internals: config.add_internals,
            zone: TimeZone::system(),
        };
        Ok(Self { settings: Arc::new(settings), shared, batches, ended: Mutex::new(ended) })
    }

    /// A recorder for one worker.
    pub fn recorder(&self) -> Recorder {
        Recorder::new(Arc::clone(&self.settings), Arc::clone(&self.shared), self.batches.clone())
    }

    /// Which headers records should carry.
    pub fn needs(&self) -> Needs {
        self.settings.needs()
    }

    /// Opens the file anew, as log rotation wants on SIGUSR1; nothing for standard output.
    /// Lines written meanwhile go to the one or the other.
    ///
    /// # Errors
    /// When the file cannot be opened; the log then stays with the old one.
    pub fn reopen(&self) -> Result<(), NotOpened> {
        let Some(path) = &self.shared.path else { return Ok(()) };
        let opened = output(Some(path))
            .map_err(|cause| NotOpened { path: path.display().to_string(), cause })?;
        *self.shared.output() = opened;
        Ok(())
    }

    /// Lines lost since the start, because the writer could not keep up or could not write.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Waits until all that recorders handed over is written, at most `limit`. Recorders that go on after
    /// this lose their lines. Blocks the thread.
    pub fn close(&self, limit: Duration) {
        let until = Instant::now() + limit;
        let mut end = Message::End;
        // The queue may be full: the writer is given time to make room.
        while let Err(TrySendError::Full(message)) = self.batches.try_send(end) {
            end = message;
            if Instant::now() >= until {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // Either way nothing more can be done.
        let _ = ended.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

impl Shared {
    /// Writes batches until the end is told, or every recorder and the log are gone.
    fn run(&self, queue: &Receiver<Message>) {
        let mut reported = Report::default();
        while let Ok(message) = queue.recv() {
            let Message::Lines { mut bytes, lines, home } = message else { break };
            let result = self.output().write_all(&bytes);
            if let Err(error) = &result {
                self.lose(lines);
                reported.failed(error);
            }
            reported.lost(self.lost.load(Ordering::Relaxed));
            bytes.clear();
            // A recorder that has buffers enough, or is gone, takes no more.
            let _ = home.try_send(bytes);
        }
    }

    /// Counts lines that will not be written.
    pub(crate) fn lose(&self, lines: u64) {
        self.lost.fetch_add(lines, Ordering::Relaxed);
    }

    /// Takes the next `many` numbers of requests; the first of them.
    pub(crate) fn take_counts(&self, many: u64) -> u64 {
        self.next_count.fetch_add(many, Ordering::Relaxed)
    }

    fn output(&self) -> std::sync::MutexGuard<'_, fs::File> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lines { lines, .. } => write!(f, "Lines({lines})"),
            Self::End => f.write_str("End"),
        }
    }
}

/// Tells of lost lines in Portway's own log, at most every few seconds.
#[derive(Default)]
struct Report {
    told: u64,
    lost_at: Option<Instant>,
    failed_at: Option<Instant>,
}

impl Report {
    fn lost(&mut self, lost: u64) {
        if lost > self.told && due(&mut self.lost_at) {
            tracing::warn!(lines = lost - self.told, "access log lines were lost");
            self.told = lost;
        }
    }

    fn failed(&mut self, error: &io::Error) {
        if due(&mut self.failed_at) {
            tracing::error!(%error, "the access log cannot be written");
        }
    }
}

fn due(last: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let due = last.is_none_or(|last| now.saturating_duration_since(last) >= REPORT_PERIOD);
    if due {
        *last = Some(now);
    }
    due
}

/// The file, or standard output where there is no path.
fn output(path: Option<&Path>) -> io::Result<fs::File> {
    let Some(path) = path else {
        // A handle of its own: whole batches are written at once, past the buffer of `Stdout`.
        return Ok(fs::File::from(io::stdout().as_fd().try_clone_to_owned()?));
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new().create(true).append(true).open(path)
}

/// Batches that may wait for the writer.
const BATCHES: usize = 64;
/// Batches that `bufferingSize` may add to them.
const MORE_BATCHES: usize = 4096;
/// Lines that a batch holds, about.
const LINES_IN_A_BATCH: usize = 128;
/// How often lost lines are told of.
const REPORT_PERIOD: Duration = Duration::from_secs(10);
