//! Clients that ask and do not take: of a stream, by giving no room for more of its response; of the connection, by not
//! reading. What they hold up is given up after a while.

use std::{
    collections::HashMap,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use foldhash::fast::FixedState;
use portway_http::h2::{Connection, Role, StreamId};
use tokio::time::{Instant as Clock, Sleep, sleep_until};

/// How often what waits is looked at before its time is over. It may get so much longer, a quarter.
const LOOKS: u32 = 4;

/// Watches one connection. What moves costs nothing: only while something waits it is looked at, rarely.
#[derive(Debug)]
pub(super) struct Stalls {
    /// How long a client may take nothing.
    limit: Duration,
    /// When to look next; there is none while nothing waits.
    timer: Option<Pin<Box<Sleep>>>,
    streams: HashMap<StreamId, Waiting, FixedState>,
    socket: Option<Waiting>,
}

/// Since when something has come no further than this.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    progress: u64,
    since: Instant,
}

/// What is to be given up.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Stalled {
    Streams(Vec<StreamId>),
    Connection,
}

impl Stalls {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, timer: None, streams: HashMap::default(), socket: None }
    }

    /// Whether nothing waited when it was looked last: who waits now must have it looked at.
    pub(super) fn is_asleep(&self) -> bool {
        self.timer.is_none()
    }

    /// Waits until something is to be given up; `written` says how many bytes the socket has taken.
    pub(super) fn poll<R: Role>(
        &mut self,
        cx: &mut Context<'_>,
        engine: &Connection<R>,
        written: u64,
    ) -> Poll<Stalled> {
        if self.timer.is_none() {
            if !engine.has_waiting() && engine.output().is_empty() {
                return Poll::Pending;
            }
            self.look(engine, written);
            self.wait();
        }
        loop {
            let Some(timer) = &mut self.timer else { return Poll::Pending };
            ready!(timer.as_mut().poll(cx));
            let stalled = self.look(engine, written);
            if engine.has_waiting() || !engine.output().is_empty() {
                self.wait();
            } else {
                self.timer = None;
            }
            if let Some(stalled) = stalled {
                return Poll::Ready(stalled);
            }
        }
    }

    /// Looks again in a while.
    fn wait(&mut self) {
        let now = Clock::now();
        // Never at once: a limit of nothing must not make this a loop.
        let pause = (self.limit / LOOKS).max(Duration::from_millis(1));
        // What no clock can tell never comes.
        self.timer = now.checked_add(pause).map(|at| Box::pin(sleep_until(at)));
    }

    /// Notes what waits; says what has for too long.
    fn look<R: Role>(&mut self, engine: &Connection<R>, written: u64) -> Option<Stalled> {
        let (now, limit) = (Clock::now().into_std(), self.limit);
        let waits = |before: Option<Waiting>, progress| match before {
            Some(before) if before.progress == progress => before,
            _ => Waiting { progress, since: now },
        };
        let is_over = |waiting: &Waiting| now.saturating_duration_since(waiting.since) >= limit;
        self.socket = (!engine.output().is_empty()).then(|| waits(self.socket, written));
        if self.socket.as_ref().is_some_and(is_over) {
            return Some(Stalled::Connection);
        }
        let before = std::mem::take(&mut self.streams);
        let noted = |(stream, sent)| (stream, waits(before.get(&stream).copied(), sent));
        self.streams = engine.stalled().map(noted).collect();
        let over = self.streams.iter().filter(|(_, waiting)| is_over(waiting));
        let over: Vec<_> = over.map(|(stream, _)| *stream).collect();
        (!over.is_empty()).then_some(Stalled::Streams(over))
    }
}

#[cfg(test)]
mod tests;
