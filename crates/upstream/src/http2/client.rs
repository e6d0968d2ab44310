//! Connections to servers that speak HTTP/2, each shared by many streams.

use std::{
    future::poll_fn,
    rc::Rc,
    time::{Duration, Instant},
};

use portway_http::h2::{Client, Connection, Limits};

use super::{
    Driver, Http2Stream,
    hub::{Hub, Shared},
};
use crate::{Scheme, Server, Stream};

/// A connection to a server, shared by streams unless it is [apart](Self::set_apart).
#[derive(Debug)]
pub struct Multiplexed {
    hub: Shared<Client>,
    scheme: &'static str,
    /// When a stream was opened last.
    used: Instant,
}

/// Begins HTTP/2 on a new connection, and works on it in a task of this thread until it ends.
pub(crate) fn shake_hands(stream: Stream, server: &Server, now: Instant) -> Multiplexed {
    // As much as a response of HTTP/1.1 may have.
    let limits = Limits {
        head_bytes: 1024 * 1024,
        block_bytes: 1024 * 1024,
        block_frames: 128,
        trailer_bytes: 1024 * 1024,
        fields: 65_536,
        // All streams share the connection: some whose clients take nothing must not hold up the others. What is held
        // is bounded by the windows of the streams and the budget of all.
        connection_window: i32::MAX.cast_unsigned(),
        ..Limits::default()
    };
    let hub = Hub::share(Connection::client(&limits));
    let mut driver = Driver::client(hub.clone(), stream, server.transport.silence);
    tokio::task::spawn_local(async move { poll_fn(|cx| driver.poll_run(cx)).await });
    let scheme = if server.scheme == Scheme::Https { "https" } else { "http" };
    Multiplexed { hub, scheme, used: now }
}

impl Multiplexed {
    /// A stream to open, unless the connection has ended or has as many as it may.
    pub fn open(&mut self, now: Instant) -> Option<Http2Stream> {
        let hub = self.hub.borrow();
        if hub.is_over() || hub.engine.free_streams() == 0 || (hub.apart && self.is_used()) {
            return None;
        }
        self.used = now;
        Some(Http2Stream::to_server(self.hub.clone(), self.scheme))
    }

    /// Has it carry one stream at a time, whose request may end with trailers.
    pub fn set_apart(&mut self) {
        self.hub.borrow_mut().apart = true;
    }

    /// Whether it carries one stream at a time.
    pub(crate) fn is_apart(&self) -> bool {
        self.hub.borrow().apart
    }

    /// Whether there is a stream, be it one whose request was not sent yet.
    fn is_used(&self) -> bool {
        // This and the driver share the hub, too.
        Rc::strong_count(&self.hub) > 2
    }

    /// How many streams it may have at a time, as far as is known.
    pub(crate) fn most_streams(&self) -> u32 {
        self.hub.borrow().engine.most_streams()
    }

    /// Has no more than so many streams at a time until the server says how many it takes.
    pub(crate) fn expect_streams(&mut self, most: u32) {
        self.hub.borrow_mut().engine.expect_streams(most);
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.hub.borrow().is_over()
    }

    /// Whether it is worth keeping: alive, and not without streams for longer than `limit`.
    pub(crate) fn is_useful(&self, now: Instant, limit: Option<Duration>) -> bool {
        let hub = self.hub.borrow();
        let idle = now.saturating_duration_since(self.used);
        let tired = hub.engine.open_streams() == 0 && limit.is_some_and(|limit| idle >= limit);
        !hub.is_over() && !tired
    }
}

impl Drop for Multiplexed {
    /// Nothing more is asked: the connection ends with its last stream.
    fn drop(&mut self) {
        let mut hub = self.hub.borrow_mut();
        hub.engine.leave_now();
        hub.wake_driver();
    }
}
