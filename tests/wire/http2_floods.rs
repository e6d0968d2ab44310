//! Clients that mean harm over HTTP/2: they are cut off or cost little, memory stays small, and others are served.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Step};

use super::{Site, get};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How many frames are sent, and for how long at most.
const FRAMES: usize = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(8);

/// What a flood may make the process grow by.
const MOST_MEMORY: u64 = 48 << 20;

/// What it may make it log, in bytes.
const MOST_LOG: usize = 16 * 1024;

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
    /// How many connections it has ended, and after how many frames the first.
    ended: usize,
    first: Option<usize>,
}

/// Floods with what `next` gives for the frames of a connection, connection after connection where they are ended, while
/// another client is served.
#[track_caller]
fn flood(reads: bool, mut next: impl FnMut(usize) -> Vec<u8>) -> Outcome {
    let site = Site::start(Backend::start(), &["--log.level=INFO"]);
    let mut probe = site.client();
    assert_eq!(probe.ask(get("/probe")).unwrap().status, 200);
    let before = site.process.resident_bytes();
    let (start, mut most) = (Instant::now(), before);
    let mut outcome = Outcome { sent: 0, ended: 0, first: None };
    while outcome.sent < FRAMES && start.elapsed() < PATIENCE {
        let mut socket = connect(&site);
        let mut of_connection = 0;
        while outcome.sent < FRAMES && start.elapsed() < PATIENCE {
            let block: Vec<u8> = (0..1000).flat_map(|place| next(of_connection + place)).collect();
            of_connection += 1000;
            outcome.sent += 1000;
            let taken = pass(&mut socket, &block, reads);
            if outcome.sent.is_multiple_of(20_000) {
                most = most.max(site.process.resident_bytes());
                let answered = probe.ask(get("/probe")).map(|response| response.status);
                assert_eq!(answered.ok(), Some(200), "the probe: {outcome:?}");
            }
            match taken {
                Ok(true) => {}
                // It does not take more: that is a way to deal with a flood, too.
                Ok(false) => {
                    outcome.sent = FRAMES;
                    break;
                }
                Err(()) => {
                    outcome.ended += 1;
                    outcome.first.get_or_insert(of_connection);
                    break;
                }
            }
        }
    }
    most = most.max(site.process.resident_bytes());
    assert_eq!(probe.ask(get("/probe")).unwrap().status, 200);
    let grown = most.saturating_sub(before);
    assert!(grown < MOST_MEMORY, "{} MiB more: {outcome:?}", grown >> 20);
    let log = site.process.log();
    assert!(log.len() < MOST_LOG, "{outcome:?}: {}", &log[..MOST_LOG]);
    outcome
}

fn connect(site: &Site) -> TcpStream {
    let mut socket = TcpStream::connect(site.process.address("web")).unwrap();
    socket.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    socket.write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat()).unwrap();
    socket
}

/// Writes a block, and reads what has come; `false` when it is not taken, an error when the connection has ended.
fn pass(socket: &mut TcpStream, block: &[u8], reads: bool) -> Result<bool, ()> {
    let mut sink = [0; 65536];
    match socket.write_all(block) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
        Err(_) => return Err(()),
        Ok(()) if !reads => return Ok(true),
        Ok(()) => {}
    }
    match socket.read(&mut sink) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(()),
        Ok(0) => Err(()),
        _ => Ok(true),
    }
}

fn stream_of(number: usize) -> u32 {
    u32::try_from(number).unwrap() * 2 + 1
}

/// Floods that end each of their connections.
#[track_caller]
fn ends(next: impl FnMut(usize) -> Vec<u8>) {
    let outcome = flood(true, next);
    assert!(outcome.ended > 0 && outcome.sent >= 100_000, "{outcome:?}");
    assert!(outcome.first.is_some_and(|first| first <= 500_000), "{outcome:?}");
}

#[test]
fn streams_that_are_reset_at_once_end_the_connection() {
    ends(|number| {
        let stream = stream_of(number);
        [headers(stream, 0x5), frame(3, 0, stream, &[0, 0, 0, 8])].concat()
    });
}

#[test]
fn streams_that_must_be_reset_end_the_connection() {
    // An increment of nothing, one of too much, and data behind the end are errors of the stream.
    let provocations: [&dyn Fn(u32) -> Vec<u8>; 3] = [
        &|stream| frame(8, 0, stream, &[0; 4]),
        &|stream| frame(8, 0, stream, &i32::MAX.to_be_bytes()),
        &|stream| frame(0, 0, stream, b"x"),
    ];
    for provocation in provocations {
        ends(|number| {
            let stream = stream_of(number);
            [headers(stream, 0x5), provocation(stream)].concat()
        });
    }
}

#[test]
fn a_head_without_end_ends_the_connection() {
    ends(|number| match number {
        0 => headers(1, 0x1),
        _ => frame(9, 0, 1, &[0x40, 1, b'x', 1, b'y']),
    });
}

