//! A connection: what it keeps, and how it begins and ends.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::time::Instant;

use super::allowance::Allowance;
use super::error::{ConnectionError, ErrorCode};
use super::event::Event;
use super::fields::{Apart, Collector, Fault};
use super::flow::{ReceiveWindow, SendWindow};
use super::frame::{MAX_STREAM, PREFACE, kind};
use super::hpack::{Decoder, Encoder};
use super::limits::Limits;
use super::output::Output;
use super::receive::{Block, Reading};
use super::role::{Client, Role, Server};
use super::settings::{self, Settings};
use super::stream::StreamId;
use super::streams::{Past, Streams};
use crate::headers::Headers;

/// One connection of HTTP/2, owned by whoever owns its socket.
#[derive(Debug)]
pub struct Connection<R: Role> {
    pub(super) limits: Limits,
    pub(super) reading: Reading,
    /// A frame that came in pieces, or a block that came in several frames.
    pub(super) partial: Vec<u8>,
    pub(super) block: Vec<u8>,
    /// The block of which not all frames have come.
    pub(super) unfinished: Option<Block>,
    pub(super) decoder: Decoder,
    pub(super) apart: Apart,
    /// What was kept of the last block counts for.
    block_length: usize,
    pub(super) trailers: Headers,
    /// The target of a request that is being sent.
    pub(super) target: Vec<u8>,
    pub(super) encoder: Encoder,
    pub(super) streams: Streams,
    pub(super) receive_window: ReceiveWindow,
    pub(super) send_window: SendWindow,
    /// What the peer has set, once it has.
    pub(super) theirs: Settings,
    pub(super) settled: bool,
    pub(super) output: Output,
    /// How much data was sent on all streams.
    pub(super) sent: u64,
    /// Streams that wait to send, in their turn.
    pub(super) waiting: VecDeque<u32>,
    /// The number of the stream that a client opens next.
    pub(super) next_stream: u32,
    /// Whether the peer leaves, and the highest number that it takes.
    pub(super) peer_leaves: bool,
    pub(super) taken_up_to: u32,
    pub(super) leaving: Leaving,
    failed: Option<ConnectionError>,
    pub(super) resets: Allowance,
    pub(super) provoked_resets: Allowance,
    pub(super) overhead: Allowance,
    /// The time of the current step.
    pub(super) now: Option<Instant>,
    role: PhantomData<R>,
}

/// How far a server is in leaving (RFC 9113 §6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// It stays.
    No,
    /// The peer was told, and streams that were under way are still taken.
    Announced,
    /// No stream is taken any more.
    Final,
}

impl Connection<Server> {
    /// A connection to a client, from its first byte on.
    #[must_use]
    pub fn server(limits: &Limits) -> Self {
        Self::new(limits, Reading::Preface { matched: 0 })
    }
}

impl Connection<Client> {
    /// A connection to a server, from its first byte on.
    #[must_use]
    pub fn client(limits: &Limits) -> Self {
        Self::new(limits, Reading::head())
    }
}

impl<R: Role> Connection<R> {
    fn new(limits: &Limits, reading: Reading) -> Self {
        let mut connection = Self {
            limits: limits.clone(),
            reading,
            partial: Vec::new(),
            block: Vec::new(),
            unfinished: None,
            decoder: Decoder::new(limits.decoder_table),
            apart: Apart::default(),
            block_length: 0,
            trailers: Headers::new(),
            target: Vec::new(),
            encoder: Encoder::new(limits.encoder_table),
            streams: Streams::default(),
            receive_window: ReceiveWindow::new(limits.usable_connection_window()),
            send_window: SendWindow::new(Settings::UNSAID.window),
            theirs: Settings::UNSAID,
            settled: false,
            output: Output::default(),
            sent: 0,
            waiting: VecDeque::new(),
            next_stream: 1,
            peer_leaves: false,
            taken_up_to: MAX_STREAM,
            leaving: Leaving::No,
            failed: None,
            resets: Allowance::new(limits.resets),
            provoked_resets: Allowance::new(limits.provoked_resets),
            overhead: Allowance::new(limits.overhead),
            now: None,
            role: PhantomData,
        };
        connection.greet();
        connection
    }

