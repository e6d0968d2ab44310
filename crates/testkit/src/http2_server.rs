//! A server of HTTP/2 in plaintext that does with each frame what a test says: it may answer late, wrongly or never.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// DATA.
pub const DATA: u8 = 0;
/// HEADERS.
pub const HEADERS: u8 = 1;
/// RST_STREAM.
pub const RESET: u8 = 3;
/// SETTINGS.
pub const SETTINGS: u8 = 4;
/// PING.
pub const PING: u8 = 6;
/// GOAWAY.
pub const GOAWAY: u8 = 7;

/// END_STREAM of DATA and HEADERS, ACK of others.
pub const END: u8 = 1;
/// END_HEADERS.
pub const END_HEADERS: u8 = 4;

/// What clients begin with.
const PREFACE: usize = 24;

/// A frame that a client sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// On which connection, counted from 0.
    pub connection: usize,
    /// Its kind.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream.
    pub stream: u32,
    /// What it holds.
    pub payload: Vec<u8>,
}

impl fmt::Debug for Frame {
    /// Short, since failing tests show many.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, kind, flags, stream, payload } = self;
        let length = payload.len();
        write!(formatter, "{connection}: kind {kind} flags {flags} stream {stream} length {length}")
    }
}

impl Frame {
    /// The frame that says that it came: for SETTINGS and PING.
    #[must_use]
    pub fn acknowledged(&self) -> Vec<u8> {
        match self.kind {
            PING => frame(PING, END, 0, &self.payload),
            kind => frame(kind, END, 0, &[]),
        }
    }

    /// Whether somebody waits for [`Self::acknowledged`].
    #[must_use]
    pub fn asks(&self) -> bool {
        matches!(self.kind, SETTINGS | PING) && self.flags & END == 0
    }
}

/// The bytes of a frame.
#[must_use]
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `:status: 200`.
pub const OK: &[u8] = &[0x88];

/// A response of 200 whose body is `whole`.
#[must_use]
pub fn whole(stream: u32) -> Vec<u8> {
    [frame(HEADERS, END_HEADERS, stream, OK), frame(DATA, END, stream, b"whole")].concat()
}

/// A server that is stopped with the test's process.
#[derive(Debug)]
pub struct Http2Server {
    address: SocketAddr,
    frames: Arc<Mutex<Vec<Frame>>>,
}

impl Http2Server {
    /// Begins each connection with SETTINGS that hold `settings`, and answers each frame with the bytes that `script`
    /// gives.
    #[must_use]
    pub fn start(
        settings: &[u8],
        script: impl Fn(&Frame) -> Vec<u8> + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let frames = Arc::<Mutex<Vec<Frame>>>::default();
        let (greeting, kept) = (frame(SETTINGS, 0, 0, settings), Arc::clone(&frames));
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { return };
                let (greeting, kept, script) =
                    (greeting.clone(), Arc::clone(&kept), script.clone());
                // It ends when the client ends it.
                thread::spawn(move || serve(stream, connection, &greeting, &kept, script));
            }
        });
        Self { address, frames }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All frames that have come.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        locked(&self.frames).clone()
    }

    /// How many frames of a kind have come that were not answers to ours.
    #[must_use]
    pub fn count(&self, kind: u8) -> usize {
        let is_counted = |frame: &&Frame| {
            let answers = matches!(kind, SETTINGS | PING) && frame.flags & END != 0;
            frame.kind == kind && !answers
        };
        locked(&self.frames).iter().filter(is_counted).count()
    }

    /// Waits until `count` frames of a kind have come.
    ///
    /// # Panics
    /// When they do not come in time.
    #[track_caller]
    pub fn wait_for(&self, kind: u8, count: usize, patience: Duration) {
        let until = Instant::now() + patience;
        while self.count(kind) < count {
            assert!(Instant::now() < until, "{count} of kind {kind}: {:?}", self.frames());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn locked(frames: &Mutex<Vec<Frame>>) -> MutexGuard<'_, Vec<Frame>> {
    frames.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    mut stream: TcpStream,
    connection: usize,
    greeting: &[u8],
    frames: &Mutex<Vec<Frame>>,
    script: impl Fn(&Frame) -> Vec<u8>,
) -> io::Result<()> {
    stream.read_exact(&mut [0; PREFACE])?;
    stream.write_all(greeting)?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload)?;
        let frame = Frame { connection, kind, flags, stream: u32::from_be_bytes(id), payload };
        locked(frames).push(frame.clone());
        stream.write_all(&script(&frame))?;
    }
}
