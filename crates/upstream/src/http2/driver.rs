//! Moves bytes between the socket of a connection and its hub.

use std::{
    cell::RefCell,
    future::Future as _,
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use portway_http::{
    Refusal, Request, Response,
    h2::{Client, Connection, ErrorCode, Event, Limits, Role, Server, StreamId},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadBuf},
    task::yield_now,
    time::timeout,
};

use super::{
    Http2Stream,
    hub::{Gone, Hub, Shared, USUAL_HEAD},
    pulse::{Beat, Pulse, QUESTION, Silence},
    stall::{Stalled, Stalls},
};
use crate::{
    Socket, Turns,
    budget::{Budget, Part},
};

/// The size of the buffer that is read into, in bytes.
const BUFFER: usize = 32 * 1024;

/// Reads of what nobody wants, at most.
const MOST_UNREAD: usize = 64;

/// Reads in one turn at most, however many heads come of them, so that a busy connection leaves others their turns.
const READS: usize = 8;

/// What heads may count for in one turn, but for the last of them: few bytes can stand for much.
const HEADS: usize = 256 * 1024;

thread_local! {
    /// The buffer of whoever reads now: a connection holds one only while input waits in it.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A connection at work: it must be polled until it is over.
#[derive(Debug)]
pub struct Driver<R: Role, S> {
    hub: Shared<R>,
    socket: S,
    head: R::Head,
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// When it was read.
    read_at: Instant,
    watch: Watch,
    /// How often it has read in this turn.
    reads: usize,
    /// What the heads count for that it has read in this turn.
    heads: usize,
    /// Its turns where they count for much.
    turns: Turns,
    /// How many bytes the socket has taken.
    written: u64,
    /// What it holds of what all may.
    part: Part,
}

/// What is expected of the peer.
#[derive(Debug)]
enum Watch {
    /// Nothing.
    None,
    /// That it is still there.
    Pulse(Pulse),
    /// That it takes what it is sent.
    Stalls(Stalls),
}

/// What came for a server.
#[derive(Debug)]
pub struct Arrived {
    /// The stream that a client has opened. Its head is [`Driver::take_head`].
    pub stream: Http2Stream,
    /// Why it is to be refused, where its head is not good.
    pub refusal: Option<Refusal>,
    /// The protocol that it asks for (RFC 8441).
    pub protocol: Option<String>,
    /// When the end of its head was read.
    pub at: Instant,
}

/// What an event means for whoever drives.
enum Next {
    Nothing,
    Head { stream: StreamId, end: bool, refusal: Option<Refusal> },
}

impl<S: Socket> Driver<Server, S> {
    /// A connection to a client, of which `read` was read already. A stream of which the client takes nothing for as
    /// long as `stall` while it gets more is given up, and so is the connection if nothing at all is taken; it may
    /// get up to half as long again. The connection ends when it is one of those that hold much while all together
    /// hold more than `budget`.
    pub fn server(
        socket: S,
        limits: &Limits,
        stall: Duration,
        budget: &'static Budget,
        read: &[u8],
    ) -> Self {
        let hub = Hub::share(Connection::server(limits));
        let watch = Watch::Stalls(Stalls::new(stall));
        Self::new(hub, socket, Request::new(), read, watch, budget)
    }

    /// Works on, up to the next stream that the client opens; `None` when the connection is over.
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Option<Arrived>> {
        self.poll(cx).map(|next| {
            let (stream, ended, refusal) = next?;
            let mut hub = self.hub.borrow_mut();
            let protocol = hub.engine.protocol().map(str::to_owned);
            hub.add(stream, ended);
            drop(hub);
            let stream = Http2Stream::of_client(&self.hub, stream);
            Some(Arrived { stream, refusal, protocol, at: self.read_at })
        })
    }

    /// Exchanges `request` for the head that has arrived.
    pub fn take_head(&mut self, request: &mut Request) {
        std::mem::swap(&mut self.head, request);
    }

    /// Closes the socket of a connection that is over, so that the client sees all that was written: closing while
    /// unread bytes are there would reset it.
    pub async fn close(&mut self, within: Duration) {
        let close = async {
            self.socket.shutdown().await?;
            let mut unread = [0; 4096];
            for _ in 0..MOST_UNREAD {
                if self.socket.read(&mut unread).await? == 0 {
                    break;
                }
            }
            io::Result::Ok(())
        };
        // It ends in any case.
        _ = timeout(within, close).await;
    }

    /// Whether the client's settings have come, which it says first.
    pub fn is_settled(&self) -> bool {
        self.hub.borrow().engine.is_settled()
    }

    /// Begins to end the connection: streams that are open, or opened before the client has heard of it, go on.
    pub fn leave(&mut self) {
        self.hub.borrow_mut().engine.leave();
    }
}

impl<S: Socket> Driver<Client, S> {
    pub(super) fn client(hub: Shared<Client>, socket: S, silence: Option<Silence>) -> Self {
        let watch = silence.map_or(Watch::None, |silence| Watch::Pulse(Pulse::new(silence)));
        Self::new(hub, socket, Response::new(), &[], watch, Budget::SERVERS)
    }

    /// Works on; ready when the connection is over.
    pub(super) fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.poll(cx) {
                Poll::Ready(Some((stream, end, _))) => {
                    self.hub.borrow_mut().take_response(stream, &mut self.head, end);
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl<R: Role, S: Socket> Driver<R, S> {
    fn new(
        hub: Shared<R>,
        socket: S,
        head: R::Head,
        read: &[u8],
        watch: Watch,
        budget: &'static Budget,
    ) -> Self {
        let (input, end) = (read.to_vec(), read.len());
        let (read_at, part) = (Instant::now(), Part::new(budget));
        Self {
            hub,
            socket,
            head,
            input,
            start: 0,
            end,
            read_at,
            watch,
            reads: 0,
            heads: 0,
            turns: Turns::default(),
            written: 0,
            part,
        }
    }

    /// Reads and writes up to the next head; `None` when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<(StreamId, bool, Option<Refusal>)>> {
        while self.reads < READS {
            if self.heads >= HEADS {
                match self.poll_turn(cx) {
                    Poll::Ready(Ok(())) => self.begin_turn(),
                    Poll::Ready(Err(gone)) => return self.over(gone),
                    Poll::Pending => return Poll::Pending,
                }
            }
            match self.dispatch() {
                Ok(Next::Head { stream, end, refusal }) => {
                    return Poll::Ready(Some((stream, end, refusal)));
                }
                Ok(Next::Nothing) => {}
                Err(()) => {
                    // What tells the peer why is written as far as it goes.
                    let _ = self.poll_write(cx);
                    return self.over(Gone::Broken(io::ErrorKind::ConnectionAborted));
                }
            }
            let written = match self.poll_within_budget(cx) {
                Poll::Ready(Err(gone)) => return self.over(gone),
                Poll::Ready(Ok(())) => true,
                Poll::Pending => false,
            };
            if written && self.hub.borrow().engine.is_done() {
                return self.over(Gone::Broken(io::ErrorKind::ConnectionRefused));
            }
            if self.start < self.end {
                continue;
            }
            match self.poll_read(cx) {
                Poll::Ready(Ok(0)) => return self.over(Gone::Broken(io::ErrorKind::UnexpectedEof)),
                Poll::Ready(Ok(_)) => self.reads += 1,
                Poll::Ready(Err(error)) => return self.over(Gone::Broken(error.kind())),
                Poll::Pending => match self.poll_watch(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(gone)) => return self.over(gone),
                    Poll::Pending => {
                        self.begin_turn();
                        return Poll::Pending;
                    }
                },
            }
        }
        self.begin_turn();
        // Whoever is ready comes first, and whoever becomes so when the sockets are looked at.
        _ = pin!(yield_now()).poll(cx);
        Poll::Pending
    }

    fn begin_turn(&mut self) {
        self.reads = 0;
        self.heads = 0;
    }

    /// Waits until it may go on after heads that counted for much. Of a client that has left nothing more is read.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        // It may be long until then.
        R::forget_large(&mut self.head, USUAL_HEAD);
        if let Poll::Ready(Err(gone)) = self.poll_within_budget(cx) {
            return Poll::Ready(Err(gone));
        }
        if R::IS_SERVER && self.socket.has_ended() {
            return Poll::Ready(Err(Gone::Broken(io::ErrorKind::UnexpectedEof)));
        }
        // What was computed counts before it is asked whether to wait: the first turn is not free.
        Turns::took(self.heads);
        self.turns.poll(cx).map(Ok)
    }

    /// Writes what there is, unless the connection must end because it holds too much.
    fn poll_within_budget(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        if self.holds_too_much() {
            // What tells the peer why is written as far as it goes.
            let _ = self.poll_write(cx);
            return Poll::Ready(Err(Gone::Broken(io::ErrorKind::OutOfMemory)));
        }
        self.poll_write(cx).map_err(|error| Gone::Broken(error.kind()))
    }

    /// Whether the connection must end because it holds more than there is room for; the client is told then. Of a
    /// connection to a server only the streams are given up of which much waits for slow clients.
    fn holds_too_much(&mut self) -> bool {
        let mut hub = self.hub.borrow_mut();
        if !self.part.holds(hub.engine.held() + self.input.len()) {
            return false;
        }
        self.part.warn();
        if R::IS_SERVER {
            hub.engine.end_for_room();
        } else {
            hub.give_up_slow(self.part.fair());
        }
        R::IS_SERVER
    }

    /// Sees to a peer that is silent or takes nothing, once all that came is read; ready when there is something to
    /// write, or the connection is to end.
    fn poll_watch(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let mut hub = self.hub.borrow_mut();
        match &mut self.watch {
            Watch::None => {}
            Watch::Pulse(pulse) => match pulse.poll(cx) {
                Poll::Ready(Beat::Ask) => {
                    hub.ask_for_life();
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Beat::Lost) => return Poll::Ready(Err(Gone::Unresponsive)),
                Poll::Pending => {}
            },
            Watch::Stalls(stalls) => match stalls.poll(cx, &hub.engine, self.written) {
                Poll::Ready(Stalled::Streams(streams)) => {
                    hub.give_up(&streams, ErrorCode::CANCEL);
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Stalled::Connection) => {
                    return Poll::Ready(Err(Gone::Broken(io::ErrorKind::TimedOut)));
                }
                Poll::Pending => hub.unwatched = stalls.is_asleep(),
            },
        }
        hub.rest(cx);
        Poll::Pending
    }

    fn over<T>(&mut self, why: Gone) -> Poll<Option<T>> {
        self.hub.borrow_mut().end(why);
        Poll::Ready(None)
    }

    /// Hands on what was read, up to the next head, or as far as this turn goes.
    fn dispatch(&mut self) -> Result<Next, ()> {
        let mut hub = self.hub.borrow_mut();
        if self.start < self.end {
            hub.rouse();
        }
        loop {
            let input = self.input.get(self.start..self.end).unwrap_or_default();
            let step = match hub.engine.next(input, &mut self.head, self.read_at) {
                Ok(step) => step,
                Err(error) => {
                    tracing::debug!("{error}");
                    return Err(());
                }
            };
            self.start += step.consumed;
            match step.event {
                None => break,
                Some(Event::Head { stream, end }) => {
                    self.heads += hub.engine.block_length();
                    return Ok(Next::Head { stream, end, refusal: None });
                }
                Some(Event::Refused { stream, end, refusal }) => {
                    self.heads += hub.engine.block_length();
                    return Ok(Next::Head { stream, end, refusal: Some(refusal) });
                }
                Some(Event::Data { stream, payload, end }) => {
                    hub.take_data(stream, input.get(payload).unwrap_or_default(), end);
                }
                Some(Event::Trailers { stream }) => {
                    self.heads += hub.engine.block_length();
                    hub.take_trailers(stream);
                }
                Some(Event::Wasted) => {
                    self.heads += hub.engine.block_length();
                    if self.heads >= HEADS {
                        break;
                    }
                }
                Some(Event::Reset { stream, code }) => hub.take_reset(stream, code),
                Some(Event::Pong { payload: QUESTION }) => {
                    if let Watch::Pulse(pulse) = &mut self.watch {
                        pulse.answered();
                    }
                }
                Some(Event::GoAway { .. } | Event::Pong { .. }) => {}
            }
        }
        hub.wake_writers();
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            give_back(&mut self.input);
            R::forget_large(&mut self.head, USUAL_HEAD);
        }
        Ok(Next::Nothing)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.input.is_empty() {
            self.input = SPARE.take();
        }
        if self.input.len() < BUFFER {
            self.input.resize(BUFFER, 0);
        }
        let mut buffer = ReadBuf::new(&mut self.input);
        let read = Pin::new(&mut self.socket).poll_read(cx, &mut buffer);
        let count = buffer.filled().len();
        if !matches!(read, Poll::Ready(Ok(()))) || count == 0 {
            give_back(&mut self.input);
        }
        read.map_ok(|()| {
            if let Watch::Pulse(pulse) = &mut self.watch {
                pulse.heard();
            }
            self.start = 0;
            self.end = count;
            self.read_at = Instant::now();
            count
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut hub = self.hub.borrow_mut();
        let mut wrote = false;
        while !hub.engine.output().is_empty() {
            match Pin::new(&mut self.socket).poll_write(cx, hub.engine.output()) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    wrote = true;
                    self.written += count as u64;
                    hub.engine.written(count);
                    hub.wake_writers();
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        drop(hub);
        match wrote {
            true => Pin::new(&mut self.socket).poll_flush(cx),
            false => Poll::Ready(Ok(())),
        }
    }
}

impl<R: Role, S> Drop for Driver<R, S> {
    fn drop(&mut self) {
        self.hub.borrow_mut().end(Gone::Broken(io::ErrorKind::ConnectionAborted));
        give_back(&mut self.input);
    }
}

/// Leaves a buffer to whoever reads next.
fn give_back(input: &mut Vec<u8>) {
    if input.len() == BUFFER {
        SPARE.set(std::mem::take(input));
    } else {
        *input = Vec::new();
    }
}

#[cfg(test)]
mod tests;
