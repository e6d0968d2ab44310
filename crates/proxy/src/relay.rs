//! Both directions of bodies at once: [`Upload`] from the client to the server, [`Download`] back.
//!
//! Each is a small state machine around one [`passage::Passage`] that is polled with both connections; a
//! piece is read only when the one before it was written, so a slow reader slows its sender and memory
//! stays at one buffer a side.

mod download;
mod passage;
mod upload;

use std::{
    io,
    task::{Context, Poll, ready},
};

use portway_http::Headers;
use portway_upstream::{Http2Stream, Stream};
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) use self::{
    download::{Download, DownloadError},
    upload::{Upload, UploadError},
};
use crate::buffer::{Buffers, ReadBuffer};

/// A client or a server, as bodies pass to and from it.
pub(crate) trait Peer: AsyncRead + AsyncWrite + Unpin {
    /// The stream of HTTP/2 that it is: heads, trailers and ends of bodies travel beside the bytes.
    fn http2(&mut self) -> Option<&mut Http2Stream> {
        None
    }

    /// Whether what is read of it takes computing, which is not done for those who cannot take it.
    fn computes(&self) -> bool {
        false
    }

    /// Whether TLS is between.
    fn is_encrypted(&self) -> bool {
        false
    }

    /// Takes the trailers that came beside a body that has ended.
    fn take_trailers(&mut self) -> Option<Headers> {
        self.http2().and_then(Http2Stream::take_trailers)
    }
}

impl Peer for Stream {
    fn http2(&mut self) -> Option<&mut Http2Stream> {
        Stream::http2(self)
    }

    fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

#[cfg(test)]
impl Peer for tokio::io::DuplexStream {}

/// How a server gets the body of a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Recode {
    /// As it comes from the client.
    #[default]
    AsIs,
    /// Without its length.
    Chunked,
    /// Without its length, and as the bytes that its base64 stands for.
    Base64,
}

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

/// Notices that the client went away while the server works; what it sends meanwhile is kept.
pub(crate) fn watch<C: Peer>(
    cx: &mut Context<'_>,
    client: &mut Side<'_, C>,
    buffers: &Buffers,
) -> Poll<UploadError> {
    if let Some(stream) = client.stream.http2() {
        return stream.poll_reset(cx).map(|_| UploadError::ClientGone);
    }
    while !client.input.is_full() {
        match ready!(client.poll_fill(cx, buffers)) {
            Ok(count) if count > 0 => {}
            _ => return Poll::Ready(UploadError::ClientGone),
        }
    }
    Poll::Pending
}

#[cfg(test)]
mod tests;
