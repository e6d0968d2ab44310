//! Servers that mean harm over HTTP/2: they are cut off, memory stays small, and clients of others are served.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::http2_server::{END_HEADERS, HEADERS, SETTINGS, frame};
use portway_testkit::process::Setup;

use super::{Site, get};

/// How many frames are sent, and for how long at most.
const FRAMES: usize = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(8);

/// What a flood may make the process grow by.
const MOST_MEMORY: u64 = 64 << 20;

/// What it may make it log, in bytes.
const MOST_LOG: usize = 16 * 1024;

const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s, entryPoints: [web]}
    evil: {rule: "Path(`/evil`)", priority: 1000, service: evil, entryPoints: [web]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
    evil: {loadBalancer: {servers: [{url: "h2c://@@evil@@"}]}}
"#;

/// `:status: 103`, and `:status: 200`.
const HINTS: &[u8] = &[0x08, 3, b'1', b'0', b'3'];
const FINE: &[u8] = &[0x88];

/// A server that answers the first request of each connection with a flood, until all have got so many frames.
struct Evil {
    address: SocketAddr,
    sent: Arc<AtomicUsize>,
}

impl Evil {
    /// The flood of a connection begins with `first`, and goes on with what `next` gives for a number.
    fn start(first: Vec<u8>, next: impl Fn(usize) -> Vec<u8> + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sent = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&sent);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (first, next, counted) = (first.clone(), next.clone(), Arc::clone(&counted));
                // It ends with the connection.
                thread::spawn(move || flood(stream.unwrap(), &first, next, &counted));
            }
        });
        Self { address, sent }
    }
}

fn flood(
    mut socket: TcpStream,
    first: &[u8],
    next: impl Fn(usize) -> Vec<u8>,
    counted: &AtomicUsize,
) {
    socket.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let acknowledgement = frame(SETTINGS, 1, 0, &[]);
    let greeting = [frame(SETTINGS, 0, 0, &[]), acknowledgement, first.to_vec()].concat();
    let mut sink = [0; 65536];
    // The preface and the request come at once.
    if !socket.read(&mut sink).is_ok_and(|count| count > 0) || socket.write_all(&greeting).is_err()
    {
        return;
    }
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let mut number = 0;
    while counted.fetch_add(500, Relaxed) < FRAMES {
        let block: Vec<u8> = (number..number + 500).flat_map(&next).collect();
        number += 500;
        if socket.write_all(&block).is_err() {
            return;
        }
        match socket.read(&mut sink) {
            Ok(0) => return,
            Err(error) if error.kind() != ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}

/// Asks such a server until the flood is over, while other clients are served.
#[track_caller]
fn survives(first: Vec<u8>, next: impl Fn(usize) -> Vec<u8> + Clone + Send + 'static) {
    let evil = Evil::start(first, next);
    let setup = Setup::web(&DYNAMIC.replace("@@evil@@", &evil.address.to_string()));
    let site = Site::with(Backend::start(), &setup, &["--log.level=INFO"]);
    let mut probe = site.client();
    assert_eq!(probe.ask(get("/probe")).unwrap().status, 200);
    let before = site.process.resident_bytes();
    let (start, mut most, mut asked) = (Instant::now(), before, 0);
    while evil.sent.load(Relaxed) < FRAMES && start.elapsed() < PATIENCE {
        let mut socket = TcpStream::connect(site.process.address("web")).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        socket.write_all(get("/evil").as_bytes()).unwrap();
        asked += 1;
        let mut sink = [0; 65536];
        let waited = Instant::now();
        while waited.elapsed() < Duration::from_secs(1) && evil.sent.load(Relaxed) < FRAMES {
            most = most.max(site.process.resident_bytes());
            let answered = probe.ask(get("/probe")).map(|response| response.status);
            assert_eq!(answered.ok(), Some(200), "the probe after {asked} requests");
            match socket.read(&mut sink) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(count) if count == sink.len() => {}
                // It was answered, one way or another.
                _ => break,
            }
        }
    }
    assert_eq!(probe.ask(get("/probe")).unwrap().status, 200);
    let (sent, grown) = (evil.sent.load(Relaxed), most.saturating_sub(before));
    assert!(sent >= 5_000, "{sent} frames in {asked} requests");
    assert!(grown < MOST_MEMORY, "{} MiB more: {sent} frames, {asked} requests", grown >> 20);
    let log = site.process.log();
    assert!(log.len() < MOST_LOG, "{asked} requests: {}", &log[..MOST_LOG]);
}

#[test]
fn frames_that_carry_nothing() {
    survives(vec![], |_| frame(6, 0, 0, &[0; 8]));
    survives(vec![], |_| frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]));
    survives(vec![], |_| frame(8, 0, 0, &[0, 0, 0, 1]));
    survives(frame(HEADERS, END_HEADERS, 1, FINE), |_| frame(0, 0, 1, &[]));
    survives(vec![], |_| frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]));
}

#[test]
fn frames_that_servers_must_not_send() {
    survives(vec![], |_| frame(5, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]));
    survives(vec![], |_| frame(3, 0, 1, &[0, 0, 0, 8]));
    survives(vec![], |_| frame(HEADERS, END_HEADERS, 3, FINE));
    survives(frame(HEADERS, END_HEADERS, 1, FINE), |_| frame(HEADERS, END_HEADERS, 1, FINE));
}

#[test]
fn interim_responses_without_end() {
    survives(vec![], |_| frame(HEADERS, END_HEADERS, 1, HINTS));
}

#[test]
fn interim_responses_that_unfold_to_much() {
    // One field of 4,000 bytes is remembered, and named 250 times in each.
    let large = [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4000]].concat();
    let first = frame(HEADERS, END_HEADERS, 1, &[HINTS, &large].concat());
    survives(first, |_| frame(HEADERS, END_HEADERS, 1, &[HINTS, &[0xbe; 250]].concat()));
}

#[test]
fn heads_without_end() {
    survives(frame(HEADERS, 0, 1, FINE), |_| frame(9, 0, 1, &[]));
    let large = [&[0, 1, b'x', 0x7f, 0x81, 0x7c][..], &[b'y'; 16_000]].concat();
    survives(frame(HEADERS, 0, 1, FINE), move |_| frame(9, 0, 1, &large));
}
