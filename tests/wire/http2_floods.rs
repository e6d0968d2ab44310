//! Clients that mean harm over HTTP/2: they are cut off or cost little, memory stays small, and others are served.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;

use super::{Site, get};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How many frames are sent at most, and for how long.
const FRAMES: usize = 300_000;
const PATIENCE: Duration = Duration::from_secs(8);

/// What a flood may make the process grow by.
const MOST_MEMORY: u64 = 48 << 20;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a`.
const FIELDS: &[u8] = &[0x82, 0x86, 0x84, 0x41, 0x01, b'a'];

fn headers(stream: u32, flags: u8) -> Vec<u8> {
    frame(1, flags, stream, FIELDS)
}

/// How the server has dealt with a flood.
#[derive(Debug)]
struct Outcome {
    sent: usize,
    cut_off: bool,
    grown: u64,
}

/// Floods a connection with what `next` gives, frame after frame, while another client is served.
#[track_caller]
fn flood(reads: bool, mut next: impl FnMut(usize) -> Vec<u8>) -> Outcome {
    let site = Site::start(Backend::start(), &[]);
    let mut probe = site.client();
    assert_eq!(probe.ask(get("/probe")).unwrap().status, 200);
    let before = site.process.resident_bytes();
    let mut socket = TcpStream::connect(site.process.address("web")).unwrap();
    socket.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    socket.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).unwrap();
    let (start, mut sent, mut cut_off, mut most) = (Instant::now(), 0, false, before);
    let mut sink = [0; 65536];
    while sent < FRAMES && start.elapsed() < PATIENCE && !cut_off {
        let mut block = Vec::new();
        for _ in 0..500 {
            block.extend(next(sent));
            sent += 1;
        }
        match socket.write_all(&block) {
            Ok(()) => {}
            // It does not take more: that is a way to deal with a flood, too.
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => cut_off = true,
        }
        if reads {
            match socket.read(&mut sink) {
                Ok(0) => cut_off = true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => cut_off = true,
            }
        }
        if sent.is_multiple_of(10_000) {
            most = most.max(site.process.resident_bytes());
            let answered = probe.ask(get("/probe")).map(|response| response.status);
            assert_eq!(answered.ok(), Some(200), "the probe after {sent} frames");
        }
    }
    most = most.max(site.process.resident_bytes());
    assert_eq!(probe.ask(get("/probe")).unwrap().status, 200);
    let grown = most.saturating_sub(before);
    assert!(grown < MOST_MEMORY, "{} MiB more after {sent} frames", grown >> 20);
    Outcome { sent, cut_off, grown }
}

fn stream_of(number: usize) -> u32 {
    u32::try_from(number).unwrap() * 2 + 1
}

#[test]
fn streams_that_are_reset_at_once_end_the_connection() {
    let reset = frame(3, 0, 0, &8_u32.to_be_bytes());
    let outcome = flood(true, |number| {
        let stream = stream_of(number);
        let mut reset = reset.clone();
        reset[5..9].copy_from_slice(&stream.to_be_bytes());
        [headers(stream, 0x5), reset].concat()
    });
    assert!(outcome.cut_off && outcome.sent < 100_000, "{outcome:?}");
}

#[test]
fn streams_that_must_be_reset_end_the_connection() {
    let outcome = flood(true, |number| {
        let stream = stream_of(number);
        // An increment of nothing is an error of the stream.
        [headers(stream, 0x5), frame(8, 0, stream, &[0; 4])].concat()
    });
    assert!(outcome.cut_off && outcome.sent < 100_000, "{outcome:?}");
}

#[test]
fn a_head_without_end_ends_the_connection() {
    let outcome = flood(true, |number| match number {
        0 => headers(1, 0x1),
        _ => frame(9, 0, 1, &[0x40, 1, b'x', 1, b'y']),
    });
    assert!(outcome.cut_off, "{outcome:?}");
}

#[test]
fn a_head_that_unfolds_to_much_is_refused_in_little_memory() {
    // One field of 4,000 bytes is remembered and named 4,000 times in each head.
    let large = [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4000]].concat();
    let outcome = flood(true, |number| {
        let fields = match number {
            0 => [FIELDS, &large].concat(),
            _ => [FIELDS, &[0xbe; 4000]].concat(),
        };
        frame(1, 0x5, stream_of(number), &fields)
    });
    assert!(outcome.sent >= 500, "{outcome:?}");
}

#[test]
fn pings_that_nobody_reads_the_answers_of_cost_little() {
    flood(false, |_| frame(6, 0, 0, &[0; 8]));
}

#[test]
fn settings_that_nobody_reads_the_answers_of_cost_little() {
    flood(false, |_| frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]));
}

#[test]
fn empty_frames_of_all_kinds_cost_little() {
    flood(true, |number| match number {
        0 => headers(1, 0x4),
        _ => frame(0, 0, 1, &[]),
    });
    flood(true, |_| frame(8, 0, 0, &[0, 0, 0, 1]));
    flood(true, |number| frame(2, 0, stream_of(number), &[0, 0, 0, 0, 1]));
    flood(true, |_| frame(0x42, 0, 0, &[1, 2, 3]));
}

#[test]
fn windows_that_stay_closed_hold_little() {
    // No window, and answers of a few hundred bytes for each of many streams.
    let outcome = flood(true, |number| match number {
        0 => frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]),
        _ => headers(stream_of(number), 0x5),
    });
    assert!(outcome.grown < MOST_MEMORY, "{outcome:?}");
}
