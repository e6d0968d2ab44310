//! Receiving response heads while the request goes out.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use portway_http::{
    BodyFraming, Headers, Request, Response, ResponseError, Status, Version,
    codec::{HeadLimits, Progress, ResponseHead, ResponseParser, write_response_head},
    remove_response_hop_by_hop, upgrade_type,
};
use portway_upstream::Unresponsive;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::timeout_at,
};

use super::error::ForwardError;
use crate::{
    buffer::Buffers,
    deadline::{Deadline, Idleness},
    relay::{Peer, Side, Upload, watch},
};

/// How long a client that waits for `100 Continue` waits for the server to say it, before Portway does.
/// As Go's transport.
const CONTINUE_AFTER: Duration = Duration::from_secs(1);

/// How long a server that takes no more of the request may take to explain itself.
const EXPLAIN_WITHIN: Duration = Duration::from_secs(1);

/// What bounds the waits of one exchange.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// The whole request must have arrived.
    pub(crate) request: Deadline,
    /// The whole response must have been written.
    pub(crate) write: Option<Instant>,
    /// How long the server may think once it has the whole request.
    pub(crate) thinking: Option<Duration>,
    /// How long the bodies may stand still.
    pub(crate) idle: Idleness,
}

/// Receives response heads while the request goes out.
pub(crate) struct Heads<'a> {
    pub(crate) buffers: &'a Buffers,
    pub(crate) request: &'a Request,
    /// Where heads are parsed into.
    pub(crate) response: &'a mut Response,
    /// The server's URL.
    pub(crate) server_name: &'a str,
    pub(crate) limits: &'a mut Limits,
    pub(crate) state: &'a mut HeadState,
    /// Whether the client gets no interim response but `100 Continue`.
    pub(crate) hides_interim: bool,
}

/// How far the exchange of heads has come.
#[derive(Debug, Default)]
pub(crate) struct HeadState {
    /// The client has got its `100 Continue`.
    continued: bool,
    /// Any byte of a response came.
    pub(crate) answered: bool,
    parser: ResponseParser,
    /// Bytes of interim heads.
    interim: usize,
    /// The client that waits for `100 Continue` gets it from Portway.
    go_on: Deadline,
    /// The server has thought long enough.
    thought: Option<Deadline>,
}

impl HeadState {
    /// Another request begins.
    pub(crate) fn begin(&mut self, request: &Request) {
        *self = Self::default();
        if request.expects_continue && !request.body.is_empty() {
            self.go_on = Deadline::from_now(Some(CONTINUE_AFTER));
        }
    }

    /// The request goes to another connection; what the client has got it keeps.
    pub(crate) fn begin_again(&mut self) {
        self.parser = ResponseParser::new();
        self.thought = None;
    }
}

/// What there is to do before the final head.
enum Step {
    /// A head is complete.
    Head,
    /// The client waits for `100 Continue` long enough.
    GoOn,
}

