//! Sending: heads, data and trailers, and what streams may send when.

use super::connection::Connection;
use super::error::{ErrorCode, Gone};
use super::flow::{ReceiveWindow, SendWindow};
use super::frame::{FrameHead, HEAD_BYTES, flag, kind};
use super::hpack::Encoder;
use super::role::Role;
use super::server::OF_CONNECTIONS;
use super::stream::{Half, Stream, StreamId};
use super::streams::Past;
use crate::body::BodyFraming;
use crate::chunked::is_forbidden_trailer;
use crate::headers::{Field, Headers};

impl<R: Role> Connection<R> {
    /// Says that so much of what came on a stream was passed on, so that the peer may send more.
    ///
    /// What is held of a stream that was reset needs no release.
    pub fn release(&mut self, stream: StreamId, bytes: usize) {
        let Some(state) = self.streams.get_mut(stream.0) else { return };
        let held = state.receive_window.held();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(held);
        let room = state.receive_window.release(bytes).filter(|_| state.receiving != Half::Ended);
        if let Some(room) = room
            && self.failure().is_none()
        {
            self.output.frame(kind::WINDOW_UPDATE, 0, stream.0, &room.to_be_bytes());
        }
        self.credit(bytes);
        self.streams.sweep(stream.0);
    }

    /// Sends as much data as the windows and the output take now, and returns how much that is;
    /// `end` says that nothing follows, and holds once all of it is taken.
    ///
    /// A stream of which not all was taken waits: [`Self::next_writable`] names it when it may send
    /// again.
    ///
    /// # Errors
    /// When the stream has ended, or its head was not sent.
    pub fn send_data(&mut self, stream: StreamId, data: &[u8], end: bool) -> Result<usize, Gone> {
        let failed = self.failure().is_some();
        let state = self.streams.get_mut(stream.0).filter(|_| !failed).ok_or(Gone)?;
        if state.sending != Half::Body {
            return Err(Gone);
        }
        let room = self.limits.output.saturating_sub(self.output.len());
        let room = room.min(self.send_window.room()).min(state.send_window.room());
        let (mut now, later) = data.split_at_checked(room).unwrap_or((data, &[]));
        let taken = now.len();
        state.send_window.take(taken);
        self.send_window.take(taken);
        state.sent += taken as u64;
        self.sent += taken as u64;
        let ends = end && later.is_empty();
        if ends {
            state.sending = Half::Ended;
        } else if !later.is_empty() && !state.waits {
            state.waits = true;
            self.waiting.push_back(stream.0);
        }
        let longest = self.theirs.frame_bytes.min(LONGEST_FRAME);
        while !now.is_empty() || (ends && taken == 0) {
            let (payload, rest) = now.split_at_checked(longest).unwrap_or((now, &[]));
            now = rest;
            let flags = if ends && now.is_empty() { flag::END_STREAM } else { 0 };
            self.output.frame(kind::DATA, flags, stream.0, payload);
            self.overhead.give(2);
            if now.is_empty() {
                break;
            }
        }
        if ends {
            self.settle(stream.0);
        }
        Ok(taken)
    }

    /// Whether any data can be sent on a stream now; if not, it waits as after [`Self::send_data`].
    ///
    /// # Errors
    /// When the stream has ended, or its head was not sent.
    pub fn has_room(&mut self, stream: StreamId) -> Result<bool, Gone> {
        let failed = self.failure().is_some();
        let full = self.output.len() >= self.limits.output || self.send_window.room() == 0;
        let state = self.streams.get_mut(stream.0).filter(|_| !failed).ok_or(Gone)?;
        if state.sending != Half::Body {
            return Err(Gone);
        }
        if !full && state.send_window.room() > 0 {
            return Ok(true);
        }
        if !std::mem::replace(&mut state.waits, true) {
            self.waiting.push_back(stream.0);
        }
        Ok(false)
    }

    /// Ends what is sent on a stream with trailers, without those that must not be such.
    ///
    /// # Errors
    /// When the stream has ended, or its head was not sent.
    pub fn send_trailers(&mut self, stream: StreamId, trailers: &Headers) -> Result<(), Gone> {
        let allowed = |known: Option<_>, name: &str| {
            !known.is_some_and(|known| OF_CONNECTIONS.contains(known))
                && !is_forbidden_trailer(name, known)
        };
        let mut fields =
            trailers.iter().filter(|field| allowed(field.known, field.name)).peekable();
        if fields.peek().is_none() {
            return self.send_data(stream, &[], true).map(drop);
        }
        let failed = self.failure().is_some();
        let state = self.streams.get_mut(stream.0).filter(|_| !failed).ok_or(Gone)?;
        if state.sending != Half::Body {
            return Err(Gone);
        }
        state.sending = Half::Ended;
        self.write_head(stream.0, true, |encoder, out| {
            fields.for_each(|Field { name, value, known }| {
                encoder.field(out, known, name.as_bytes(), value);
            });
        });
        self.settle(stream.0);
        Ok(())
    }

