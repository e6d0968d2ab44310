//! One request to a server and its response back: pick, connect or reuse, send, receive.

use std::{
    future::{Future, poll_fn},
    io,
    net::IpAddr,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use portway_http::{
    Answer, BodyError, BodyFraming, Method, Request, Response, ResponseError, Version,
    append_forwarded_for,
    codec::{
        HeadLimits, Progress, ResponseHead, ResponseParser, write_request_head, write_response_head,
    },
    remove_request_hop_by_hop, remove_response_hop_by_hop, websocket_header_case,
};
use portway_observe::Reason;
use portway_snapshot::Route;
use portway_upstream::{ConnectError, Connection as ServerConnection, Picked, Server, connect};
use tokio::{
    io::AsyncWriteExt,
    time::{Sleep, sleep_until},
};

use crate::{
    EntryPoint, answer,
    buffer::ReadBuffer,
    connection::{Connection, Next},
    record::Facts,
    relay::{Download, DownloadError, Side, Upload, UploadError, watch},
    stream::ClientStream,
    tunnel,
    worker::Worker,
};

/// How long a client that waits for `100 Continue` waits for the server to say it, before Portway does.
/// As Go's transport.
const CONTINUE_AFTER: Duration = Duration::from_secs(1);

/// What is to be forwarded where.
pub(crate) struct Job<'a> {
    pub(crate) settings: &'a EntryPoint,
    pub(crate) route: &'a Route,
    pub(crate) picked: Picked<'a>,
    pub(crate) append_forwarded_for: bool,
}

/// How forwarding ended.
pub(crate) enum Outcome {
    /// The client has the server's response, or as much of it as there will be.
    Done(Next),
    /// Nothing of a response was sent: the client gets this answer.
    Failed(Answer),
}

/// Why an exchange with a server failed before the client got any of its response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    /// The server's name was not found, or it refused, reset or cannot be reached; nothing was sent.
    #[error("{source}")]
    Connect { source: ConnectError },
    /// No connection within the dial timeout; nothing was sent.
    #[error("{source}")]
    ConnectTimeout { source: ConnectError },
    /// TLS with the server failed; nothing was sent.
    #[error("{source}")]
    Tls { source: ConnectError },
    /// The server closed or broke the connection before its response head was complete.
    #[error("{server} closed the connection before it answered: {source}")]
    Closed { server: String, source: io::Error },
    /// The server closed or broke the connection in the middle of its response head.
    #[error("{server} closed the connection in the middle of its response head")]
    CutHead { server: String },
    /// The server's response cannot be understood.
    #[error("{server} sent a response that cannot be understood: {source}")]
    BadResponse { server: String, source: ResponseError },
    /// No response head within the transport's time.
    #[error("{server} sent no response head within the response header timeout")]
    ResponseTimeout { server: String },
    /// The client closed its connection or its sending side.
    #[error("the client closed the connection before the response")]
    ClientGone,
    /// The client's body is malformed.
    #[error("the request body is malformed: {source}")]
    BadBody { source: BodyError },
    /// The client did not send its whole body within the read timeout.
    #[error("the request body did not arrive within the read timeout")]
    RequestTimeout,
}

impl ForwardError {
    /// For the access log.
    fn reason(&self) -> Reason {
        match self {
            Self::Connect { .. } | Self::Tls { .. } => Reason::ConnectFailed,
            Self::ConnectTimeout { .. } => Reason::ConnectTimeout,
            Self::Closed { .. } => Reason::UpstreamClosed,
            Self::BadResponse { .. } | Self::CutHead { .. } => Reason::BadResponse,
            Self::ResponseTimeout { .. } => Reason::ResponseTimeout,
            Self::ClientGone => Reason::ClientGone,
            Self::BadBody { .. } => Reason::BadRequest,
            Self::RequestTimeout => Reason::RequestTimeout,
        }
    }
}

impl From<ConnectError> for ForwardError {
    fn from(source: ConnectError) -> Self {
        match source {
            ConnectError::Unreachable { .. } => Self::Connect { source },
            ConnectError::Timeout { .. } => Self::ConnectTimeout { source },
            ConnectError::Tls { .. } => Self::Tls { source },
        }
    }
}

