//! A server that records every request and answers as its script says.
//!
//! The standard script ([`script::standard`]) reads the last segment of the path, so that one
//! backend serves a whole table of cases.

mod http2;
pub mod script;

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

use crate::message::{Framing, Head, Headers, Reader};

/// A request as the backend received it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Which connection of this backend it came on, counted from 0.
    pub connection: usize,
    /// Request line and fields.
    pub head: Head,
    /// Body after decoding chunks.
    pub body: Vec<u8>,
    /// Trailers of a chunked body.
    pub trailers: Headers,
    /// False when the connection ended before the body did.
    pub complete: bool,
    /// What was agreed on by TLS: version, protocol, the name asked for, how many certificates the client showed.
    pub tls: String,
}

impl Received {
    /// The request target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.part(1).split('?').next().unwrap_or("")
    }
}

/// One thing to do while answering.
#[derive(Clone, Debug)]
pub enum Step {
    /// Write these bytes.
    Write(Vec<u8>),
    /// Write this many bytes of `x` in blocks, or as many as the peer takes.
    Fill(u64),
    /// Wait.
    Wait(Duration),
    /// Close the connection.
    Close,
    /// Close the connection with a TCP reset.
    Reset,
    /// Send back whatever arrives until the peer closes.
    Mirror,
    /// Over HTTP/2, end the stream with this code; otherwise as [`Self::Reset`].
    EndStream(u32),
    /// Over HTTP/2, say that the connection ends, with this code; otherwise as [`Self::Close`].
    GoAway(u32),
}

/// Decides what is done with a request; [`script::standard`] is the usual one.
pub type Script = dyn Fn(&Received) -> Vec<Step> + Send + Sync;

/// Decides before the body is read; `Some` answers at once and leaves the body unread.
pub type EarlyScript = dyn Fn(&Head) -> Option<Vec<Step>> + Send + Sync;

/// A listening recording server; dropping it stops it and closes its connections.
pub struct Backend {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    busy: AtomicUsize,
    tapes: Mutex<Vec<Vec<u8>>>,
    connections: AtomicUsize,
    sockets: Mutex<Sockets>,
    stopped: AtomicBool,
    greeting: Mutex<Vec<Step>>,
    settings: Mutex<Option<Http2Settings>>,
    tls: Option<Arc<ServerConfig>>,
    early: Box<EarlyScript>,
    script: Box<Script>,
}

/// A copy of the socket of each connection, by which it can be closed from outside.
#[derive(Default)]
struct Sockets {
    open: HashMap<usize, TcpStream>,
    /// Connections that the backend has ended, and the peer perhaps not: the system would reset them if they were let go
    /// while bytes have not been read, and the peer could lose the answer by that.
    ended: VecDeque<TcpStream>,
}

/// How many ended connections are kept.
const ENDED: usize = 256;

impl Sockets {
    /// Ends a connection that nothing more is done with.
    fn end(&mut self, number: usize) {
        let Some(socket) = self.open.remove(&number) else { return };
        // What is to be reset is reset by letting go of its last copy.
        if SockRef::from(&socket).linger().is_ok_and(|linger| linger.is_some()) {
            return;
        }
        let _ = socket.shutdown(Shutdown::Both);
        self.ended.push_back(socket);
        if self.ended.len() > ENDED {
            self.ended.pop_front();
        }
    }

    fn close_all(&mut self) {
        self.ended.clear();
        for (_, socket) in self.open.drain() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// What a backend says of itself over HTTP/2; `None` says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Http2Settings {
    /// How many streams it takes at once.
    pub streams: Option<u32>,
    /// How many bytes of a body it takes unasked.
    pub window: Option<u32>,
    /// How long frames may be.
    pub frame: Option<u32>,
    /// How long heads may be.
    pub head: Option<u32>,
}

impl Backend {
    /// A plain backend with the standard script.
    #[must_use]
    pub fn start() -> Self {
        Self::scripted(script::standard)
    }

    /// A plain backend with its own script.
    #[must_use]
    pub fn scripted(script: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::with(None, script::early, script)
    }

    /// A TLS backend with the standard script.
    #[must_use]
    pub fn start_tls(tls: Arc<ServerConfig>) -> Self {
        Self::with(Some(tls), script::early, script::standard)
    }

    /// A backend whose every part is given.
    #[must_use]
    pub fn with(
        tls: Option<Arc<ServerConfig>>,
        early: impl Fn(&Head) -> Option<Vec<Step>> + Send + Sync + 'static,
        script: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self::on(listener, tls, early, script)
    }

