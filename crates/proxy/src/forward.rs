//! One request to a server and its response back: pick, connect or reuse, send, receive.

mod error;
mod heads;
mod send;
mod sniff;

use std::{future::poll_fn, net::IpAddr, rc::Rc, task::Poll, time::Instant};

use portway_http::{
    Answer, BodyFraming, BodyReader, Known, Request, Response, Status, TrailerLimits,
    append_forwarded_for, codec::ResponseHead, remove_request_hop_by_hop,
    remove_response_hop_by_hop, websocket_header_case,
};
use portway_middleware::lacks_type;
use portway_observe::Reason;
use portway_snapshot::Route;
use portway_upstream::Picked;

pub(crate) use self::{
    error::ForwardError,
    heads::{HeadState, Limits},
};
use crate::{
    EntryPoint, answer,
    connection::{Connection, Next},
    deadline::Deadline,
    memory::Memory,
    record::Facts,
    relay::{Download, DownloadError, Side, Upload, UploadError},
    stick::stick,
    tunnel,
    worker::Worker,
};

/// What is to be forwarded where.
pub(crate) struct Job<'a> {
    pub(crate) settings: &'a EntryPoint,
    pub(crate) route: &'a Route,
    pub(crate) picked: Picked<'a>,
    /// Values of `Set-Cookie` that keep the client with the server.
    pub(crate) cookies: Vec<&'a str>,
    pub(crate) passed: Passed,
}

/// What the router's middlewares left to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    /// Whether the peer is added to `X-Forwarded-For`.
    pub(crate) append_forwarded_for: bool,
    /// Whether a response without a type gets that which its beginning looks like.
    pub(crate) detects_type: bool,
}

/// How forwarding ended.
pub(crate) enum Outcome {
    /// The client has the server's response, or as much of it as there will be.
    Done(Next),
    /// Nothing of a response was sent: the client gets this answer.
    Answer(Box<Answer>),
}

/// Forwards the request and passes the response on.
pub(crate) async fn forward(
    connection: &mut Connection,
    memory: &mut Memory,
    job: &Job<'_>,
    facts: &mut Facts,
) -> Outcome {
    let worker = Rc::clone(&connection.worker);
    facts.served_by(&job.picked, &memory.request.headers);
    prepare(&mut memory.request, job, connection.peer.ip());
    memory.upload.clear();
    let in_flight = job.picked.load.map(|load| load.begin(Instant::now()));
    let outcome = match send::send(connection, memory, &worker, job).await {
        Ok(()) => {
            if let Some(in_flight) = &in_flight {
                in_flight.answered(Instant::now());
            }
            facts.received(&memory.response);
            Outcome::Done(if memory.response.status.code() == 101 {
                // Rare and large, as is what follows; it must not swell the future of every exchange.
                let switch = switch_protocols(connection, memory, &worker, job, facts);
                Box::pin(switch).await
            } else {
                respond(connection, memory, &worker, job, facts).await
            })
        }
        Err(error) => {
            facts.reason = Some(error.reason());
            facts.detail = error.to_string();
            tracing::debug!("{}: {error}", job.route.name);
            let mut answer = Box::new(answer::of_error(&error));
            stick(&mut answer.headers, &job.cookies);
            Outcome::Answer(answer)
        }
    };
    facts.request_bytes = memory.upload.payload();
    memory.server = None;
    memory.from_server.discard(&worker.buffers);
    outcome
}

