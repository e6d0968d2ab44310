//! Copies of requests, for mirrors: each is sent once the client has its answer, by a task of its own.
//!
//! What comes of them is dropped, and nothing is recorded of them. They are bounded: in bytes of their bodies
//! ([`MAX_BYTES`]), in number ([`MAX_COPIES`]) and in time ([`MAX_TIME`]); what goes beyond is not sent.

use std::{
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use portway_http::{
    BodyFraming, Known, Request, Status,
    codec::{write_chunk_end, write_chunk_start, write_last_chunk},
};
use portway_middleware::{Context, Marks};
use portway_snapshot::{Held, Route, Service};
use portway_upstream::Stream;
use tokio::time::timeout;

use crate::{
    connection::Connection,
    exchange::{Exchange, Reply},
    handshake::TlsFacts,
    memory::Memory,
    record::Facts,
    relay::Recode,
    worker::Worker,
};

/// Bytes of bodies that are kept for copies in the whole process, at most.
const MAX_BYTES: usize = 256 << 20;

/// Copies on their way in the whole process, at most.
const MAX_COPIES: usize = 4096;

/// How long one copy may take.
const MAX_TIME: Duration = Duration::from_secs(300);

/// Bytes of bodies that are kept.
static BYTES: AtomicUsize = AtomicUsize::new(0);

/// Copies on their way.
static COPIES: AtomicUsize = AtomicUsize::new(0);

/// A request, and what is to get copies of it.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) mirrors: Vec<Arc<Service>>,
    /// As it came to the service that mirrors it.
    pub(crate) request: Request,
    pub(crate) route: Arc<Route>,
    pub(crate) marks: Marks,
    /// How servers get its body.
    pub(crate) recode: Recode,
    /// Bytes of a body above which nothing is sent.
    pub(crate) limit: Option<u64>,
    pub(crate) body: Payload,
}

/// The body of a copy, without framing.
#[derive(Debug)]
pub(crate) enum Payload {
    /// There is none, or copies have none.
    None,
    /// All of it.
    Whole(Rc<Share>),
    /// It is too long to be kept.
    TooLong,
    /// Not all of it has come yet.
    Coming,
}

/// A body that counts in what all bodies may have.
#[derive(Debug)]
pub(crate) struct Share {
    bytes: Vec<u8>,
    counted: Claim,
}

/// A part of a limit of the whole process, given back at its end.
#[derive(Debug)]
struct Claim {
    of: &'static AtomicUsize,
    amount: usize,
}

/// A body that is copied as it passes.
#[derive(Debug)]
pub(crate) struct CopiedBody {
    share: Rc<Share>,
    /// Bytes at most.
    limit: Option<u64>,
    /// Whether the end has come.
    ended: bool,
    /// Whether it is more than may be kept.
    too_long: bool,
}

impl Claim {
    const fn none(of: &'static AtomicUsize) -> Self {
        Self { of, amount: 0 }
    }

    /// Claims so much more; `false` where that is beyond `most` in all.
    fn grow(&mut self, amount: usize, most: usize) -> bool {
        let claimed = self.of.fetch_add(amount, Relaxed);
        self.amount += amount;
        claimed.saturating_add(amount) <= most
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.of.fetch_sub(self.amount, Relaxed);
    }
}

impl Share {
    fn empty() -> Self {
        Self { bytes: Vec::new(), counted: Claim::none(&BYTES) }
    }

    /// Adds bytes; `false` where all bodies together would have too many.
    fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = self.counted.grow(bytes.len(), MAX_BYTES);
        if fits {
            self.bytes.extend_from_slice(bytes);
        }
        fits
    }
}

impl Payload {
    /// All of a body.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let mut counted = Claim::none(&BYTES);
        let fits = counted.grow(bytes.len(), MAX_BYTES);
        if fits { Self::Whole(Rc::new(Share { bytes, counted })) } else { Self::TooLong }
    }

    /// Whether it can be sent within `limit` bytes.
    fn is_within(&self, limit: Option<u64>) -> bool {
        match self {
            Self::None => true,
            Self::Whole(share) => limit.is_none_or(|limit| share.bytes.len() as u64 <= limit),
            Self::TooLong | Self::Coming => false,
        }
    }
}

