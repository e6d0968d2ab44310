//! One client connection that speaks HTTP/2: its streams, limits and graceful end.
//!
//! The connection is one task, each of its streams another that leads one request through
//! [`exchange`], as one of HTTP/1.1.

use std::{
    cell::Cell,
    future::{Future as _, poll_fn},
    hash::{BuildHasher as _, RandomState},
    net::SocketAddr,
    pin::pin,
    rc::Rc,
    task::Poll,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use h2::{
    RecvStream,
    ext::Protocol,
    server::{Builder, Connection as Framed, SendResponse},
};
use portway_http::{Answer, Reason as Malformed, Status};
use portway_observe::Reason;
use portway_upstream::{
    CONNECTION_WINDOW, Http2Stream, SEND_BUFFER, STREAM_WINDOW, Stream, Unread,
};

use crate::{
    EntryPoint, answer,
    connection::{Connection, Next},
    deadline::Patience,
    drain::Ending,
    exchange::exchange,
    handshake::TlsFacts,
    memory::Memory,
    record::Facts,
    worker::Worker,
};

/// What a connection begins with (RFC 9113 §3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Streams that the client has reset and that are still remembered, at most. A client that resets more before
/// they are served is cut off (CVE-2023-44487).
const MAX_RESET: usize = 100;

/// Streams that the client's errors have reset, at most (CVE-2025-8671).
const MAX_ERRORS: usize = 256;

/// How long the client of a connection that ends may take to hear of it.
const FAREWELL: Duration = Duration::from_secs(5);

/// What all streams of a connection have in common.
struct Shared {
    worker: Rc<Worker>,
    entry_point: usize,
    peer: SocketAddr,
    tls: Option<Rc<TlsFacts>>,
    /// How many streams are served.
    streams: Cell<usize>,
}

/// What happens to a connection.
enum Event {
    Request(Box<(http::Request<RecvStream>, SendResponse<Bytes>)>),
    /// No more requests are wanted.
    Enough,
    /// The connection is over.
    Over,
}

/// Serves requests until the connection ends.
pub(crate) async fn serve(connection: Box<Connection>) {
    let Connection { worker, entry_point, stream, input, peer, tls, .. } = *connection;
    let settings = worker.entry_points.get(entry_point);
    let (Some(settings), Some(ending)) = (settings, worker.ending(entry_point)) else { return };
    let begun = input.filled().to_vec();
    let limit = settings.read_timeout;
    let shake = limits(settings).handshake(Unread::new(begun, stream));
    let shaken = match limit {
        Some(limit) => tokio::time::timeout(limit, shake).await.ok(),
        None => Some(shake.await),
    };
    let Some(Ok(framed)) = shaken else { return };
    let worker = Rc::clone(&worker);
    let shared =
        Shared { worker: Rc::clone(&worker), entry_point, peer, tls, streams: Cell::new(0) };
    serve_streams(framed, Rc::new(shared), settings, ending).await;
}

fn limits(settings: &EntryPoint) -> Builder {
    let mut limits = Builder::new();
    limits
        .max_concurrent_streams(settings.http2.streams)
        .header_table_size(settings.http2.decoder_table)
        .max_header_list_size(u32::try_from(settings.limits.bytes).unwrap_or(u32::MAX))
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .max_concurrent_reset_streams(MAX_RESET)
        .max_pending_accept_reset_streams(MAX_RESET)
        .max_local_error_reset_streams(Some(MAX_ERRORS))
        .enable_connect_protocol();
    limits
}

async fn serve_streams(
    mut framed: Framed<Unread<Stream>, Bytes>,
    shared: Rc<Shared>,
    settings: &EntryPoint,
    ending: &Ending,
) {
    let since = Instant::now();
    let mut drained = pin!(ending.drained());
    let mut patience = Patience::default();
    // When the last stream ended; none while there is one.
    let mut idle = Some(since);
    let mut requests = 0;
    let mut farewell = None;
    loop {
        let event = poll_fn(|cx| {
            match framed.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    return Poll::Ready(Event::Request(Box::new((request, respond))));
                }
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!("HTTP/2 with {}: {error}", shared.peer);
                    return Poll::Ready(Event::Over);
                }
                Poll::Ready(None) => return Poll::Ready(Event::Over),
                Poll::Pending => {}
            }
            if let Some(farewell) = farewell {
                let rests = shared.streams.get() == 0;
                let over = rests && patience.is_over(cx, Some(farewell));
                return if over { Poll::Ready(Event::Over) } else { Poll::Pending };
            }
            idle = match shared.streams.get() {
                0 => Some(idle.unwrap_or_else(Instant::now)),
                _ => None,
            };
            let until = idle.and_then(|idle| idle.checked_add(settings.idle_timeout?));
            let enough = drained.as_mut().poll(cx).is_ready() || patience.is_over(cx, until);
            if enough { Poll::Ready(Event::Enough) } else { Poll::Pending }
        })
        .await;
        match event {
            Event::Request(opened) => {
                let (request, respond) = *opened;
                requests += 1;
                idle = None;
                let place = Place::take(&shared);
                tokio::task::spawn_local(serve_stream(place, request, respond));
                let aged = settings.max_time.is_some_and(|limit| since.elapsed() >= limit);
                let used = settings.max_requests != 0 && requests >= settings.max_requests;
                if aged || used {
                    farewell = begin_farewell(&mut framed, farewell);
                }
            }
            Event::Enough => farewell = begin_farewell(&mut framed, farewell),
            Event::Over => return,
        }
    }
}

