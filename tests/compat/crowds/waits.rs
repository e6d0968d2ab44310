//! Clients of HTTP/2 that keep an entry point waiting, or wait for it: which frames they get, and when.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Received, Step, script};

use super::setup;
use crate::compat::pair::{Case, Pair, Side};

const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
"#;

/// Entry points; a time in their options is a second, and nothing else ends.
const DOORS: &[(&str, &[&str])] = &[
    ("reading", &["readTimeout=1s"]),
    ("idling", &["readTimeout=0", "idleTimeout=1s"]),
    ("either", &["readTimeout=1s", "idleTimeout=0"]),
    ("writing", &["writeTimeout=1s"]),
    ("patient", &["readTimeout=0", "idleTimeout=0"]),
];

/// How long anything is watched.
const WATCHED: Duration = Duration::from_millis(2600);

/// How a reset ends that blames nobody.
const NO_ERROR: &str = ": [0, 0, 0, 0]";

/// How often what differs is tried again.
const AGAIN: usize = 2;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// `:method: GET` or `POST`, `:scheme: http`, `:path: /`, `:authority: a`.
const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 0x01, b'a'];
const POST: &[u8] = &[0x83, 0x86, 0x84, 0x41, 0x01, b'a'];
/// With `/slow` for a path.
const SLOW: &[u8] = &[0x82, 0x86, 0x44, 0x05, b'/', b's', b'l', b'o', b'w', 0x41, 0x01, b'a'];

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A client: what it sends, and how long it waits before each.
type Script = Vec<(u64, Vec<u8>)>;

fn scripts() -> Vec<(&'static str, Script)> {
    let get = |stream| frame(1, END_STREAM | END_HEADERS, stream, GET);
    let slow = |stream| frame(1, END_STREAM | END_HEADERS, stream, SLOW);
    let post = |stream| frame(1, END_HEADERS, stream, POST);
    let begun = |more: Vec<u8>| vec![(0, [PREFACE, &more].concat())];
    let data = |flags, text: &[u8]| frame(0, flags, 1, text);
    vec![
        ("part of the preface", vec![(0, PREFACE[..10].to_vec())]),
        ("the preface without settings", vec![(0, PREFACE[..24].to_vec())]),
        ("the preface", begun(Vec::new())),
        ("half a frame", begun(get(1)[..7].to_vec())),
        ("half a head", begun(frame(1, END_STREAM, 1, GET))),
        ("a request", begun(get(1))),
        ("two requests", begun([get(1), get(3)].concat())),
        ("a request and half a frame", begun([get(1), get(3)[..12].to_vec()].concat())),
        ("a slow request", begun(slow(1))),
        ("a slow request and a quick one", begun([slow(1), get(3)].concat())),
        ("no body", begun(post(1))),
        ("part of a body", begun([post(1), data(0, b"part")].concat())),
        ("no body beside a request", begun([post(1), get(3)].concat())),
        (
            "a body in pieces",
            std::iter::once((0, [PREFACE, &post(1)].concat()))
                .chain((0..5).map(|_| (300, data(0, b"piece"))))
                .chain([(300, data(END_STREAM, b"end"))])
                .collect(),
        ),
        ("two requests with a rest between", vec![(0, [PREFACE, &get(1)].concat()), (600, get(3))]),
        (
            "three requests with rests between",
            vec![(0, [PREFACE, &get(1)].concat()), (700, get(3)), (700, get(5))],
        ),
        (
            "pings",
            std::iter::once((0, PREFACE.to_vec()))
                .chain((0..5).map(|_| (300, frame(6, 0, 0, b"12345678"))))
                .collect(),
        ),
    ]
}

/// Late by more or less, or piece by piece.
fn answer(received: &Received) -> Vec<Step> {
    let piece = |text: &str| Step::Write(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes());
    let whole = script::write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let chunked = script::write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    match received.path() {
        "/slow" => [vec![Step::Wait(Duration::from_millis(1900))], whole].concat(),
        "/late" => [vec![Step::Wait(Duration::from_millis(1200))], whole].concat(),
        "/pieces" => {
            let rest = Step::Wait(Duration::from_millis(700));
            let pieces = vec![piece("one"), rest.clone(), piece("two"), rest, piece("three")];
            [chunked, pieces, script::write("0\r\n\r\n")].concat()
        }
        _ => whole,
    }
}

fn start() -> Option<Pair> {
    let times = |options: &[&str]| {
        let option = |option: &&str| format!("transport.respondingTimeouts.{option}");
        options.iter().map(option).collect::<Vec<_>>()
    };
    let doors: Vec<_> = DOORS.iter().map(|(name, options)| (*name, times(options))).collect();
    Pair::start_with(&setup(DYNAMIC, &doors), || vec![Backend::scripted(answer)])
}

