//! One request to a server and its response back: pick, connect or reuse, send, receive.

mod error;
mod heads;
mod send;
mod sniff;

use std::{future::poll_fn, net::IpAddr, rc::Rc, task::Poll, time::Instant};

use portway_http::{
    BodyError, BodyFraming, BodyReader, Known, Request, Status, append_forwarded_for,
    codec::ResponseHead, remove_request_hop_by_hop, remove_response_hop_by_hop,
    websocket_header_case,
};
use portway_middleware::lacks_type;
use portway_observe::Reason;
use portway_snapshot::Timeouts;
use portway_upstream::{Picked, Server, Stream};

pub(crate) use self::{
    error::ForwardError,
    heads::{HeadState, Limits, tell_to_go_on},
    sniff::beginning,
};
use crate::{
    EntryPoint, answer,
    buffer::{Buffers, ReadBuffer},
    connection::{Connection, MAX_UNWANTED, Next},
    deadline::Deadline,
    memory::Memory,
    own,
    proxy_status::PROXY_STATUS,
    record::Facts,
    relay::{Download, DownloadError, Peer, Side, Upload, UploadError},
    worker::Worker,
    wrap::Filtered,
};

/// What is to be forwarded where.
pub(crate) struct Job<'a> {
    pub(crate) settings: &'a EntryPoint,
    pub(crate) picked: Picked<'a>,
    /// Whether the peer is added to `X-Forwarded-For`.
    pub(crate) append_forwarded_for: bool,
    /// Bytes of the request's body, at most.
    pub(crate) body_limit: u64,
    /// How long the router lets it take.
    pub(crate) timeouts: Timeouts,
    /// Whether the request is not the client's: it goes as it is, its response comes as it is, and neither is noted.
    pub(crate) aside: bool,
    /// Whether interim responses are kept from the client.
    pub(crate) hides_interim: bool,
}

/// Sends the request and receives the head of the response; the body is still to come.
///
/// # Errors
/// When nothing of a response can be used. The client got at most interim ones.
pub(crate) async fn fetch(
    connection: &mut Connection,
    memory: &mut Memory,
    job: &Job<'_>,
    facts: &mut Facts,
) -> Result<(), ForwardError> {
    let worker = Rc::clone(&connection.worker);
    if !job.aside {
        facts.served_by(&job.picked, &memory.request.headers);
        prepare(&mut memory.request, job, connection.peer.ip());
    }
    own::heed(&mut connection.own, &memory.request.headers, Known::Authorization);
    memory.upload.clear();
    let sent = send::send(connection, memory, &worker, job).await;
    match sent {
        Ok(()) if job.aside => {}
        Ok(()) => {
            facts.received(&memory.response);
            let Memory { response, .. } = memory;
            own::heed(&mut connection.own, &response.headers, Known::WwwAuthenticate);
            if response.status != Status::SWITCHING_PROTOCOLS {
                remove_response_hop_by_hop(&mut response.headers, response.body);
            }
        }
        Err(_) => end(memory, &worker, facts),
    }
    sent
}

