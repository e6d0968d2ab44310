//! The response on its way to the client.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use portway_http::BodyReader;
use portway_middleware::Permit;

use super::{Peer, Side, passage::Passage};
use crate::buffer::{Buffers, ReadBuffer};

/// Why the response could not be passed on to its end.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum DownloadError {
    /// The client does not take more.
    ClientGone,
    /// The server's body is malformed, or its connection broke before the end.
    Server,
}

/// The response on its way to the client: a written head, then the body. Used again from response to
/// response.
#[derive(Debug, Default)]
pub(crate) struct Download {
    passage: Passage,
    /// The length that the client was told, where the server's body goes on to the end of its stream.
    told: Option<u64>,
    /// Whether the server's body has broken off, or is malformed from here on.
    broken: bool,
    /// What is given back before the client can know that it has all.
    permits: Vec<Permit>,
}

impl Download {
    /// Begins with a head, already written into `out`; `reader` reads what the server sends, `chunked` says
    /// whether the client gets chunks.
    pub(crate) fn begin(&mut self, out: Vec<u8>, reader: BodyReader, chunked: bool) {
        self.passage = Passage::new(out, reader, chunked);
        self.told = None;
        self.broken = false;
    }

    /// The client was told this length, and gets no trailers: it has all once it has so many bytes, whatever
    /// becomes of the server's stream.
    pub(crate) fn is_whole_at(&mut self, length: u64) {
        self.told = Some(length);
    }

    /// Whether the server's body was read to an end that the server marked, so that its connection can
    /// carry another request.
    pub(crate) fn is_clean(&self) -> bool {
        self.passage.is_clean()
    }

    /// Bytes of body passed on to the client.
    pub(crate) fn payload(&self) -> u64 {
        self.passage.payload
    }

    /// Holds these until the last of the response is written: a client that has it may ask again at once, and must
    /// not count twice.
    pub(crate) fn hold(&mut self, permits: Vec<Permit>) {
        self.permits = permits;
    }

    /// The memory of the head, for reuse; nothing is held any more.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        self.permits.clear();
        self.passage.take_buffer()
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
        C: Peer,
        S: Peer,
    {
        loop {
            self.broken = self.broken || self.passage.take(server.input).is_err();
            if self.broken {
                // What came before is the client's all the same.
                ready!(self.poll_write(cx, client, server.input))?;
                ready!(Pin::new(client).poll_flush(cx)).map_err(|_| DownloadError::ClientGone)?;
                return Poll::Ready(Err(DownloadError::Server));
            }
            self.passage.consume(server.input);
            if self.passage.is_full() {
                if self.passage.is_last() {
                    self.permits.clear();
                }
                ready!(self.poll_write(cx, client, server.input))?;
                if self.passage.is_finished() {
                    return Pin::new(client).poll_flush(cx).map_err(|_| DownloadError::ClientGone);
                }
                continue;
            }
            if server.stream.computes()
                && let Some(stream) = client.http2()
            {
                ready!(stream.poll_room(cx)).map_err(|_| DownloadError::ClientGone)?;
            }
            match server.poll_fill(cx, buffers) {
                Poll::Ready(Ok(0)) => {
                    let trailers = server.stream.take_trailers();
                    self.broken = self.passage.finish(trailers).is_err();
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) if self.told == Some(self.passage.payload) => {
                    self.passage.break_off();
                }
                Poll::Ready(Err(_)) => self.broken = true,
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

    fn poll_write<C: Peer>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut C,
        input: &mut ReadBuffer,
    ) -> Poll<Result<(), DownloadError>> {
        self.passage.poll_write(cx, client, input).map_err(|_| DownloadError::ClientGone)
    }
}
