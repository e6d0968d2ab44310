//! What the streams of one connection share.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    io,
    rc::Rc,
    task::{Context, Waker},
};

use foldhash::fast::FixedState;
use portway_http::{
    Headers, Response,
    h2::{Connection, ErrorCode, Role, StreamId},
};

use super::pulse::QUESTION;

/// Responses that are kept for reuse at most.
const MAX_SPARE: usize = 16;

/// Memories of responses of more bytes are not kept.
pub(super) const USUAL_HEAD: usize = 16 * 1024;

/// Memories of outputs that a thread keeps for reuse at most.
const MAX_OUTPUTS: usize = 32;

/// Memories of outputs of more bytes are not kept.
const USUAL_OUTPUT: usize = 128 * 1024;

thread_local! {
    /// Memories of outputs, for connections that have something to do: those without streams hold none.
    static OUTPUTS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A connection and its streams, shared by the driver and the owners of streams.
#[derive(Debug)]
pub(super) struct Hub<R: Role> {
    pub(super) engine: Connection<R>,
    streams: HashMap<u32, Slot, FixedState>,
    driver: Option<Waker>,
    /// Whether the driver wants to hear of a stream that waits to send.
    pub(super) unwatched: bool,
    /// Whether there is one stream at a time. To a server, only then a request may end with trailers.
    pub(super) apart: bool,
    /// Why the connection is over.
    over: Option<Gone>,
    /// Responses for reuse.
    #[expect(clippy::vec_box, reason = "streams hold the same boxes")]
    spare: Vec<Box<Response>>,
}

pub(super) type Shared<R> = Rc<RefCell<Hub<R>>>;

/// One stream, as its owner finds it.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Heads of responses that came.
    pub(super) responses: VecDeque<Box<Response>>,
    /// The body that came and was not read, behind what was.
    received: Vec<u8>,
    read: usize,
    /// Whether all that comes has come.
    pub(super) ended: bool,
    pub(super) trailers: Option<Headers>,
    /// Why nothing more goes or comes.
    pub(super) gone: Option<Gone>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Why a stream ended early.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gone {
    Reset(ErrorCode),
    /// The connection broke.
    Broken(io::ErrorKind),
    /// The server did not answer a PING in time.
    Unresponsive,
}

/// The server did not answer a PING in time, and its connection was closed: what errors of streams hold then.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the server did not answer an HTTP/2 PING")]
pub struct Unresponsive;

impl Unresponsive {
    /// Whether it is why a stream has failed.
    pub fn is_cause(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|cause| cause.is::<Self>())
    }
}

/// The server gave a stream up, broke the rules of HTTP/2, or closed its connection in good order with the stream
/// unanswered: what errors of streams hold then, unless it was the network that failed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum StreamEnded {
    /// With RST_STREAM, and this code.
    #[error("HTTP/2 error {0}")]
    Reset(u32),
    /// With its connection.
    #[error("the connection has ended")]
    Closed,
}

impl StreamEnded {
    /// How the stream ended that has failed with `error`, where it was not the network.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl Gone {
    pub(super) fn error(self) -> io::Error {
        match self {
            Self::Reset(code) => {
                // Where the stream was refused, the peer has surely not worked on it.
                let kind = match code {
                    ErrorCode::REFUSED_STREAM => io::ErrorKind::ConnectionRefused,
                    _ => io::ErrorKind::ConnectionReset,
                };
                io::Error::new(kind, StreamEnded::Reset(code.0))
            }
            Self::Broken(
                kind @ (io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionAborted),
            ) => io::Error::new(kind, StreamEnded::Closed),
            Self::Broken(kind) => kind.into(),
            Self::Unresponsive => io::Error::new(io::ErrorKind::TimedOut, Unresponsive),
        }
    }
}

impl Slot {
    /// What was received and not read.
    pub(super) fn unread(&self) -> &[u8] {
        self.received.get(self.read..).unwrap_or_default()
    }

    /// So much was read.
    pub(super) fn advance(&mut self, count: usize) {
        self.read += count;
        if self.read >= self.received.len() {
            self.received.clear();
            self.read = 0;
        } else if self.read > self.received.len() / 2 {
            // A reader that is always a little behind would never come to the end.
            self.received.drain(..self.read);
            self.read = 0;
        }
    }

    pub(super) fn await_reading(&mut self, cx: &Context<'_>) {
        remember(&mut self.reader, cx);
    }

    pub(super) fn await_writing(&mut self, cx: &Context<'_>) {
        remember(&mut self.writer, cx);
    }

    fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    fn wake_writer(&mut self) {
        if let Some(waker) = self.writer.take() {
            waker.wake();
        }
    }

    fn end(&mut self, gone: Gone) {
        self.gone.get_or_insert(gone);
        self.wake_reader();
        self.wake_writer();
    }
}

fn remember(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *place = Some(cx.waker().clone()),
    }
}

