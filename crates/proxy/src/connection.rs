//! One client connection: request heads, keep-alive, limits, and its graceful end.

use std::{
    future::{pending, poll_fn},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use portway_http::{
    BodyReader, Refusal, Request, Response, TrailerLimits,
    codec::{Progress, RequestParser},
};
use portway_upstream::Stream;
use tokio::{io::AsyncWriteExt, time::timeout_at};

use crate::{
    EntryPoint, answer, buffer::ReadBuffer, drain::Ending, exchange::exchange, handshake::TlsFacts,
    memory::Memory, worker::Worker,
};

/// How much of a request body that nobody wants is read, so that the client sees the answer and the
/// connection can be kept. As in Go's server.
pub(crate) const MAX_UNWANTED: u64 = 256 * 1024;

/// How long a connection that ends is read from, so that its last answer is not lost to a reset.
const LINGER: Duration = Duration::from_millis(500);

/// One client connection. While it waits for a request, it holds no memory for one.
pub(crate) struct Connection {
    pub(crate) worker: Rc<Worker>,
    /// The entry point's number.
    pub(crate) entry_point: usize,
    pub(crate) stream: Stream,
    pub(crate) input: ReadBuffer,
    pub(crate) peer: SocketAddr,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) request: Request,
    pub(crate) response: Response,
    /// Memory for what is written to the client, and to servers.
    pub(crate) out: Vec<u8>,
    pub(crate) to_server: Vec<u8>,
    /// When the head of the current request began to arrive, and was complete.
    pub(crate) begun: Instant,
    pub(crate) started: Instant,
    /// Requests so far, the current one included.
    pub(crate) requests: u64,
    /// Whether the memory for an exchange is with the worker.
    resting: bool,
    /// Whether the end of the connection is what ends the current response.
    pub(crate) until_close: bool,
    /// The length of the longest head of the current exchange.
    pub(crate) longest_head: usize,
    since: Instant,
    parser: RequestParser,
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
}

/// What came instead of bytes or besides them.
enum Head {
    Request,
    Refused(Refusal),
    End,
}

impl Connection {
    pub(crate) fn new(
        worker: Rc<Worker>,
        entry_point: usize,
        stream: Stream,
        peer: SocketAddr,
        tls: Option<TlsFacts>,
        since: Instant,
    ) -> Self {
        Self {
            worker,
            entry_point,
            stream,
            input: ReadBuffer::default(),
            peer,
            tls,
            request: Request::new(),
            response: Response::new(),
            out: Vec::new(),
            to_server: Vec::new(),
            begun: since,
            started: since,
            requests: 0,
            resting: true,
            until_close: false,
            longest_head: 0,
            since,
            parser: RequestParser::new(),
        }
    }

    /// Serves requests until the connection ends.
    pub(crate) async fn serve(mut self) {
        loop {
            let next = match self.read_head().await {
                Head::Request => {
                    self.requests += 1;
                    exchange(&mut self).await
                }
                Head::Refused(refusal) => answer::refuse(&mut self, refusal).await,
                Head::End => return,
            };
            match next {
                Next::KeepAlive if !self.is_draining() => {}
                Next::KeepAlive | Next::Close => return self.linger().await,
                Next::Abort => {
                    if self.until_close {
                        self.stream.reset_at_end();
                    }
                    return;
                }
            }
        }
    }

    /// Whether the connection may go on after the current request, as far as its own limits say.
    pub(crate) fn may_continue(&self, entry_point: &EntryPoint) -> bool {
        let aged = entry_point.max_time.is_some_and(|limit| self.since.elapsed() >= limit);
        let used = entry_point.max_requests != 0 && self.requests >= entry_point.max_requests;
        self.request.keep_alive && !aged && !used && !self.is_draining()
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
        let mut begun = !self.input.is_empty();
        self.begun = Instant::now();
        loop {
            if let Some(head) = self.parse_head(settings) {
                return head;
            }
            // The parser refuses what is larger than its limit, so growth is bounded by it.
            if self.input.is_full() {
                self.input.grow();
            }
            if !self.fill(begun, settings, ending).await {
                return Head::End;
            }
            if !begun {
                begun = true;
                self.begun = Instant::now();
                self.wake();
            }
        }
    }