    /// What is written before anything is read: our settings, and the window of the connection.
    fn greet(&mut self) {
        if !R::IS_SERVER {
            self.output.buffer().1.extend_from_slice(PREFACE);
        }
        let payload = settings::write(&self.limits, R::IS_SERVER);
        self.output.frame(kind::SETTINGS, 0, 0, &payload);
        let more = self.limits.usable_connection_window() - Settings::UNSAID.window;
        if more > 0 {
            self.output.frame(kind::WINDOW_UPDATE, 0, 0, &more.to_be_bytes());
        }
    }

    /// What is to be written to the socket: all frames that are ready. After an error it ends
    /// with the frame that tells the peer.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.output.waiting()
    }

    /// The first so many bytes of the output were written. Streams that wait may send again.
    pub fn written(&mut self, count: usize) {
        self.output.advance(count);
    }

    /// Takes the trailers that came with the last [`Event::Trailers`].
    #[must_use]
    pub fn trailers(&mut self) -> Headers {
        std::mem::take(&mut self.trailers)
    }

    /// What was kept of the last head or trailers counts for (RFC 9113 §6.5.2): what reading them was, however few bytes
    /// stood for them.
    #[must_use]
    pub fn block_length(&self) -> usize {
        self.block_length
    }

    /// How many streams are open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.open()
    }

    /// Whether the peer's settings have come.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// Whether there is nothing left to do: the connection failed, or it is being left or the peer
    /// leaves, and no stream is open. When the output is written it can be closed.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let ends = self.leaving == Leaving::Final || self.peer_leaves;
        self.failed.is_some() || (ends && self.streams.open() == 0)
    }

    /// Asks the peer for a sign of life, which comes as [`Event::Pong`].
    pub fn ping(&mut self, payload: [u8; 8]) {
        if self.failed.is_none() {
            self.output.frame(kind::PING, 0, 0, &payload);
        }
    }

    /// Begins to leave: the peer is told, and streams that it opened before it knew are still
    /// taken. When it has surely heard of it (a PING came back) it is told the last of them, and no
    /// further ones are taken (RFC 9113 §6.8).
    pub fn leave(&mut self) {
        if self.leaving == Leaving::No && self.failed.is_none() {
            self.leaving = Leaving::Announced;
            self.write_go_away(if R::IS_SERVER { MAX_STREAM } else { 0 }, ErrorCode::NO_ERROR);
            self.ping(FAREWELL);
        }
    }

    /// Takes no further stream from now on, as after [`Self::leave`] when the peer has heard of it,
    /// or does not answer. Open ones go on.
    pub fn leave_now(&mut self) {
        if self.leaving != Leaving::Final && self.failed.is_none() {
            self.leaving = Leaving::Final;
            self.write_go_away(self.highest_of_peer(), ErrorCode::NO_ERROR);
        }
    }

    /// Bytes that the peer makes us hold: what came and was not released, heads of streams that are open, with what
    /// is written of them for servers, a block that comes in pieces, and what waits to be written.
    #[must_use]
    pub fn held(&self) -> usize {
        let received = usize::try_from(self.receive_window.held()).unwrap_or(usize::MAX);
        let coming = self.partial.capacity() + self.block.capacity() + self.apart.capacity();
        let heads = 2 * self.streams.head_bytes();
        received.saturating_add(heads + coming + self.output.waiting().len())
    }

    /// Ends the connection because it holds more than there is room for; the output says so to the peer.
    pub fn end_for_room(&mut self) {
        self.fail(ConnectionError::calm("it holds more than there is room for"));
    }

    /// Gives memory back, for a connection that has nothing to do; what it returns is that of the output,
    /// if nothing waits there, for another connection to [`Self::reuse`].
    pub fn shrink(&mut self) -> Option<Vec<u8>> {
        self.partial.shrink_to(0);
        self.block.shrink_to(0);
        self.apart.clear();
        self.trailers = Headers::new();
        self.output.take_memory()
    }

    /// Takes memory for the output, if it has none.
    pub fn reuse(&mut self, memory: impl FnOnce() -> Vec<u8>) {
        self.output.put_memory(memory);
    }

    pub(super) fn fail(&mut self, error: ConnectionError) {
        if self.failed.is_none() {
            self.write_go_away(self.highest_of_peer(), error.code);
            self.failed = Some(error);
            self.forget_input();
        }
    }

    /// Gives back the memory of what came and cannot be understood any more, since nothing comes behind it.
    pub fn forget_input(&mut self) {
        self.partial = Vec::new();
        self.block = Vec::new();
    }

    pub(super) fn failure(&self) -> Option<ConnectionError> {
        self.failed
    }

    fn highest_of_peer(&self) -> u32 {
        if R::IS_SERVER { self.streams.highest } else { 0 }
    }

    fn write_go_away(&mut self, last: u32, code: ErrorCode) {
        let [a, b, c, d] = last.to_be_bytes();
        let [e, f, g, h] = code.0.to_be_bytes();
        self.output.frame(kind::GOAWAY, 0, 0, &[a, b, c, d, e, f, g, h]);
    }

    /// Whether new streams of the peer are refused.
    pub(super) fn takes_no_more(&self) -> bool {
        self.leaving == Leaving::Final
    }

    /// Reads the fields of a block, which may count for `most` bytes, into `headers` and what is kept apart; returns
    /// what they count for, or what is wrong with them.
    pub(super) fn read_fields(
        &mut self,
        block: &[u8],
        headers: &mut Headers,
        most: usize,
    ) -> Result<Result<usize, Fault>, ConnectionError> {
        let mut collector = Collector::new(headers, &mut self.apart, most, &self.limits);
        self.decoder.decode(block, |field| collector.take(field)).map_err(|_| UNREADABLE)?;
        self.block_length = collector.taken();
        Ok(collector.finish())
    }

    /// Reads a block that nobody wants: later ones depend on it. Nothing is copied of what it stands for.
    pub(super) fn skip_fields(&mut self, block: &[u8]) -> Result<(), ConnectionError> {
        self.decoder.decode(block, |_| ()).map_err(|_| UNREADABLE)
    }

    /// Resets a stream because of what the peer sent. The caller hears of it if it knew the stream.
    pub(super) fn stream_error(
        &mut self,
        stream: u32,
        code: ErrorCode,
    ) -> Result<Option<Event>, ConnectionError> {
        if let Some(now) = self.now
            && !self.provoked_resets.take(now)
        {
            return Err(ConnectionError::calm("too many streams with errors"));
        }
        self.output.control(kind::RST_STREAM, 0, stream, &code.0.to_be_bytes());
        self.check_control()?;
        let known = self.remove_stream(stream, Past::Reset);
        Ok(known.then_some(Event::Reset { stream: StreamId(stream), code }))
    }

    /// Settles a stream of which a half was just ended.
    pub(super) fn settle(&mut self, stream: u32) {
        if self.streams.settle(stream) {
            self.resets.give(1);
        }
    }

    /// Takes a stream out, and what it holds from the connection's window; says whether it was
    /// there and open.
    pub(super) fn remove_stream(&mut self, stream: u32, past: Past) -> bool {
        let Some(stream) = self.streams.remove(stream, past) else { return false };
        self.credit(stream.receive_window.held());
        if stream.waits {
            self.waiting.retain(|&id| id != stream.id);
        }
        !stream.is_closed()
    }

    /// Gives the window of the connection back what was released.
    pub(super) fn credit(&mut self, bytes: u32) {
        if let Some(room) = self.receive_window.release(bytes)
            && self.failed.is_none()
        {
            self.output.frame(kind::WINDOW_UPDATE, 0, 0, &room.to_be_bytes());
        }
    }

    /// Whether the peer reads what it makes us write.
    pub(super) fn check_control(&self) -> Result<(), ConnectionError> {
        if self.output.control_len() > self.limits.control_output {
            return Err(ConnectionError::calm("too much is waiting that the peer asked for"));
        }
        Ok(())
    }

    /// Counts a frame that carries nothing.
    pub(super) fn count_overhead(&mut self) -> Result<(), ConnectionError> {
        match self.now {
            Some(now) if !self.overhead.take(now) => {
                Err(ConnectionError::calm("too many frames that carry nothing"))
            }
            _ => Ok(()),
        }
    }
}

const UNREADABLE: ConnectionError = ConnectionError {
    code: ErrorCode::COMPRESSION_ERROR,
    reason: "a block of fields cannot be read",
};

/// What the PING holds that tells when the peer has heard of our leaving.
pub(super) const FAREWELL: [u8; 8] = *b"farewell";