#[test]
fn who_waits_over_http2_is_told_as_by_traefik() {
    let Some(mut pair) = start() else { return };
    let scripts = scripts();
    let cases: Vec<_> = DOORS
        .iter()
        .flat_map(|(door, _)| scripts.iter().map(move |(name, script)| (*door, *name, script)))
        .collect();
    let texts: Vec<[String; 2]> = std::thread::scope(|scope| {
        let sides = pair.sides.each_ref();
        let running: Vec<_> = cases
            .iter()
            .map(|(door, _, script)| {
                sides.map(|side| scope.spawn(move || seen(side, door, script)))
            })
            .collect();
        running.into_iter().map(|both| both.map(|one| one.join().expect("what was seen"))).collect()
    });
    for ((door, name, script), mut texts) in cases.iter().zip(texts) {
        // All at once they may come too late on a busy machine.
        for _ in 0..AGAIN {
            if texts[0] != texts[1] {
                texts = pair.sides.each_ref().map(|side| seen(side, door, script));
            }
        }
        pair.compare_texts(&format!("{door}, {name}"), texts);
    }
    pair.finish();
}

#[test]
fn answers_that_come_late_are_cut_off_as_by_traefik() {
    let Some(mut pair) = start() else { return };
    for (door, target) in [("writing", "/late"), ("writing", "/pieces"), ("patient", "/pieces")] {
        let case = Case::get("a", target, "").at(door);
        pair.compare(&case.clone().watched());
        pair.compare(&case.over_http2().without_framing());
    }
    pair.compare(&Case::request("POST", "a", "/late", "", "body").at("writing").watched());
    pair.finish();
}

/// The frames that come, each kind and stream once for each time.
fn seen(side: &Side, door: &str, script: &Script) -> String {
    let mut socket = TcpStream::connect(side.process.address(door)).expect("a connection");
    socket.set_nodelay(true).expect("a socket");
    let mut sender = socket.try_clone().expect("a socket");
    let start = Instant::now();
    let mut lines: Vec<String> = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for (wait, bytes) in script {
                std::thread::sleep(Duration::from_millis(*wait));
                if sender.write_all(bytes).is_err() {
                    return;
                }
            }
        });
        loop {
            let left = WATCHED.saturating_sub(start.elapsed());
            if left.is_zero() {
                lines.push("open".to_owned());
                return;
            }
            socket.set_read_timeout(Some(left)).expect("a timeout");
            match next_frame(&mut socket) {
                Ok(frame) => {
                    // That no more of a request is wanted is said later than in Traefik (difference 72).
                    let is_late = |frame: &String| frame.ends_with(NO_ERROR);
                    let line = frame.map(|frame| match is_late(&frame) {
                        true => frame,
                        false => format!("{frame} {}", when(start)),
                    });
                    lines.extend(line.filter(|line| lines.last() != Some(line)));
                }
                Err(error) if is_silence(&error) => {}
                Err(_) => {
                    lines.push(format!("closed {}", when(start)));
                    return;
                }
            }
        }
    });
    // Frames of several streams have no order, and how long one waits for a client to hear of the end is its own.
    let end = lines.pop().unwrap_or_default();
    lines.sort();
    if !lines.iter().any(|line| line.starts_with("GOAWAY")) {
        lines.push(end);
    }
    lines.join("\n") + "\n"
}

fn is_silence(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

fn when(start: Instant) -> &'static str {
    match start.elapsed().as_millis() {
        0..500 => "at once",
        500..1000 => "soon",
        1000..1400 => "after a second",
        1400..1850 => "after the second piece",
        _ => "late",
    }
}

/// What the next frame is; `None` for one that says nothing of streams or of the end.
fn next_frame(socket: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut head = [0; 9];
    socket.read_exact(&mut head)?;
    let mut payload = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
    socket.read_exact(&mut payload)?;
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    let code = |at: usize| payload.get(at..at + 4).map(<[u8]>::to_vec).unwrap_or_default();
    Ok(match head[3] {
        0 => Some(format!("DATA of {stream}")),
        1 => Some(format!("{} of {stream}", status(&payload))),
        // To what came after the end.
        3 if code(0) == [0, 0, 0, 5] => None,
        3 => Some(format!("RST_STREAM of {stream}: {:?}", code(0))),
        7 => Some(format!("GOAWAY: {:?}", code(4))),
        _ => None,
    })
}

/// The status, with which each block of fields begins (RFC 7541 §6, appendices A and B).
fn status(block: &[u8]) -> String {
    const KNOWN: [&str; 7] = ["200", "204", "206", "304", "400", "404", "500"];
    let [first, rest @ ..] = block else { return String::new() };
    if first & 0x80 != 0 {
        let known = usize::from(first & 0x7f).checked_sub(8).and_then(|place| KNOWN.get(place));
        return known.copied().unwrap_or("no status").to_owned();
    }
    let [length, text @ ..] = rest else { return String::new() };
    let text = &text[..usize::from(length & 0x7f).min(text.len())];
    if length & 0x80 == 0 {
        return portway_testkit::message::latin1(text);
    }
    let bits = text.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let (mut left, mut digits) = (8 * text.len(), String::new());
    for _ in 0..3 {
        // Digits up to 2 have five bits, the others six.
        let (short, long) =
            (bits >> left.saturating_sub(5) & 0x1f, bits >> left.saturating_sub(6) & 0x3f);
        let digit = if short <= 2 { short } else { long.saturating_sub(0x16) };
        left = left.saturating_sub(if short <= 2 { 5 } else { 6 });
        digits.push_str(&digit.to_string());
    }
    digits
}
