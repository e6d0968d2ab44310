//! Sending the request: a connection to the server, the response head, and the one repetition.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    io,
    rc::Rc,
    task::Poll,
    time::{Duration, Instant},
};

use portway_http::{
    BodyFraming, BodyReader, Known, Method, Request, TrailerLimits,
    codec::{write_last_chunk, write_request_head},
    h2::ErrorCode,
};
use portway_upstream::{
    Connection as ServerConnection, Multiplexed, Opened, Pool, Scheme, Server, Stream, StreamEnded,
    connect,
};

use tokio::time::timeout;

use super::{
    Job,
    error::ForwardError,
    heads::{Heads, Limits},
};
use crate::{
    connection::Connection,
    deadline::{Deadline, Idleness},
    memory::Memory,
    own,
    relay::{Recode, Side, watch},
    worker::Worker,
};

/// How often a request is sent again that servers say not to have worked on: a new connection may have as little room
/// as the one before.
const MOST_REFUSALS: usize = 3;

/// How long the first byte of a body, or its end, is waited for where it may be that there is none. As Go's transport.
const BODY_WITHIN: Duration = Duration::from_millis(200);

/// Sends the request and receives the head of the final response, or of 101; interim ones are passed on.
/// Afterwards the server's connection is in `memory`, and bodies may still be on their way.
///
/// A reused connection that ends before any byte of a response is replaced by a new one, if the request
/// may be repeated: none of its body was taken from the client, and it is unsent or [`is_replayable`]. What a server of
/// HTTP/2 says not to have worked on is sent again as well, up to [`MOST_REFUSALS`] times.
pub(crate) async fn send(
    connection: &mut Connection,
    memory: &mut Memory,
    worker: &Worker,
    job: &Job<'_>,
) -> Result<(), ForwardError> {
    memory.heads.begin(&memory.request);
    memory.limits = limits(connection, job);
    let (server, need) = (job.picked.server, Need::of(&memory.request));
    if server.scheme == Scheme::H2c && !server.transport.tls.speaks_http2() {
        return Err(ForwardError::Http2Disabled { server: server.url.clone() });
    }
    let own = connection.own.clone();
    let pool = own::pool(worker, own.as_deref());
    memory.server = reuse(pool, server, need, connection.started);
    let reused = memory.server.is_some();
    if !reused {
        memory.server = Some(open(connection, pool, server, need).await?);
    }
    if may_be_empty(connection, memory) {
        // Rare, as below.
        Box::pin(probe_body(connection, memory, worker)).await;
    }
    let mut received = attempt(connection, memory, worker, job).await;
    let mut may_be_stale = reused;
    let mut refusals = 0;
    while let Err(error) = &received
        && let Some(why) = why_repeat(memory, error)
    {
        match why {
            Repeat::Refused if refusals < MOST_REFUSALS => refusals += 1,
            Repeat::Ended if may_be_stale => {}
            _ => break,
        }
        may_be_stale = false;
        memory.heads.begin_again();
        memory.server = Some(open(connection, pool, server, need).await?);
        // Rare: it must not swell the future of every exchange.
        received = Box::pin(attempt(connection, memory, worker, job)).await;
    }
    if received.is_err() {
        spend_body(memory);
    }
    received
}

/// Why a request that failed may be sent again.
enum Repeat {
    /// The server said, over HTTP/2, that it has not begun to work on it.
    Refused,
    /// The connection ended, which may have been on its way when the request was sent.
    Ended,
}

/// Why a request that failed may be sent on another connection; `None` where it may not.
fn why_repeat(memory: &Memory, error: &ForwardError) -> Option<Repeat> {
    let Memory { request, upload, heads, .. } = memory;
    let ForwardError::Closed { source, .. } = error else { return None };
    if heads.answered || upload.is_spent() {
        return None;
    }
    match StreamEnded::of(source) {
        _ if source.kind() == io::ErrorKind::ConnectionRefused => Some(Repeat::Refused),
        // As Go's transport: where the protocol is broken, another connection may do.
        Some(StreamEnded::Reset(code)) if code != ErrorCode::PROTOCOL_ERROR.0 => None,
        _ if !upload.begun() || is_replayable(request) => Some(Repeat::Ended),
        _ => None,
    }
}