    /// The head, if all of it is here.
    fn parse_head(&mut self, settings: &EntryPoint) -> Option<Head> {
        if self.input.is_empty() {
            return None;
        }
        let parsed = self.parser.parse(self.input.filled(), &settings.limits, &mut self.request);
        let head = match parsed {
            Ok(Progress::Partial) => return None,
            Ok(Progress::Complete(length)) => {
                self.input.consume(length);
                self.longest_head = self.longest_head.max(length);
                Head::Request
            }
            Err(refusal) => {
                self.longest_head = usize::MAX;
                Head::Refused(refusal)
            }
        };
        self.started = Instant::now();
        Some(head)
    }

    /// Reads more of a head; `false` when there is no more, or not in time. Until one has begun, it also ends
    /// when the entry point drains, and no memory is held.
    async fn fill(&mut self, begun: bool, settings: &EntryPoint, ending: &Ending) -> bool {
        let limit = match (begun, self.requests) {
            (false, 1..) => settings.idle_timeout,
            _ => settings.read_timeout,
        };
        let limit = limit.and_then(|limit| self.begun.checked_add(limit));
        let worker = Rc::clone(&self.worker);
        let fill = poll_fn(|cx| {
            let filled = self.input.poll_fill(cx, &mut self.stream, &worker.buffers);
            if filled.is_pending() && !begun {
                self.rest();
            }
            filled
        });
        let filled = async {
            match limit {
                Some(limit) => timeout_at(limit.into(), fill).await.ok(),
                None => Some(fill.await),
            }
        };
        let drained = async {
            match begun {
                false => ending.drained().await,
                true => pending().await,
            }
        };
        tokio::select! {
            biased;
            filled = filled => matches!(filled, Some(Ok(1..))),
            () = drained => false,
        }
    }

    /// Gives the memory of the last exchange to the worker.
    fn rest(&mut self) {
        if std::mem::replace(&mut self.resting, true) {
            return;
        }
        self.worker.memories.put(Memory {
            request: std::mem::take(&mut self.request),
            response: std::mem::take(&mut self.response),
            out: std::mem::take(&mut self.out),
            to_server: std::mem::take(&mut self.to_server),
            longest_head: std::mem::take(&mut self.longest_head),
        });
    }

    /// Takes memory for an exchange, after a rest.
    fn wake(&mut self) {
        if std::mem::replace(&mut self.resting, false) {
            let memory = self.worker.memories.take();
            self.request = memory.request;
            self.response = memory.response;
            self.out = memory.out;
            self.to_server = memory.to_server;
            self.longest_head = memory.longest_head;
        }
    }

    /// Reads the rest of a request body that nobody wants; `false` where it is too much, too slow or
    /// malformed.
    pub(crate) async fn discard_body(&mut self) -> bool {
        let mut reader = BodyReader::for_request(self.request.body, TrailerLimits::default());
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

    /// Writes all of `out`; `false` when the client is gone or takes it too slowly.
    pub(crate) async fn write_out(&mut self) -> bool {
        let worker = Rc::clone(&self.worker);
        let limit = worker.entry_points.get(self.entry_point).and_then(|e| e.write_timeout);
        let write = async {
            self.stream.write_all(&self.out).await?;
            self.stream.flush().await
        };
        let written = match limit {
            Some(limit) => timeout_at((self.started + limit).into(), write).await,
            None => Ok(write.await),
        };
        self.out.clear();
        matches!(written, Ok(Ok(())))
    }

    /// Ends the connection so that the client sees all that was written: closing while unread bytes are
    /// there would reset it.
    async fn linger(mut self) {
        let worker = Rc::clone(&self.worker);
        let deadline = Instant::now() + LINGER;
        // Over TLS there is something left to write, which a client that does not read holds up.
        if !matches!(timeout_at(deadline.into(), self.stream.shutdown()).await, Ok(Ok(()))) {
            return;
        }
        let mut unread = 0;
        while unread <= MAX_UNWANTED {
            let count = self.input.filled().len();
            self.input.consume(count);
            unread += count as u64;
            let fill = poll_fn(|cx| self.input.poll_fill(cx, &mut self.stream, &worker.buffers));
            match timeout_at(deadline.into(), fill).await {
                Ok(Ok(count)) if count > 0 => {}
                _ => return,
            }
        }
    }
}