impl<R: Role> Hub<R> {
    pub(super) fn share(engine: Connection<R>) -> Shared<R> {
        Rc::new(RefCell::new(Self {
            engine,
            streams: HashMap::default(),
            driver: None,
            unwatched: false,
            apart: false,
            over: None,
            spare: Vec::new(),
        }))
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Adds a stream of which the engine knows.
    pub(super) fn add(&mut self, stream: StreamId, ended: bool) {
        let gone = self.over;
        self.streams.insert(stream.number(), Slot { ended, gone, ..Slot::default() });
    }

    pub(super) fn slot(&mut self, stream: StreamId) -> Option<&mut Slot> {
        self.streams.get_mut(&stream.number())
    }

    /// Takes a stream out whose owner has left it.
    pub(super) fn remove(&mut self, stream: StreamId) -> Option<Slot> {
        self.streams.remove(&stream.number())
    }

    /// Lets the driver write what there is.
    pub(super) fn wake_driver(&mut self) {
        if !self.engine.output().is_empty()
            && let Some(waker) = self.driver.take()
        {
            waker.wake();
        }
    }

    /// A stream waits to send: the driver must know since when.
    pub(super) fn watch_waiting(&mut self) {
        if std::mem::take(&mut self.unwatched)
            && let Some(waker) = self.driver.take()
        {
            waker.wake();
        }
    }

    /// Gives up the streams of which more is held than each may have however much others hold.
    pub(super) fn give_up_slow(&mut self, fair: usize) {
        let slow = self.streams.iter().filter(|(_, slot)| slot.unread().len() > fair);
        let slow: Vec<_> = slow.map(|(number, _)| StreamId::new(*number)).collect();
        self.give_up(&slow, ErrorCode::CANCEL);
    }

    /// Gives up streams whose peer takes nothing, or whose time is over.
    pub(super) fn give_up(&mut self, streams: &[StreamId], code: ErrorCode) {
        self.rouse();
        for stream in streams {
            self.engine.reset(*stream, code);
            self.take_reset(*stream, code);
        }
    }

    /// There is nothing to do for the driver, until it is woken. A connection without streams holds little.
    pub(super) fn rest(&mut self, cx: &Context<'_>) {
        remember(&mut self.driver, cx);
        if self.streams.is_empty()
            && let Some(memory) = self.engine.shrink()
            && memory.capacity() <= USUAL_OUTPUT
        {
            OUTPUTS.with_borrow_mut(|outputs| {
                if outputs.len() < MAX_OUTPUTS {
                    outputs.push(memory);
                }
            });
        }
    }

    /// Something is to be done: what it makes the engine write goes into memory that was used before.
    pub(super) fn rouse(&mut self) {
        let spare = || OUTPUTS.with_borrow_mut(Vec::pop).unwrap_or_default();
        self.engine.reuse(spare);
    }

    /// Sends a PING, to whose answer the driver listens.
    pub(super) fn ask_for_life(&mut self) {
        self.rouse();
        self.engine.ping(QUESTION);
    }

    pub(super) fn take_data(&mut self, stream: StreamId, payload: &[u8], end: bool) {
        match self.streams.get_mut(&stream.number()) {
            Some(slot) => {
                slot.received.extend_from_slice(payload);
                slot.ended |= end;
                slot.wake_reader();
            }
            // Its owner has left it.
            None => self.engine.release(stream, payload.len()),
        }
    }

    pub(super) fn take_trailers(&mut self, stream: StreamId) {
        let trailers = self.engine.trailers();
        if let Some(slot) = self.streams.get_mut(&stream.number()) {
            slot.trailers = Some(trailers);
            slot.ended = true;
            slot.wake_reader();
        }
    }

    pub(super) fn take_response(&mut self, stream: StreamId, response: &mut Response, end: bool) {
        let Some(slot) = self.streams.get_mut(&stream.number()) else { return };
        let mut kept = self.spare.pop().unwrap_or_default();
        std::mem::swap(&mut *kept, response);
        slot.responses.push_back(kept);
        slot.ended |= end;
        slot.wake_reader();
    }

    pub(super) fn reuse(&mut self, response: Box<Response>) {
        if self.spare.len() < MAX_SPARE && response.capacity() <= USUAL_HEAD {
            self.spare.push(response);
        }
    }

    pub(super) fn take_reset(&mut self, stream: StreamId, code: ErrorCode) {
        if let Some(slot) = self.streams.get_mut(&stream.number()) {
            slot.end(Gone::Reset(code));
        }
    }

    /// Wakes those that may write now.
    pub(super) fn wake_writers(&mut self) {
        while let Some(stream) = self.engine.next_writable() {
            if let Some(slot) = self.streams.get_mut(&stream.number()) {
                slot.wake_writer();
            }
        }
    }

    /// The connection is over.
    pub(super) fn end(&mut self, why: Gone) {
        self.over.get_or_insert(why);
        self.engine.forget_input();
        for slot in self.streams.values_mut() {
            slot.end(why);
        }
    }
}

#[cfg(test)]
mod tests;
