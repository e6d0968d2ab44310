//! One client connection: request heads, keep-alive, limits, and its graceful end.

use std::{
    future::{Future, poll_fn},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::{Duration, Instant},
};

use portway_http::{
    BodyReader, Reason, Refusal, Request, TrustedPeers,
    codec::{Progress, RequestParser},
    h2::PREFACE,
};
use portway_upstream::Stream;
use tokio::{io::AsyncWriteExt, time::timeout_at};

use crate::{
    EntryPoint, answer,
    buffer::ReadBuffer,
    deadline::Patience,
    drain::Ending,
    exchange::exchange,
    handshake::{self, TlsFacts},
    http2,
    memory::Memory,
    own::Own,
    proxy_protocol::{self, Beginning},
    tunnel,
    worker::Worker,
};

/// How much of a request body that nobody wants is read, so that the client sees the answer and the
/// connection can be kept. As in Go's server.
pub(crate) const MAX_UNWANTED: u64 = 256 * 1024;

/// How long a connection that nothing came on may still bring a request once the entry point drains: its client, which may
/// be far away, cannot know yet, and an answer before may have promised to go on.
const LAST_CALL: Duration = Duration::from_millis(500);

/// How long nothing may come on a connection that ends before it is closed: it is read from, so that its last
/// answer is not lost to a reset.
pub(crate) const LINGER: Duration = Duration::from_millis(500);

/// How long it is read from in all: a slow client that still sends may not have read its answer yet. nginx's
/// `lingering_time` is 30 s, which would hold up the end of the process.
const LONGEST_LINGER: Duration = Duration::from_secs(5);

/// One client connection. What an exchange works with is apart from it, so that a connection that waits for
/// a request holds no memory for one.
pub(crate) struct Connection {
    pub(crate) worker: Rc<Worker>,
    /// The entry point's number.
    pub(crate) entry_point: usize,
    pub(crate) stream: Stream,
    pub(crate) input: ReadBuffer,
    pub(crate) peer: SocketAddr,
    /// Where the client has connected to, where that was told by the PROXY protocol.
    pub(crate) local: Option<IpAddr>,
    pub(crate) tls: Option<Rc<TlsFacts>>,
    /// When the head of the current request began to arrive, and was complete.
    pub(crate) begun: Instant,
    pub(crate) started: Instant,
    /// When the last exchange ended; before the first, when the connection was accepted or encrypted.
    ended: Instant,
    /// Requests so far, the current one included, as far as they can be counted: a larger number would make every
    /// connection that waits larger.
    requests: u32,
    /// Whether the current request is one of them.
    counted: bool,
    /// Whether the end of the connection is what ends the current response.
    pub(crate) until_close: bool,
    since: Instant,
    parser: RequestParser,
    patience: Patience,
    /// The connections to servers that are this client's alone.
    pub(crate) own: Option<Rc<Own>>,
}

/// What a connection does after an exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Next {
    /// It waits for the next request; this much of the current one's body is still to come.
    KeepAlive,
    /// It is closed once the client has seen the answer.
    Close,
    /// It is over: the client is gone, or must see that the response is incomplete.
    Abort,
    /// It carries the tunnel that is in the exchange's memory, to the end of both.
    Tunnel,
}

/// What came instead of bytes or besides them.
enum Head {
    Request(Box<Memory>),
    Refused(Box<Memory>, Refusal),
    End,
}

