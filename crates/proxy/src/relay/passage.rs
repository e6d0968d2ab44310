//! One body's way from where it is read to where it is written, behind a head.

use std::{
    io::{self, IoSlice},
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use portway_http::{
    BodyError, BodyReader, Headers,
    codec::{write_chunk_end, write_chunk_start, write_last_chunk},
};
use portway_middleware::Base64Reader;
use portway_upstream::Http2Stream;

use super::Peer;
use crate::{buffer::ReadBuffer, copies::CopiedBody};

/// Pieces up to this size are copied behind the framing, so that a head, small chunks and their end leave
/// in one write; larger ones are written from where they were read.
pub(super) const SMALL: usize = 4096;

/// What may gather before it is written although more could be read.
pub(super) const ENOUGH: usize = 16 * 1024;

/// A written head, then the body.
///
/// Input is used up only by [`Passage::poll_write`] or [`Passage::consume`], so that what is taken but not
/// written yet can be taken again by another passage.
#[derive(Debug)]
pub(super) struct Passage {
    /// Head, framing and small pieces.
    out: Vec<u8>,
    written: usize,
    /// The large piece of the input that follows `out`.
    piece: Range<usize>,
    /// How much of the input was taken and is not used up.
    taken: usize,
    reader: BodyReader,
    /// What makes bytes out of the base64 that the body is, for a body that is.
    base64: Option<Box<Base64Reader>>,
    /// What keeps a copy of the body.
    copied: Option<Box<CopiedBody>>,
    chunked: bool,
    ended: bool,
    /// The trailers that came beside the body.
    trailers: Option<Headers>,
    /// Bytes of body that were taken.
    pub(super) payload: u64,
    /// Whether anything was written.
    pub(super) begun: bool,
    /// Bytes of input that were used up.
    pub(super) used: usize,
}

impl Default for Passage {
    /// Nothing is to be sent.
    fn default() -> Self {
        Self::new(Vec::new(), BodyReader::Done, false)
    }
}

impl Passage {
    /// Begins with a head, already written into `out`; `chunked` says whether the receiver gets chunks.
    pub(super) fn new(out: Vec<u8>, reader: BodyReader, chunked: bool) -> Self {
        let ended = reader.is_done();
        Self {
            out,
            written: 0,
            piece: 0..0,
            taken: 0,
            reader,
            base64: None,
            copied: None,
            chunked,
            ended,
            trailers: None,
            payload: 0,
            begun: false,
            used: 0,
        }
    }

    /// The body is base64, and the receiver gets what that stands for.
    pub(super) fn decode(&mut self) {
        self.base64 = Some(Box::default());
    }

    /// Lets `copied` keep a copy of the body, from its beginning.
    pub(super) fn copy(&mut self, copied: Option<Box<CopiedBody>>) {
        self.copied = copied.map(CopiedBody::begun_again);
    }

    /// The copy of the body.
    pub(super) fn copied(&self) -> Option<&CopiedBody> {
        self.copied.as_deref()
    }

    /// The same, which is not kept any more.
    pub(super) fn take_copy(&mut self) -> Option<Box<CopiedBody>> {
        self.copied.take()
    }

    /// The memory of head and framing, for reuse.
    pub(super) fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// The memory that it holds, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.out.capacity()
    }

    /// Whether the body was read to an end that its sender marked.
    pub(super) fn is_clean(&self) -> bool {
        self.reader.is_done()
    }

    /// Whether the input begins with what follows the body.
    pub(super) fn is_behind(&self) -> bool {
        self.is_clean() && self.taken == 0
    }

    /// Whether all of the body has come, or at most so many bytes of it are to come.
    pub(super) fn ends_within(&self, most: u64) -> bool {
        match self.reader {
            BodyReader::Length(left) => left <= most,
            _ => self.is_clean(),
        }
    }

    /// Takes nothing more: gives back what reads the rest of the body, with which the input begins then.
    pub(super) fn leave(&mut self, input: &mut ReadBuffer) -> BodyReader {
        self.piece = 0..0;
        self.consume(input);
        std::mem::replace(&mut self.reader, BodyReader::Done)
    }

    /// Whether all of it was taken and written.
    pub(super) fn is_finished(&self) -> bool {
        self.ended && self.out.is_empty() && self.piece.is_empty()
    }

    /// Whether what gathered is the last of it.
    pub(super) fn is_last(&self) -> bool {
        self.ended
    }

    /// Whether it should be written before more is read.
    pub(super) fn is_full(&self) -> bool {
        self.ended || !self.piece.is_empty() || self.out.len() >= ENOUGH
    }

    /// The end of the input was reached, with these trailers: right only where that ends the body.
    pub(super) fn finish(&mut self, trailers: Option<Headers>) -> Result<(), BodyError> {
        self.reader.finish()?;
        if let Some(copied) = &mut self.copied {
            copied.push(&[], true);
        }
        self.trailers = trailers;
        self.end()
    }

    /// Nothing more comes, and nothing more is needed: the receiver knows that this is all.
    pub(super) fn break_off(&mut self) {
        self.ended = true;
    }

    /// Looks at what was read: small pieces are copied, up to the first large one or the end.
    pub(super) fn take(&mut self, input: &ReadBuffer) -> Result<(), BodyError> {
        while !self.is_full() {
            let rest = input.filled().get(self.taken..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let step = self.reader.step(rest)?;
            let payload = rest.get(step.payload.clone()).unwrap_or_default();
            self.payload += payload.len() as u64;
            if let Some(copied) = &mut self.copied {
                copied.push(payload, step.done);
            }
            let decoded = self.decoded(payload)?;
            let payload = decoded.as_deref().unwrap_or(payload);
            if self.chunked && !payload.is_empty() {
                write_chunk_start(&mut self.out, payload.len());
            }
            let start = self.taken + step.payload.start;
            self.taken += step.consumed;
            // All there is, with nothing to leave together with.
            let alone = step.done && self.out.is_empty() && !self.chunked;
            if (payload.len() > SMALL || alone) && decoded.is_none() {
                self.piece = start..start + payload.len();
                // What ends the body is written behind the piece.
                self.ended = step.done;
                break;
            }
            self.out.extend_from_slice(payload);
            if self.chunked && !payload.is_empty() {
                write_chunk_end(&mut self.out);
            }
            if step.done {
                self.end()?;
            }
        }
        Ok(())
    }

    /// What a piece of base64 stands for; `None` where the body is none.
    fn decoded(&mut self, payload: &[u8]) -> Result<Option<Vec<u8>>, BodyError> {
        let Some(base64) = &mut self.base64 else { return Ok(None) };
        let mut decoded = Vec::with_capacity(payload.len() / 4 * 3 + 3);
        base64.read(payload, &mut decoded).map_err(|_| BodyError::Base64)?;
        Ok(Some(decoded))
    }

    fn end(&mut self) -> Result<(), BodyError> {
        if let Some(base64) = &self.base64 {
            base64.finish().map_err(|_| BodyError::Base64)?;
        }
        self.ended = true;
        if self.chunked {
            let trailers = self.reader.trailers().or(self.trailers.as_ref());
            write_last_chunk(&mut self.out, trailers);
        }
        Ok(())
    }

    /// Uses up the input that was taken, unless a piece of it is still to be written.
    pub(super) fn consume(&mut self, input: &mut ReadBuffer) {
        if self.piece.is_empty() && self.taken > 0 {
            self.used += self.taken;
            input.consume(std::mem::take(&mut self.taken));
        }
    }

    /// Writes what has gathered and the large piece behind it; afterwards only the framing that follows a
    /// large piece may be left.
    pub(super) fn poll_write<S: Peer>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
        input: &mut ReadBuffer,
    ) -> Poll<io::Result<()>> {
        if let Some(stream) = stream.http2() {
            return self.poll_send(cx, stream, input);
        }
        loop {
            let framing = self.out.get(self.written..).unwrap_or_default();
            let piece = input.filled().get(self.piece.clone()).unwrap_or_default();
            let stream = Pin::new(&mut *stream);
            let count = match (framing.is_empty(), piece.is_empty()) {
                (true, true) => break,
                (false, true) => ready!(stream.poll_write(cx, framing))?,
                (true, false) => ready!(stream.poll_write(cx, piece))?,
                (false, false) => {
                    let both = [IoSlice::new(framing), IoSlice::new(piece)];
                    ready!(stream.poll_write_vectored(cx, &both))?
                }
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.begun = true;
            let of_framing = count.min(framing.len());
            self.written += of_framing;
            self.piece.start += count - of_framing;
        }
        self.out.clear();
        self.written = 0;
        let was_large = std::mem::take(&mut self.piece).end > 0;
        self.consume(input);
        if was_large && self.chunked {
            write_chunk_end(&mut self.out);
            if self.ended {
                self.end().map_err(io::Error::other)?;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The same on a stream of HTTP/2, whose end goes beside the bytes.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Http2Stream,
        input: &mut ReadBuffer,
    ) -> Poll<io::Result<()>> {
        let trailers = self.reader.trailers().or(self.trailers.as_ref());
        let ends = self.ended && trailers.is_none();
        loop {
            let small = self.out.get(self.written..).unwrap_or_default();
            let piece = input.filled().get(self.piece.clone()).unwrap_or_default();
            if !small.is_empty() {
                self.written += ready!(stream.poll_send(cx, small, ends && piece.is_empty()))?;
            } else if !piece.is_empty() {
                self.piece.start += ready!(stream.poll_send(cx, piece, ends))?;
            } else {
                break;
            }
            self.begun = true;
        }
        if self.ended {
            stream.end(trailers)?;
        }
        self.out.clear();
        self.written = 0;
        self.piece = 0..0;
        self.consume(input);
        Poll::Ready(Ok(()))
    }
}
