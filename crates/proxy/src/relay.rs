//! Both directions of bodies at once: [`Upload`] from the client to the server, [`Download`] back.
//!
//! Each is a small state machine that is polled with both connections; a piece is read only when the one
//! before it was written, so a slow reader slows its sender and memory stays at one buffer a side.

use std::{
    io::{self, IoSlice},
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use portway_http::{
    BodyError, BodyFraming, BodyReader, TrailerLimits,
    codec::{write_chunk_end, write_chunk_start, write_last_chunk},
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::buffer::{Buffers, ReadBuffer};

/// One side of an exchange: a connection and what was read from it.
#[derive(Debug)]
pub(crate) struct Side<'a, S> {
    pub(crate) stream: &'a mut S,
    pub(crate) input: &'a mut ReadBuffer,
}

impl<S: AsyncRead + Unpin> Side<'_, S> {
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
    ) -> Poll<io::Result<usize>> {
        self.input.poll_fill(cx, self.stream, buffers)
    }
}

/// Why the request cannot be sent to its end.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum UploadError {
    /// The client closed its side, or the connection broke.
    ClientGone,
    /// The client's body is malformed.
    Body(BodyError),
}

/// How far the request has come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Sending {
    /// Something is left to send.
    Ongoing,
    /// All of it was written to the server's socket.
    #[default]
    Complete,
    /// The server takes no more of it; it may have answered all the same.
    Broken,
}

/// The request on its way to the server: a written head, then the body. Used again from request to request.
#[derive(Debug)]
pub(crate) struct Upload {
    out: Vec<u8>,
    written: usize,
    reader: BodyReader,
    chunked: bool,
    sending: Sending,
    /// Whether any byte reached the server's socket.
    pub(crate) begun: bool,
    /// Whether any byte of the body, framing included, was taken from the client: it cannot be taken again.
    pub(crate) taken: bool,
    /// Bytes of body taken from the client.
    pub(crate) payload: u64,
}

impl Default for Upload {
    /// Nothing is to be sent.
    fn default() -> Self {
        Self {
            out: Vec::new(),
            written: 0,
            reader: BodyReader::Done,
            chunked: false,
            sending: Sending::Complete,
            begun: false,
            taken: false,
            payload: 0,
        }
    }
}

impl Upload {
    /// Begins a request with the head that `write_head` writes.
    pub(crate) fn begin(&mut self, framing: BodyFraming, write_head: impl FnOnce(&mut Vec<u8>)) {
        self.out.clear();
        write_head(&mut self.out);
        self.written = 0;
        self.reader = BodyReader::for_request(framing, TrailerLimits::default());
        self.chunked = framing == BodyFraming::Chunked;
        self.sending = Sending::Ongoing;
        self.begun = false;
        self.taken = false;
        self.payload = 0;
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.out.capacity()
    }

    /// Whether the whole body was taken from the client.
    pub(crate) fn body_is_read(&self) -> bool {
        self.reader.is_done()
    }

    /// Whether the server was sent all of the request.
    pub(crate) fn is_complete(&self) -> bool {
        self.sending == Sending::Complete
    }

    /// Whether the server takes no more of the request.
    pub(crate) fn is_broken(&self) -> bool {
        self.sending == Sending::Broken
    }