/// Forwards the request and passes the response on.
pub(crate) async fn forward(
    connection: &mut Connection,
    job: &Job<'_>,
    facts: &mut Facts,
) -> Outcome {
    let worker = Rc::clone(&connection.worker);
    facts.served_by(&job.picked, &connection.request.headers);
    let wants_upgrade = prepare(&mut connection.request, job, connection.peer.ip());
    let exchanged = exchange_heads(connection, &worker, job, facts, wants_upgrade).await;
    let mut ongoing = match exchanged {
        Ok(ongoing) => ongoing,
        Err(error) => {
            facts.reason = Some(error.reason());
            facts.detail = error.to_string();
            tracing::debug!("{}: {error}", job.route.name);
            return Outcome::Failed(answer::of_error(&error));
        }
    };
    facts.received(&connection.response);
    if connection.response.status.code() == 101 {
        return switch_protocols(connection, ongoing, facts).await;
    }
    remove_response_hop_by_hop(&mut connection.response.headers, connection.response.body);
    job.route.chain.on_response(&mut connection.response.headers);
    let keep = write_head(connection, &worker, job.settings, &ongoing.upload);
    facts.status = connection.response.status.code();
    facts.sending(&connection.response.headers);
    let relayed = relay_body(connection, &worker, job.settings, &mut ongoing, facts).await;
    let Ongoing { server, upload, input } = ongoing;
    let body_read = upload.body_is_read();
    let sent = upload.done;
    facts.request_bytes = upload.payload;
    connection.to_server = upload.into_buffer();
    match relayed {
        Ok(clean) => {
            let reusable = clean && connection.response.keep_alive && sent && body_read;
            if reusable && input.is_empty() {
                let now = connection.started;
                worker.pool.borrow_mut().put(job.picked.server, server, now);
            }
            Outcome::Done(if keep && body_read { Next::KeepAlive } else { Next::Close })
        }
        Err(DownloadError::ClientGone) => {
            facts.reason = Some(Reason::ClientGone);
            Outcome::Done(Next::Abort)
        }
        Err(DownloadError::Server) => {
            facts.reason = Some(Reason::UpstreamClosed);
            Outcome::Done(Next::Abort)
        }
    }
}

/// Makes the request what the server is to see; says whether it asks for another protocol.
fn prepare(request: &mut Request, job: &Job<'_>, peer: IpAddr) -> bool {
    let wants_upgrade = request.upgrade().is_some();
    remove_request_hop_by_hop(&mut request.headers, request.body);
    if job.append_forwarded_for {
        append_forwarded_for(&mut request.headers, peer);
    }
    if wants_upgrade {
        websocket_header_case(&mut request.headers);
    }
    let base = &job.picked.server.path;
    if !base.is_empty() {
        request.target.join_base(base);
    }
    wants_upgrade
}

/// An exchange whose response head is here, and whose bodies may still be on their way.
struct Ongoing {
    server: ServerConnection,
    upload: Upload,
    /// What was read from the server and not consumed.
    input: ReadBuffer,
}