/// Passes on the response whose head [`fetch`] has received. A response without a type gets that which its
/// beginning looks like where `detects_type` says so.
pub(crate) async fn pass_on(
    connection: &mut Connection,
    memory: &mut Memory,
    settings: &EntryPoint,
    server: &Server,
    detects_type: bool,
    facts: &mut Facts,
) -> Next {
    let worker = Rc::clone(&connection.worker);
    if detects_type && lacks_type(memory.response.status, &memory.response.headers) {
        // Rare: it must not swell the future of every exchange.
        Box::pin(sniff::sniff(connection, memory, &worker)).await;
    }
    if let Some(proxy_status) = &worker.proxy_status {
        let value = proxy_status.value(memory.response.status.code(), facts.problem());
        memory.response.headers.append(PROXY_STATUS, value);
    }
    // A server that answers before it was asked in full may take the rest for its next request.
    let asked = memory.upload.is_complete();
    let written = write_head(connection, memory, &worker, settings);
    facts.status = memory.response.status.code();
    facts.sending(&memory.response.headers);
    let relayed = match written {
        Ok(keep) => relay_body(connection, memory, &worker, facts).await.map(|clean| (keep, clean)),
        Err(broken) => Err(broken),
    };
    let ended = connection.end_exchange();
    let mut next = match relayed {
        Ok((keep, clean)) => {
            let reusable = clean && asked && memory.response.keep_alive;
            if reusable
                && memory.from_server.is_empty()
                && own::is_for_others(&memory.request, server)
                && let Some(idle) = memory.server.take_if(|one| one.stream.http2().is_none())
            {
                let pool = own::pool(&worker, connection.own.as_deref());
                pool.borrow_mut().put(server, idle, ended);
            }
            if keep { Next::KeepAlive } else { Next::Close }
        }
        Err(broken) => {
            facts.reason = Some(broken.reason());
            facts.detail = broken.to_string();
            Next::Abort
        }
    };
    end(memory, &worker, facts);
    if next == Next::KeepAlive && !memory.upload.body_is_behind() {
        let rest = memory.upload.leave_body(&mut connection.input);
        // Rare: it must not swell the future of every exchange.
        if !Box::pin(connection.discard_body(rest)).await {
            next = Next::Close;
        }
    }
    next
}

/// Gives back what the exchange with the server held.
pub(crate) fn end(memory: &mut Memory, worker: &Worker, facts: &mut Facts) {
    // Another attempt, or the request for a page, may send less of it.
    facts.request_bytes = facts.request_bytes.max(memory.upload.payload());
    memory.server = None;
    memory.from_server.discard(&worker.buffers);
}

/// Makes the request what the server is to see.
fn prepare(request: &mut Request, job: &Job<'_>, peer: IpAddr) {
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
}

/// Writes the final response head into `out`, or sends it where it goes beside the body; says whether the
/// client's connection can be kept.
fn write_head(
    connection: &mut Connection,
    memory: &mut Memory,
    worker: &Worker,
    settings: &EntryPoint,
) -> Result<bool, BrokenOff> {
    let Memory { request, response, out, upload, .. } = memory;
    let body = response.framing_for(request.version);
    // A client that waits for 100 Continue need not send its body now, nor say that it does not.
    let waits = request.expects_continue && !upload.body_is_behind();
    connection.until_close = body == BodyFraming::UntilClose;
    // Of a body that may be long yet, nobody would read the rest behind a response that has ended before it.
    let ends = upload.body_ends_within(MAX_UNWANTED);
    let used_up = connection.is_used_up(settings);
    let keep =
        connection.may_continue(request, used_up) && !waits && ends && !connection.until_close;
    out.clear();
    let (stream, started) = (&mut connection.stream, connection.started);
    worker.clock.with_date(started, |date| {
        let head = ResponseHead {
            version: request.version,
            status: response.status,
            headers: &response.headers,
            body,
            connection: answer::connection_field(keep, used_up, request.version),
            date,
        };
        answer::put_head(stream, out, &head).map_err(|_| BrokenOff::ClientGone)
    })?;
    Ok(keep)
}

/// Why the response broke off after its head had been written.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("the client closed the connection before the response was complete")]
    ClientGone,
    #[error("the client did not take the response within the write timeout")]
    WriteTimeout,
    #[error("the request body did not arrive within the read timeout")]
    RequestTimeout,
    #[error("no byte of a body was on its way within the router's idle timeout")]
    IdleTimeout,
    #[error("the request body is too long")]
    BodyTooLong,
    #[error("the request body is malformed: {0}")]
    BadBody(BodyError),
    #[error("the server broke its response off")]
    Server,
}

impl BrokenOff {
    fn reason(&self) -> Reason {
        match self {
            Self::ClientGone | Self::WriteTimeout => Reason::ClientGone,
            Self::RequestTimeout => Reason::RequestTimeout,
            Self::IdleTimeout => Reason::IdleTimeout,
            Self::BadBody(_) => Reason::BadRequest,
            Self::BodyTooLong => Reason::Middleware,
            Self::Server => Reason::UpstreamClosed,
        }
    }
}

