//! Connections to servers, one pool for each worker: idle ones of HTTP/1.1, and those of HTTP/2 that requests
//! share.

mod idle;

use std::{
    cell::Cell,
    collections::HashMap,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use foldhash::fast::FixedState;
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::Notify,
    task::coop::unconstrained,
};

use crate::{Http2Stream, Multiplexed, Server, Stream};

use self::idle::Idle;

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

    /// Whether it can carry another request.
    fn is_useful(&mut self, now: Instant) -> bool {
        !self.is_expired(now) && self.is_quiet()
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|limit| now.saturating_duration_since(self.since) >= limit)
    }
}

/// The connections of one worker.
#[derive(Debug, Default)]
pub struct Pool {
    /// Those that carry one request at a time and have none.
    idle: HashMap<u64, Idle, FixedState>,
    /// Those of HTTP/2, which may carry many requests, the oldest first, so that young ones run empty.
    shared: HashMap<u64, Vec<Shared>, FixedState>,
    /// Servers to which a connection that requests may share is being opened.
    connecting: HashMap<u64, Rc<Attempt>, FixedState>,
    /// Whether it is one client's, which counts its idle connections apart from all others.
    is_own: bool,
}

/// A connection of HTTP/2, and how long it is kept without requests.
#[derive(Debug)]
struct Shared {
    connection: Multiplexed,
    expires: Option<Duration>,
}

/// An attempt to open a connection that others wait for.
#[derive(Debug, Default)]
pub struct Attempt {
    over: Cell<bool>,
    ended: Notify,
}

impl Attempt {
    /// Waits until it has ended, well or not.
    pub async fn ended(&self) {
        if !self.over.get() {
            self.ended.notified().await;
        }
    }
}

/// Says, while it lives, that a connection to a server is being opened which others may wait for.
#[derive(Debug)]
pub struct Connecting(Rc<Attempt>);

impl Drop for Connecting {
    fn drop(&mut self) {
        self.0.over.set(true);
        self.0.ended.notify_waiters();
    }
}

impl Pool {
    /// The connections of one client. As in Traefik, as many of them are kept as of all that clients share.
    pub fn of_one_client() -> Self {
        Self { is_own: true, ..Self::default() }
    }

    /// Takes the connection to `server` that was used last, leaving out those that ended meanwhile.
    pub fn take(&mut self, server: &Server, now: Instant) -> Option<Connection> {
        self.idle.get_mut(&server.number())?.take(now)
    }

    /// Keeps a connection on which the last response was read to its end.
    pub fn put(&mut self, server: &Server, mut connection: Connection, now: Instant) {
        connection.since = now;
        connection.expires = server.transport.idle_timeout;
        let is_own = self.is_own;
        let idle = self.idle.entry(server.number()).or_insert_with(|| Idle::new(server, is_own));
        idle.put(connection, server.transport.max_idle);
    }

    /// Opens a stream on a connection to `server` that has room for it: one of those that carry one at a time, if it
    /// is to be `apart`.
    pub fn open_stream(
        &mut self,
        server: &Server,
        apart: bool,
        now: Instant,
    ) -> Option<Http2Stream> {
        let shared = self.shared.get_mut(&server.number())?;
        let mut fitting = shared.iter_mut().filter(|shared| shared.connection.is_apart() == apart);
        fitting.find_map(|shared| shared.connection.open(now))
    }

    /// Keeps a connection for further requests. Until its server has said how many streams it takes, it is what the
    /// connections before it have been told.
    pub fn share(&mut self, server: &Server, mut connection: Multiplexed) {
        let expires = server.transport.idle_timeout;
        let shared = self.shared.entry(server.number()).or_default();
        if let Some(most) = shared.iter().map(|shared| shared.connection.most_streams()).min() {
            connection.expect_streams(most);
        }
        // A server that ends each connection must not leave many behind until they are swept.
        shared.retain(|shared| !shared.connection.is_over());
        shared.push(Shared { connection, expires });
    }

    /// The attempt to open a connection to `server`, if one is under way.
    pub fn connecting(&self, server: &Server) -> Option<Rc<Attempt>> {
        let attempt = self.connecting.get(&server.number())?;
        (!attempt.over.get()).then(|| Rc::clone(attempt))
    }

    /// Lets others wait for a connection that is being opened.
    pub fn begin_connecting(&mut self, server: &Server) -> Connecting {
        let attempt = Rc::<Attempt>::default();
        self.connecting.insert(server.number(), Rc::clone(&attempt));
        Connecting(attempt)
    }

    /// Closes connections that were idle too long or that their server has ended.
    pub fn sweep(&mut self, now: Instant) {
        self.idle.retain(|_, idle| idle.sweep(now) > 0);
        self.shared.retain(|_, shared| {
            shared.retain(|shared| shared.connection.is_useful(now, shared.expires));
            !shared.is_empty()
        });
        self.connecting.retain(|_, attempt| !attempt.over.get());
    }

    /// How many connections are kept.
    pub fn len(&self) -> usize {
        self.idle.values().map(Idle::len).sum()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests;
