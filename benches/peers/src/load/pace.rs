//! The clock of an open loop: when each request is due, whatever has been answered.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsRawFd as _, OwnedFd},
    time::{Duration, Instant},
};

use mio::{Interest, Registry, Token, unix::SourceFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// Requests at a constant rate, each to a connection that is free.
///
/// A timer of the kernel wakes the loop to the microsecond, without polling: the backend shares the core.
#[derive(Debug)]
pub(super) struct Pace {
    origin: Instant,
    nanoseconds: f64,
    issued: u64,
    armed: Option<u64>,
    free: VecDeque<usize>,
    timer: OwnedFd,
}

impl Pace {
    /// `rate` requests a second over so many connections, from now on.
    pub(super) fn new(
        rate: f64,
        connections: usize,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self {
            origin: Instant::now(),
            nanoseconds: 1e9 / rate,
            issued: 0,
            armed: None,
            free: (0..connections).collect(),
            timer,
        })
    }

    /// A connection has its answer.
    pub(super) fn release(&mut self, connection: usize) {
        self.free.push_back(connection);
    }

    /// The next request that is due and a free connection for it; otherwise sets the timer.
    pub(super) fn next(&mut self, now: Instant) -> io::Result<Option<(usize, Instant)>> {
        let due = self.due();
        let Some(&connection) = self.free.front() else { return Ok(None) };
        if due > now {
            self.arm(due - now)?;
            return Ok(None);
        }
        self.free.pop_front();
        self.issued += 1;
        Ok(Some((connection, due)))
    }

    fn due(&self) -> Instant {
        self.origin + Duration::from_nanos(self.offset())
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "positive, and far below 2^53"
    )]
    fn offset(&self) -> u64 {
        (self.issued as f64 * self.nanoseconds) as u64
    }

    fn arm(&mut self, wait: Duration) -> io::Result<()> {
        if self.armed == Some(self.issued) {
            return Ok(());
        }
        self.armed = Some(self.issued);
        let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let at = Timespec { tv_sec: seconds, tv_nsec: i64::from(wait.subsec_nanos()) };
        let setting = Itimerspec { it_interval: zero, it_value: at };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &setting)?;
        Ok(())
    }
}
