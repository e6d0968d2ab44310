//! Idle connections to servers, one pool for each worker.

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use foldhash::fast::FixedState;
use tokio::{
    io::{AsyncRead, ReadBuf},
    task::coop::unconstrained,
};

use crate::{Server, Stream};

/// A connection to a server, with what a pool must know of it.
#[derive(Debug)]
pub struct Connection {
    /// The connection.
    pub stream: Stream,
    since: Instant,
    expires: Option<Duration>,
}

impl Connection {
    /// A connection that was just opened.
    pub fn new(stream: Stream, now: Instant) -> Self {
        Self { stream, since: now, expires: None }
    }

    /// Whether the server has neither closed it nor spoken unasked, as far as this side knows.
    fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let read = poll_fn(|cx| Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
        // A task that has used up its turn would hear of any connection that there is nothing to read: what a
        // server said unasked would become the response to the next request.
        let read = pin!(unconstrained(read));
        // Costs no system call while the socket has not become readable since it was last drained.
        matches!(read.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending)
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|limit| now.saturating_duration_since(self.since) >= limit)
    }
}

/// Idle connections of one worker; last in, first out.
#[derive(Debug, Default)]
pub struct Pool {
    idle: HashMap<u64, Vec<Connection>, FixedState>,
}

impl Pool {
    /// Takes the connection to `server` that was used last, leaving out those that ended meanwhile.
    pub fn take(&mut self, server: &Server, now: Instant) -> Option<Connection> {
        let idle = self.idle.get_mut(&server.number())?;
        while let Some(mut connection) = idle.pop() {
            if !connection.is_expired(now) && connection.is_quiet() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection on which the last response was read to its end.
    pub fn put(&mut self, server: &Server, mut connection: Connection, now: Instant) {
        let idle = self.idle.entry(server.number()).or_default();
        if idle.len() < server.transport.max_idle {
            connection.since = now;
            connection.expires = server.transport.idle_timeout;
            idle.push(connection);
        }
    }

    /// Closes connections that were idle too long or that their server has ended.
    pub fn sweep(&mut self, now: Instant) {
        self.idle.retain(|_, idle| {
            idle.retain_mut(|connection| !connection.is_expired(now) && connection.is_quiet());
            !idle.is_empty()
        });
    }

    /// How many connections are kept.
    pub fn len(&self) -> usize {
        self.idle.values().map(Vec::len).sum()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.idle.is_empty()
    }
}

#[cfg(test)]
mod tests;