    /// Sends on, as far as both sides allow, and watches whether the client is still there.
    ///
    /// Never ready without an error: the caller ends it by what the server says.
    pub(crate) fn poll<C, S>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Side<'_, C>,
        server: &mut S,
        buffers: &Buffers,
    ) -> Poll<UploadError>
    where
        C: AsyncRead + Unpin,
        S: AsyncWrite + Unpin,
    {
        match ready!(self.poll_send(cx, client, server, buffers)) {
            Ok(()) => watch(cx, client, buffers),
            Err(error) => Poll::Ready(error),
        }
    }

    /// Sends on, as far as both sides allow; pending only while it waits for the client.
    pub(crate) fn poll_send<C, S>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Side<'_, C>,
        server: &mut S,
        buffers: &Buffers,
    ) -> Poll<Result<(), UploadError>>
    where
        C: AsyncRead + Unpin,
        S: AsyncWrite + Unpin,
    {
        while self.sending == Sending::Ongoing {
            match self.poll_write(cx, server) {
                Poll::Ready(Ok(())) if self.reader.is_done() => {
                    self.sending = Sending::Complete;
                    break;
                }
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    self.sending = Sending::Broken;
                    break;
                }
                Poll::Pending => break,
            }
            if client.input.is_empty() {
                match ready!(client.poll_fill(cx, buffers)) {
                    Ok(count) if count > 0 => {}
                    _ => return Poll::Ready(Err(UploadError::ClientGone)),
                }
            }
            self.take(client.input).map_err(UploadError::Body)?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        server: &mut S,
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            let count = ready!(Pin::new(&mut *server).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.begun = true;
            self.written += count;
        }
        self.out.clear();
        self.written = 0;
        Pin::new(server).poll_flush(cx)
    }

    /// Takes what was read of the body, and frames it for the server.
    fn take(&mut self, input: &mut ReadBuffer) -> Result<(), BodyError> {
        loop {
            let step = self.reader.step(input.filled())?;
            let payload = input.filled().get(step.payload.clone()).unwrap_or_default();
            self.payload += payload.len() as u64;
            if self.chunked && !payload.is_empty() {
                write_chunk_start(&mut self.out, payload.len());
                self.out.extend_from_slice(payload);
                write_chunk_end(&mut self.out);
            } else {
                self.out.extend_from_slice(payload);
            }
            self.taken |= step.consumed > 0;
            input.consume(step.consumed);
            if step.done && self.chunked {
                write_last_chunk(&mut self.out, self.reader.trailers());
            }
            if step.done || input.is_empty() || step.consumed == 0 {
                return Ok(());
            }
        }
    }
}

/// Notices that the client went away while the server works; what it sends meanwhile is kept.
pub(crate) fn watch<C: AsyncRead + Unpin>(
    cx: &mut Context<'_>,
    client: &mut Side<'_, C>,
    buffers: &Buffers,
) -> Poll<UploadError> {
    while !client.input.is_full() {
        match ready!(client.poll_fill(cx, buffers)) {
            Ok(count) if count > 0 => {}
            _ => return Poll::Ready(UploadError::ClientGone),
        }
    }
    Poll::Pending
}

/// Why the response could not be passed on to its end.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum DownloadError {
    /// The client does not take more.
    ClientGone,
    /// The server's body is malformed, or its connection broke before the end.
    Server,
}

/// Pieces up to this size are copied behind the framing, so that a head, small chunks and their end leave
/// in one write; larger ones are written from where they were read.
const SMALL: usize = 4096;

/// What may gather before it is written although more could be read.
const ENOUGH: usize = 16 * 1024;

/// The response on its way to the client: a written head, then the body. Used again from response to
/// response.
#[derive(Debug)]
pub(crate) struct Download {
    /// Head, framing and small pieces.
    out: Vec<u8>,
    written: usize,
    /// The large piece of the server's input that follows `out`, and how much of the input it uses up.
    piece: Range<usize>,
    consumed: usize,
    reader: BodyReader,
    chunked: bool,
    ended: bool,
    /// Bytes of body passed on to the client.
    pub(crate) payload: u64,
}

impl Default for Download {
    /// Nothing is to be sent.
    fn default() -> Self {
        Self {
            out: Vec::new(),
            written: 0,
            piece: 0..0,
            consumed: 0,
            reader: BodyReader::Done,
            chunked: false,
            ended: true,
            payload: 0,
        }
    }
}

impl Download {
    /// Begins with a head, already written into `out`; `from` is the server's framing, `chunked` says
    /// whether the client gets chunks.
    pub(crate) fn begin(&mut self, out: Vec<u8>, from: BodyFraming, chunked: bool) {
        self.out = out;
        self.written = 0;
        self.piece = 0..0;
        self.consumed = 0;
        self.reader = BodyReader::for_response(from, TrailerLimits::default());
        self.chunked = chunked;
        self.ended = false;
        self.payload = 0;
        if from.is_empty() {
            self.end();
        }
    }

