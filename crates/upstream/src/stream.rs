//! A connection, in plaintext or over TLS, of a client or to a server. All socket IO is here.

use std::{
    future::Future as _,
    io::{self, IoSlice},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use socket2::SockRef;

use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;

use crate::Http2Stream;

/// A connection, of a client or to a server.
#[derive(Debug)]
pub enum Stream {
    /// In plaintext.
    Plain(TcpStream),
    /// Over TLS.
    Tls(Box<TlsStream<Unread>>),
    /// One stream of a connection that speaks HTTP/2.
    Http2(Box<Http2Stream>),
    /// Nobody's: nothing ever comes, and what is written is gone. The client of a request's copy.
    Nobody,
}

impl Stream {
    /// The stream of HTTP/2 that it is.
    pub fn http2(&mut self) -> Option<&mut Http2Stream> {
        match self {
            Self::Http2(stream) => Some(stream),
            _ => None,
        }
    }

    /// Whether the peer has given up what is asked on it, as only a stream of HTTP/2 can tell without a read.
    pub fn is_given_up(&self) -> bool {
        matches!(self, Self::Http2(stream) if stream.is_given_up())
    }

    /// The socket that is its alone.
    fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::Tls(stream) => Some(stream.get_ref().0.stream()),
            Self::Http2(_) | Self::Nobody => None,
        }
    }

    /// Makes the end of the connection a reset, so that the peer cannot take it for the end of what it was
    /// sent.
    pub fn reset_at_end(&mut self) {
        if let Some(socket) = self.socket() {
            // Where it fails, the connection is broken already.
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
        if let Self::Http2(stream) = self {
            stream.reset(portway_http::h2::ErrorCode::INTERNAL_ERROR);
        }
    }
}

/// What a connection is read from and written to.
pub trait Socket: AsyncRead + AsyncWrite + Unpin {
    /// Whether the peer will send nothing more than what waits to be read.
    fn has_ended(&self) -> bool;
}

impl Socket for Stream {
    fn has_ended(&self) -> bool {
        let Some(socket) = self.socket() else { return false };
        let ready = pin!(socket.ready(Interest::READABLE));
        let ready = ready.poll(&mut Context::from_waker(Waker::noop()));
        matches!(ready, Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }
}

#[cfg(test)]
impl Socket for tokio::io::DuplexStream {
    fn has_ended(&self) -> bool {
        false
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
            Self::Http2(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
            Self::Nobody => Poll::Pending,
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, buf),
            Self::Http2(stream) => Pin::new(stream.as_mut()).poll_write(cx, buf),
            Self::Nobody => Poll::Ready(Ok(buf.len())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, bufs),
            Self::Http2(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, bufs),
            Self::Nobody => Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Self::Http2(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Self::Nobody => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Self::Http2(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Self::Nobody => Poll::Ready(Ok(())),
        }
    }
}

/// A connection, and what was read of it before it was known what is spoken on it.
#[derive(Debug)]
pub struct Unread<S = TcpStream> {
    bytes: Vec<u8>,
    stream: S,
}

impl<S> Unread<S> {
    /// Reads of it give `bytes` first.
    pub fn new(bytes: Vec<u8>, stream: S) -> Self {
        Self { bytes, stream }
    }

    /// The connection below.
    pub fn stream(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unread<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let count = buf.remaining().min(self.bytes.len());
        buf.put_slice(self.bytes.drain(..count).as_slice());
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unread<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
