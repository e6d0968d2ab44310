//! A worker's end of the access log.

use std::{
    fmt,
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use portway_model::static_config::{AccessLogFilters, AccessLogFormat};

use crate::{
    Needs, Record,
    access_log::{Message, Shared},
    fields::Chosen,
    line::{Writing, common, json},
    moment::Moments,
};

/// How often a worker should call [`Recorder::flush`].
pub const FLUSH_PERIOD: Duration = Duration::from_millis(100);

/// What is written and how; the same for all workers.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) format: AccessLogFormat,
    pub(crate) filters: Option<AccessLogFilters>,
    pub(crate) chosen: Chosen,
    pub(crate) add_internals: bool,
    pub(crate) zone: TimeZone,
}

/// One worker's end of the access log: formats lines into its own buffer and hands it over when it is full.
///
/// What is left in the buffer is handed over when the recorder is dropped.
pub struct Recorder {
    settings: Arc<Settings>,
    shared: Arc<Shared>,
    batches: SyncSender<Message>,
    buffer: Vec<u8>,
    lines: u64,
    /// The next number of a request, and how many more are this recorder's.
    count: u64,
    counts_left: u64,
    home: SyncSender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
    moments: Moments,
    /// For the end of requests, which often lies in another second.
    end_moments: Moments,
}

impl Settings {
    pub(crate) fn needs(&self) -> Needs {
        self.chosen.needs(self.format)
    }

    /// Whether a request is written at all; any filter that fits is enough.
    fn keeps<Q, O, D>(&self, record: &Record<'_, Q, O, D>) -> bool {
        let Some(filters) = &self.filters else { return true };
        let least = filters.min_duration.positive();
        let none = filters.status_codes.is_empty() && !filters.retry_attempts && least.is_none();
        none || filters.status_codes.iter().any(|range| range.contains(record.status))
            || (filters.retry_attempts && record.retry_attempts > 0)
            || least.is_some_and(|least| record.duration > least)
    }
}

impl Recorder {
    pub(crate) fn new(
        settings: Arc<Settings>,
        shared: Arc<Shared>,
        batches: SyncSender<Message>,
    ) -> Self {
        let (home, spare) = mpsc::sync_channel(SPARE_BUFFERS);
        let moments = Moments::new(settings.zone.clone());
        Self {
            settings,
            shared,
            batches,
            buffer: Vec::with_capacity(BATCH_BYTES + ROOM),
            lines: 0,
            count: 0,
            counts_left: 0,
            home,
            spare,
            end_moments: moments.clone(),
            moments,
        }
    }

    /// Writes one request's line, unless a filter keeps it out. Never waits.
    pub fn write<'a, Q, O, D>(&mut self, record: &Record<'a, Q, O, D>)
    where
        Q: Iterator<Item = (&'a str, &'a [u8])> + Clone,
        O: Iterator<Item = (&'a str, &'a [u8])> + Clone,
        D: Iterator<Item = (&'a str, &'a [u8])> + Clone,
    {
        // Counted even when it is filtered out, as in Traefik.
        let count = self.next_count();
        if !self.settings.keeps(record) {
            return;
        }
        let writing = Writing {
            line: &mut self.buffer,
            chosen: &self.settings.chosen,
            moments: &mut self.moments,
            end_moments: &mut self.end_moments,
            count,
        };
        match self.settings.format {
            AccessLogFormat::Common => common::write(writing, record, false),
            AccessLogFormat::GenericClf => common::write(writing, record, true),
            AccessLogFormat::Json => json::write(writing, record),
        }
        self.lines += 1;
        if self.buffer.len() >= BATCH_BYTES {
            self.flush();
        }
    }

    /// Hands over the lines written so far. Never waits: while the writer cannot keep up, lines stay here up to
    /// a limit, and then they are lost and counted.
    pub fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let next = self.spare.try_recv().unwrap_or_default();
        let message = Message::Lines {
            bytes: std::mem::replace(&mut self.buffer, next),
            lines: std::mem::take(&mut self.lines),
            home: self.home.clone(),
        };
        match self.batches.try_send(message) {
            Ok(()) => {}
            // Without a writer nothing will ever be written.
            Err(TrySendError::Disconnected(message)) => self.take_back(message, 0),
            Err(TrySendError::Full(message)) => self.take_back(message, KEPT_BYTES),
        }
    }

    /// Keeps lines that were not taken, if they are fewer than `limit` bytes.
    fn take_back(&mut self, message: Message, limit: usize) {
        let Message::Lines { bytes, lines, .. } = message else { return };
        let empty = std::mem::replace(&mut self.buffer, bytes);
        if self.buffer.len() < limit {
            self.lines = lines;
        } else {
            self.shared.lose(lines);
            self.buffer.clear();
        }
        // The other buffer is kept for the next time.
        let _ = self.home.try_send(empty);
    }

    /// Which headers records should carry.
    pub fn needs(&self) -> Needs {
        self.settings.needs()
    }

    /// Whether requests to internal services are written too. Traefik: `addInternals`.
    pub fn logs_internals(&self) -> bool {
        self.settings.add_internals
    }

    /// The number of a request.
    ///
    /// Numbers are taken in blocks, so that workers share nothing from request to request: each number is
    /// given once, and those of different workers interleave.
    fn next_count(&mut self) -> u64 {
        if self.counts_left == 0 {
            self.count = self.shared.take_counts(COUNTS);
            self.counts_left = COUNTS;
        }
        let count = self.count;
        self.count += 1;
        self.counts_left -= 1;
        count
    }
}

impl Drop for Recorder {
    /// Hands over what is left. This may wait, for half a second: the worker is done.
    fn drop(&mut self) {
        let until = Instant::now() + LAST_WAIT;
        self.flush();
        while self.lines > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
            self.flush();
        }
        self.shared.lose(self.lines);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("lines", &self.lines).finish_non_exhaustive()
    }
}

/// A buffer with so many bytes is handed over.
const BATCH_BYTES: usize = 32 * 1024;
/// For the line that fills it.
const ROOM: usize = 4 * 1024;
/// Lines are kept up to so many bytes while the writer cannot keep up.
const KEPT_BYTES: usize = 256 * 1024;
/// Empty buffers kept for a recorder.
const SPARE_BUFFERS: usize = 4;
/// How long a recorder that is dropped waits for the writer to take its last lines.
const LAST_WAIT: Duration = Duration::from_millis(500);
/// Numbers of requests taken at once.
const COUNTS: u64 = 64;