/// Whether a server may get a request twice. Go: `isReplayable`.
fn is_replayable(request: &Request) -> bool {
    let keys = ["Idempotency-Key", "X-Idempotency-Key"];
    let is_marked = || keys.iter().any(|key| request.headers.contains(*key));
    request.body.is_empty() && (request.method.is_safe() || is_marked())
}

/// What a request needs of a connection to a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Any will do, and others may share it.
    None,
    /// To become a tunnel: HTTP/1.1.
    Upgrade,
    /// To itself, over HTTP/2: servers written in Go end the connection, and with it what others ask, where trailers
    /// reach a stream that they have answered and left.
    Apart,
}

impl Need {
    fn of(request: &Request) -> Self {
        match request.upgrade() {
            Some(_) => Self::Upgrade,
            None if request.headers.contains(Known::Trailer) => Self::Apart,
            None => Self::None,
        }
    }
}

/// A way to the server that is open already.
fn reuse(
    pool: &RefCell<Pool>,
    server: &Server,
    need: Need,
    now: Instant,
) -> Option<ServerConnection> {
    let mut pool = pool.borrow_mut();
    if need != Need::Upgrade
        && let Some(stream) = pool.open_stream(server, need == Need::Apart, now)
    {
        return Some(ServerConnection::new(Stream::Http2(Box::new(stream)), now));
    }
    pool.take(server, now)
}

fn limits(connection: &Connection, job: &Job<'_>) -> Limits {
    let Job { settings, timeouts, .. } = job;
    let transport = &job.picked.server.transport;
    Limits {
        request: Deadline::after(connection.begun, settings.read_timeout),
        write: settings.write_timeout.and_then(|limit| connection.started.checked_add(limit)),
        thinking: shortest(timeouts.first_byte, transport.response_header_timeout),
        idle: Idleness::new(timeouts.idle),
    }
}

/// The shorter of two limits, either of which may not be there.
fn shortest(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}

/// Whether it is to be found out first if a request has a body: it need not say so over HTTP/2, and over HTTP/1.1 what
/// has none is sent as such.
fn may_be_empty(connection: &mut Connection, memory: &mut Memory) -> bool {
    let Memory { request, server, recode, .. } = memory;
    request.body == BodyFraming::Chunked
        && *recode == Recode::AsIs
        && !request.expects_continue
        && !has_body_mostly(&request.method)
        && connection.input.is_empty()
        && connection.stream.http2().is_some()
        && server.as_mut().is_some_and(|server| server.stream.http2().is_none())
}

/// Makes a request one without a body if that ends soon and empty. Go: `probeRequestBody`.
async fn probe_body(connection: &mut Connection, memory: &mut Memory, worker: &Worker) {
    let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
    let first = timeout(BODY_WITHIN, poll_fn(|cx| client.poll_fill(cx, &worker.buffers))).await;
    if matches!(first, Ok(Ok(0)))
        && let Some(stream) = client.stream.http2()
    {
        // Whoever sends the request again has it as it came.
        stream.repeat_end();
        memory.request.body = BodyFraming::None;
    }
}

/// Sends the request on the connection to the server, and receives the response's head.
async fn attempt(
    connection: &mut Connection,
    memory: &mut Memory,
    worker: &Worker,
    job: &Job<'_>,
) -> Result<(), ForwardError> {
    let server_name = &job.picked.server.url;
    let Memory {
        request,
        response,
        upload,
        server,
        limits,
        heads: state,
        from_server,
        max_body,
        recode,
        ..
    } = memory;
    let Some(server) = server else {
        let source = io::ErrorKind::NotConnected.into();
        return Err(ForwardError::Closed { server: server_name.clone(), source });
    };
    let came = request.body;
    if *recode != Recode::AsIs && (!came.is_empty() || has_body_mostly(&request.method)) {
        request.body = BodyFraming::Chunked;
    }
    // An HTTP/1.0 client need not say a host; its server has one all the same.
    let host = match request.authority() {
        said if job.picked.pass_host_header && !said.is_empty() => said,
        _ => job.picked.server.authority.as_str(),
    };
    let reader = match connection.stream.http2() {
        Some(_) if !came.is_empty() => BodyReader::Stream,
        _ => BodyReader::for_request(came, TrailerLimits::default()),
    };
    if let Some(stream) = server.stream.http2() {
        let asked = stream.ask(request, host, reader.is_done());
        request.body = came;
        asked.map_err(|source| unasked(server_name.clone(), source))?;
        upload.begin(reader, false, |_| ());
        upload.head_is_sent();
    } else {
        let chunked = request.body == BodyFraming::Chunked;
        upload.begin(reader, chunked, |out| {
            write_request_head(out, request, host, false);
            if chunked && came.is_empty() {
                write_last_chunk(out, None);
            }
        });
        request.body = came;
    }
    if *recode == Recode::Base64 {
        upload.decode();
    }
    upload.limit(Some(max_body.map_or(job.body_limit, |most| most.min(job.body_limit))));
    from_server.discard(&worker.buffers);
    let mut heads = Heads {
        buffers: &worker.buffers,
        request,
        response,
        server_name,
        limits,
        state,
        hides_interim: job.hides_interim,
    };
    let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
    let mut server = Side { stream: &mut server.stream, input: from_server };
    heads.receive(&mut client, &mut server, upload).await
}

