//! A server's response whose body is changed as it passes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use portway_http::{BodyReader, Headers};
use portway_middleware::BodyFilter;
use portway_upstream::Http2Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    buffer::Buffers,
    relay::{Peer, Side},
};

/// Body that may wait to be read before more is taken from the server, in bytes; one piece may exceed it.
const ENOUGH: usize = 64 * 1024;

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
    /// Between two filters.
    between: Vec<u8>,
    flushed: bool,
    ended: bool,
    trailers: Option<Headers>,
}

/// What the filters are told.
enum Event<'a> {
    Piece(&'a [u8]),
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
            between: Vec::new(),
            flushed: true,
            ended: false,
            trailers: None,
        }
    }

    /// Whether the server's body was read to an end that the server marked.
    pub(crate) fn is_clean(&self) -> bool {
        self.reader.is_done()
    }

    /// Leads an event through the filters.
    fn tell(&mut self, event: Event<'_>) {
        let Self { filters, made, between, trailers, .. } = self;
        let mut piece = Vec::new();
        let ended = matches!(event, Event::End);
        let paused = matches!(event, Event::Pause);
        if let Event::Piece(bytes) = event {
            piece.extend_from_slice(bytes);
        }
        for filter in filters.iter_mut() {
            between.clear();
            if !piece.is_empty() {
                filter.push(&piece, between);
            }
            if ended {
                filter.finish(trailers, between);
            } else if paused {
                filter.flush(between);
            }
            std::mem::swap(&mut piece, between);
        }
        made.extend_from_slice(&piece);
    }

    fn end(&mut self) {
        self.ended = true;
        self.trailers = match self.server.stream.http2() {
            Some(stream) => stream.take_trailers(),
            None => self.reader.trailers().cloned(),
        };
        self.tell(Event::End);
    }

    /// Makes more of the server's body; pending while the server has none.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reader.is_done() {
            self.end();
            return Poll::Ready(Ok(()));
        }
        if self.server.input.is_empty() {
            match self.server.poll_fill(cx, self.buffers) {
                Poll::Ready(Ok(0)) => {
                    self.reader.finish().map_err(|_| io::ErrorKind::UnexpectedEof)?;
                    self.end();
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.flushed => return Poll::Pending,
                Poll::Pending => {
                    self.flushed = true;
                    self.tell(Event::Pause);
                    return if self.made.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) };
                }
            }
        }
        while !self.server.input.is_empty() && !self.reader.is_done() && self.made.len() < ENOUGH {
            let step = self.reader.step(self.server.input.filled());
            let step = step.map_err(|_| io::ErrorKind::InvalidData)?;
            let piece = self.server.input.filled().get(step.payload).unwrap_or_default().to_vec();
            self.tell(Event::Piece(&piece));
            self.server.input.consume(step.consumed);
            self.flushed = false;
        }
        Poll::Ready(Ok(()))
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
}
