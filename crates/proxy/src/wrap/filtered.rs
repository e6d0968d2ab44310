//! A server's response whose body is changed as it passes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use portway_http::{BodyReader, Headers};
use portway_middleware::BodyFilter;
use portway_upstream::{Http2Stream, Turns};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    buffer::Buffers,
    deadline::Deadline,
    relay::{Peer, Side},
};

/// Body that may wait to be read before more is taken from the server, in bytes; one piece may exceed it.
const ENOUGH: usize = 64 * 1024;

/// How long a body that says its length pauses before what filters keep back is let go. Traefik:
/// `responseForwarding.flushInterval`; what does not say its length is meant to be read as it comes, there as here.
const PATIENCE: Duration = Duration::from_millis(100);

/// A server as its clients see it through filters: the body without framing, then the end.
///
/// What is written to it goes to the server.
#[derive(Debug)]
pub(crate) struct Filtered<'a, S> {
    server: Side<'a, S>,
    buffers: &'a Buffers,
    reader: BodyReader,
    filters: &'a mut [Box<dyn BodyFilter>],
    /// What was made and not read yet, from `read` on.
    made: Vec<u8>,
    read: usize,
    /// Filters compute.
    turns: Turns,
    /// Whether filters may keep something back.
    kept: bool,
    /// When that is let go, once the server has paused.
    pause: Option<Deadline>,
    ended: bool,
    trailers: Option<Headers>,
}

/// What follows a piece of a body.
#[derive(Clone, Copy)]
enum Then {
    More,
    Pause,
    End,
}

impl<'a, S: Peer> Filtered<'a, S> {
    /// The server's body, which `reader` reads, through these filters, the first one first.
    pub(crate) fn new(
        server: Side<'a, S>,
        buffers: &'a Buffers,
        reader: BodyReader,
        filters: &'a mut [Box<dyn BodyFilter>],
    ) -> Self {
        Self {
            server,
            buffers,
            reader,
            filters,
            made: Vec::new(),
            read: 0,
            turns: Turns::default(),
            kept: false,
            pause: None,
            ended: false,
            trailers: None,
        }
    }

    /// Whether the server's body was read to an end that the server marked.
    pub(crate) fn is_clean(&self) -> bool {
        self.reader.is_done()
    }

    fn end(&mut self) {
        self.ended = true;
        self.trailers = match self.server.stream.http2() {
            Some(stream) => stream.take_trailers(),
            None => self.reader.trailers().cloned(),
        };
        tell(self.filters, &[], Then::End, &mut self.trailers, &mut self.made);
    }

    /// Makes more of the server's body; pending while the server has none.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reader.is_done() {
            self.end();
            return self.checked();
        }
        if self.server.input.is_empty() {
            match self.server.poll_fill(cx, self.buffers) {
                Poll::Ready(Ok(0)) => {
                    self.reader.finish().map_err(|_| io::ErrorKind::UnexpectedEof)?;
                    self.end();
                    return self.checked();
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.poll_pause(cx),
            }
        }
        ready!(self.turns.poll(cx));
        while !self.server.input.is_empty() && !self.reader.is_done() && self.made.len() < ENOUGH {
            let input = self.server.input.filled();
            let step = self.reader.step(input).map_err(|_| io::ErrorKind::InvalidData)?;
            let piece = input.get(step.payload).unwrap_or_default();
            if !piece.is_empty() {
                tell(self.filters, piece, Then::More, &mut self.trailers, &mut self.made);
                Turns::took(piece.len());
                self.kept = true;
            }
            self.server.input.consume(step.consumed);
        }
        self.checked()
    }

    /// The server pauses: after a while, what filters keep back is let go.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.kept {
            return Poll::Pending;
        }
        if matches!(self.reader, BodyReader::Length(_)) {
            let pause = self.pause.get_or_insert_with(|| Deadline::from_now(Some(PATIENCE)));
            if !pause.has_passed(cx) {
                return Poll::Pending;
            }
        }
        self.kept = false;
        self.pause = None;
        tell(self.filters, &[], Then::Pause, &mut self.trailers, &mut self.made);
        if self.made.is_empty() { Poll::Pending } else { self.checked() }
    }

    /// Ready, unless a filter has failed.
    fn checked(&self) -> Poll<io::Result<()>> {
        match self.filters.iter().any(|filter| filter.is_broken()) {
            true => Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            false => Poll::Ready(Ok(())),
        }
    }
}

/// Leads a piece of a body, and what follows it, through filters.
fn tell(
    filters: &mut [Box<dyn BodyFilter>],
    piece: &[u8],
    then: Then,
    trailers: &mut Option<Headers>,
    made: &mut Vec<u8>,
) {
    let Some((first, others)) = filters.split_first_mut() else {
        return made.extend_from_slice(piece);
    };
    let mut own = Vec::new();
    let out = if others.is_empty() { &mut *made } else { &mut own };
    if !piece.is_empty() {
        first.push(piece, out);
    }
    match then {
        Then::More => {}
        Then::Pause => first.flush(out),
        Then::End => first.finish(trailers, out),
    }
    if !others.is_empty() {
        tell(others, &own, then, trailers, made);
    }
}

impl<S: Peer> AsyncRead for Filtered<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.read == this.made.len() {
            this.made.clear();
            this.read = 0;
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_more(cx))?;
        }
        let rest = this.made.get(this.read..).unwrap_or_default();
        let count = rest.len().min(buf.remaining());
        buf.put_slice(rest.get(..count).unwrap_or_default());
        this.read += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: Peer> AsyncWrite for Filtered<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.server.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.server.stream).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.server.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.server.stream).poll_shutdown(cx)
    }
}

impl<S: Peer> Peer for Filtered<'_, S> {
    fn http2(&mut self) -> Option<&mut Http2Stream> {
        self.server.stream.http2()
    }

    fn take_trailers(&mut self) -> Option<Headers> {
        self.trailers.take()
    }

    fn computes(&self) -> bool {
        !self.reader.is_done()
    }
}