    /// Resets a stream; nothing more comes of it, and nothing happens if it is gone already.
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode) {
        // How a stream ended that is gone must not be forgotten over this.
        let lives = self.streams.get(stream.0).is_some();
        if self.failure().is_none() && lives && self.remove_stream(stream.0, Past::Reset) {
            self.output.frame(kind::RST_STREAM, 0, stream.0, &code.0.to_be_bytes());
        }
    }

    /// The next of the streams that wait and may send now; each is named once, in its turn. Ask
    /// after input was read and output was written, until there is none.
    pub fn next_writable(&mut self) -> Option<StreamId> {
        let blocked = self.send_window.room() == 0 || self.output.len() >= self.limits.output;
        if blocked || self.failure().is_some() {
            return None;
        }
        for _ in 0..self.waiting.len() {
            let id = self.waiting.pop_front()?;
            let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.waits) else {
                continue;
            };
            if stream.send_window.room() > 0 {
                stream.waits = false;
                return Some(StreamId(id));
            }
            self.waiting.push_back(id);
        }
        None
    }

    /// The streams that could send nothing now because the peer gives no room for it, each with a number that grows
    /// while it, or what it waits for, comes on: the time for which it may not is the caller's to limit.
    pub fn stalled(&self) -> impl Iterator<Item = (StreamId, u64)> {
        let shut = self.send_window.room() == 0;
        self.waiting.iter().filter_map(move |&id| {
            let stream = self.streams.get(id).filter(|stream| stream.waits)?;
            match stream.send_window.room() {
                0 => Some((StreamId(id), stream.sent)),
                // Streams share the window of the connection: what others send may be its turn before.
                _ => shut.then_some((StreamId(id), self.sent)),
            }
        })
    }

    /// Whether any stream waits to send more.
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Writes a block of fields, as HEADERS and as many CONTINUATION as it takes.
    pub(super) fn write_head(
        &mut self,
        stream: u32,
        end: bool,
        write: impl FnOnce(&mut Encoder, &mut Vec<u8>),
    ) {
        let flags = if end { flag::END_STREAM } else { 0 };
        let longest = self.theirs.frame_bytes;
        let (start, out) = self.output.buffer();
        out.extend_from_slice(&[0; HEAD_BYTES]);
        self.encoder.begin(out);
        write(&mut self.encoder, out);
        let length = out.len() - start - HEAD_BYTES;
        if length <= longest {
            let flags = flags | flag::END_HEADERS;
            let head = FrameHead { length, kind: kind::HEADERS, flags, stream };
            return self.output.patch(start, &head.bytes());
        }
        let block = out.split_off(start + HEAD_BYTES);
        out.truncate(start);
        let mut pieces = block.chunks(longest).peekable();
        let (mut kind, mut flags) = (kind::HEADERS, flags);
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_none() {
                flags |= flag::END_HEADERS;
            }
            self.output.frame(kind, flags, stream, piece);
            (kind, flags) = (kind::CONTINUATION, 0);
        }
    }

    /// Adds a stream that the peer opened.
    pub(super) fn open_stream(
        &mut self,
        id: u32,
        end: bool,
        length_left: Option<u64>,
        head_bytes: usize,
    ) {
        self.streams.add(Stream {
            id,
            receiving: if end { Half::Ended } else { Half::Body },
            sending: Half::Head,
            receive_window: ReceiveWindow::new(self.limits.usable_stream_window()),
            send_window: SendWindow::new(self.theirs.window),
            sent: 0,
            length_left,
            head_bytes,
            interim_bytes: 0,
            bodiless: false,
            waits: false,
        });
    }
}

/// What a framing announces.
pub(super) fn length_of(body: BodyFraming) -> Option<u64> {
    match body {
        BodyFraming::Length(length) => Some(length),
        BodyFraming::None => Some(0),
        BodyFraming::Chunked | BodyFraming::UntilClose => None,
    }
}

/// The longest DATA frame that we write, so that streams take turns.
const LONGEST_FRAME: usize = 16 * 1024;