impl Heads<'_> {
    /// Receives the final head, or that of a switch of protocols; passes interim ones on.
    pub(crate) async fn receive<C, S>(
        &mut self,
        client: &mut Side<'_, C>,
        server: &mut Side<'_, S>,
        upload: &mut Upload,
    ) -> Result<(), ForwardError>
    where
        C: Peer,
        S: Peer,
    {
        loop {
            match poll_fn(|cx| self.poll_step(cx, client, server, upload)).await? {
                Step::GoOn => {
                    self.state.go_on.cancel();
                    self.state.continued = true;
                    let (version, limit) = (self.request.version, self.limits.write);
                    Box::pin(tell_to_go_on(client.stream, version, limit)).await?;
                }
                Step::Head => match self.response.status.code() {
                    101 if upload.is_complete() && self.switches_as_asked() => return Ok(()),
                    101 => {
                        let server = self.server_name.to_owned();
                        return Err(ForwardError::BadUpgrade { server });
                    }
                    100..200 => Box::pin(self.pass_interim(client.stream)).await?,
                    200..300 if self.asks_for_tunnel() => {
                        let (server, status) = (self.server_name.to_owned(), self.response.status);
                        return Err(ForwardError::NoTunnel { server, status });
                    }
                    _ => return Ok(()),
                },
            }
        }
    }

    fn poll_step<C, S>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Side<'_, C>,
        server: &mut Side<'_, S>,
        upload: &mut Upload,
    ) -> Poll<Result<Step, ForwardError>>
    where
        C: Peer,
        S: Peer,
    {
        let sent = upload.poll_send(cx, client, server.stream, self.buffers);
        if let Poll::Ready(Err(error)) = sent {
            return Poll::Ready(Err(error.into()));
        }
        if !upload.body_has_come() && self.limits.request.has_passed(cx) {
            return Poll::Ready(Err(ForwardError::RequestTimeout));
        }
        if let Poll::Ready(received) = self.poll_head(cx, server) {
            return Poll::Ready(received.map(|()| Step::Head));
        }
        // The client is looked at last: mostly it is the server who woke the task.
        if sent.is_ready()
            && let Poll::Ready(error) = watch(cx, client, self.buffers)
        {
            return Poll::Ready(Err(error.into()));
        }
        if self.state.go_on.has_passed(cx) {
            return Poll::Ready(Ok(Step::GoOn));
        }
        if !upload.is_complete() && self.limits.idle.is_over(cx, upload.payload()) {
            return Poll::Ready(Err(ForwardError::IdleTimeout));
        }
        match self.thought_too_long(cx, upload) {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Pending,
        }
    }

    /// Reads up to the end of a head.
    fn poll_head<S: Peer>(
        &mut self,
        cx: &mut Context<'_>,
        server: &mut Side<'_, S>,
    ) -> Poll<Result<(), ForwardError>> {
        let limits = HeadLimits::default();
        if let Some(stream) = server.stream.http2() {
            return Poll::Ready(match ready!(stream.poll_response(cx, self.response)) {
                Ok(()) => {
                    self.state.answered = true;
                    let fields = self.response.headers.iter();
                    let length = fields.map(|field| field.name.len() + field.value.len() + 4).sum();
                    self.count_interim(length, &limits)
                }
                Err(source) => Err(self.closed(source)),
            });
        }
        loop {
            if !server.input.is_empty() {
                self.state.answered = true;
                let filled = server.input.filled();
                let method = &self.request.method;
                match self.state.parser.parse(filled, &limits, method, self.response) {
                    Ok(Progress::Complete(length)) => {
                        server.input.consume(length);
                        return Poll::Ready(self.count_interim(length, &limits));
                    }
                    Ok(Progress::Partial) => {}
                    Err(error) => return Poll::Ready(Err(self.bad(error))),
                }
            }
            // The parser refuses what is larger than its limit, so growth is bounded by it.
            if server.input.is_full() {
                server.input.grow();
            }
            let source = match ready!(server.poll_fill(cx, self.buffers)) {
                Ok(0) => io::ErrorKind::UnexpectedEof.into(),
                Ok(_) => continue,
                Err(error) if is_reset(&error) && is_forgotten(server) => {
                    io::ErrorKind::UnexpectedEof.into()
                }
                Err(error) => error,
            };
            return Poll::Ready(Err(self.closed(source)));
        }
    }

    /// Interim heads are as many as fit into one large head.
    fn count_interim(&mut self, length: usize, limits: &HeadLimits) -> Result<(), ForwardError> {
        if (100..200).contains(&self.response.status.code()) {
            self.state.interim = self.state.interim.saturating_add(length);
            if self.state.interim > limits.bytes {
                return Err(self.bad(ResponseError::HeadTooLarge));
            }
        }
        Ok(())
    }

    /// Whether the server has had the time that it has to answer, or to say why it takes no more.
    fn thought_too_long(&mut self, cx: &mut Context<'_>, upload: &Upload) -> Option<ForwardError> {
        let limit = match self.limits.thinking {
            limit if upload.is_complete() => limit,
            limit if upload.is_broken() => {
                Some(limit.unwrap_or(EXPLAIN_WITHIN).min(EXPLAIN_WITHIN))
            }
            _ => return None,
        };
        let thought = self.state.thought.get_or_insert_with(|| Deadline::from_now(limit));
        if !thought.has_passed(cx) {
            return None;
        }
        if upload.is_broken() {
            return Some(self.closed(io::ErrorKind::BrokenPipe.into()));
        }
        Some(ForwardError::ResponseTimeout { server: self.server_name.to_owned() })
    }

    /// Whether a switch of protocols is to the one that the client asked for, as Go demands.
    fn switches_as_asked(&self) -> bool {
        match (self.request.upgrade(), upgrade_type(&self.response.headers)) {
            (Some(asked), Some(given)) => asked.eq_ignore_ascii_case(given),
            _ => false,
        }
    }

    /// Whether the client would take any good answer for an open tunnel (RFC 8441 §5, RFC 9110 §9.3.6).
    fn asks_for_tunnel(&self) -> bool {
        self.request.version == Version::Http2 && self.request.upgrade().is_some()
    }

    fn bad(&self, source: ResponseError) -> ForwardError {
        ForwardError::BadResponse { server: self.server_name.to_owned(), source }
    }

    fn closed(&self, source: io::Error) -> ForwardError {
        let server = self.server_name.to_owned();
        if Unresponsive::is_cause(&source) {
            return ForwardError::Unresponsive { server };
        }
        if self.state.answered && source.kind() == io::ErrorKind::UnexpectedEof {
            ForwardError::CutHead { server }
        } else {
            ForwardError::Closed { server, source }
        }
    }

    /// Passes an interim response on to clients that know such (RFC 9110 §15.2).
    async fn pass_interim<C: Peer>(&mut self, client: &mut C) -> Result<(), ForwardError> {
        if self.response.status.code() == 100 {
            let wanted = self.request.expects_continue && !self.state.continued;
            self.state.continued = true;
            self.state.go_on.cancel();
            if !wanted {
                return Ok(());
            }
        }
        let hidden = self.hides_interim && self.response.status.code() != 100;
        if hidden || self.request.version == Version::Http10 {
            return Ok(());
        }
        let response = &mut self.response;
        remove_response_hop_by_hop(&mut response.headers, response.body);
        let head = ResponseHead {
            version: self.request.version,
            status: response.status,
            headers: &response.headers,
            body: response.body,
            connection: Default::default(),
            date: b"",
        };
        if let Some(stream) = client.http2() {
            return stream.respond(&head, false).map_err(|_| ForwardError::ClientGone);
        }
        let mut text = Vec::new();
        write_response_head(&mut text, &head);
        write(client, &text, self.limits.write).await
    }
}