impl CopiedBody {
    /// A body of `limit` bytes at most, of which nothing has come.
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self { share: Rc::new(Share::empty()), limit, ended: false, too_long: false }
    }

    /// One that may have `limit` bytes too.
    pub(crate) fn and_up_to(&self, limit: Option<u64>) -> Self {
        let both = self.limit.zip(limit);
        Self::new(both.map(|(one, other)| one.max(other)))
    }

    /// The body comes again from its beginning.
    pub(crate) fn begun_again(mut self: Box<Self>) -> Box<Self> {
        *self = Self::new(self.limit);
        self
    }

    /// A piece has come, and with it the end if `ended`.
    pub(crate) fn push(&mut self, piece: &[u8], ended: bool) {
        self.ended |= ended;
        let length = (self.share.bytes.len() as u64).saturating_add(piece.len() as u64);
        self.too_long |= self.limit.is_some_and(|limit| length > limit);
        if self.too_long {
            return;
        }
        // Nobody shares a body before its end.
        let pushed = Rc::get_mut(&mut self.share).is_some_and(|share| share.push(piece));
        if !pushed {
            warn_seldom(&format!("copies of bodies hold {MAX_BYTES} bytes"));
        }
        self.too_long = !pushed;
    }

    /// The body, as far as it has come.
    pub(crate) fn payload(&self) -> Payload {
        match (self.too_long, self.ended) {
            (true, _) => Payload::TooLong,
            (false, true) => Payload::Whole(Rc::clone(&self.share)),
            (false, false) => Payload::Coming,
        }
    }
}

/// Takes the copies that an exchange noted, with their bodies as far as they have come.
pub(crate) fn take(memory: &mut Memory) -> Vec<Copy> {
    let mut copies = std::mem::take(&mut memory.copies);
    for copy in &mut copies {
        if matches!(copy.body, Payload::Coming) {
            copy.body = memory.upload.copied();
        }
    }
    memory.upload.drop_copy();
    copies
}

/// Sends the copies that an exchange noted, unless its client is gone, and went before it had the answer.
pub(crate) fn send(connection: &Connection, copies: Vec<Copy>, snapshot: &Rc<Held>, is_gone: bool) {
    for copy in copies {
        let why = match &copy.body {
            _ if is_gone => Some("the client went away"),
            Payload::Coming => Some("the body did not come whole"),
            body if !body.is_within(copy.limit) => Some("the body is too long"),
            _ => None,
        };
        if let Some(why) = why {
            tracing::debug!("{}: a request is not mirrored: {why}", copy.route.name);
            continue;
        }
        let mut counted = Claim::none(&COPIES);
        if !counted.grow(1, MAX_COPIES) {
            warn_seldom(&format!("{MAX_COPIES} copies are on their way"));
            continue;
        }
        let sender = Sender {
            worker: Rc::clone(&connection.worker),
            entry_point: connection.entry_point,
            peer: connection.peer,
            tls: connection.tls.clone(),
            snapshot: Rc::clone(snapshot),
            copy,
            _counted: counted,
        };
        tokio::task::spawn_local(Box::pin(sender.send()));
    }
}

/// Warns of requests that are not mirrored for want of room, once a second at most: they may be very many.
fn warn_seldom(why: &str) {
    static TOLD: Mutex<Option<Instant>> = Mutex::new(None);
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.is_none_or(|told| told.elapsed() >= Duration::from_secs(1)) {
        *told = Some(Instant::now());
        tracing::warn!("requests are not mirrored: {why}");
    }
}

/// What sends one request to its mirrors, one after the other.
struct Sender {
    worker: Rc<Worker>,
    entry_point: usize,
    peer: std::net::SocketAddr,
    tls: Option<Rc<TlsFacts>>,
    snapshot: Rc<Held>,
    copy: Copy,
    _counted: Claim,
}

impl Sender {
    async fn send(self) {
        let _drain = self.worker.drain.count();
        let Some(ending) = self.worker.ending(self.entry_point) else { return };
        for mirror in &self.copy.mirrors {
            let mut memory = self.worker.memories.take();
            // The future of an exchange is large.
            let sending = Box::pin(timeout(MAX_TIME, self.send_to(mirror, &mut memory)));
            let sent = tokio::select! {
                biased;
                sent = sending => sent,
                () = ending.cut() => return,
            };
            if sent.is_ok() {
                memory.end();
                self.worker.memories.put(memory);
            }
        }
    }