#[test]
fn a_head_that_unfolds_to_much_is_refused_in_little_memory() {
    // One field of 4,000 bytes is remembered and named 4,000 times in each head.
    let large = remembered();
    let outcome = flood(true, |number| {
        let fields = match number {
            0 => [FIELDS, &large].concat(),
            _ => [FIELDS, &[0xbe; 4000]].concat(),
        };
        frame(1, 0x5, stream_of(number), &fields)
    });
    assert!(outcome.sent >= 1000, "{outcome:?}");
}

/// A field of 4,000 bytes that the table remembers, so that each `0xbe` after it stands for it.
fn remembered() -> Vec<u8> {
    [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4000]].concat()
}

#[test]
fn trailers_that_unfold_to_much_cost_little_memory() {
    // On each connection 250 requests are begun, whose trailers stand for a megabyte each.
    let outcome = flood(true, |number| {
        let (stream, fields) = (stream_of(number / 2), [0xbe; 250]);
        match number % 2 {
            // The table keeps nothing of it.
            0 => frame(1, 0x4, stream, &[0x82, 0x86, 0x84, 0x01, 1, b'a']),
            _ if number == 1 => frame(1, 0x5, stream, &remembered()),
            _ => frame(1, 0x5, stream, &fields),
        }
    });
    assert!(outcome.sent >= 1000, "{outcome:?}");
}

#[test]
fn connections_at_rest_hold_nothing_of_what_they_were_sent() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let backend = Backend::scripted(|_| vec![Step::Write(answer.to_vec())]);
    let site = Site::start(backend, &["--log.level=INFO"]);
    let before = site.process.resident_bytes();
    let crumbs = [FIELDS, &[0x60, 0x7f, 0xa1, 0x1e], &[b'y'; 4000], &[0xbe; 240]].concat();
    let large = [FIELDS, &remembered(), &[0xbe; 4000]].concat();
    let mut at_rest = Vec::new();
    for _ in 0..60 {
        let mut socket = connect(&site);
        let requests = [
            headers(1, 0x4),
            frame(1, 0x5, 1, &[&remembered()[..], &[0xbe; 10]].concat()),
            frame(1, 0x5, 3, &large),
            frame(1, 0x5, 5, &crumbs),
            headers(7, 0x5),
        ];
        pass(&mut socket, &requests.concat(), true).unwrap();
        at_rest.push(socket);
    }
    // The allocator is made to give memory back every five seconds.
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(site.client().ask(get("/probe")).unwrap().status, 200);
        let grown = site.process.resident_bytes().saturating_sub(before);
        if grown < MOST_MEMORY {
            return;
        }
        assert!(Instant::now() < until, "{} MiB more", grown >> 20);
    }
}

#[test]
fn answers_that_nobody_reads_cost_little() {
    flood(false, |_| frame(6, 0, 0, &[0; 8]));
    flood(false, |_| frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]));
}

#[test]
fn frames_that_carry_nothing_end_the_connection() {
    ends(|_| frame(6, 0, 0, &[0; 8]));
    ends(|_| frame(4, 1, 0, &[]));
    ends(|number| match number {
        0 => headers(1, 0x4),
        _ => frame(0, 0, 1, &[]),
    });
    ends(|_| frame(8, 0, 0, &[0, 0, 0, 1]));
    ends(|number| frame(2, 0, stream_of(number), &[0, 0, 0, 0, 1]));
    ends(|number| frame(16, 0, 0, &stream_of(number).to_be_bytes()));
    ends(|_| frame(0x42, 0, 0, &[1, 2, 3]));
}

#[test]
fn blocks_for_a_stream_that_has_ended_end_the_connection() {
    ends(|number| match number {
        0 => headers(1, 0x4),
        _ => frame(1, 0x5, 1, &[0, 1, b'a', 1, b'b']),
    });
}

#[test]
fn windows_that_stay_closed_hold_little() {
    // No window, and answers of a few hundred bytes for each of many streams.
    flood(true, |number| match number {
        0 => frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]),
        _ => headers(stream_of(number), 0x5),
    });
}

#[test]
fn a_client_that_goes_leaves_nothing_behind_of_what_it_gave_no_room_for() {
    // The server takes its time, so that there is something to answer when the client has gone.
    let site = Site::start(Backend::start(), &["--log.level=INFO"]);
    let asked: Vec<u8> = (0..200)
        .flat_map(|number| {
            let path = [&[0x44, 5][..], b"/slow"].concat();
            frame(1, 0x5, stream_of(number), &[&FIELDS[..2], &path, &FIELDS[3..]].concat())
        })
        .collect();
    let mut after = Vec::new();
    for _ in 0..6 {
        for _ in 0..20 {
            let mut socket = connect(&site);
            socket.write_all(&frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])).unwrap();
            socket.write_all(&asked).unwrap();
            let _ = socket.read(&mut [0; 1024]);
        }
        std::thread::sleep(Duration::from_millis(800));
        after.push(site.process.resident_bytes());
    }
    // The first rounds fill what is kept for reuse.
    let grown = after[5].saturating_sub(after[2]);
    assert!(grown < 10 << 20, "{after:?}");
}
