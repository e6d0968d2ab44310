//! Clients of HTTP/2 that ask for much and take nothing: within the write timeout they are given up, and what they held
//! is free again.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Step};
use portway_testkit::http2_server::{DATA, END, END_HEADERS, HEADERS, RESET, SETTINGS, frame};

use super::Site;

/// The write timeout.
const LIMIT: Duration = Duration::from_secs(1);
const FLAG: &str = "--entryPoints.web.transport.respondingTimeouts.writeTimeout=1s";

/// When what takes nothing must have ended: half as long again, and what a busy machine adds.
const LOST: std::ops::Range<Duration> = Duration::from_millis(950)..Duration::from_secs(5);

/// SETTINGS_INITIAL_WINDOW_SIZE.
const WINDOW: u16 = 4;

const MIB: u64 = 1 << 20;

/// Literals that no table keeps.
pub(super) fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

const GET: &[(&str, &str)] =
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];

/// A connection of which each stream has so much room, and the connection all that there is.
#[track_caller]
pub(super) fn connect(site: &Site, window: u32) -> TcpStream {
    let mut socket = TcpStream::connect(site.process.address("web")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    let setting = [&WINDOW.to_be_bytes()[..], &window.to_be_bytes()].concat();
    let more = (i32::MAX.cast_unsigned() - 65_535).to_be_bytes();
    let opening = [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        &frame(SETTINGS, 0, 0, &setting),
        &frame(8, 0, 0, &more),
    ];
    socket.write_all(&opening.concat()).unwrap();
    socket
}

pub(super) fn read_frame(socket: &mut TcpStream) -> io::Result<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    socket.read_exact(&mut head)?;
    let [a, b, c, kind, _, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    socket.read_exact(&mut payload)?;
    Ok((kind, u32::from_be_bytes(stream), payload))
}

/// Reads up to the reset of a stream; gives what of its body came before.
#[track_caller]
fn until_reset(socket: &mut TcpStream, of: u32) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        match read_frame(socket).expect("a reset") {
            (RESET, stream, _) if stream == of => return body,
            (DATA, stream, payload) if stream == of => body.extend(payload),
            _ => {}
        }
    }
}

/// Waits until the backend has nothing more to do with anybody.
#[track_caller]
fn wait_until_free(site: &Site) {
    let until = Instant::now() + Duration::from_secs(5);
    while site.backend.busy() > 0 {
        assert!(Instant::now() < until, "a server is held by a client that takes nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn large() -> Backend {
    Backend::scripted(|_| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 64 * MIB);
        vec![Step::Write(head.into()), Step::Fill(64 * MIB)]
    })
}

#[test]
fn responses_without_room_are_given_up() {
    let site = Site::start(large(), &[FLAG]);
    let mut socket = connect(&site, 10);
    let start = Instant::now();
    socket.write_all(&frame(HEADERS, END_HEADERS | END, 1, &fields(GET))).unwrap();
    assert_eq!(until_reset(&mut socket, 1), b"xxxxxxxxxx");
    assert!(LOST.contains(&start.elapsed()), "{:?}", start.elapsed());
    wait_until_free(&site);
    // The connection goes on.
    socket.write_all(&frame(HEADERS, END_HEADERS | END, 3, &fields(GET))).unwrap();
    assert_eq!(until_reset(&mut socket, 3).len(), 10);
}

/// Opens a WebSocket.
const TUNNEL: &[(&str, &str)] = &[
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "http"),
    (":path", "/tunnel"),
    (":authority", "a"),
    ("sec-websocket-version", "13"),
];

#[test]
fn tunnels_without_room_are_given_up() {
    let site = Site::start(Backend::start(), &[FLAG]);
    let mut socket = connect(&site, 3);
    let start = Instant::now();
    socket.write_all(&frame(HEADERS, END_HEADERS, 1, &fields(TUNNEL))).unwrap();
    // What is echoed finds no room.
    socket.write_all(&frame(DATA, 0, 1, b"hello")).unwrap();
    assert_eq!(until_reset(&mut socket, 1), b"hel");
    assert!(LOST.contains(&start.elapsed()), "{:?}", start.elapsed());
    wait_until_free(&site);
}

#[test]
fn tunnels_in_use_and_at_rest_outlive_the_write_timeout() {
    let site = Site::start(Backend::start(), &[FLAG]);
    let mut socket = connect(&site, 1000);
    socket.write_all(&frame(HEADERS, END_HEADERS, 1, &fields(TUNNEL))).unwrap();
    for _ in 0..3 {
        std::thread::sleep(2 * LIMIT);
        socket.write_all(&frame(DATA, 0, 1, b"hello")).unwrap();
        loop {
            match read_frame(&mut socket).expect("an echo") {
                (DATA, 1, payload) => break assert_eq!(payload, b"hello"),
                (RESET, ..) => panic!("it was given up"),
                _ => {}
            }
        }
    }
}

#[test]
fn connections_that_nobody_reads_are_cut_off() {
    let site = Site::start(large(), &[FLAG]);
    let mut sockets: Vec<_> = (0..4).map(|_| connect(&site, i32::MAX.cast_unsigned())).collect();
    for socket in &mut sockets {
        for stream in [1, 3, 5] {
            socket.write_all(&frame(HEADERS, END_HEADERS | END, stream, &fields(GET))).unwrap();
        }
    }
    assert!(!site.backend.take_at_least(12, Duration::from_secs(5)).is_empty());
    wait_until_free(&site);
    // Half as long again, and what is given to a client to hear of the end.
    std::thread::sleep(2 * LIMIT);
    for mut socket in sockets {
        let mut sink = vec![0; 1 << 20];
        let mut total = 0;
        let end = loop {
            match socket.read(&mut sink) {
                Ok(0) => break None,
                Ok(count) => total += count as u64,
                Err(error) => break Some(error.kind()),
            }
        };
        assert!(total < 64 * MIB, "{total} bytes waited");
        let closed = matches!(end, None | Some(ErrorKind::ConnectionReset));
        assert!(closed, "it goes on: {end:?}");
    }
}