/// Whether Go has forgotten that its server reset the connection when it finds that the head is not complete.
///
/// A look ahead takes the error, unless it is of TLS, whose errors come again; and a part of a line that is no line by
/// itself is not understood in any case.
fn is_forgotten<S: Peer>(server: &Side<'_, S>) -> bool {
    let head = server.input.filled();
    let line = head.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_line = match line.get(8..12) {
        _ if line.len() < head.len() => line.is_empty() || line.contains(&b':'),
        Some([b' ', code @ ..]) => code.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let is_told_again = is_line && server.stream.is_encrypted();
    !head.is_empty() && !is_told_again
}

fn is_reset(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionReset
}

/// Tells the client to send its body.
pub(crate) async fn tell_to_go_on<C: Peer>(
    client: &mut C,
    version: Version,
    limit: Option<Instant>,
) -> Result<(), ForwardError> {
    let Some(stream) = client.http2() else {
        return write(client, b"HTTP/1.1 100 Continue\r\n\r\n", limit).await;
    };
    let head = ResponseHead {
        version,
        status: Status::CONTINUE,
        headers: &Headers::new(),
        body: BodyFraming::None,
        connection: Default::default(),
        date: b"",
    };
    stream.respond(&head, false).map_err(|_| ForwardError::ClientGone)
}

/// Writes to the client until then.
async fn write<C: AsyncWrite + Unpin>(
    client: &mut C,
    head: &[u8],
    limit: Option<Instant>,
) -> Result<(), ForwardError> {
    let write = async {
        client.write_all(head).await?;
        client.flush().await
    };
    let written = match limit {
        Some(limit) => timeout_at(limit.into(), write).await.map_err(io::Error::from),
        None => Ok(write.await),
    };
    written.flatten().map_err(|_| ForwardError::ClientGone)
}

#[cfg(test)]
mod tests;
