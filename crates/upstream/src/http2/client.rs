//! Connections to servers that speak HTTP/2, each shared by many streams.

use std::{
    cell::Cell,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use h2::{
    SendStream,
    client::{Builder, ResponseFuture, SendRequest},
};

use super::{CONNECTION_WINDOW, Http2Stream, SEND_BUFFER, STREAM_WINDOW};
use crate::{Scheme, Stream};

/// The bytes of a response's fields that are taken, as with HTTP/1.1.
const MAX_FIELDS: u32 = 1024 * 1024;

/// Streams that a server lets us open at once before it has said how many.
const STREAMS_AT_FIRST: usize = 100;

/// A connection to a server, shared by streams; a handle to it.
#[derive(Clone, Debug)]
pub struct Multiplexed {
    sender: SendRequest<Bytes>,
    scheme: &'static str,
    state: Rc<State>,
}

#[derive(Debug)]
struct State {
    over: Cell<bool>,
    /// How many streams there are.
    streams: Cell<usize>,
    /// When one was opened last.
    used: Cell<Instant>,
}

/// A stream's place among those of its connection.
#[derive(Debug)]
pub(super) struct Place(Rc<State>);

impl Place {
    fn take(state: &Rc<State>) -> Self {
        state.streams.set(state.streams.get() + 1);
        Self(Rc::clone(state))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.streams.set(self.0.streams.get().saturating_sub(1));
    }
}

/// What opens one stream.
#[derive(Debug)]
pub(super) struct Sender {
    sender: SendRequest<Bytes>,
    scheme: &'static str,
}

impl Sender {
    pub(super) fn scheme(&self) -> &'static str {
        self.scheme
    }

    pub(super) fn send(
        &mut self,
        head: http::Request<()>,
        ends: bool,
    ) -> io::Result<(ResponseFuture, SendStream<Bytes>)> {
        let refused = |error| io::Error::new(io::ErrorKind::ConnectionRefused, error);
        self.sender.send_request(head, ends).map_err(refused)
    }
}

/// Begins HTTP/2 on a new connection, and works on it in a task of this thread until it ends.
///
/// # Errors
/// When the connection breaks.
pub(crate) async fn shake_hands(
    stream: Stream,
    scheme: Scheme,
    now: Instant,
) -> io::Result<Multiplexed> {
    let (sender, connection) = Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .max_header_list_size(MAX_FIELDS)
        .initial_max_send_streams(STREAMS_AT_FIRST)
        .handshake::<_, Bytes>(stream)
        .await
        .map_err(io::Error::other)?;
    let state = State { over: Cell::new(false), streams: Cell::new(0), used: Cell::new(now) };
    let state = Rc::new(state);
    let shared = Rc::clone(&state);
    tokio::task::spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a connection of HTTP/2 to a server has ended: {error}");
        }
        shared.over.set(true);
    });
    let scheme = if scheme == Scheme::Https { "https" } else { "http" };
    Ok(Multiplexed { sender, scheme, state })
}

impl Multiplexed {
    /// Opens a stream, unless the connection has ended or has as many as it may.
    pub fn open(&mut self, now: Instant) -> Option<Http2Stream> {
        let full = self.state.streams.get() >= self.sender.current_max_send_streams();
        if self.is_over() || full {
            return None;
        }
        self.state.used.set(now);
        let sender = Sender { sender: self.sender.clone(), scheme: self.scheme };
        Some(Http2Stream::to_server(sender, Place::take(&self.state)))
    }

    /// Whether it is worth keeping: alive, and not without streams for longer than `limit`.
    pub(crate) fn is_useful(&self, now: Instant, limit: Option<Duration>) -> bool {
        let idle = now.saturating_duration_since(self.state.used.get());
        let rests = self.state.streams.get() == 0;
        let tired = rests && limit.is_some_and(|limit| idle >= limit);
        !self.is_over() && !tired
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.state.over.get()
    }
}