/// Sends the request and receives the head of the final response, or of 101; interim ones are passed on.
///
/// A reused connection that ends before any byte of a response is replaced by a new one, if the request
/// may be repeated: none of its body was taken from the client, and it is idempotent or unsent.
async fn exchange_heads(
    connection: &mut Connection,
    worker: &Worker,
    job: &Job<'_>,
    facts: &mut Facts,
    wants_upgrade: bool,
) -> Result<Ongoing, ForwardError> {
    let server = job.picked.server;
    let mut pooled = worker.pool.borrow_mut().take(server, connection.started);
    loop {
        let reused = pooled.is_some();
        let mut to_server = match pooled.take() {
            Some(reused) => reused,
            None => open(connection, worker, server).await?,
        };
        let mut out = std::mem::take(&mut connection.to_server);
        out.clear();
        // An HTTP/1.0 client need not say a host; its server has one all the same.
        let host = match connection.request.authority() {
            said if job.picked.pass_host_header && !said.is_empty() => said,
            _ => server.authority.as_str(),
        };
        write_request_head(&mut out, &connection.request, host, false);
        let mut upload = Upload::new(out, connection.request.body);
        let mut input = ReadBuffer::default();
        let mut heads = Heads {
            worker,
            limits: HeadLimits::default(),
            timers: Timers::new(connection, job),
            server_name: &server.url,
            wants_upgrade,
            continued: false,
            answered: false,
        };
        let received = heads.receive(connection, &mut to_server, &mut upload, &mut input).await;
        let answered = heads.answered;
        match received {
            Ok(()) => return Ok(Ongoing { server: to_server, upload, input }),
            Err(error) => {
                let unsent = !upload.begun;
                let repeatable = reused
                    && !answered
                    && matches!(error, ForwardError::Closed { .. })
                    && upload.payload == 0
                    && (unsent || connection.request.method.is_idempotent());
                if !repeatable {
                    spend_body(&mut connection.request, &upload);
                }
                connection.to_server = upload.into_buffer();
                if !repeatable {
                    return Err(error);
                }
            }
        }
    }
}

/// After a failure: what was taken of the body cannot be read again, so the connection can only go on when
/// all of it was.
fn spend_body(request: &mut Request, upload: &Upload) {
    request.keep_alive &= upload.body_is_read();
    request.body = BodyFraming::None;
}

/// Connects to the server, unless the client leaves first.
async fn open(
    connection: &mut Connection,
    worker: &Worker,
    server: &Server,
) -> Result<ServerConnection, ForwardError> {
    // Rare and large next to a request on a pooled connection, whose future it must not swell.
    let mut connecting = Box::pin(connect(server));
    let stream = poll_fn(|cx| {
        if let Poll::Ready(connected) = connecting.as_mut().poll(cx) {
            return Poll::Ready(connected.map_err(ForwardError::from));
        }
        let mut client = client_side(&mut connection.stream, &mut connection.input);
        watch(cx, &mut client, &worker.buffers).map(|_| Err(ForwardError::ClientGone))
    });
    Ok(ServerConnection::new(stream.await?, Instant::now()))
}

fn client_side<'a>(
    stream: &'a mut ClientStream,
    input: &'a mut ReadBuffer,
) -> Side<'a, ClientStream> {
    Side { stream, input }
}

/// Deadlines of one exchange; each is armed only when there is something to wait for.
struct Timers {
    /// The whole request must have arrived.
    request: Option<Pin<Box<Sleep>>>,
    /// The client that waits for `100 Continue` gets it from Portway.
    go_on: Option<Pin<Box<Sleep>>>,
    /// How long the server may think once it has the whole request.
    response_limit: Option<Duration>,
    response: Option<Pin<Box<Sleep>>>,
}

impl Timers {
    fn new(connection: &Connection, job: &Job<'_>) -> Self {
        let request = &connection.request;
        let at = |instant: Instant| Box::pin(sleep_until(instant.into()));
        let read_limit = job.settings.read_timeout.filter(|_| !request.body.is_empty());
        let waits = request.expects_continue && !request.body.is_empty();
        Self {
            request: read_limit.map(|limit| at(connection.begun + limit)),
            go_on: waits.then(|| at(Instant::now() + CONTINUE_AFTER)),
            response_limit: job.picked.server.transport.response_header_timeout,
            response: None,
        }
    }
}

fn passed(timer: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> bool {
    timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
}

/// Receives response heads while the request goes out.
struct Heads<'a> {
    worker: &'a Worker,
    limits: HeadLimits,
    timers: Timers,
    server_name: &'a str,
    wants_upgrade: bool,
    /// The client has got its `100 Continue`.
    continued: bool,
    /// Any byte of a response came.
    answered: bool,
}

/// What there is to do before the final head.
enum Step {
    /// A head is complete.
    Head,
    /// The client waits for `100 Continue` long enough.
    GoOn,
}

