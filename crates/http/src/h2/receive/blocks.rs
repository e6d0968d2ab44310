//! HEADERS and CONTINUATION: blocks of fields.

use super::{Connection, Reading};
use crate::chunked::is_forbidden_trailer;
use crate::h2::error::{ConnectionError, ErrorCode};
use crate::h2::event::Event;
use crate::h2::frame::{FrameHead, MAX_STREAM, flag, kind, number};
use crate::h2::role::Role;
use crate::h2::stream::{Half, StreamId};
use crate::headers::Headers;

/// A block of fields that comes, or has come.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    pub(in crate::h2) stream: u32,
    /// Whether the stream ends with it.
    pub(in crate::h2) end: bool,
    /// How many frames it has.
    frames: u32,
    /// Whether it depends on itself, which is an error of the stream (RFC 7540 §5.3.1).
    absurd: bool,
}

impl<R: Role> Connection<R> {
    /// Within a block only its continuation may come (RFC 9113 §6.10).
    pub(super) fn check_block(&self, frame: FrameHead) -> Result<(), ConnectionError> {
        match &self.unfinished {
            None if frame.kind == kind::CONTINUATION => {
                Err(ConnectionError::protocol("CONTINUATION of nothing"))
            }
            Some(block) if frame.kind != kind::CONTINUATION || frame.stream != block.stream => {
                Err(ConnectionError::protocol("a frame within a block of fields"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn take_headers(
        &mut self,
        frame: FrameHead,
        payload: &[u8],
        head: &mut R::Head,
    ) -> Result<Option<Event>, ConnectionError> {
        if frame.stream.is_multiple_of(2) {
            return Err(ConnectionError::protocol("HEADERS on a stream that a client never opens"));
        }
        let mut fields = payload;
        if frame.has(flag::PADDED) {
            fields = without_padding(payload)
                .ok_or(ConnectionError::protocol("more padding than there is room for"))?;
        }
        let mut absurd = false;
        if frame.has(flag::PRIORITY) {
            let short = ConnectionError::frame_size("HEADERS without their priority");
            let (priority, rest) = fields.split_at_checked(5).ok_or(short)?;
            absurd = depends_on(priority) == frame.stream;
            fields = rest;
        }
        let end = frame.has(flag::END_STREAM);
        let block = Block { stream: frame.stream, end, frames: 1, absurd };
        if frame.has(flag::END_HEADERS) {
            return self.take_block(block, fields, head);
        }
        self.unfinished = Some(block);
        self.block.clear();
        self.add_to_block(fields)?;
        Ok(None)
    }

    pub(super) fn take_continuation(
        &mut self,
        frame: FrameHead,
        payload: &[u8],
        head: &mut R::Head,
    ) -> Result<Option<Event>, ConnectionError> {
        self.add_to_block(payload)?;
        let Some(block) = &mut self.unfinished else { return Ok(None) };
        block.frames += 1;
        if block.frames > self.limits.block_frames {
            return Err(ConnectionError::calm("a block of too many frames"));
        }
        if !frame.has(flag::END_HEADERS) {
            return Ok(None);
        }
        let block = *block;
        self.unfinished = None;
        let mut fields = std::mem::take(&mut self.block);
        let event = self.take_block(block, &fields, head);
        fields.clear();
        self.block = fields;
        event
    }

    fn add_to_block(&mut self, fields: &[u8]) -> Result<(), ConnectionError> {
        if self.block.len() + fields.len() > self.limits.block_bytes {
            return Err(ConnectionError::calm("a block of fields is too long"));
        }
        self.block.extend_from_slice(fields);
        Ok(())
    }

    fn take_block(
        &mut self,
        block: Block,
        fields: &[u8],
        head: &mut R::Head,
    ) -> Result<Option<Event>, ConnectionError> {
        self.reading = Reading::head();
        if block.absurd {
            self.skip_fields(fields)?;
            self.streams.highest = self.streams.highest.max(block.stream);
            return self.stream_error(block.stream, ErrorCode::PROTOCOL_ERROR);
        }
        R::take_head(self, block, fields, head)
    }

    /// A second block on a stream: its trailers.
    pub(in crate::h2) fn take_trailers(
        &mut self,
        block: Block,
        fields: &[u8],
    ) -> Result<Option<Event>, ConnectionError> {
        let mut trailers = Headers::new();
        let read = self.read_fields(fields, &mut trailers, self.limits.trailer_bytes)?;
        let read = read.ok().filter(|_| !self.apart.is_any());
        let held = self.streams.head_bytes();
        let Some(stream) = self.streams.get_mut(block.stream) else { return Ok(None) };
        if stream.receiving == Half::Ended {
            if stream.is_closed() {
                return Err(ConnectionError::closed("HEADERS on a closed stream"));
            }
            return self.stream_error(block.stream, ErrorCode::STREAM_CLOSED);
        }
        let complete = stream.length_left.is_none_or(|left| left == 0);
        let Some(bytes) = read.filter(|_| block.end && complete) else {
            return self.stream_error(block.stream, ErrorCode::PROTOCOL_ERROR);
        };
        if R::IS_SERVER && held + bytes > self.limits.held_head_bytes {
            return self.stream_error(block.stream, ErrorCode::ENHANCE_YOUR_CALM);
        }
        stream.receiving = Half::Ended;
        self.streams.add_head_bytes(block.stream, bytes);
        trailers.remove_where(|field| is_forbidden_trailer(field.name, field.known));
        self.trailers = trailers;
        self.settle(block.stream);
        Ok(Some(Event::Trailers { stream: StreamId(block.stream) }))
    }
}

/// What is between the length of the padding and the padding.
fn without_padding(payload: &[u8]) -> Option<&[u8]> {
    let (&padding, rest) = payload.split_first()?;
    rest.get(..rest.len().checked_sub(usize::from(padding))?)
}

/// The stream on which a priority makes another depend.
pub(super) fn depends_on(priority: &[u8]) -> u32 {
    number(priority).unwrap_or_default() & MAX_STREAM
}
