//! One client connection that speaks HTTP/2: its streams, limits and graceful end.
//!
//! The connection is one task; each of its streams is given to another ([`tasks`]), which leads its request
//! through [`exchange`] as one of HTTP/1.1.

mod tasks;

use std::{
    cell::Cell,
    convert::Infallible,
    future::{Future as _, pending, poll_fn},
    hash::{BuildHasher as _, RandomState},
    net::SocketAddr,
    pin::pin,
    rc::Rc,
    task::Poll,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use portway_http::{
    Answer, Known, Method, Refusal,
    h2::{ErrorCode, Limits, Server},
};
use portway_observe::Reason;
use portway_upstream::{Arrived, Budget, Driver, Http2Stream, Stream};
use tokio::time::{sleep_until, timeout};

pub(crate) use self::tasks::Tasks;
use crate::{
    EntryPoint, answer,
    connection::{Connection, LINGER, Next},
    deadline::Patience,
    drain::{Counted, Ending},
    exchange::exchange,
    handshake::TlsFacts,
    memory::Memory,
    own::Own,
    record::Facts,
    tunnel,
    worker::Worker,
};

/// How long the client of a connection that ends may take to hear of it, once no stream is left.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long a client may take to say its settings, with which it begins; as in Go.
const GREETING: Duration = Duration::from_secs(2);

/// How long a client may take nothing of a response, by not giving room for more of it or by not reading, where its
/// entry point has no write timeout. Envoy's `stream_idle_timeout` is as long; programs that are slow to take what is
/// streamed to them stay well below it.
const STALL: Duration = Duration::from_secs(300);

/// What all streams of a connection have in common.
struct Shared {
    worker: Rc<Worker>,
    entry_point: usize,
    peer: SocketAddr,
    tls: Option<Rc<TlsFacts>>,
    own: Rc<Own>,
    /// How many streams are served.
    streams: Cell<usize>,
    /// The connection is open as long as one of them is.
    _counted: Counted,
}

/// What happens to a connection.
enum Event {
    Request(Arrived),
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
    let mut input = input;
    let stall = settings.write_timeout.unwrap_or(STALL);
    let limits = limits(settings);
    let driver = Driver::server(stream, &limits, stall, Budget::PROCESS, input.filled());
    input.discard(&worker.buffers);
    let streams = Cell::new(0);
    let _counted = worker.drain.count();
    let (worker_of_all, own) = (Rc::clone(&worker), Rc::default());
    let shared = Shared { worker: worker_of_all, entry_point, peer, tls, own, streams, _counted };
    serve_streams(driver, Rc::new(shared), settings, ending).await;
}

fn limits(settings: &EntryPoint) -> Limits {
    let usual = Limits::default();
    Limits {
        streams: settings.http2.streams,
        decoder_table: settings.http2.decoder_table,
        encoder_table: settings.http2.encoder_table,
        // As Go counts: each field costs 32 bytes more than in HTTP/1.1, and ten fields are usual.
        head_bytes: settings.limits.bytes.saturating_add(320),
        // Room for a few large heads, or for large cookies on every stream.
        held_head_bytes: 4 * usual.held_head_bytes.max(settings.limits.bytes),
        block_bytes: usual.block_bytes.max(settings.limits.bytes),
        fields: settings.limits.fields,
        ..usual
    }
}

async fn serve_streams(
    mut driver: Driver<Server, Stream>,
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
    let mut farewell: Option<Instant> = None;
    loop {
        let event = poll_fn(|cx| {
            match driver.poll_accept(cx) {
                Poll::Ready(Some(arrived)) => return Poll::Ready(Event::Request(arrived)),
                Poll::Ready(None) => return Poll::Ready(Event::Over),
                Poll::Pending => {}
            }
            idle = match shared.streams.get() {
                0 => Some(idle.unwrap_or_else(Instant::now)),
                _ => None,
            };
            if let Some(begun) = farewell {
                // What the last stream has sent may still be on its way.
                let until = idle.and_then(|idle| idle.max(begun).checked_add(FAREWELL));
                let over = patience.is_over(cx, until);
                return if over { Poll::Ready(Event::Over) } else { Poll::Pending };
            }
            let greeting = (!driver.is_settled()).then(|| since + GREETING);
            if patience.is_over(cx, greeting) {
                return Poll::Ready(Event::Over);
            }
            let until = idle.and_then(|idle| idle.checked_add(settings.idle_timeout?));
            let enough = drained.as_mut().poll(cx).is_ready() || patience.is_over(cx, until);
            if enough { Poll::Ready(Event::Enough) } else { Poll::Pending }
        })
        .await;
        let enough = match event {
            Event::Request(arrived) => {
                idle = None;
                // As in Traefik, what is refused for its head counts for nothing.
                let counts = arrived.refusal.is_none();
                requests += u64::from(counts);
                serve_stream(&mut driver, Place::take(&shared), arrived);
                let aged = settings.max_time.is_some_and(|limit| since.elapsed() >= limit);
                let most = settings.max_requests != 0 && requests >= settings.max_requests;
                counts && (aged || most)
            }
            Event::Enough => true,
            Event::Over => return driver.close(LINGER).await,
        };
        if enough && farewell.is_none() {
            driver.leave();
            farewell = Some(Instant::now());
        }
    }
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

/// A stream that is to be led.
struct Led {
    place: Place,
    stream: Http2Stream,
    memory: Box<Memory>,
    refusal: Option<Refusal>,
    at: Instant,
}

impl Led {
    fn worker(&self) -> &Rc<Worker> {
        &self.place.0.worker
    }
}

/// Gives one stream, with its head, to a task.
fn serve_stream(driver: &mut Driver<Server, Stream>, place: Place, arrived: Arrived) {
    let Arrived { stream, refusal, protocol, at } = arrived;
    let worker = Rc::clone(&place.0.worker);
    let mut memory = worker.memories.take();
    driver.take_head(&mut memory.request);
    if protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        memory.request.become_upgrade("websocket", &websocket_key());
    }
    worker.stream_tasks.lead(Led { place, stream, memory, refusal, at });
}

/// One stream from its head to its end, or until the grace time of its entry point is over.
async fn lead(led: Led) {
    let Led { place, stream, mut memory, refusal, at } = led;
    let Shared { worker, entry_point, peer, tls, own, .. } = &*place.0;
    let Some(ending) = worker.ending(*entry_point) else { return };
    let limit = worker.entry_points.get(*entry_point).and_then(|settings| settings.write_timeout);
    // Rare, and not to swell the future of every stream.
    let mut late = limit.zip(stream.cutter()).and_then(|(limit, cutter)| {
        let until = at.checked_add(limit)?;
        Some(Box::pin(async move {
            sleep_until(until.into()).await;
            cutter.cut(ErrorCode::INTERNAL_ERROR);
        }))
    });
    let stream = Stream::Http2(Box::new(stream));
    let mut connection = Connection::of_one(worker, *entry_point, *peer, tls.clone(), stream, at);
    connection.own = Some(Rc::clone(own));
    let next = {
        // Pinned where it is: it is large, and would be moved into the choice.
        let served = pin!(async {
            match refusal {
                None => exchange(&mut connection, &mut memory).await,
                Some(refusal) => Box::pin(refuse(&mut connection, &mut memory, refusal)).await,
            }
        });
        // The exchange sees that its stream is gone, and ends of itself.
        let cut_late = async {
            if let Some(late) = &mut late {
                late.await;
            }
            pending::<Infallible>().await
        };
        tokio::select! {
            biased;
            next = served => next,
            () = ending.cut() => Next::Abort,
            never = cut_late => match never {},
        }
    };
    if next == Next::Tunnel {
        // This task has room for an exchange, and the next stream wants it.
        tokio::task::spawn_local(carry(place, Box::new(connection), memory));
        return;
    }
    worker.memories.put(memory);
    if next == Next::Abort {
        connection.stream.reset_at_end();
    } else if let Stream::Http2(stream) = &mut connection.stream {
        linger(stream).await;
    }
}

/// Leaves a client time to read an answer that came before the end of its request. The reset that makes the rest of the
/// request needless (RFC 9113 §8.1) is all that some clients see, where they read both at once: curl 7.88 does.
async fn linger(stream: &mut Http2Stream) {
    if poll_fn(|cx| Poll::Ready(stream.poll_unwanted(cx).is_pending())).await {
        // Rare, as above.
        _ = Box::pin(timeout(LINGER, poll_fn(|cx| stream.poll_unwanted(cx)))).await;
    }
}

/// One stream that has become a tunnel, to its end, or until the grace time of its entry point is over.
async fn carry(place: Place, mut connection: Box<Connection>, memory: Box<Memory>) {
    let Shared { worker, entry_point, .. } = &*place.0;
    let Some(ending) = worker.ending(*entry_point) else { return };
    {
        // Whoever is cut sees it first, and can say so in the access log.
        let carried = pin!(tunnel::run(&mut connection, memory));
        tokio::select! {
            biased;
            () = carried => {}
            () = ending.cut() => {}
        }
    }
    connection.stream.reset_at_end();
}

/// Answers a request whose head cannot be accepted; other streams go on.
async fn refuse(connection: &mut Connection, memory: &mut Memory, refusal: Refusal) -> Next {
    let pages = connection.worker.error_pages.is_some();
    let accept = pages.then(|| memory.request.headers.get_all(Known::Accept).map(<[u8]>::to_vec));
    let accept: Vec<_> = accept.into_iter().flatten().collect();
    let is_head = memory.request.method == Method::Head;
    memory.request.clear();
    if is_head {
        memory.request.method = Method::Head;
    }
    memory.request.version = portway_http::Version::Http2;
    accept.iter().for_each(|value| memory.request.headers.append(Known::Accept, value));
    let mut facts = Facts::begin(connection);
    facts.reason = Some(Reason::BadRequest);
    facts.detail = refusal.reason.to_string();
    let answer = Answer::error(refusal.status, refusal.status.text());
    let next = answer::send(connection, memory, &mut facts, &answer).await;
    facts.write(connection, &memory.request);
    next
}

/// What a client of HTTP/1.1 would have chosen at random (RFC 6455 §4.1): 16 bytes in base64.
fn websocket_key() -> String {
    let random = RandomState::new();
    let bytes = [0, 1].map(|part: u64| random.hash_one(part).to_ne_bytes()).concat();
    BASE64.encode(bytes)
}