/// Makes the request what the server is to see.
fn prepare(request: &mut Request, job: &Job<'_>, peer: IpAddr) {
    let wants_upgrade = request.upgrade().is_some();
    remove_request_hop_by_hop(&mut request.headers, request.body);
    if job.passed.append_forwarded_for {
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

/// Passes a response on whose head is here, and keeps what can be used again.
async fn respond(
    connection: &mut Connection,
    memory: &mut Memory,
    worker: &Worker,
    job: &Job<'_>,
    facts: &mut Facts,
) -> Next {
    // A server that answers before it was asked in full may take the rest for its next request.
    let asked = memory.upload.is_complete();
    let Memory { request, response, .. } = &mut *memory;
    remove_response_hop_by_hop(&mut response.headers, response.body);
    stick(&mut response.headers, &job.cookies);
    job.route.chain.on_response(&mut response.headers, request, connection.tls.is_some());
    let lacks_type = job.passed.detects_type && lacks_type(response.status, &response.headers);
    // Of a chunked response Traefik sends the fields before any of the body.
    if lacks_type && matches!(response.body, BodyFraming::Length(1..) | BodyFraming::UntilClose) {
        // Rare: it must not swell the future of every exchange.
        Box::pin(sniff::sniff(connection, memory, worker)).await;
    }
    let written = write_head(connection, memory, worker, job.settings);
    facts.status = memory.response.status.code();
    facts.sending(&memory.response.headers);
    let relayed = match written {
        Ok(keep) => relay_body(connection, memory, worker, facts).await.map(|clean| (keep, clean)),
        Err(broken) => Err(broken),
    };
    let ended = connection.end_exchange();
    match relayed {
        Ok((keep, clean)) => {
            let reusable = clean && asked && memory.response.keep_alive;
            if reusable
                && memory.from_server.is_empty()
                && let Some(server) =
                    memory.server.take_if(|server| server.stream.http2().is_none())
            {
                worker.pool.borrow_mut().put(job.picked.server, server, ended);
            }
            if keep && memory.upload.body_is_behind() { Next::KeepAlive } else { Next::Close }
        }
        Err(broken) => {
            facts.reason = Some(broken.reason());
            facts.detail = broken.to_string();
            Next::Abort
        }
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
    let keep = connection.may_continue(request, settings) && !waits && !connection.until_close;
    out.clear();
    let (stream, started) = (&mut connection.stream, connection.started);
    worker.clock.with_date(started, |date| {
        let head = ResponseHead {
            version: request.version,
            status: response.status,
            headers: &response.headers,
            body,
            connection: answer::connection_field(keep, request.version),
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
    #[error("the request body is malformed: {0}")]
    BadBody(portway_http::BodyError),
    #[error("the server broke its response off")]
    Server,
}

impl BrokenOff {
    fn reason(&self) -> Reason {
        match self {
            Self::ClientGone | Self::WriteTimeout => Reason::ClientGone,
            Self::RequestTimeout => Reason::RequestTimeout,
            Self::BadBody(_) => Reason::BadRequest,
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
    let Memory { request, response, out, upload, download, server, limits, from_server, .. } =
        memory;
    let Some(server) = server else { return Err(BrokenOff::Server) };
    let chunked = connection.stream.http2().is_none()
        && response.framing_for(request.version) == BodyFraming::Chunked;
    let reader = match server.stream.http2() {
        Some(_) if !response.body.is_empty() => BodyReader::Stream,
        _ => BodyReader::for_response(response.body, TrailerLimits::default()),
    };
    download.begin(std::mem::take(out), reader, chunked);
    let mut write_deadline = Deadline::at(limits.write);
    let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
    let mut from_server = Side { stream: &mut server.stream, input: from_server };
    let relayed = poll_fn(|cx| {
        let passed = download.poll(cx, client.stream, &mut from_server, &worker.buffers);
        if let Poll::Ready(passed) = passed {
            return Poll::Ready(passed.map_err(BrokenOff::from));
        }
        let sent = upload.poll(cx, &mut client, from_server.stream, &worker.buffers);
        if let Poll::Ready(error) = sent {
            return Poll::Ready(Err(error.into()));
        }
        if !upload.body_has_come() && limits.request.has_passed(cx) {
            return Poll::Ready(Err(BrokenOff::RequestTimeout));
        }
        if write_deadline.has_passed(cx) {
            return Poll::Ready(Err(BrokenOff::WriteTimeout));
        }
        Poll::Pending
    })
    .await;
    facts.sent = download.payload();
    let clean = download.is_clean();
    *out = download.take_buffer();
    relayed.map(|()| clean)
}

/// Passes 101 on and becomes a tunnel.
async fn switch_protocols(
    connection: &mut Connection,
    memory: &mut Memory,
    worker: &Worker,
    job: &Job<'_>,
    facts: &mut Facts,
) -> Next {
    // A tunnel has no status of its own in Traefik's log.
    facts.status = 0;
    let Memory { request, response, out, from_server, .. } = memory;
    out.clear();
    stick(&mut response.headers, &job.cookies);
    if connection.stream.http2().is_some() {
        // Over HTTP/2 the stream itself becomes the tunnel (RFC 8441 §5).
        response.status = Status::OK;
        response.body = BodyFraming::Chunked;
        response.headers.remove(Known::SecWebsocketAccept);
    }
    let head = ResponseHead {
        version: request.version,
        status: response.status,
        headers: &response.headers,
        body: response.body,
        connection: Default::default(),
        date: b"",
    };
    let put = answer::put_head(&mut connection.stream, out, &head).is_ok();
    if put && connection.write_some(out).await {
        // What only heads need is not held for as long as the tunnel stands.
        *out = Vec::new();
        *response = Response::default();
        memory.upload = Upload::default();
        memory.download = Download::default();
        memory.request.headers.shrink_to_fit();
        let Some(server) = &mut memory.server else { return Next::Abort };
        let client = Side { stream: &mut connection.stream, input: &mut connection.input };
        let server = Side { stream: &mut server.stream, input: from_server };
        let half_open = job.settings.idle_timeout;
        facts.sent = tunnel::run(client, server, &worker.buffers, half_open).await;
    }
    Next::Abort
}