    /// A plain backend with its own script, at a given address.
    ///
    /// # Panics
    /// When the address cannot be had.
    #[must_use]
    #[track_caller]
    pub fn at(
        address: SocketAddr,
        script: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap_or_else(|e| panic!("{address}: {e}"));
        Self::on(listener, None, script::early, script)
    }

    fn on(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        early: impl Fn(&Head) -> Option<Vec<Step>> + Send + Sync + 'static,
        script: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            busy: AtomicUsize::new(0),
            tapes: Mutex::default(),
            connections: AtomicUsize::new(0),
            sockets: Mutex::default(),
            stopped: AtomicBool::new(false),
            greeting: Mutex::default(),
            settings: Mutex::default(),
            tls,
            early: Box::new(early),
            script: Box::new(script),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// Does this with each new connection before anything is read, even before TLS.
    #[must_use]
    pub fn greeting(self, steps: Vec<Step>) -> Self {
        *self.shared.greeting.lock().unwrap() = steps;
        self
    }

    /// Says this over HTTP/2, which it then speaks in plaintext, too, where clients begin with it.
    #[must_use]
    pub fn settings(self, settings: Http2Settings) -> Self {
        *self.shared.settings.lock().unwrap() = Some(settings);
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Takes the requests recorded so far.
    #[must_use]
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.shared.received.lock().unwrap())
    }

    /// Waits until at least `count` requests are recorded (or `patience` is over) and takes them.
    #[must_use]
    pub fn take_at_least(&self, count: usize, patience: Duration) -> Vec<Received> {
        let start = Instant::now();
        while self.shared.received.lock().unwrap().len() < count && start.elapsed() < patience {
            thread::sleep(Duration::from_millis(2));
        }
        self.take()
    }

    /// All bytes received so far, one entry for each connection.
    #[must_use]
    pub fn tapes(&self) -> Vec<Vec<u8>> {
        self.shared.tapes.lock().unwrap().clone()
    }

    /// How many requests have begun that are not answered yet.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.shared.busy.load(Ordering::Acquire)
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Closes every open connection; the listener stays.
    pub fn drop_connections(&self) {
        self.shared.sockets.lock().unwrap().close_all();
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        self.drop_connections();
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for socket in listener.incoming() {
        if shared.stopped.load(Ordering::Relaxed) {
            return;
        }
        let Ok(socket) = socket else { continue };
        let _ = socket.set_nodelay(true);
        let number = shared.connections.fetch_add(1, Ordering::Relaxed);
        if let Ok(copy) = socket.try_clone() {
            shared.sockets.lock().unwrap().open.insert(number, copy);
        }
        shared.tapes.lock().unwrap().push(Vec::new());
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            let _ = receive(socket, number, &shared);
            shared.sockets.lock().unwrap().end(number);
        });
    }
}

/// What a client gets that speaks TLS where nobody does; Go's server says so, too.
const NO_TLS: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\r\nthis is no place for TLS";

/// Whether the client begins with a handshake of TLS.
fn speaks_tls(socket: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(socket.peek(&mut first)? == 1 && first == [22])
}

fn receive(mut socket: TcpStream, number: usize, shared: &Arc<Shared>) -> io::Result<()> {
    let greeting = shared.greeting.lock().unwrap().clone();
    for step in &greeting {
        match step {
            Step::Write(bytes) => socket.write_all(bytes)?,
            Step::Wait(time) => thread::sleep(*time),
            Step::Reset => {
                socket.reset();
                return Ok(());
            }
            _ => return Ok(()),
        }
    }
    let in_plaintext = shared.settings.lock().unwrap().is_some();
    if (shared.tls.is_some() || in_plaintext)
        && http2::is_asked_for(&socket, shared.tls.as_deref())?
    {
        return http2::serve(socket, number, shared);
    }
    match shared.tls.clone() {
        None if speaks_tls(&socket)? => socket.write_all(NO_TLS),
        None => serve(socket, number, shared),
        Some(config) => {
            let tls = ServerConnection::new(config).map_err(io::Error::other)?;
            serve(StreamOwned::new(tls, socket), number, shared)
        }
    }
}

/// A stream whose peer can be cut off hard.
trait Line: Read + Write {
    fn reset(&self);

    /// Says that nothing more is written, where there is a word for it.
    fn say_goodbye(&mut self) {}

