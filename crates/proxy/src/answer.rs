//! Answers of our own: refusals, errors, internal services.

use std::{io, rc::Rc};

use portway_http::{
    Answer, BodyFraming, BodyReader, Headers, Method, Refusal, Request, Status, TrailerLimits,
    Version,
    codec::{self, ResponseHead, answer_head, write_answer, write_refusal, write_response_head},
    grpc_answer,
};
use portway_observe::Reason;
use portway_upstream::StreamEnded;

use crate::{
    connection::{Connection, MAX_UNWANTED, Next},
    forward::ForwardError,
    memory::Memory,
    proxy_status::PROXY_STATUS,
    record::Facts,
    relay::Peer,
    worker::Worker,
};

/// Answers a request whose head cannot be accepted; the connection ends, for nobody knows where the next
/// request would begin.
pub(crate) async fn refuse(
    connection: &mut Connection,
    memory: &mut Memory,
    refusal: Refusal,
) -> Next {
    memory.out.clear();
    let worker = Rc::clone(&connection.worker);
    memory.request.clear();
    let mut facts = Facts::begin(connection);
    facts.status = refusal.status.code();
    facts.reason = Some(Reason::BadRequest);
    facts.detail = refusal.reason.to_string();
    let mut fields = Headers::new();
    if let Some(proxy_status) = &worker.proxy_status {
        fields.append(PROXY_STATUS, proxy_status.value(facts.status, facts.problem()));
    }
    let pages = worker.error_pages.as_ref();
    let page = pages.and_then(|pages| {
        let mut page = pages.page_for_head(connection.input.filled(), refusal.status)?;
        page.headers.extend_from(&fields);
        Some(page)
    });
    let now = std::time::Instant::now();
    let out = &mut memory.out;
    worker.clock.with_date(now, |date| match &page {
        Some(page) => {
            let (version, close) = (Version::Http11, codec::Connection::Close);
            write_answer(out, page, &Method::Get, version, close, date);
        }
        None => write_refusal(out, refusal, &fields, date),
    });
    facts.write(connection, &memory.request);
    if connection.write_out(&mut memory.out).await { Next::Close } else { Next::Abort }
}

/// Sends an answer of our own and says what becomes of the connection.
///
/// A request body that nobody asked for is read when it is small, as in Go, so that the connection can be
/// kept; otherwise the connection ends.
pub(crate) async fn send(
    connection: &mut Connection,
    memory: &mut Memory,
    facts: &mut Facts,
    answer: &Answer,
) -> Next {
    let worker = Rc::clone(&connection.worker);
    facts.status = answer.status.code();
    let meant = meant(&worker, &memory.request, answer, facts);
    let answer = meant.as_ref().unwrap_or(answer);
    let body = memory.request.body;
    let wanted = match body {
        BodyFraming::Length(length) => length <= MAX_UNWANTED,
        // Nobody knows how much is to come of it, and a client that is told nothing may go on behind it.
        BodyFraming::Chunked => is_here(body, connection.input.filled()),
        _ => true,
    };
    // A client that waits for 100 Continue has not sent the body, and may or may not send it now.
    let waits = memory.request.expects_continue && !body.is_empty();
    let settings = worker.entry_points.get(connection.entry_point);
    let used_up = settings.is_some_and(|settings| connection.is_used_up(settings));
    let keep =
        wanted && !waits && !answer.close && connection.may_continue(&memory.request, used_up);
    let version = memory.request.version;
    let said = connection_field(keep, used_up, version);
    memory.out.clear();
    let (stream, started) = (&mut connection.stream, connection.started);
    let put = worker.clock.with_date(started, |date| {
        let method = &memory.request.method;
        put_answer(stream, &mut memory.out, answer, method, version, said, date)
    });
    facts.sending(&answer.headers);
    // A client that has its answer may ask again at once, and must not count twice.
    memory.permits.clear();
    if put.is_err() || !connection.write_out(&mut memory.out).await {
        facts.reason.get_or_insert(Reason::ClientGone);
        return Next::Abort;
    }
    facts.sent = answer.body_for(&memory.request.method).len() as u64;
    let unread = !body.is_empty();
    if unread && connection.stream.http2().is_some() {
        Box::pin(connection.discard_stream()).await;
        return Next::Close;
    }
    let reader = BodyReader::for_request(body, TrailerLimits::default());
    if !keep || unread && !Box::pin(connection.discard_body(reader)).await {
        return Next::Close;
    }
    connection.end_exchange();
    Next::KeepAlive
}

