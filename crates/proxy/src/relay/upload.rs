//! The request on its way to the server.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use portway_http::{BodyError, BodyReader};

use super::{Peer, Side, passage::Passage, watch};
use crate::{
    buffer::{Buffers, ReadBuffer},
    copies::{CopiedBody, Payload},
};

/// Why the request cannot be sent to its end.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum UploadError {
    /// The client closed its side, or the connection broke.
    ClientGone,
    /// The client's body is malformed.
    Body(BodyError),
    /// The client's body is longer than it may be.
    TooLong,
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
#[derive(Debug, Default)]
pub(crate) struct Upload {
    passage: Passage,
    sending: Sending,
    /// Bytes of body at most.
    max: Option<u64>,
}

impl Upload {
    /// Lets the body have so many bytes at most.
    pub(crate) fn limit(&mut self, max: Option<u64>) {
        self.max = max;
    }

    /// Begins a request with the head that `write_head` writes; `chunked` says whether the server gets chunks.
    pub(crate) fn begin(
        &mut self,
        reader: BodyReader,
        chunked: bool,
        write_head: impl FnOnce(&mut Vec<u8>),
    ) {
        let (mut out, copied) = (self.passage.take_buffer(), self.passage.take_copy());
        out.clear();
        write_head(&mut out);
        self.passage = Passage::new(out, reader, chunked);
        self.passage.copy(copied);
        self.sending = Sending::Ongoing;
    }

    /// The server gets what the base64 of the body stands for.
    pub(crate) fn decode(&mut self) {
        self.passage.decode();
    }

    /// The head is on its way beside the body.
    pub(crate) fn head_is_sent(&mut self) {
        self.passage.begun = true;
    }

    /// Forgets the request before, but not that a copy of the next one's body is to be kept.
    pub(crate) fn clear(&mut self) {
        let (out, copied) = (self.passage.take_buffer(), self.passage.take_copy());
        *self = Self { passage: Passage::new(out, BodyReader::Done, false), ..Self::default() };
        self.passage.copy(copied);
    }

    /// Keeps a copy of the body of the request that is begun next, of `limit` bytes at most.
    pub(crate) fn copy(&mut self, limit: Option<u64>) {
        let copied = match self.passage.take_copy() {
            Some(other) => other.and_up_to(limit),
            None => CopiedBody::new(limit),
        };
        self.passage.copy(Some(Box::new(copied)));
    }

    /// The copy of the body, as far as it has come.
    pub(crate) fn copied(&self) -> Payload {
        self.passage.copied().map_or(Payload::Coming, CopiedBody::payload)
    }

    /// Keeps no copy any more.
    pub(crate) fn drop_copy(&mut self) {
        drop(self.passage.take_copy());
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.passage.capacity()
    }

    /// Bytes of body taken from the client.
    pub(crate) fn payload(&self) -> u64 {
        self.passage.payload
    }

    /// Whether anything reached the server's socket.
    pub(crate) fn begun(&self) -> bool {
        self.passage.begun
    }

    /// Whether any byte of the body, framing included, is gone from the client's input: the request cannot
    /// be sent again.
    pub(crate) fn is_spent(&self) -> bool {
        self.passage.used > 0
    }

    /// Bytes of the body, framing included, that are gone from the client's input.
    pub(crate) fn used(&self) -> usize {
        self.passage.used
    }

    /// Whether the whole body has come from the client, if it may not have been written yet.
    pub(crate) fn body_has_come(&self) -> bool {
        self.passage.is_clean()
    }

    /// Whether the client's input begins with what follows the body.
    pub(crate) fn body_is_behind(&self) -> bool {
        self.passage.is_behind()
    }

    /// Whether the whole body has come from the client, or at most so many bytes of it are to come.
    pub(crate) fn body_ends_within(&self, most: u64) -> bool {
        self.passage.ends_within(most)
    }

    /// Sends nothing more: gives back what reads the rest of the body, with which the client's input begins then.
    pub(crate) fn leave_body(&mut self, input: &mut ReadBuffer) -> BodyReader {
        self.passage.leave(input)
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
        C: Peer,
        S: Peer,
    {
        match ready!(self.poll_send(cx, client, server, buffers)) {
            Ok(()) => watch(cx, client, buffers),
            Err(error) => Poll::Ready(error),
        }
    }

    /// Sends on, as far as both sides allow; pending only while it waits for the client.
    ///
    /// What came of the body together with the head leaves with it, in one write.
    pub(crate) fn poll_send<C, S>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Side<'_, C>,
        server: &mut S,
        buffers: &Buffers,
    ) -> Poll<Result<(), UploadError>>
    where
        C: Peer,
        S: Peer,
    {
        while self.sending == Sending::Ongoing {
            self.passage.take(client.input).map_err(UploadError::Body)?;
            if self.max.is_some_and(|max| self.passage.payload > max) {
                return Poll::Ready(Err(UploadError::TooLong));
            }
            match self.poll_write(cx, client.input, server) {
                Poll::Ready(Ok(())) if self.passage.is_finished() => {
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
            if client.input.is_empty() && !self.passage.is_full() {
                match ready!(client.poll_fill(cx, buffers)) {
                    Ok(count) if count > 0 => {}
                    Ok(_) if let Some(stream) = client.stream.http2() => {
                        let trailers = stream.take_trailers();
                        self.passage.finish(trailers).map_err(UploadError::Body)?;
                    }
                    _ => return Poll::Ready(Err(UploadError::ClientGone)),
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write<S: Peer>(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut ReadBuffer,
        server: &mut S,
    ) -> Poll<io::Result<()>> {
        ready!(self.passage.poll_write(cx, server, input))?;
        Pin::new(server).poll_flush(cx)
    }
}