    /// Whether the server's body was read to an end that the server marked, so that its connection can
    /// carry another request.
    pub(crate) fn is_clean(&self) -> bool {
        self.reader.is_done()
    }

    /// The memory of the head, for reuse.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Passes on, as far as both sides allow; ready at the end of the body.
    pub(crate) fn poll<C, S>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut C,
        server: &mut Side<'_, S>,
        buffers: &Buffers,
    ) -> Poll<Result<(), DownloadError>>
    where
        C: AsyncWrite + Unpin,
        S: AsyncRead + Unpin,
    {
        loop {
            if self.piece.is_empty() && !self.ended && !server.input.is_empty() {
                self.take(server.input)?;
            }
            if !self.piece.is_empty() || self.ended || self.out.len() >= ENOUGH {
                ready!(self.poll_write(cx, client, server.input))?;
                if self.ended && self.out.is_empty() && self.piece.is_empty() {
                    return Pin::new(client).poll_flush(cx).map_err(|_| DownloadError::ClientGone);
                }
                continue;
            }
            if !server.input.is_empty() {
                continue;
            }
            match server.poll_fill(cx, buffers) {
                Poll::Ready(Ok(0)) => {
                    self.reader.finish().map_err(|_| DownloadError::Server)?;
                    self.end();
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Err(DownloadError::Server)),
                Poll::Pending => {
                    // What there is must not wait for the server.
                    ready!(self.poll_write(cx, client, server.input))?;
                    ready!(Pin::new(client).poll_flush(cx))
                        .map_err(|_| DownloadError::ClientGone)?;
                    return Poll::Pending;
                }
            }
        }
    }

    /// Looks at what was read: small pieces are copied, up to the first large one or the end.
    fn take(&mut self, input: &mut ReadBuffer) -> Result<(), DownloadError> {
        while !self.ended && !input.is_empty() && self.out.len() < ENOUGH {
            let step = self.reader.step(input.filled()).map_err(|_| DownloadError::Server)?;
            if step.consumed == 0 && !step.done {
                return Err(DownloadError::Server);
            }
            let payload = input.filled().get(step.payload.clone()).unwrap_or_default();
            self.payload += payload.len() as u64;
            if self.chunked && !payload.is_empty() {
                write_chunk_start(&mut self.out, payload.len());
            }
            if payload.len() > SMALL {
                self.piece = step.payload;
                self.consumed = step.consumed;
                self.ended = step.done;
                return Ok(());
            }
            self.out.extend_from_slice(payload);
            if self.chunked && !payload.is_empty() {
                write_chunk_end(&mut self.out);
            }
            input.consume(step.consumed);
            if step.done {
                self.end();
            }
        }
        Ok(())
    }

    fn end(&mut self) {
        self.ended = true;
        if self.chunked {
            write_last_chunk(&mut self.out, self.reader.trailers());
        }
    }

    /// Writes what has gathered and the large piece behind it; afterwards only the framing that follows a
    /// large piece may be left.
    fn poll_write<C: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut C,
        input: &mut ReadBuffer,
    ) -> Poll<Result<(), DownloadError>> {
        loop {
            let framing = self.out.get(self.written..).unwrap_or_default();
            let piece = input.filled().get(self.piece.clone()).unwrap_or_default();
            let client = Pin::new(&mut *client);
            let count = match (framing.is_empty(), piece.is_empty()) {
                (true, true) => break,
                (false, true) => ready!(client.poll_write(cx, framing)),
                (true, false) => ready!(client.poll_write(cx, piece)),
                (false, false) => {
                    let both = [IoSlice::new(framing), IoSlice::new(piece)];
                    ready!(client.poll_write_vectored(cx, &both))
                }
            };
            let count = count.ok().filter(|count| *count > 0).ok_or(DownloadError::ClientGone)?;
            let of_framing = count.min(framing.len());
            self.written += of_framing;
            self.piece.start += count - of_framing;
        }
        self.out.clear();
        self.written = 0;
        if self.piece.end > 0 {
            self.piece = 0..0;
            input.consume(std::mem::take(&mut self.consumed));
            if self.chunked {
                write_chunk_end(&mut self.out);
            }
            if self.ended {
                self.end();
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
