//! Request bodies that are kept, so that the request can be sent more than once.

use std::{future::poll_fn, rc::Rc, task::Poll};

use portway_http::{BodyFraming, BodyReader, Known, Request, TrailerLimits};
use portway_middleware::Marks;

use crate::{
    buffer::ReadBuffer,
    deadline::Deadline,
    exchange::Exchange,
    forward::{ForwardError, tell_to_go_on},
    memory::Memory,
    relay::UploadError,
};

/// Bytes of a body that are held where nobody sets a limit.
const MAX_HELD: u64 = 64 << 20;

/// Why a body cannot be held.
#[derive(Debug)]
pub(crate) enum HoldError {
    /// It is longer than the limit; as much as came stands where it stood, and can be sent once.
    TooLarge,
    /// It did not come to its end.
    Failed(ForwardError),
}

/// A body that is kept whole.
#[derive(Debug, Default)]
pub(crate) struct HeldBody {
    /// As it came, framing included.
    bytes: Vec<u8>,
    /// Whether the framing was taken away, and the length of the bytes is that of the body.
    measured: bool,
    /// Whether it does not stand in the client's input.
    abandoned: bool,
}

impl HeldBody {
    /// Whether there is nothing of it.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// A whole body without its framing.
pub(super) fn payload(framing: BodyFraming, mut raw: &[u8]) -> Vec<u8> {
    let mut reader = BodyReader::for_request(framing, TrailerLimits::default());
    let mut body = Vec::with_capacity(raw.len());
    while let Ok(step) = reader.step(raw) {
        body.extend_from_slice(raw.get(step.payload).unwrap_or_default());
        raw = raw.get(step.consumed..).unwrap_or_default();
        if step.done || raw.is_empty() {
            break;
        }
    }
    body
}

/// Takes the request's body off the input, if all of it has come already.
fn take_whole(request: &Request, input: &mut ReadBuffer) -> bool {
    let mut reader = BodyReader::for_request(request.body, TrailerLimits::default());
    while !reader.is_done() {
        let step = reader.step(input.filled());
        let Ok(step) = step.map(|step| step.consumed) else { return false };
        if step == 0 {
            return false;
        }
        input.consume(step);
    }
    true
}

/// A request as it was when it came to a wrapper.
#[derive(Debug)]
pub(crate) struct Saved {
    request: Request,
    marks: Marks,
    permits: usize,
    recordings: usize,
}

impl Exchange<'_, '_> {
    /// Waits for the whole body of the request, and keeps it, of `limit` bytes at most, or [`MAX_HELD`] without one.
    ///
    /// The body stands in the client's input afterwards as if it had just come, so that whatever sends the request
    /// finds it there; [`Exchange::rewind`] puts it there again.
    pub(crate) async fn hold_body(&mut self, limit: Option<u64>) -> Result<(), HoldError> {
        let limit = limit.or(Some(MAX_HELD));
        self.memory.upload.clear();
        let framing = self.memory.request.body;
        let too_large = |length: u64| limit.is_some_and(|limit| length > limit);
        if let BodyFraming::Length(length) = framing
            && too_large(length)
        {
            return Err(HoldError::TooLarge);
        }
        if self.memory.held.is_some() {
            return if too_large(self.held_length()) { Err(HoldError::TooLarge) } else { Ok(()) };
        }
        if framing.is_empty() {
            self.memory.held = Some(HeldBody::default());
            return Ok(());
        }
        self.let_body_come().await.map_err(HoldError::Failed)?;
        let mut held = Vec::new();
        let taken = self.take_body(limit, &mut held).await;
        self.connection.input.put_back(&held);
        taken?;
        if let Some(stream) = self.connection.stream.http2() {
            stream.repeat_end();
        }
        self.memory.held = Some(HeldBody { bytes: held, ..HeldBody::default() });
        self.facts.request_bytes = self.held_length();
        Ok(())
    }

    /// Bytes of the body that is held, without its framing.
    pub(super) fn held_length(&mut self) -> u64 {
        let Some(held) = &self.memory.held else { return 0 };
        let mut reader = match self.connection.stream.http2() {
            Some(_) => BodyReader::Stream,
            None => BodyReader::for_request(self.memory.request.body, TrailerLimits::default()),
        };
        let (mut rest, mut length) = (held.bytes.as_slice(), 0);
        while let Ok(step) = reader.step(rest)
            && step.consumed > 0
        {
            length += step.payload.len() as u64;
            rest = rest.get(step.consumed..).unwrap_or_default();
        }
        length
    }

    /// The whole body that is held, without the framing that it has; `None` where none is.
    pub(crate) fn held_payload(&mut self, framing: BodyFraming) -> Option<Vec<u8>> {
        let is_http2 = self.connection.stream.http2().is_some();
        let held = self.memory.held.as_ref()?;
        let is_bare = is_http2 || held.measured;
        Some(if is_bare { held.bytes.clone() } else { payload(framing, &held.bytes) })
    }

    /// Whether the request's body is in the client's input, all of it.
    pub(crate) async fn body_is_here(&mut self) -> bool {
        if self.connection.stream.http2().is_some() {
            return self.stream_is_here().await;
        }
        let limits = TrailerLimits::default();
        let mut reader = BodyReader::for_request(self.memory.request.body, limits);
        let mut rest = self.connection.input.filled();
        while let Ok(step) = reader.step(rest)
            && step.consumed > 0
        {
            rest = rest.get(step.consumed..).unwrap_or_default();
        }
        reader.is_done()
    }