impl From<DownloadError> for BrokenOff {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::ClientGone => Self::ClientGone,
            DownloadError::Server => Self::Server,
        }
    }
}

impl From<UploadError> for BrokenOff {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::ClientGone => Self::ClientGone,
            UploadError::Body(error) => Self::BadBody(error),
            UploadError::TooLong => Self::BodyTooLong,
        }
    }
}

/// Passes the response's body on while what is left of the request's goes out; says whether the server
/// marked the end of the body, so that its connection can carry another request.
async fn relay_body(
    connection: &mut Connection,
    memory: &mut Memory,
    worker: &Worker,
    facts: &mut Facts,
) -> Result<bool, BrokenOff> {
    let is_http2 = memory.server.as_mut().is_some_and(|server| server.stream.http2().is_some());
    let reader = memory.response_reader(is_http2);
    let chunked = connection.stream.http2().is_none()
        && memory.response.framing_for(memory.request.version) == BodyFraming::Chunked;
    let Memory { out, upload, download, server, limits, from_server, body_filters, .. } = memory;
    let permits = &mut memory.permits;
    let Some(server) = server else { return Err(BrokenOff::Server) };
    let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
    let mut from_server = Side { stream: &mut server.stream, input: from_server };
    let mut bodies = Bodies { upload, download, limits, buffers: &worker.buffers };
    let head = std::mem::take(out);
    bodies.download.hold(std::mem::take(permits));
    let (relayed, clean) = if body_filters.is_empty() {
        bodies.download.begin(head, reader, chunked);
        if is_http2
            && client.stream.http2().is_none()
            && let BodyFraming::Length(length) = memory.response.body
        {
            bodies.download.is_whole_at(length);
        }
        let relayed = bodies.relay(&mut client, &mut from_server).await;
        (relayed, bodies.download.is_clean())
    } else {
        bodies.download.begin(head, BodyReader::Stream, chunked);
        let mut filtered = Filtered::new(from_server, &worker.buffers, reader, body_filters);
        let mut input = ReadBuffer::default();
        let mut from_filters = Side { stream: &mut filtered, input: &mut input };
        // Rare: it must not swell the future of every exchange.
        let relayed = Box::pin(bodies.relay(&mut client, &mut from_filters)).await;
        input.discard(&worker.buffers);
        (relayed, filtered.is_clean())
    };
    facts.sent = download.payload();
    *out = download.take_buffer();
    relayed.map(|()| clean)
}

/// Both bodies on their way.
struct Bodies<'a> {
    upload: &'a mut Upload,
    download: &'a mut Download,
    limits: &'a mut Limits,
    buffers: &'a Buffers,
}

impl Bodies<'_> {
    fn relay<S: Peer>(
        &mut self,
        client: &mut Side<'_, Stream>,
        from_server: &mut Side<'_, S>,
    ) -> impl Future<Output = Result<(), BrokenOff>> {
        let Self { upload, download, limits, buffers } = self;
        // What could be written at once is late, too.
        let late = limits.write.is_some_and(|limit| limit <= Instant::now());
        let mut write_deadline = Deadline::at(limits.write);
        poll_fn(move |cx| {
            if late {
                return Poll::Ready(Err(BrokenOff::WriteTimeout));
            }
            let passed = download.poll(cx, client.stream, from_server, buffers);
            if let Poll::Ready(passed) = passed {
                return Poll::Ready(passed.map_err(BrokenOff::from));
            }
            let sent = upload.poll(cx, client, from_server.stream, buffers);
            if let Poll::Ready(error) = sent {
                return Poll::Ready(Err(error.into()));
            }
            if !upload.body_has_come() && limits.request.has_passed(cx) {
                return Poll::Ready(Err(BrokenOff::RequestTimeout));
            }
            if limits.idle.is_over(cx, upload.payload() + download.payload()) {
                return Poll::Ready(Err(BrokenOff::IdleTimeout));
            }
            if write_deadline.has_passed(cx) {
                return Poll::Ready(Err(BrokenOff::WriteTimeout));
            }
            Poll::Pending
        })
    }
}