/// Tells the client that no more requests are taken; gives back until when an idle client may take to leave.
fn begin_farewell(
    framed: &mut Framed<Unread<Stream>, Bytes>,
    begun: Option<Instant>,
) -> Option<Instant> {
    if begun.is_none() {
        framed.graceful_shutdown();
    }
    begun.or_else(|| Instant::now().checked_add(FAREWELL))
}

/// A stream's place among those of its connection.
struct Place(Rc<Shared>);

impl Place {
    fn take(shared: &Rc<Shared>) -> Self {
        shared.streams.set(shared.streams.get() + 1);
        Self(Rc::clone(shared))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.streams.set(self.0.streams.get().saturating_sub(1));
    }
}

/// One stream from its head to its end, or until the grace time of its entry point is over.
async fn serve_stream(
    place: Place,
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
) {
    let Shared { worker, entry_point, peer, tls, .. } = &*place.0;
    let _counted = worker.drain.count();
    let Some(ending) = worker.ending(*entry_point) else { return };
    let (head, body) = request.into_parts();
    let ended = body.is_end_stream();
    let stream = Http2Stream::of_client(body, respond);
    let mut connection = Connection::of_stream(worker, *entry_point, *peer, tls.clone(), stream);
    let mut memory = worker.memories.take();
    let taken = take_head(&mut memory, &head, ended, worker, *entry_point);
    let served = async {
        match taken {
            Ok(()) => exchange(&mut connection, &mut memory).await,
            Err(malformed) => refuse(&mut connection, &mut memory, malformed).await,
        }
    };
    let next = tokio::select! {
        biased;
        next = served => next,
        () = ending.cut() => Next::Abort,
    };
    worker.memories.put(memory);
    if next == Next::Abort {
        // A reset takes away what waits to be written: the client should see what came before it.
        tokio::task::yield_now().await;
        connection.stream.reset_at_end();
    }
}

fn take_head(
    memory: &mut Memory,
    head: &http::request::Parts,
    ended: bool,
    worker: &Worker,
    entry_point: usize,
) -> Result<(), Malformed> {
    let settings = worker.entry_points.get(entry_point);
    let limits = settings.map(|settings| settings.limits).unwrap_or_default();
    let request = &mut memory.request;
    let protocol = head.extensions.get::<Protocol>();
    let websocket = protocol.is_some_and(|name| name.as_str().eq_ignore_ascii_case("websocket"));
    let key = websocket.then(websocket_key);
    request.take_http2(head, ended, &limits, key.as_deref())
}

/// Answers a request whose head cannot be accepted; other streams go on. As Go, a malformed target is given no
/// answer.
async fn refuse(connection: &mut Connection, memory: &mut Memory, malformed: Malformed) -> Next {
    let status = match malformed {
        Malformed::HeadTooLarge => Status::FIELDS_TOO_LARGE,
        _ => Status::BAD_REQUEST,
    };
    let mut facts = Facts::begin(connection);
    facts.reason = Some(Reason::BadRequest);
    facts.detail = malformed.to_string();
    let next = match connection.stream.http2() {
        Some(stream) if malformed == Malformed::MalformedTarget => {
            facts.status = status.code();
            stream.reset(h2::Reason::PROTOCOL_ERROR);
            Next::Close
        }
        _ => {
            let answer = Answer::error(status, status.text());
            answer::send(connection, memory, &mut facts, &answer).await
        }
    };
    facts.write(connection, &memory.request);
    next
}

/// What a client of HTTP/1.1 would have chosen at random (RFC 6455 §4.1): 16 bytes in base64.
fn websocket_key() -> String {
    let random = RandomState::new();
    let bytes = [0, 1].map(|part: u64| random.hash_one(part).to_ne_bytes()).concat();
    BASE64.encode(bytes)
}