    /// Takes into the input what has come on a stream of HTTP/2; says whether that is all.
    async fn stream_is_here(&mut self) -> bool {
        let worker = Rc::clone(&self.connection.worker);
        let connection = &mut *self.connection;
        let ended = poll_fn(|cx| {
            while !connection.input.is_full() {
                match connection.input.poll_fill(cx, &mut connection.stream, &worker.buffers) {
                    Poll::Ready(Ok(1..)) => {}
                    Poll::Ready(Ok(0)) => return Poll::Ready(true),
                    _ => break,
                }
            }
            Poll::Ready(false)
        })
        .await;
        if ended && let Some(stream) = self.connection.stream.http2() {
            stream.repeat_end();
        }
        ended
    }

    /// Notes how the request is now, so that it can be made so again.
    pub(crate) fn save(&self) -> Saved {
        Saved {
            request: self.memory.request.clone(),
            marks: self.context.marks(),
            permits: self.memory.permits.len(),
            recordings: self.memory.recordings.len(),
        }
    }

    /// Makes the request what it was, with its body, where that was held.
    pub(crate) fn rewind(&mut self, saved: &Saved) {
        self.memory.request.clone_from(&saved.request);
        self.context.restore(saved.marks);
        self.memory.permits.truncate(saved.permits);
        self.memory.recordings.truncate(saved.recordings);
        let Memory { request, upload, held, .. } = &mut *self.memory;
        if let Some(held) = held {
            let input = &mut self.connection.input;
            let (abandoned, used) = (std::mem::take(&mut held.abandoned), upload.used());
            if abandoned || used > 0 {
                if !abandoned {
                    input.consume(held.bytes.len().saturating_sub(used));
                }
                input.put_back(&held.bytes);
                if let Some(stream) = self.connection.stream.http2() {
                    stream.repeat_end();
                }
            }
            if held.measured {
                request.body = BodyFraming::Length(held.bytes.len() as u64);
                request.headers.remove(Known::Trailer);
            }
        }
        self.memory.upload.clear();
    }

    /// Nothing is sent of the request's body any more: where not all of it has come, the client's connection ends
    /// after the response.
    pub(crate) fn abandon_body(&mut self) {
        let Memory { request, upload, held, body_is_lost, .. } = &mut *self.memory;
        let input = &mut self.connection.input;
        match held {
            Some(HeldBody { abandoned: true, .. }) => {}
            Some(held) => {
                let used = self.sent.map_or(0, |_| upload.used());
                input.consume(held.bytes.len().saturating_sub(used));
                held.abandoned = true;
            }
            None if request.body.is_empty() => {}
            None => {
                *body_is_lost = true;
                request.keep_alive &= match self.sent {
                    Some(_) => upload.body_is_behind(),
                    None => take_whole(request, input),
                };
            }
        }
        request.body = BodyFraming::None;
        request.expects_continue = false;
    }

    /// Gives the request, whose body is held, the length of that.
    pub(super) fn measure_body(&mut self) {
        let Memory { request, held, .. } = &mut *self.memory;
        let Some(held) = held else { return };
        if request.body != BodyFraming::Chunked || self.connection.stream.http2().is_some() {
            return;
        }
        let body = payload(request.body, &held.bytes);
        let input = &mut self.connection.input;
        input.consume(held.bytes.len());
        input.put_back(&body);
        request.body = BodyFraming::Length(body.len() as u64);
        request.headers.remove(Known::Trailer);
        *held = HeldBody { bytes: body, measured: true, abandoned: false };
    }

    /// Says `100 Continue` to a client that waits for it.
    async fn let_body_come(&mut self) -> Result<(), ForwardError> {
        let request = &mut self.memory.request;
        if !std::mem::take(&mut request.expects_continue) {
            return Ok(());
        }
        let write = self.settings.write_timeout;
        let deadline = write.and_then(|limit| self.connection.started.checked_add(limit));
        tell_to_go_on(&mut self.connection.stream, request.version, deadline).await
    }

    /// Takes the body out of the client's input into `held`, framing included.
    async fn take_body(&mut self, limit: Option<u64>, held: &mut Vec<u8>) -> Result<(), HoldError> {
        let worker = Rc::clone(&self.connection.worker);
        let mut deadline = Deadline::after(self.connection.begun, self.settings.read_timeout);
        let connection = &mut *self.connection;
        let mut reader = match connection.stream.http2() {
            Some(_) => BodyReader::Stream,
            None => BodyReader::for_request(self.memory.request.body, TrailerLimits::default()),
        };
        let failed = |error: UploadError| HoldError::Failed(error.into());
        let mut payload: u64 = 0;
        poll_fn(|cx| {
            loop {
                let step = reader.step(connection.input.filled());
                let step = step.map_err(|error| failed(UploadError::Body(error)))?;
                let taken = connection.input.filled().get(..step.consumed).unwrap_or_default();
                held.extend_from_slice(taken);
                connection.input.consume(step.consumed);
                payload += step.payload.len() as u64;
                if limit.is_some_and(|limit| payload > limit) {
                    return Poll::Ready(Err(HoldError::TooLarge));
                }
                if step.done {
                    return Poll::Ready(Ok(()));
                }
                if !connection.input.is_empty() {
                    continue;
                }
                match connection.input.poll_fill(cx, &mut connection.stream, &worker.buffers) {
                    Poll::Ready(Ok(0)) if matches!(reader, BodyReader::Stream) => {
                        return Poll::Ready(Ok(()));
                    }
                    Poll::Ready(Ok(1..)) => {}
                    Poll::Ready(_) => return Poll::Ready(Err(failed(UploadError::ClientGone))),
                    Poll::Pending if deadline.has_passed(cx) => {
                        return Poll::Ready(Err(HoldError::Failed(ForwardError::RequestTimeout)));
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }
}
