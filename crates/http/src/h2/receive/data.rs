//! DATA: bodies, passed on in pieces where the input holds them.

use super::{Connection, Reading};
use crate::h2::error::{ConnectionError, ErrorCode};
use crate::h2::event::Event;
use crate::h2::frame::{FrameHead, flag};
use crate::h2::role::Role;
use crate::h2::stream::{Half, StreamId};
use crate::h2::streams::Past;

/// What is left of a DATA frame.
#[derive(Debug, Clone, Copy)]
pub(in crate::h2) struct Body {
    stream: u32,
    /// Whether its first byte, the length of the padding, has not come.
    padded: bool,
    payload: usize,
    padding: usize,
    /// Whether the stream ends with it.
    end: bool,
}

impl<R: Role> Connection<R> {
    pub(super) fn begin_data(
        &mut self,
        frame: FrameHead,
    ) -> Result<Option<Event>, ConnectionError> {
        if frame.stream == 0 {
            return Err(ConnectionError::protocol("DATA of no stream"));
        }
        let padded = frame.has(flag::PADDED);
        if padded && frame.length == 0 {
            return Err(ConnectionError::frame_size("DATA without the length of its padding"));
        }
        let length = u32::try_from(frame.length).unwrap_or(u32::MAX);
        if !self.receive_window.take(length) {
            return Err(ConnectionError::flow_control(
                "more DATA than the connection has room for",
            ));
        }
        let end = frame.has(flag::END_STREAM);
        if let Some(code) = self.refuse_data(frame.stream, length)? {
            // It may be much that was under way, but it makes no room for more.
            if frame.length == 0 {
                self.count_overhead()?;
            }
            self.credit(length);
            self.reading = match frame.length {
                0 => Reading::head(),
                left => Reading::Skipped { left },
            };
            return match code {
                Some(code) => self.stream_error(frame.stream, code),
                None => Ok(None),
            };
        }
        if !padded {
            self.weigh(frame.length, end)?;
        }
        let body = Body { stream: frame.stream, padded, payload: frame.length, padding: 0, end };
        self.reading = Reading::Data(body);
        if padded {
            return Ok(None);
        }
        if let Some(event) = self.begin_payload(body)? {
            return Ok(Some(event));
        }
        if frame.length > 0 {
            return Ok(None);
        }
        self.reading = Reading::head();
        Ok(end.then(|| self.end_data(frame.stream, 0..0)))
    }

    /// Counts a frame by what it carries.
    fn weigh(&mut self, payload: usize, end: bool) -> Result<(), ConnectionError> {
        if payload == 0 && !end {
            return self.count_overhead();
        }
        self.overhead.give(1);
        Ok(())
    }

    /// Whether the DATA of a stream is not taken, and the error of the stream that it is, if it is
    /// one. Otherwise it is counted.
    fn refuse_data(
        &mut self,
        stream: u32,
        length: u32,
    ) -> Result<Option<Option<ErrorCode>>, ConnectionError> {
        let Some(state) = self.streams.get_mut(stream) else {
            return match self.streams.past(stream) {
                Past::Idle => Err(ConnectionError::protocol("DATA on an idle stream")),
                Past::Ended => Err(ConnectionError::closed("DATA on a closed stream")),
                Past::Reset => Ok(Some(None)),
                Past::ResetByPeer | Past::Forgotten => Ok(Some(Some(ErrorCode::STREAM_CLOSED))),
            };
        };
        Ok(match state.receiving {
            Half::Head => Some(Some(ErrorCode::PROTOCOL_ERROR)),
            Half::Body if state.receive_window.take(length) => None,
            Half::Body => Some(Some(ErrorCode::FLOW_CONTROL_ERROR)),
            Half::Ended if state.is_closed() => {
                return Err(ConnectionError::closed("DATA on a closed stream"));
            }
            Half::Ended => Some(Some(ErrorCode::STREAM_CLOSED)),
        })
    }

    /// Compares the payload, whose length is known, with what was announced.
    fn begin_payload(&mut self, body: Body) -> Result<Option<Event>, ConnectionError> {
        let Some(state) = self.streams.get_mut(body.stream) else { return Ok(None) };
        let Some(left) = state.length_left else { return Ok(None) };
        match left.checked_sub(body.payload as u64) {
            Some(left) if left == 0 || !body.end => {
                state.length_left = Some(left);
                Ok(None)
            }
            _ => {
                self.reading = match body.payload + body.padding {
                    0 => Reading::head(),
                    left => Reading::Skipped { left },
                };
                self.stream_error(body.stream, ErrorCode::PROTOCOL_ERROR)
            }
        }
    }

    /// Takes what has come of a DATA frame.
    pub(super) fn take_data(
        &mut self,
        mut body: Body,
        rest: &[u8],
        consumed: &mut usize,
    ) -> Result<Option<Event>, ConnectionError> {
        if body.padded {
            let padding = rest.first().copied().map_or(0, usize::from);
            *consumed += 1;
            let Some(payload) = (body.payload - 1).checked_sub(padding) else {
                return Err(ConnectionError::protocol("more padding than there is room for"));
            };
            body = Body { padded: false, payload, padding, ..body };
            self.reading = Reading::Data(body);
            self.weigh(payload, body.end)?;
            // Padding is passed on to nobody.
            self.release(StreamId(body.stream), 1 + padding);
            if let Some(event) = self.begin_payload(body)? {
                return Ok(Some(event));
            }
            if payload > 0 {
                return Ok(None);
            }
            return Ok(self.take_piece(body, 0, *consumed));
        }
        let taken = rest.len().min(body.payload);
        let start = *consumed;
        *consumed += taken;
        Ok(self.take_piece(body, taken, start))
    }

    /// Passes a piece of the payload on.
    fn take_piece(&mut self, mut body: Body, taken: usize, start: usize) -> Option<Event> {
        body.payload -= taken;
        self.reading = match (body.payload, body.padding) {
            (0, 0) => Reading::head(),
            (0, left) => Reading::Skipped { left },
            _ => Reading::Data(body),
        };
        // It may have been reset between two pieces.
        self.streams.get(body.stream).filter(|stream| stream.receiving == Half::Body)?;
        let payload = start..start + taken;
        if body.end && body.payload == 0 {
            return Some(self.end_data(body.stream, payload));
        }
        let stream = StreamId(body.stream);
        (taken > 0).then_some(Event::Data { stream, payload, end: false })
    }

    fn end_data(&mut self, stream: u32, payload: std::ops::Range<usize>) -> Event {
        if let Some(state) = self.streams.get_mut(stream) {
            state.receiving = Half::Ended;
        }
        self.settle(stream);
        Event::Data { stream: StreamId(stream), payload, end: true }
    }
}