    /// What was agreed on by TLS.
    fn agreed(&self) -> String {
        String::new()
    }
}

/// What was agreed on by TLS, as text.
fn agreed(connection: &ServerConnection) -> String {
    let version = connection.protocol_version().map(|version| format!("{version:?}"));
    let protocol = connection.alpn_protocol().map(crate::message::latin1);
    let certificates = connection.peer_certificates().map_or(0, <[_]>::len);
    format!(
        "{} {} {} {certificates}",
        version.unwrap_or_default(),
        protocol.unwrap_or_default(),
        connection.server_name().unwrap_or_default()
    )
}

impl Line for TcpStream {
    fn reset(&self) {
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

impl Line for StreamOwned<ServerConnection, TcpStream> {
    fn reset(&self) {
        self.sock.reset();
    }

    fn say_goodbye(&mut self) {
        self.conn.send_close_notify();
        let _ = self.flush();
    }

    fn agreed(&self) -> String {
        agreed(&self.conn)
    }
}

/// Copies what is read onto the backend's tape as it comes.
struct Taped<'shared, S> {
    stream: S,
    number: usize,
    shared: &'shared Shared,
}

impl<S: Read> Read for Taped<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        let mut tapes = self.shared.tapes.lock().unwrap();
        // Large uploads are counted by the records; a tape is for looking at heads.
        if tapes[self.number].len() < 1 << 20 {
            tapes[self.number].extend_from_slice(&buffer[..count]);
        }
        Ok(count)
    }
}

fn serve<S: Line>(stream: S, number: usize, shared: &Shared) -> io::Result<()> {
    let mut reader = Reader::new(Taped { stream, number, shared });
    while let Some(head) = reader.head()? {
        let _busy = Busy::new(&shared.busy);
        if let Some(steps) = (shared.early)(&head) {
            let tls = reader.stream.stream.agreed();
            let received = Received { connection: number, head, tls, ..Received::default() };
            shared.received.lock().unwrap().push(received);
            if !perform(&mut reader, &steps)? {
                return Ok(());
            }
            continue;
        }
        if head.headers.value("Expect").is_some() && !head.part(1).contains("no-continue") {
            reader.stream.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let mut body = Vec::new();
        let ended = reader.body_into(Framing::of_request(&head), &mut body);
        let complete = ended.is_ok();
        let trailers = ended.unwrap_or_default();
        let tls = reader.stream.stream.agreed();
        let received = Received { connection: number, head, body, trailers, complete, tls };
        shared.received.lock().unwrap().push(received.clone());
        if !complete || !perform(&mut reader, &(shared.script)(&received))? {
            return Ok(());
        }
    }
    Ok(())
}

/// A request that has begun and is not answered yet.
struct Busy<'shared>(&'shared AtomicUsize);

impl<'shared> Busy<'shared> {
    fn new(count: &'shared AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Carries out the steps; false when the connection is over.
fn perform<S: Line>(reader: &mut Reader<Taped<'_, S>>, steps: &[Step]) -> io::Result<bool> {
    for step in steps {
        match step {
            Step::Write(bytes) => {
                reader.stream.stream.write_all(bytes)?;
                reader.stream.stream.flush()?;
            }
            Step::Fill(count) => fill(&mut reader.stream.stream, *count)?,
            Step::Wait(time) => thread::sleep(*time),
            Step::Close | Step::GoAway(_) => {
                reader.stream.stream.say_goodbye();
                return Ok(false);
            }
            Step::Reset | Step::EndStream(_) => {
                reader.stream.stream.reset();
                return Ok(false);
            }
            Step::Mirror => {
                let early = reader.unread().to_vec();
                reader.stream.stream.write_all(&early)?;
                mirror(&mut reader.stream)?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn fill(stream: &mut impl Write, mut count: u64) -> io::Result<()> {
    let block = vec![b'x'; 64 * 1024];
    while count > 0 {
        let now = count.min(block.len() as u64);
        stream.write_all(&block[..now as usize])?;
        count -= now;
    }
    stream.flush()
}

fn mirror<S: Line>(stream: &mut Taped<'_, S>) -> io::Result<()> {
    let mut block = [0_u8; 16 * 1024];
    loop {
        let count = stream.read(&mut block)?;
        if count == 0 {
            return Ok(());
        }
        stream.stream.write_all(&block[..count])?;
        stream.stream.flush()?;
    }
}