/// Why a stream could not be opened.
fn unasked(server: String, source: io::Error) -> ForwardError {
    match source.kind() {
        io::ErrorKind::ArgumentListTooLong => ForwardError::HeadTooLong { server },
        _ => ForwardError::Closed { server, source },
    }
}

/// Whether Go expects a body in requests of this method, and frames it even if there is nothing of it.
fn has_body_mostly(method: &Method) -> bool {
    !matches!(method.as_str(), "GET" | "HEAD" | "DELETE" | "OPTIONS" | "PROPFIND" | "SEARCH")
}

/// The exchange has failed: what was taken of the body cannot be read again, so the client's connection can
/// only go on when all of it was.
fn spend_body(memory: &mut Memory) {
    memory.request.keep_alive &= memory.upload.body_is_behind();
    memory.request.body = BodyFraming::None;
}

/// Connects to the server, unless the client leaves first.
async fn open(
    connection: &mut Connection,
    pool: &RefCell<Pool>,
    server: &Server,
    need: Need,
) -> Result<ServerConnection, ForwardError> {
    let worker = Rc::clone(&connection.worker);
    // Rare and large next to a request on a pooled connection, whose future it must not swell.
    let mut opening = Box::pin(async {
        let stream = match server.scheme {
            Scheme::H2c if need == Need::None => open_shared(pool, server).await?,
            Scheme::Http | Scheme::Https | Scheme::H2c => {
                match connect(server, need == Need::Upgrade).await? {
                    Opened::Http1(stream) => stream,
                    Opened::Http2(connection) => keep(pool, server, connection, need)?,
                }
            }
        };
        Ok(ServerConnection::new(stream, Instant::now()))
    });
    poll_fn(|cx| {
        if let Poll::Ready(opened) = opening.as_mut().poll(cx) {
            return Poll::Ready(opened);
        }
        let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
        watch(cx, &mut client, &worker.buffers).map(|error| Err(error.into()))
    })
    .await
}

/// Opens a stream to a server that speaks HTTP/2: requests that come at once wait for one connection.
async fn open_shared(pool: &RefCell<Pool>, server: &Server) -> Result<Stream, ForwardError> {
    loop {
        if let Some(stream) = pool.borrow_mut().open_stream(server, false, Instant::now()) {
            return Ok(Stream::Http2(Box::new(stream)));
        }
        let Some(attempt) = pool.borrow().connecting(server) else { break };
        attempt.ended().await;
    }
    let _connecting = pool.borrow_mut().begin_connecting(server);
    match connect(server, false).await? {
        Opened::Http1(stream) => Ok(stream),
        Opened::Http2(connection) => keep(pool, server, connection, Need::None),
    }
}

/// Opens the first stream on a connection, and keeps it for others.
fn keep(
    pool: &RefCell<Pool>,
    server: &Server,
    mut connection: Multiplexed,
    need: Need,
) -> Result<Stream, ForwardError> {
    if need == Need::Apart {
        connection.set_apart();
    }
    let stream = connection.open(Instant::now());
    pool.borrow_mut().share(server, connection);
    let source = io::ErrorKind::ConnectionAborted;
    let closed = || ForwardError::Closed { server: server.url.clone(), source: source.into() };
    stream.map(|stream| Stream::Http2(Box::new(stream))).ok_or_else(closed)
}
