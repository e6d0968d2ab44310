//! Frames that carry neither heads nor data.

use super::Connection;
use super::blocks::depends_on;
use crate::h2::connection::{FAREWELL, Leaving};
use crate::h2::error::{ConnectionError, ErrorCode};
use crate::h2::event::Event;
use crate::h2::frame::{FrameHead, MAX_STREAM, flag, kind, number};
use crate::h2::role::Role;
use crate::h2::stream::{Half, StreamId};
use crate::h2::streams::Past;

impl<R: Role> Connection<R> {
    /// PRIORITY says nothing that anybody heeds (RFC 9113 §5.3.2).
    pub(super) fn take_priority(
        &mut self,
        frame: FrameHead,
        payload: &[u8],
    ) -> Result<Option<Event>, ConnectionError> {
        self.count_overhead()?;
        if frame.stream == 0 {
            return Err(ConnectionError::protocol("PRIORITY of the connection"));
        }
        let idle = self.past(frame.stream) == Some(Past::Idle);
        let code = match payload.len() {
            5 if depends_on(payload) != frame.stream => return Ok(None),
            5 => ErrorCode::PROTOCOL_ERROR,
            _ => ErrorCode::FRAME_SIZE_ERROR,
        };
        if idle {
            // A stream that was not opened cannot be reset.
            return Err(ConnectionError { code, reason: "bad PRIORITY of an idle stream" });
        }
        self.stream_error(frame.stream, code)
    }

    pub(super) fn take_reset(
        &mut self,
        frame: FrameHead,
        payload: &[u8],
    ) -> Result<Option<Event>, ConnectionError> {
        let code = match number(payload) {
            Some(code) if payload.len() == 4 => ErrorCode(code),
            _ => return Err(ConnectionError::frame_size("RST_STREAM of a wrong length")),
        };
        if frame.stream == 0 || self.past(frame.stream) == Some(Past::Idle) {
            return Err(ConnectionError::protocol("RST_STREAM of no stream"));
        }
        // What was begun to be answered was asked for in earnest.
        let unanswered =
            self.streams.get(frame.stream).is_some_and(|stream| stream.sending == Half::Head);
        match self.now {
            _ if !R::IS_SERVER || !unanswered => self.count_overhead()?,
            Some(now) if !self.resets.take(now) => {
                return Err(ConnectionError::calm("too many streams are reset"));
            }
            _ => {}
        }
        let open = self.streams.get(frame.stream).is_some()
            && self.remove_stream(frame.stream, Past::ResetByPeer);
        Ok(open.then_some(Event::Reset { stream: StreamId(frame.stream), code }))
    }

    pub(super) fn take_settings(
        &mut self,
        frame: FrameHead,
        payload: &[u8],
    ) -> Result<Option<Event>, ConnectionError> {
        self.count_overhead()?;
        if frame.stream != 0 {
            return Err(ConnectionError::protocol("SETTINGS of a stream"));
        }
        if frame.has(flag::ACK) {
            return match payload {
                [] => Ok(None),
                _ => Err(ConnectionError::frame_size("SETTINGS with an ACK and a payload")),
            };
        }
        let before = self.theirs.window;
        if !std::mem::replace(&mut self.settled, true) {
            // What is not limited now has no limit.
            self.theirs.streams = u32::MAX;
        }
        self.theirs.take(payload, !R::IS_SERVER)?;
        self.encoder.allow(self.theirs.table);
        let change = i64::from(self.theirs.window) - i64::from(before);
        if change != 0 {
            for stream in self.streams.iter_mut() {
                let changed = stream.send_window.change(change);
                changed.map_err(|_| ConnectionError::flow_control("a window is too large"))?;
            }
        }
        self.output.control(kind::SETTINGS, flag::ACK, 0, &[]);
        self.check_control()?;
        Ok(None)
    }

    pub(super) fn take_ping(
        &mut self,
        frame: FrameHead,
        payload: &[u8],
    ) -> Result<Option<Event>, ConnectionError> {
        self.count_overhead()?;
        if frame.stream != 0 {
            return Err(ConnectionError::protocol("PING of a stream"));
        }
        let Ok(payload) = <[u8; 8]>::try_from(payload) else {
            return Err(ConnectionError::frame_size("PING of a wrong length"));
        };
        if !frame.has(flag::ACK) {
            self.output.control(kind::PING, flag::ACK, 0, &payload);
            self.check_control()?;
            return Ok(None);
        }
        if payload == FAREWELL {
            if self.leaving == Leaving::Announced {
                self.leave_now();
            }
            return Ok(None);
        }
        Ok(Some(Event::Pong { payload }))
    }

    pub(super) fn take_go_away(
        &mut self,
        frame: FrameHead,
        payload: &[u8],
    ) -> Result<Option<Event>, ConnectionError> {
        self.count_overhead()?;
        if frame.stream != 0 {
            return Err(ConnectionError::protocol("GOAWAY of a stream"));
        }
        let code = payload.get(4..).and_then(number);
        let (Some(last), Some(code)) = (number(payload), code) else {
            return Err(ConnectionError::frame_size("GOAWAY of a wrong length"));
        };
        let last = last & MAX_STREAM;
        // It may only be lowered (RFC 9113 §6.8).
        self.peer_leaves = true;
        self.taken_up_to = self.taken_up_to.min(last);
        Ok(Some(Event::GoAway { last: StreamId(last), code: ErrorCode(code) }))
    }

    pub(super) fn take_window_update(
        &mut self,
        frame: FrameHead,
        payload: &[u8],
    ) -> Result<Option<Event>, ConnectionError> {
        self.count_overhead()?;
        let increment = match number(payload) {
            Some(increment) if payload.len() == 4 => increment & MAX_STREAM,
            _ => return Err(ConnectionError::frame_size("WINDOW_UPDATE of a wrong length")),
        };
        if frame.stream == 0 {
            if increment == 0 {
                return Err(ConnectionError::protocol("WINDOW_UPDATE of nothing"));
            }
            let changed = self.send_window.change(i64::from(increment));
            changed.map_err(|_| ConnectionError::flow_control("the window is too large"))?;
            return Ok(None);
        }
        let Some(stream) = self.streams.get_mut(frame.stream) else {
            return match self.streams.past(frame.stream) {
                Past::Idle => Err(ConnectionError::protocol("WINDOW_UPDATE of an idle stream")),
                // It may have been under way when the stream ended.
                _ => Ok(None),
            };
        };
        if increment == 0 {
            return self.stream_error(frame.stream, ErrorCode::PROTOCOL_ERROR);
        }
        if stream.sending != Half::Ended && stream.send_window.change(i64::from(increment)).is_err()
        {
            return self.stream_error(frame.stream, ErrorCode::FLOW_CONTROL_ERROR);
        }
        Ok(None)
    }

    /// What became of a stream; `None` while it lives.
    fn past(&self, stream: u32) -> Option<Past> {
        match self.streams.get(stream) {
            Some(_) => None,
            None => Some(self.streams.past(stream)),
        }
    }
}