impl Heads<'_> {
    async fn receive(
        &mut self,
        connection: &mut Connection,
        server: &mut ServerConnection,
        upload: &mut Upload,
        input: &mut ReadBuffer,
    ) -> Result<(), ForwardError> {
        let mut parser = ResponseParser::new();
        loop {
            let step =
                poll_fn(|cx| self.poll_step(cx, connection, server, upload, input, &mut parser));
            match step.await? {
                Step::GoOn => {
                    self.timers.go_on = None;
                    self.continued = true;
                    write_interim(&mut connection.stream, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                }
                Step::Head => match connection.response.status.code() {
                    101 if self.wants_upgrade => return Ok(()),
                    101 => return Err(self.bad(ResponseError::StatusLine)),
                    100..200 => self.pass_interim(connection).await?,
                    _ => return Ok(()),
                },
            }
        }
    }

    fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        server: &mut ServerConnection,
        upload: &mut Upload,
        input: &mut ReadBuffer,
        parser: &mut ResponseParser,
    ) -> Poll<Result<Step, ForwardError>> {
        let Connection { stream, input: from_client, request, response, .. } = connection;
        let mut client = client_side(stream, from_client);
        let sent = upload.poll(cx, &mut client, &mut server.stream, &self.worker.buffers);
        match sent {
            Poll::Ready(UploadError::ClientGone) => {
                return Poll::Ready(Err(ForwardError::ClientGone));
            }
            Poll::Ready(UploadError::Body(source)) => {
                return Poll::Ready(Err(ForwardError::BadBody { source }));
            }
            // It may have answered before it stopped listening; its end is seen below otherwise.
            Poll::Ready(UploadError::Server) | Poll::Pending => {}
        }
        if !upload.body_is_read() && passed(&mut self.timers.request, cx) {
            return Poll::Ready(Err(ForwardError::RequestTimeout));
        }
        let received = self.poll_head(cx, server, input, parser, &request.method, response);
        if received.is_ready() {
            return received.map_ok(|()| Step::Head);
        }
        if !self.continued && passed(&mut self.timers.go_on, cx) {
            return Poll::Ready(Ok(Step::GoOn));
        }
        if upload.done
            && self.timers.response.is_none()
            && let Some(limit) = self.timers.response_limit
        {
            let deadline = Instant::now() + limit;
            self.timers.response = Some(Box::pin(sleep_until(deadline.into())));
        }
        if passed(&mut self.timers.response, cx) {
            let server = self.server_name.to_owned();
            return Poll::Ready(Err(ForwardError::ResponseTimeout { server }));
        }
        Poll::Pending
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        server: &mut ServerConnection,
        input: &mut ReadBuffer,
        parser: &mut ResponseParser,
        method: &Method,
        response: &mut Response,
    ) -> Poll<Result<(), ForwardError>> {
        loop {
            if !input.is_empty() {
                self.answered = true;
                match parser.parse(input.filled(), &self.limits, method, response) {
                    Ok(Progress::Complete(length)) => {
                        input.consume(length);
                        return Poll::Ready(Ok(()));
                    }
                    Ok(Progress::Partial) => {}
                    Err(error) => return Poll::Ready(Err(self.bad(error))),
                }
            }
            if input.is_full() && !input.grow(usize::MAX) {
                return Poll::Ready(Err(self.bad(ResponseError::HeadTooLarge)));
            }
            let read = ready!(input.poll_fill(cx, &mut server.stream, &self.worker.buffers));
            let source = match read {
                Ok(0) => io::ErrorKind::UnexpectedEof.into(),
                Ok(_) => continue,
                Err(error) => error,
            };
            let server = self.server_name.to_owned();
            return Poll::Ready(Err(match self.answered {
                true => ForwardError::CutHead { server },
                false => ForwardError::Closed { server, source },
            }));
        }
    }

    fn bad(&self, source: ResponseError) -> ForwardError {
        ForwardError::BadResponse { server: self.server_name.to_owned(), source }
    }

    /// Passes an interim response on to clients that know such (RFC 9110 §15.2).
    async fn pass_interim(&mut self, connection: &mut Connection) -> Result<(), ForwardError> {
        let is_continue = connection.response.status.code() == 100;
        let wanted = !is_continue || (connection.request.expects_continue && !self.continued);
        if is_continue {
            self.continued = true;
            self.timers.go_on = None;
        }
        if !wanted || connection.request.version == Version::Http10 {
            return Ok(());
        }
        let response = &mut connection.response;
        remove_response_hop_by_hop(&mut response.headers, response.body);
        let mut interim = Vec::new();
        write_response_head(
            &mut interim,
            &ResponseHead {
                version: connection.request.version,
                status: response.status,
                headers: &response.headers,
                body: response.body,
                connection: Default::default(),
                date: b"",
            },
        );
        write_interim(&mut connection.stream, &interim).await
    }
}