    async fn send_to(&self, mirror: &Service, memory: &mut Memory) {
        let Self { worker, entry_point, peer, tls, snapshot, copy, .. } = self;
        let Some(settings) = worker.entry_points.get(*entry_point) else { return };
        let mut connection = Connection::of_one(
            worker,
            *entry_point,
            *peer,
            tls.clone(),
            Stream::Nobody,
            Instant::now(),
        );
        memory.request.clone_from(&copy.request);
        memory.recode = copy.recode;
        frame(&copy.body, &mut memory.request, &mut connection);
        let certificates = tls.as_ref().and_then(|tls| tls.certificates.as_deref());
        let started = connection.started;
        let mut context = Context::new(tls.is_some(), peer.ip(), started, &worker.passwords);
        context.certificates = certificates;
        context.restore(copy.marks);
        let mut facts = Facts::default();
        let (connection, route) = (&mut connection, &copy.route);
        let mut exchange =
            Exchange::new(connection, memory, &mut facts, settings, snapshot, route, context);
        let reply = exchange.ask_service(mirror).await;
        match reply {
            // There is nobody to speak another protocol with.
            Reply::Server(_) if exchange.memory.response.status == Status::SWITCHING_PROTOCOLS => {
                exchange.drop_reply(reply);
            }
            reply => {
                exchange.deliver(reply).await;
            }
        }
        send(connection, take(memory), snapshot, false);
    }
}

/// Puts the body into the input of a connection, framed as the request says.
fn frame(body: &Payload, request: &mut Request, connection: &mut Connection) {
    request.expects_continue = false;
    let Payload::Whole(share) = body else {
        if !request.body.is_empty() {
            request.body = BodyFraming::None;
            request.headers.remove(Known::ContentLength);
        }
        return;
    };
    let bytes = &share.bytes;
    if request.body != BodyFraming::Chunked {
        request.body = BodyFraming::Length(bytes.len() as u64);
        connection.input.put_back(bytes);
        return;
    }
    let mut framed = Vec::with_capacity(bytes.len() + 32);
    if !bytes.is_empty() {
        write_chunk_start(&mut framed, bytes.len());
        framed.extend_from_slice(bytes);
        write_chunk_end(&mut framed);
    }
    write_last_chunk(&mut framed, None);
    connection.input.put_back(&framed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &CopiedBody) -> Option<Vec<u8>> {
        match body.payload() {
            Payload::Whole(share) => Some(share.bytes.clone()),
            _ => None,
        }
    }

    #[test]
    fn a_body_is_copied_if_it_comes_to_its_end_within_the_limit() {
        let copied = |limit, pieces: &[&[u8]], ended| {
            let mut body = CopiedBody::new(limit);
            pieces.iter().for_each(|piece| body.push(piece, false));
            body.push(&[], ended);
            text(&body)
        };
        assert_eq!(copied(None, &[b"ab", b"c"], true), Some(b"abc".to_vec()));
        assert_eq!(copied(Some(3), &[b"ab", b"c"], true), Some(b"abc".to_vec()));
        assert_eq!(copied(Some(2), &[b"ab", b"c"], true), None);
        assert_eq!(copied(None, &[b"ab"], false), None);
    }

    #[test]
    fn a_body_that_comes_again_is_copied_once() {
        let mut body = Box::new(CopiedBody::new(Some(3)));
        body.push(b"abcd", true);
        let mut body = body.begun_again();
        body.push(b"abc", true);
        assert_eq!(text(&body), Some(b"abc".to_vec()));
        assert!(body.payload().is_within(Some(3)) && !body.payload().is_within(Some(2)));
    }

    #[test]
    fn claims_are_given_back() {
        static CLAIMED: AtomicUsize = AtomicUsize::new(0);
        let mut one = Claim::none(&CLAIMED);
        assert!(one.grow(6, 10));
        let mut other = Claim::none(&CLAIMED);
        assert!(!other.grow(5, 10));
        drop(other);
        assert!(one.grow(4, 10));
        drop(one);
        assert_eq!(CLAIMED.load(Relaxed), 0);
    }
}
