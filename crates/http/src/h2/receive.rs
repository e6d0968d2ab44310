//! Reading on: bytes to frames, and frames to where they are understood.

mod blocks;
mod control;
mod data;

pub(super) use blocks::Block;
pub(super) use data::Body;

use std::time::Instant;

use super::connection::Connection;
use super::error::{ConnectionError, ErrorCode};
use super::event::{Event, Step};
use super::frame::{FrameHead, HEAD_BYTES, PREFACE, flag, kind};
use super::role::Role;
use super::stream::StreamId;
use super::streams::Past;

/// What is read next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading {
    /// What a client sends first, of which so much has come.
    Preface { matched: usize },
    /// The head of a frame, of which so much has come.
    Head { bytes: [u8; HEAD_BYTES], filled: usize },
    /// The payload of a frame that is understood when it is complete.
    Whole(FrameHead),
    /// The payload of DATA, passed on as it comes.
    Data(Body),
    /// What nobody needs.
    Skipped { left: usize },
}

impl Reading {
    pub(super) const fn head() -> Self {
        Self::Head { bytes: [0; HEAD_BYTES], filled: 0 }
    }
}

impl<R: Role> Connection<R> {
    /// Reads on up to the next event; `head` is filled in with [`Event::Head`], and may be written
    /// over in any case. Call it again with the rest of the input, at least once in each case, until
    /// there is no event.
    ///
    /// # Errors
    /// The connection cannot go on: write the output and close it.
    pub fn next(
        &mut self,
        input: &[u8],
        head: &mut R::Head,
        now: Instant,
    ) -> Result<Step, ConnectionError> {
        if let Some(error) = self.failure() {
            return Err(error);
        }
        self.now = Some(now);
        let mut consumed = 0;
        let result = self.advance(input, &mut consumed, head);
        if let Err(error) = result {
            self.fail(error);
        }
        Ok(Step { consumed, event: result? })
    }

    fn advance(
        &mut self,
        input: &[u8],
        consumed: &mut usize,
        head: &mut R::Head,
    ) -> Result<Option<Event>, ConnectionError> {
        if let Some(event) = self.refused_by_peer() {
            return Ok(Some(event));
        }
        while let Some(rest) = input.get(*consumed..).filter(|rest| !rest.is_empty()) {
            let event = match &mut self.reading {
                Reading::Preface { matched } => {
                    let taken = rest.len().min(PREFACE.len() - *matched);
                    if rest.get(..taken) != PREFACE.get(*matched..*matched + taken) {
                        return Err(ConnectionError::protocol("no preface"));
                    }
                    *consumed += taken;
                    *matched += taken;
                    if *matched == PREFACE.len() {
                        self.reading = Reading::head();
                    }
                    None
                }
                Reading::Head { bytes, filled } => {
                    let missing = bytes.get_mut(*filled..).unwrap_or_default();
                    let taken = rest.len().min(missing.len());
                    if let Some((part, _)) = rest.split_at_checked(taken)
                        && let Some(missing) = missing.get_mut(..taken)
                    {
                        missing.copy_from_slice(part);
                    }
                    *filled += taken;
                    *consumed += taken;
                    let complete = (*filled == HEAD_BYTES).then(|| FrameHead::parse(bytes));
                    match complete {
                        Some(frame) => self.begin_frame(frame, head)?,
                        None => None,
                    }
                }
                Reading::Whole(frame) => {
                    let frame = *frame;
                    self.take_part(frame, rest, consumed, head)?
                }
                Reading::Data(body) => {
                    let body = *body;
                    self.take_data(body, rest, consumed)?
                }
                Reading::Skipped { left } => {
                    let taken = rest.len().min(*left);
                    *left -= taken;
                    *consumed += taken;
                    if *left == 0 {
                        self.reading = Reading::head();
                    }
                    None
                }
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// Looks at the head of a frame, and decides how its payload is read.
    fn begin_frame(
        &mut self,
        frame: FrameHead,
        head: &mut R::Head,
    ) -> Result<Option<Event>, ConnectionError> {
        if frame.length > self.limits.usable_frame_bytes() as usize {
            return Err(ConnectionError::frame_size("a frame is too long"));
        }
        if !self.settled && (frame.kind != kind::SETTINGS || frame.has(flag::ACK)) {
            return Err(ConnectionError::protocol("the first frame is not SETTINGS"));
        }
        self.check_block(frame)?;
        if frame.kind == kind::DATA {
            return self.begin_data(frame);
        }
        if frame.kind > kind::CONTINUATION {
            self.count_overhead()?;
            self.reading = match frame.length {
                0 => Reading::head(),
                left => Reading::Skipped { left },
            };
            return Ok(None);
        }
        if frame.length > 0 {
            self.reading = Reading::Whole(frame);
            return Ok(None);
        }
        self.reading = Reading::head();
        self.take_frame(frame, &[], head)
    }

    /// Takes what has come of a frame that is understood as a whole. Nothing is copied of one that
    /// is there at once.
    fn take_part(
        &mut self,
        frame: FrameHead,
        rest: &[u8],
        consumed: &mut usize,
        head: &mut R::Head,
    ) -> Result<Option<Event>, ConnectionError> {
        if self.partial.is_empty()
            && let Some(payload) = rest.get(..frame.length)
        {
            *consumed += frame.length;
            self.reading = Reading::head();
            return self.take_frame(frame, payload, head);
        }
        let missing = frame.length - self.partial.len();
        let part = rest.get(..missing).unwrap_or(rest);
        self.partial.extend_from_slice(part);
        *consumed += part.len();
        if part.len() < missing {
            return Ok(None);
        }
        self.reading = Reading::head();
        let mut payload = std::mem::take(&mut self.partial);
        let event = self.take_frame(frame, &payload, head);
        payload.clear();
        self.partial = payload;
        event
    }

    fn take_frame(
        &mut self,
        frame: FrameHead,
        payload: &[u8],
        head: &mut R::Head,
    ) -> Result<Option<Event>, ConnectionError> {
        match frame.kind {
            kind::HEADERS => self.take_headers(frame, payload, head),
            kind::CONTINUATION => self.take_continuation(frame, payload, head),
            kind::PRIORITY => self.take_priority(frame, payload),
            kind::RST_STREAM => self.take_reset(frame, payload),
            kind::SETTINGS => self.take_settings(frame, payload),
            kind::PING => self.take_ping(frame, payload),
            kind::GOAWAY => self.take_go_away(frame, payload),
            kind::WINDOW_UPDATE => self.take_window_update(frame, payload),
            // We never let the peer push.
            _ => Err(ConnectionError::protocol("PUSH_PROMISE")),
        }
    }

    /// The next of our streams that the peer has left undone when it went away.
    fn refused_by_peer(&mut self) -> Option<Event> {
        if R::IS_SERVER {
            return None;
        }
        let stream = self.streams.first_above(self.taken_up_to)?;
        let open = self.remove_stream(stream, Past::Reset);
        let (stream, code) = (StreamId(stream), ErrorCode::REFUSED_STREAM);
        open.then_some(Event::Reset { stream, code })
    }
}