async fn write_interim(stream: &mut ClientStream, head: &[u8]) -> Result<(), ForwardError> {
    let written = async {
        stream.write_all(head).await?;
        stream.flush().await
    };
    written.await.map_err(|_| ForwardError::ClientGone)
}

/// Writes the final response head into `out`; says whether the client's connection can be kept.
fn write_head(
    connection: &mut Connection,
    worker: &Worker,
    settings: &EntryPoint,
    upload: &Upload,
) -> bool {
    let version = connection.request.version;
    let body = connection.response.framing_for(version);
    // A client that waits for 100 Continue need not send its body now, nor say that it does not.
    let waits = connection.request.expects_continue && !upload.body_is_read();
    let keep = connection.may_continue(settings) && !waits && body != BodyFraming::UntilClose;
    connection.out.clear();
    worker.clock.with_date(connection.started, |date| {
        let head = ResponseHead {
            version,
            status: connection.response.status,
            headers: &connection.response.headers,
            body,
            connection: answer::connection_field(keep, version),
            date,
        };
        write_response_head(&mut connection.out, &head);
    });
    keep
}

/// Passes the response's body on while what is left of the request's goes out; says whether the server's
/// connection is in a known state.
async fn relay_body(
    connection: &mut Connection,
    worker: &Worker,
    settings: &EntryPoint,
    ongoing: &mut Ongoing,
    facts: &mut Facts,
) -> Result<bool, DownloadError> {
    let from = connection.response.body;
    let chunked =
        connection.response.framing_for(connection.request.version) == BodyFraming::Chunked;
    let mut download = Download::new(std::mem::take(&mut connection.out), from, chunked);
    let mut limit = settings
        .write_timeout
        .map(|limit| Box::pin(sleep_until((connection.started + limit).into())));
    let mut sending = true;
    let Ongoing { server, upload, input } = ongoing;
    let relayed = poll_fn(|cx| {
        let mut client = client_side(&mut connection.stream, &mut connection.input);
        if sending {
            match upload.poll(cx, &mut client, &mut server.stream, &worker.buffers) {
                Poll::Ready(UploadError::ClientGone) => {
                    return Poll::Ready(Err(DownloadError::ClientGone));
                }
                Poll::Ready(_) => sending = false,
                Poll::Pending => {}
            }
        }
        if passed(&mut limit, cx) {
            return Poll::Ready(Err(DownloadError::ClientGone));
        }
        let mut from_server = Side { stream: &mut server.stream, input };
        download.poll(cx, client.stream, &mut from_server, &worker.buffers)
    })
    .await;
    input.release(&worker.buffers);
    facts.sent = download.payload;
    let clean = download.is_clean();
    connection.out = download.into_buffer();
    relayed.map(|()| clean)
}

/// Passes 101 on and becomes a tunnel.
async fn switch_protocols(
    connection: &mut Connection,
    ongoing: Ongoing,
    facts: &mut Facts,
) -> Outcome {
    // A tunnel has no status of its own in Traefik's log.
    facts.status = 0;
    connection.out.clear();
    let head = ResponseHead {
        version: connection.request.version,
        status: connection.response.status,
        headers: &connection.response.headers,
        body: connection.response.body,
        connection: Default::default(),
        date: b"",
    };
    write_response_head(&mut connection.out, &head);
    if connection.write_out().await {
        facts.sent = tunnel::run(connection, ongoing.server.stream, ongoing.input).await;
    }
    Outcome::Done(Next::Abort)
}
