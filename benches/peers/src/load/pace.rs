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

/// How often requests come due: those of one tick together, as a timer for each would cost the load
/// generator's core more than the requests do.
const TICK: Duration = Duration::from_micros(100);

/// Requests at a constant rate, each to a connection that is free.
///
/// A timer of the kernel wakes the loop at each tick, without polling: the backend shares the core.
#[derive(Debug)]
pub(super) struct Pace {
    origin: Instant,
    nanoseconds: f64,
    issued: u64,
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
        let tick = Timespec { tv_sec: 0, tv_nsec: i64::from(TICK.subsec_nanos()) };
        let setting = Itimerspec { it_interval: tick, it_value: tick };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &setting)?;
        Ok(Self {
            origin: Instant::now(),
            nanoseconds: 1e9 / rate,
            issued: 0,
            free: (0..connections).collect(),
            timer,
        })
    }

    /// The timer has told of a tick; it goes on once it is read.
    pub(super) fn tick(&self) {
        // That nothing is to be read is no fault: another event has been faster.
        let _ = rustix::io::read(&self.timer, &mut [0; 8]);
    }

    /// A connection has its answer.
    pub(super) fn release(&mut self, connection: usize) {
        self.free.push_back(connection);
    }

    /// The next request that is due and a free connection for it.
    pub(super) fn next(&mut self, now: Instant) -> Option<(usize, Instant)> {
        let due = self.origin + Duration::from_nanos(self.offset());
        if due > now {
            return None;
        }
        let connection = self.free.pop_front()?;
        self.issued += 1;
        Some((connection, due))
    }

    /// When the next request is due, after the origin: at the first tick that is not too early.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "positive, and far below 2^53"
    )]
    fn offset(&self) -> u64 {
        let exact = (self.issued as f64 * self.nanoseconds) as u64;
        let tick = u64::from(TICK.subsec_nanos());
        exact.div_ceil(tick) * tick
    }
}