impl Connection {
    /// A connection that has just been accepted.
    pub(crate) fn new(
        worker: Rc<Worker>,
        entry_point: usize,
        stream: Stream,
        peer: SocketAddr,
    ) -> Box<Self> {
        let now = Instant::now();
        Box::new(Self {
            worker,
            entry_point,
            stream,
            input: ReadBuffer::default(),
            // The kernel shows an IPv4 client of a socket for both families as a mapped IPv6 address.
            peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()),
            local: None,
            tls: None,
            begun: now,
            started: now,
            ended: now,
            requests: 0,
            counted: true,
            until_close: false,
            since: now,
            parser: RequestParser::new(),
            patience: Patience::default(),
            own: None,
        })
    }

    /// Serves requests until the connection ends.
    pub(crate) async fn serve(self: Box<Self>) {
        let mut connection = self;
        if !connection.greeted().await {
            return;
        }
        if handshake::begins(connection.input.filled()) {
            // Rare and large next to a connection that waits for its next request.
            let Some(encrypted) = Box::pin(handshake::accept(connection)).await else { return };
            connection = encrypted;
            connection.end_exchange();
        }
        match connection.speaks_http2().await {
            // Rare and large next to a connection that waits for its next request.
            Some(true) => Box::pin(http2::serve(connection)).await,
            Some(false) => connection.serve_requests().await,
            None => {}
        }
    }

    /// Whether HTTP/2 is spoken: agreed on by TLS, or begun without a word (RFC 9113 §3.3). `None` where what came may
    /// still be the beginning of either and nothing more does: that is no request.
    async fn speaks_http2(&mut self) -> Option<bool> {
        if let Some(tls) = &self.tls {
            return Some(tls.http2);
        }
        let worker = Rc::clone(&self.worker);
        let settings = worker.entry_points.get(self.entry_point)?;
        if PREFACE.starts_with(self.input.filled()) {
            self.begun = Instant::now();
        }
        loop {
            let begun = self.input.filled();
            if begun.starts_with(PREFACE) {
                return Some(true);
            }
            if !PREFACE.starts_with(begun) {
                return Some(false);
            }
            if !self.fill(settings.read_timeout, None).await {
                return None;
            }
        }
    }

    /// A connection on which there is one request, here since `now`: a stream of a connection that speaks HTTP/2, or
    /// nobody's.
    pub(crate) fn of_one(
        worker: &Rc<Worker>,
        entry_point: usize,
        peer: SocketAddr,
        tls: Option<Rc<TlsFacts>>,
        stream: Stream,
        now: Instant,
    ) -> Self {
        Self {
            worker: Rc::clone(worker),
            entry_point,
            stream,
            input: ReadBuffer::default(),
            peer,
            local: None,
            tls,
            begun: now,
            started: now,
            ended: now,
            requests: 1,
            counted: true,
            until_close: false,
            since: now,
            parser: RequestParser::new(),
            patience: Patience::default(),
            own: None,
        }
    }

    /// Waits for the first bytes, which say whether TLS is spoken; `false` when none come.
    async fn greeted(&mut self) -> bool {
        let worker = Rc::clone(&self.worker);
        let settings = worker.entry_points.get(self.entry_point);
        let (Some(settings), Some(ending)) = (settings, worker.ending(self.entry_point)) else {
            return false;
        };
        if !self.fill(settings.read_timeout, Some(ending)).await
            && !self.is_last_called(ending).await
        {
            return false;
        }
        match &settings.proxy_protocol {
            // Rare and large next to a connection that waits for its next request.
            Some(trust) => Box::pin(self.introduced(trust, settings.read_timeout)).await,
            None => true,
        }
    }

    /// Takes off the header of the PROXY protocol, if there is one, and waits for what follows; `false` when
    /// nothing does in time, or the header is malformed.
    async fn introduced(&mut self, trust: &TrustedPeers, limit: Option<Duration>) -> bool {
        loop {
            match proxy_protocol::read(self.input.filled()) {
                Beginning::Other => return true,
                Beginning::Malformed => {
                    tracing::debug!("{} sent a malformed header of the PROXY protocol", self.peer);
                    return false;
                }
                Beginning::Header(length, addresses) => {
                    self.input.consume(length);
                    if let Some([client, local]) = addresses
                        && trust.trusts(self.peer.ip())
                    {
                        self.peer = SocketAddr::new(client.ip().to_canonical(), client.port());
                        self.local = Some(local.ip());
                    }
                    return !self.input.is_empty() || self.fill(limit, None).await;
                }
                Beginning::Partial => {}
            }
            if self.input.is_full() {
                self.input.grow();
            }
            if !self.fill(limit, None).await {
                return false;
            }
        }
    }

    async fn serve_requests(&mut self) {
        loop {
            let (memory, next) = match self.read_head().await {
                Head::Request(mut memory) => {
                    self.requests = self.requests.saturating_add(1);
                    self.counted = true;
                    // Boxed, so that a connection at rest does not hold room for an exchange. The room comes
                    // from the worker's own free list.
                    let next = Box::pin(exchange(self, &mut memory)).await;
                    (memory, next)
                }
                Head::Refused(mut memory, refusal) => {
                    let next = Box::pin(answer::refuse(self, &mut memory, refusal)).await;
                    (memory, next)
                }
                Head::End => return,
            };
            if next == Next::Tunnel {
                return tunnel::run(self, memory).await;
            }
            self.worker.memories.put(memory);
            match next {
                Next::KeepAlive => {}
                Next::Close => return Box::pin(self.linger()).await,
                Next::Abort | Next::Tunnel => {
                    if self.until_close {
                        self.stream.reset_at_end();
                    }
                    return;
                }
            }
        }
    }

    /// Lets go of what only waits for requests need.
    pub(crate) fn rest(&mut self) {
        self.patience = Patience::default();
        self.input.release(&self.worker.buffers);
    }

    /// The exchange is over but for what follows from it; gives back when.
    pub(crate) fn end_exchange(&mut self) -> Instant {
        self.ended = Instant::now();
        self.ended
    }

    /// Forgets the current request: as in Traefik, what the entry point refuses is none of those that use a
    /// connection up.
    pub(crate) fn discount(&mut self) {
        self.requests = self.requests.saturating_sub(1);
        self.counted = false;
    }

    /// Whether the connection ends with the current request, because of its age or of how many there were.
    pub(crate) fn is_used_up(&self, entry_point: &EntryPoint) -> bool {
        let aged = entry_point.max_time.is_some_and(|limit| self.since.elapsed() >= limit);
        let (used, most) = (u64::from(self.requests), entry_point.max_requests);
        self.counted && (aged || most != 0 && used >= most)
    }

    /// Whether the connection may go on after the current request, as far as it is not `used_up`.
    pub(crate) fn may_continue(&self, request: &Request, used_up: bool) -> bool {
        request.keep_alive && !used_up && !self.is_draining()
    }

    fn is_draining(&self) -> bool {
        self.worker.ending(self.entry_point).is_none_or(Ending::is_draining)
    }

    /// Reads the next request's head: within the idle timeout up to its first byte, then within the read
    /// timeout. While nothing came, the connection ends silently.
    async fn read_head(&mut self) -> Head {
        let worker = Rc::clone(&self.worker);
        let settings = worker.entry_points.get(self.entry_point);
        let (Some(settings), Some(ending)) = (settings, worker.ending(self.entry_point)) else {
            return Head::End;
        };
        if self.input.is_empty() {
            self.begun = self.ended;
            if !self.wait(settings, ending).await && !self.is_last_called(ending).await {
                return Head::End;
            }
        }
        self.begun = Instant::now();
        self.started = self.begun;
        let mut memory = worker.memories.take();
        loop {
            if let Some(parsed) = self.parse_head(settings, &mut memory) {
                return match parsed {
                    Ok(()) => Head::Request(memory),
                    Err(refusal) => Head::Refused(memory, refusal),
                };
            }
            // The parser refuses what is larger than its limit, so growth is bounded by it.
            if self.input.is_full() {
                self.input.grow();
            }
            if self.input.is_large() && !memory.may_hold_head(self.input.size()) {
                return Head::Refused(memory, Reason::NoRoom.into());
            }
            if !self.fill(settings.read_timeout, None).await {
                return Head::End;
            }
            self.started = Instant::now();
        }
    }

    /// Waits for the first bytes of a head; `false` when none came in time or the entry point drains.
    fn wait(&mut self, settings: &EntryPoint, ending: &Ending) -> impl Future<Output = bool> {
        let is_first = self.requests == 0 && self.counted;
        let limit = if is_first { settings.read_timeout } else { settings.idle_timeout };
        self.fill(limit, Some(ending))
    }

    /// Waits for the first bytes of what is the last request because the entry point drains; `false` when none came in
    /// time, or the wait before ended for another reason.
    async fn is_last_called(&mut self, ending: &Ending) -> bool {
        self.begun = Instant::now();
        ending.is_draining() && self.fill(Some(LAST_CALL), None).await
    }

    /// The head, if all of it is here.
    fn parse_head(
        &mut self,
        settings: &EntryPoint,
        memory: &mut Memory,
    ) -> Option<Result<(), Refusal>> {
        let parsed = self.parser.parse(self.input.filled(), &settings.limits, &mut memory.request);
        match parsed {
            Ok(Progress::Partial) => None,
            Ok(Progress::Complete(length)) => {
                self.input.consume(length);
                Some(Ok(()))
            }
            Err(refusal) => Some(Err(refusal)),
        }
    }

    /// Reads more; `false` when there is no more, not within `limit` of [`Connection::begun`], or when `ending`
    /// says that nothing new begins.
    ///
    /// No `async fn`: every connection at rest holds this future, which then is half as large.
    fn fill(
        &mut self,
        limit: Option<Duration>,
        ending: Option<&Ending>,
    ) -> impl Future<Output = bool> {
        let until = limit.and_then(|limit| self.begun.checked_add(limit));
        let mut drained = ending.map(Ending::drained);
        poll_fn(move |cx| {
            let filled = self.input.poll_fill(cx, &mut self.stream, &self.worker.buffers);
            if let Poll::Ready(filled) = filled {
                return Poll::Ready(matches!(filled, Ok(1..)));
            }
            let over =
                drained.as_mut().is_some_and(|drained| Pin::new(drained).poll(cx).is_ready())
                    || self.patience.is_over(cx, until);
            if over { Poll::Ready(false) } else { Poll::Pending }
        })
    }

    /// Reads with `reader` the rest of a request body that nobody wants; `false` where it is too much, too slow
    /// or malformed.
    pub(crate) async fn discard_body(&mut self, mut reader: BodyReader) -> bool {
        let worker = Rc::clone(&self.worker);
        let limit = worker.entry_points.get(self.entry_point).and_then(|e| e.read_timeout);
        let discard = async {
            let mut unwanted = 0;
            while !reader.is_done() {
                if self.input.is_empty() {
                    let fill =
                        poll_fn(|cx| self.input.poll_fill(cx, &mut self.stream, &worker.buffers));
                    if !matches!(fill.await, Ok(count) if count > 0) {
                        return false;
                    }
                }
                let Ok(step) = reader.step(self.input.filled()) else { return false };
                self.input.consume(step.consumed);
                unwanted += step.consumed as u64;
                if unwanted > MAX_UNWANTED {
                    return false;
                }
            }
            true
        };
        match limit {
            Some(limit) => timeout_at((self.begun + limit).into(), discard).await.unwrap_or(false),
            None => discard.await,
        }
    }

    /// Reads what comes of a body over HTTP/2 that nobody wants, for a moment: many clients give up an answer when
    /// the stream is reset behind it.
    pub(crate) async fn discard_stream(&mut self) {
        let worker = Rc::clone(&self.worker);
        let discard = async {
            let mut unwanted = 0;
            while unwanted <= MAX_UNWANTED {
                let fill =
                    poll_fn(|cx| self.input.poll_fill(cx, &mut self.stream, &worker.buffers));
                match fill.await {
                    Ok(count) if count > 0 => unwanted += count as u64,
                    _ => return,
                }
                self.input.discard(&worker.buffers);
            }
        };
        // Whether all of it came makes no difference.
        _ = tokio::time::timeout(LINGER, discard).await;
    }

    /// Writes all of `out`, the last of a response, and empties it; `false` when the client is gone or takes it
    /// too slowly.
    pub(crate) async fn write_out(&mut self, out: &mut Vec<u8>) -> bool {
        self.write(out, true).await
    }

    /// The same with more to follow.
    pub(crate) async fn write_some(&mut self, out: &mut Vec<u8>) -> bool {
        self.write(out, false).await
    }

    async fn write(&mut self, out: &mut Vec<u8>, last: bool) -> bool {
        let worker = Rc::clone(&self.worker);
        let limit = worker.entry_points.get(self.entry_point).and_then(|e| e.write_timeout);
        // What could be written at once is late, too.
        if last && limit.is_some_and(|limit| self.started.elapsed() >= limit) {
            out.clear();
            return false;
        }
        let write = async {
            self.stream.write_all(out).await?;
            if let Some(stream) = self.stream.http2()
                && last
            {
                stream.end(None)?;
            }
            self.stream.flush().await
        };
        let written = match limit {
            Some(limit) => timeout_at((self.started + limit).into(), write).await,
            None => Ok(write.await),
        };
        out.clear();
        matches!(written, Ok(Ok(())))
    }

    /// Ends the connection so that the client sees all that was written: closing while unread bytes are
    /// there, or before more come, would reset it, and take what the system has not sent yet.
    async fn linger(&mut self) {
        let worker = Rc::clone(&self.worker);
        let begun = Instant::now();
        // Over TLS there is something left to write, which a client that does not read holds up.
        let shutdown = timeout_at((begun + LINGER).into(), self.stream.shutdown());
        if !matches!(shutdown.await, Ok(Ok(()))) {
            return;
        }
        loop {
            self.input.discard(&worker.buffers);
            let fill = poll_fn(|cx| self.input.poll_fill(cx, &mut self.stream, &worker.buffers));
            let until = (Instant::now() + LINGER).min(begun + LONGEST_LINGER);
            match timeout_at(until.into(), fill).await {
                Ok(Ok(count)) if count > 0 => {}
                _ => return,
            }
        }
    }
}
