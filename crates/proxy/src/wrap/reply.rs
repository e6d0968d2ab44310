//! What wrappers do with replies.

use std::{future::poll_fn, rc::Rc, task::Poll, time::Instant};

use portway_http::{Answer, BodyFraming, Headers, Known};
use portway_middleware::BodyFilter;

use crate::{
    answer,
    deadline::Deadline,
    exchange::{Exchange, Reply},
    forward::{self, ForwardError, beginning},
    memory::Memory,
    own,
    relay::Side,
};

/// A whole body that has come.
#[derive(Debug)]
pub(crate) struct Awaited {
    /// Its bytes, without framing.
    pub(crate) payload: u64,
    /// What came behind it on a connection of HTTP/1.
    pub(crate) trailers: Option<Headers>,
}

/// Why there is no whole body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AwaitError {
    /// It is longer than the limit.
    TooLarge,
    /// The server broke it off, or the client went away.
    Broken,
}

impl<'s> Exchange<'_, 's> {
    /// The status of a reply.
    pub(crate) fn status_of(&self, reply: &Reply<'_>) -> u16 {
        match reply {
            Reply::Server(_) => self.memory.response.status.code(),
            Reply::Answer(answer) => answer.status.code(),
        }
    }

    /// A reply that Portway makes itself.
    pub(crate) fn answered(&self, mut answer: Answer) -> Reply<'s> {
        self.context.begin(&mut answer.headers);
        Reply::Answer(answer.into())
    }

    /// The reply to a request that failed.
    pub(crate) fn failed(&mut self, error: &ForwardError) -> Reply<'s> {
        self.facts.failed(error);
        tracing::debug!("{}: {error}", self.route.name);
        self.answered(answer::of_error(error))
    }

    /// The reply to a client that went away.
    pub(crate) fn client_gone(&mut self) -> Reply<'s> {
        self.failed(&ForwardError::ClientGone)
    }

    /// Gives a reply up for another one. The server's connection is kept if all of the response is here.
    pub(crate) fn drop_reply(&mut self, reply: Reply<'_>) {
        self.facts.reason = None;
        self.facts.detail.clear();
        let Reply::Server(picked) = reply else { return };
        let worker = Rc::clone(&self.connection.worker);
        let memory = &mut *self.memory;
        let is_asked = memory.upload.is_complete() && memory.response.keep_alive;
        if is_asked
            && memory.response.status.code() != 101
            && own::is_for_others(&memory.request, picked.server)
            && let Some(server) = memory.server.take_if(|server| server.stream.http2().is_none())
        {
            let mut reader = memory.response_reader(false);
            while !reader.is_done() && !memory.from_server.is_empty() {
                let Ok(step) = reader.step(memory.from_server.filled()) else { break };
                memory.from_server.consume(step.consumed);
            }
            if reader.is_done() && memory.from_server.is_empty() {
                let pool = own::pool(&worker, self.connection.own.as_deref());
                pool.borrow_mut().put(picked.server, server, Instant::now());
            }
        }
        memory.body_filters.clear();
        memory.hidden_body = 0;
        memory.whole_body = None;
        forward::end(memory, &worker, self.facts);
    }

    /// Lets the body of a reply pass through a filter, behind those that are there. Its length is not known then.
    pub(crate) fn filter_body(&mut self, reply: &mut Reply<'_>, mut filter: Box<dyn BodyFilter>) {
        if let Reply::Answer(answer) = reply {
            let mut body = Vec::new();
            filter.push(&answer.body, &mut body);
            filter.finish(&mut None, &mut body);
            answer.body = body.into();
            return;
        }
        let Memory { response, unfiltered, body_filters, .. } = &mut *self.memory;
        if body_filters.is_empty() {
            *unfiltered = response.body;
        }
        body_filters.push(filter);
        response.body = BodyFraming::Chunked;
        response.headers.remove(Known::ContentLength);
    }

    /// Waits for the whole body of the server's response, of `limit` bytes at most; nothing of it is used up.
    pub(crate) async fn await_body(&mut self, limit: Option<u64>) -> Result<Awaited, AwaitError> {
        let worker = Rc::clone(&self.connection.worker);
        let connection = &mut *self.connection;
        let is_http2 =
            self.memory.server.as_mut().is_some_and(|server| server.stream.http2().is_some());
        let mut reader = self.memory.response_reader(is_http2);
        let Memory { upload, server, limits, from_server, .. } = &mut *self.memory;
        let Some(server) = server else { return Err(AwaitError::Broken) };
        let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
        let mut from_server = Side { stream: &mut server.stream, input: from_server };
        let (mut looked_at, mut payload) = (0, 0_u64);
        let awaited = poll_fn(|cx| {
            loop {
                while !reader.is_done() {
                    let rest = from_server.input.filled().get(looked_at..).unwrap_or_default();
                    if rest.is_empty() {
                        break;
                    }
                    let step = reader.step(rest).map_err(|_| AwaitError::Broken)?;
                    looked_at += step.consumed;
                    payload += step.payload.len() as u64;
                    if limit.is_some_and(|limit| payload > limit) {
                        return Poll::Ready(Err(AwaitError::TooLarge));
                    }
                }
                if reader.is_done() {
                    return Poll::Ready(Ok(()));
                }
                if from_server.input.is_full() {
                    from_server.input.grow();
                }
                match from_server.poll_fill(cx, &worker.buffers) {
                    Poll::Ready(Ok(0)) => {
                        let ended = reader.finish().map_err(|_| AwaitError::Broken);
                        return Poll::Ready(ended);
                    }
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(_)) => return Poll::Ready(Err(AwaitError::Broken)),
                    Poll::Pending => break,
                }
            }
            let sent = upload.poll(cx, &mut client, from_server.stream, &worker.buffers);
            let late = !upload.body_has_come() && limits.request.has_passed(cx);
            if sent.is_ready() || late {
                Poll::Ready(Err(AwaitError::Broken))
            } else {
                Poll::Pending
            }
        })
        .await;
        if let Some(stream) = server.stream.http2() {
            stream.repeat_end();
        }
        awaited.map(|()| Awaited { payload, trailers: reader.trailers().cloned() })
    }

    /// The body of the server's response, which has come whole ([`Exchange::await_body`]); nothing of it is used up.
    pub(super) fn whole_body(&mut self) -> Vec<u8> {
        let is_http2 =
            self.memory.server.as_mut().is_some_and(|server| server.stream.http2().is_some());
        let mut reader = self.memory.response_reader(is_http2);
        let (mut rest, mut body) = (self.memory.from_server.filled(), Vec::new());
        while let Ok(step) = reader.step(rest)
            && step.consumed > 0
        {
            body.extend_from_slice(rest.get(step.payload).unwrap_or_default());
            rest = rest.get(step.consumed..).unwrap_or_default();
        }
        body
    }

    /// Waits for the beginning of the body of the server's response, of which nothing is used up: as much as has come,
    /// and nothing where it ends or breaks off before.
    pub(super) async fn await_beginning(&mut self) -> Vec<u8> {
        let worker = Rc::clone(&self.connection.worker);
        let connection = &mut *self.connection;
        let is_http2 =
            self.memory.server.as_mut().is_some_and(|server| server.stream.http2().is_some());
        let reader = self.memory.response_reader(is_http2);
        let Memory { upload, server, limits, from_server, .. } = &mut *self.memory;
        let Some(server) = server else { return Vec::new() };
        let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
        let mut from_server = Side { stream: &mut server.stream, input: from_server };
        let mut deadline = Deadline::at(limits.write);
        let beginning = poll_fn(|cx| {
            loop {
                let (start, ended) = beginning(reader.clone(), from_server.input.filled());
                if ended || !start.is_empty() || from_server.input.is_full() {
                    return Poll::Ready(start);
                }
                match from_server.poll_fill(cx, &worker.buffers) {
                    Poll::Ready(Ok(count)) if count > 0 => {}
                    Poll::Ready(_) => return Poll::Ready(Vec::new()),
                    Poll::Pending => break,
                }
            }
            let sent = upload.poll(cx, &mut client, from_server.stream, &worker.buffers);
            let late = !upload.body_has_come() && limits.request.has_passed(cx);
            if sent.is_ready() || late || deadline.has_passed(cx) {
                return Poll::Ready(Vec::new());
            }
            Poll::Pending
        })
        .await;
        if let Some(stream) = server.stream.http2() {
            stream.repeat_end();
        }
        beginning
    }
}