/// Whether all of a request's body has come.
fn is_here(body: BodyFraming, mut input: &[u8]) -> bool {
    let mut reader = BodyReader::for_request(body, TrailerLimits::default());
    while !reader.is_done() && !input.is_empty() {
        let Ok(step) = reader.step(input) else { return false };
        input = input.get(step.consumed..).unwrap_or_default();
    }
    reader.is_done()
}

/// The answer in the form that the client asks for, with what is to be said of the error; `None` where it stays as it is.
fn meant(worker: &Worker, request: &Request, answer: &Answer, facts: &Facts) -> Option<Answer> {
    let page = || worker.error_pages.as_ref()?.page(request, answer, facts.reason?);
    let mut meant = grpc_answer(request, answer).or_else(page);
    let problem = facts.problem();
    // What has no reason and no other author is of an internal service: Portway is its server and not its proxy.
    let passes = problem.is_some() || answer.written;
    if let Some(proxy_status) = worker.proxy_status.as_ref().filter(|_| passes) {
        let value = proxy_status.value(answer.status.code(), problem);
        let fields = &mut meant.get_or_insert_with(|| answer.clone()).headers;
        fields.append(PROXY_STATUS, value);
    }
    meant
}

/// Writes a head into `out`, or sends it where heads go beside bodies.
///
/// # Errors
/// When the client is gone.
pub(crate) fn put_head(
    stream: &mut impl Peer,
    out: &mut Vec<u8>,
    head: &ResponseHead<'_>,
) -> io::Result<()> {
    match stream.http2() {
        Some(stream) => stream.respond(head, head.body.is_empty())?,
        None => write_response_head(out, head),
    }
    Ok(())
}

/// Writes an answer into `out`, its head as [`put_head`].
fn put_answer(
    stream: &mut impl Peer,
    out: &mut Vec<u8>,
    answer: &Answer,
    method: &Method,
    version: Version,
    connection: codec::Connection,
    date: &[u8],
) -> io::Result<()> {
    let Some(stream) = stream.http2() else {
        write_answer(out, answer, method, version, connection, date);
        return Ok(());
    };
    let head = answer_head(answer, method, version, connection, date);
    let body = answer.body_for(method);
    stream.respond(&head, body.is_empty())?;
    out.extend_from_slice(body);
    Ok(())
}

/// What a response says about the connection, which may be used up.
pub(crate) fn connection_field(keep: bool, used_up: bool, version: Version) -> codec::Connection {
    // To an HTTP/1.0 client the end of the connection is what it expects; as in Traefik it is told of one that is
    // used up.
    match (keep, version) {
        (false, Version::Http11) => codec::Connection::Close,
        (false, Version::Http10) if used_up => codec::Connection::Close,
        (true, Version::Http10) => codec::Connection::KeepAlive,
        _ => codec::Connection::Unsaid,
    }
}

/// The one place where a failed exchange with a server becomes a status. Traefik: `pkg/proxy/httputil`.
pub(crate) fn of_error(error: &ForwardError) -> Answer {
    match error {
        // As in Traefik: 502 is what the network did.
        ForwardError::Closed { source, .. } if StreamEnded::of(source).is_some() => {
            Answer::proxy_error(Status::INTERNAL_SERVER_ERROR)
        }
        ForwardError::Connect { .. }
        | ForwardError::Closed { .. }
        | ForwardError::NoTunnel { .. } => Answer::proxy_error(Status::BAD_GATEWAY),
        ForwardError::ConnectTimeout { .. } | ForwardError::ResponseTimeout { .. } => {
            Answer::proxy_error(Status::GATEWAY_TIMEOUT)
        }
        ForwardError::ClientGone => Answer::proxy_error(Status::CLIENT_CLOSED_REQUEST),
        ForwardError::BadBody { .. } => {
            let mut answer = Answer::error(Status::BAD_REQUEST, "400 Bad Request");
            answer.close = true;
            answer
        }
        ForwardError::RequestTimeout | ForwardError::IdleTimeout | ForwardError::TotalTimeout => {
            let mut answer = Answer::proxy_error(Status::GATEWAY_TIMEOUT);
            answer.close = true;
            answer
        }
        ForwardError::BodyTooLong => {
            let mut answer = Answer::proxy_error(Status::CONTENT_TOO_LARGE);
            answer.close = true;
            answer
        }
        ForwardError::Tls { .. }
        | ForwardError::BadResponse { .. }
        | ForwardError::BadUpgrade { .. }
        // Both as in Traefik, though 504 and 431 would say more.
        | ForwardError::Unresponsive { .. }
        | ForwardError::HeadTooLong { .. }
        | ForwardError::Http2Disabled { .. }
        | ForwardError::CutHead { .. } => Answer::proxy_error(Status::INTERNAL_SERVER_ERROR),
    }
}
