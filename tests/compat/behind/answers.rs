//! What servers answer, made at random from a number that the request carries: both routers' servers answer alike.

use std::time::Duration;

use portway_testkit::backend::{Received, Step};
use portway_testkit::message::{Head, Headers};
use portway_testkit::random::Random;

mod parts;

use self::parts::{FIELDS, INTERIM, STATUSES, TRAILERS, WRONG};

/// The field of a request that says which answer it gets.
pub(super) const FIELD: &str = "X-Seed";

/// A pause that is long enough for what was written before to be sent alone.
const PAUSE: Step = Step::Wait(Duration::from_millis(8));

/// How many bytes of each write a message shows.
const SHOWN: usize = 400;

/// What an answer may have.
#[derive(Clone, Copy, Debug)]
struct Temper {
    /// Whatever comes; otherwise it is whole and follows the rules.
    wild: bool,
    /// Interim responses in front.
    interim: bool,
    /// Bodies whose length nobody says.
    open: bool,
}

/// The answer to a request; none says which means a short one.
pub(super) fn answer(received: &Received) -> Vec<Step> {
    let Some((mut random, temper)) = seeded(&received.head) else {
        return write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec());
    };
    make(&mut random, temper, received.head.part(0))
}

/// The answer of one who does not wait for the body.
pub(super) fn early(head: &Head) -> Option<Vec<Step>> {
    let (mut random, temper) = seeded(head)?;
    let hasty = head.headers.value("X-Hasty").is_some();
    hasty.then(|| {
        let mut steps = make(&mut random, temper, head.part(0));
        steps.extend([Step::Wait(Duration::from_millis(30)), Step::Close]);
        steps
    })
}

/// The answer that a number stands for, as a message shows it.
pub(super) fn told(number: &str, method: &str) -> String {
    let field = (FIELD.to_owned(), number.to_owned());
    let head = Head { line: method.to_owned(), headers: Headers(vec![field]) };
    let Some((mut random, temper)) = seeded(&head) else { return String::new() };
    let steps = make(&mut random, temper, method);
    let tell = |step: &Step| match step {
        Step::Write(bytes) => {
            let shown = bytes.len().min(SHOWN);
            format!("{:?} of {}", bytes[..shown].escape_ascii().to_string(), bytes.len())
        }
        step => format!("{step:?}"),
    };
    steps.iter().map(tell).collect::<Vec<_>>().join(", ")
}

fn seeded(head: &Head) -> Option<(Random, Temper)> {
    let text = head.headers.value(FIELD)?;
    let number = text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
    let has = |letter| text.contains(letter);
    let temper = Temper { wild: has('w'), interim: !has('f'), open: !has('l') };
    Some((Random::new(number.parse().ok()?), temper))
}

fn write(bytes: Vec<u8>) -> Vec<Step> {
    vec![Step::Write(bytes)]
}

/// An answer as it is written.
fn make(random: &mut Random, temper: Temper, method: &str) -> Vec<Step> {
    let wild = temper.wild;
    if wild && random.once_in(6) {
        return broken(random);
    }
    let mut steps = Vec::new();
    let interim = random.once_in(5) && temper.interim && !wild;
    if interim {
        for _ in 0..1 + random.below(3) {
            let head = *random.pick(INTERIM);
            steps.extend(write(latin1(head)));
            if random.once_in(3) {
                steps.push(PAUSE);
            }
        }
    }
    let (head, body, until_close) = message(random, temper, method, interim);
    let mut bytes = head;
    if random.once_in(4) {
        if random.once_in(2) {
            let middle = random.below(bytes.len());
            steps.extend([Step::Write(bytes[..middle].to_vec()), PAUSE]);
            bytes.drain(..middle);
        }
        steps.extend([Step::Write(std::mem::take(&mut bytes)), PAUSE]);
    }
    bytes.extend_from_slice(&body);
    if wild && random.once_in(8) && !bytes.is_empty() {
        bytes.truncate(random.below(bytes.len()));
        steps.push(Step::Write(bytes));
        steps.push(if random.once_in(2) { Step::Close } else { Step::Reset });
        return steps;
    }
    steps.push(Step::Write(bytes));
    if until_close {
        steps.push(Step::Close);
    }
    steps
}

/// Head, body, and whether the end of the connection ends it.
fn message(
    random: &mut Random,
    temper: Temper,
    method: &str,
    interim: bool,
) -> (Vec<u8>, Vec<u8>, bool) {
    let wild = temper.wild;
    let version = match random.below(if wild { 16 } else { 14 }) {
        0 => "HTTP/1.0",
        14 => *random.pick(&["HTTP/1.2", "http/1.1", "HTTP/11", "ICY"]),
        _ => "HTTP/1.1",
    };
    let mut status = *random.pick(STATUSES);
    if wild && random.once_in(12) {
        status = *random.pick(&["20 x", "2000 x", "abc", "", "101 Switching"]);
    }
    let mut length = *random.pick(&[0, 0, 1, 5, 5, 300, 3000, 70_000]);
    let kind = match random.below(if wild { 9 } else { 6 }) {
        3..6 if !temper.open => 0,
        6 if version == "HTTP/1.0" => 0,
        kind => kind,
    };
    if (3..6).contains(&kind) {
        // Whether the end of an empty body comes with the head is left to chance.
        length = length.max(1);
    }
    let text: Vec<u8> = (0..length).map(|index: usize| b"body \n<x>"[index % 9]).collect();
    let mut fields: Vec<String> =
        (0..random.below(6)).map(|_| (*random.pick(FIELDS)).to_owned()).collect();
    if interim && !fields.iter().any(|field| field.to_lowercase().starts_with("content-type: ")) {
        // Otherwise Go looks for one after an interim response (41).
        fields.push("Content-Type: text/plain".to_owned());
    }
    if random.once_in(30) {
        fields.push(format!("X-Long: {}", "x".repeat(*random.pick(&[5000, 20_000, 200_000]))));
    }
    if wild && random.once_in(8) {
        fields.push((*random.pick(WRONG)).to_owned());
    }
    if interim && (status.starts_with("204") || status.starts_with("304")) {
        status = "200 OK";
    }
    let bare = status.starts_with("204") || status.starts_with("304");
    let nothing = bare || method == "HEAD";
    let trailers = *random.pick(TRAILERS);
    let (framing, mut body, mut until_close) = match kind {
        0..=2 => (format!("Content-Length: {length}"), text, false),
        3 | 4 if version == "HTTP/1.0" => (String::new(), text, true),
        3 => ("Transfer-Encoding: chunked".to_owned(), chunks(random, &text, trailers), false),
        4 if !nothing => {
            let framing = "Trailer: X-Sum\r\nTransfer-Encoding: chunked".to_owned();
            (framing, chunks(random, &text, trailers), false)
        }
        5 => (String::new(), text, true),
        6 => misframed(random, text),
        7 => (format!("Content-Length: {}", length + 3), text, true),
        _ => (format!("Content-Length: {}", length / 2), text, false),
    };
    if nothing && !(wild && random.once_in(3)) {
        body.clear();
        until_close = false;
    }
    if !framing.is_empty() && !bare {
        fields.insert(random.below(fields.len() + 1), framing);
    }
    let mut head = format!("{version} {status}\r\n");
    for field in fields {
        head.push_str(&field);
        head.push_str(if wild && random.once_in(60) { "\n" } else { "\r\n" });
    }
    head.push_str("\r\n");
    (latin1(&head), body, until_close)
}

fn chunks(random: &mut Random, text: &[u8], trailers: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (first, rest) = text.split_at(if text.len() > 1 { random.below(text.len()) } else { 0 });
    for part in [first, rest] {
        if !part.is_empty() {
            let extension = *random.pick(&["", "", "", ";a=b", "; x"]);
            bytes.extend(format!("{:x}{extension}\r\n", part.len()).bytes());
            bytes.extend_from_slice(part);
            bytes.extend(b"\r\n");
        }
    }
    bytes.extend(format!("0\r\n{trailers}\r\n").bytes());
    bytes
}

/// A body whose end is said in an odd way.
fn misframed(random: &mut Random, text: Vec<u8>) -> (String, Vec<u8>, bool) {
    let length = text.len();
    let chunked = chunks(random, &text, "");
    let odd: [(String, &Vec<u8>, bool); 14] = [
        (format!("Content-Length: {length}\r\nContent-Length: {length}"), &text, false),
        (format!("Content-Length: {length}, {length}"), &text, false),
        (format!("Content-Length: {length}\r\nContent-Length: 1"), &text, true),
        (format!("Content-Length: +{length}"), &text, true),
        ("Content-Length: -1".to_owned(), &text, true),
        ("Content-Length: 99999999999999999999".to_owned(), &text, true),
        (format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"), &chunked, false),
        ("Transfer-Encoding: Chunked".to_owned(), &chunked, false),
        ("Transfer-Encoding: gzip, chunked".to_owned(), &chunked, false),
        ("Transfer-Encoding: identity".to_owned(), &text, true),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked".to_owned(), &chunked, false),
        ("Transfer-Encoding: chunked, identity".to_owned(), &chunked, true),
        ("Transfer-Encoding:".to_owned(), &text, true),
        ("Transfer-Encoding: chunked".to_owned(), &text, true),
    ];
    let (framing, body, until_close) = random.pick(&odd);
    (framing.clone(), (*body).clone(), *until_close)
}

/// What is hardly an answer.
fn broken(random: &mut Random) -> Vec<Step> {
    let end = match random.below(5) {
        0 => Step::Reset,
        1 => Step::EndStream(*random.pick(&[0, 2, 5, 8, 11, 13])),
        2 => Step::GoAway(*random.pick(&[0, 1, 2, 11])),
        _ => Step::Close,
    };
    let whole: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let bytes: &[u8] = match random.below(11) {
        0 => b"",
        1 => b"nonsense\r\n\r\n",
        2 => b"HTTP/1.1 200 OK\r\nContent-Le",
        3 => b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf",
        4 => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        5 => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        6 => b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        7 => {
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        }
        8 => b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n",
        9 => b"\x15\x03\x01\0\x02\x02\x28",
        _ => {
            // Twice, or with something behind.
            let more = *random.pick(&[whole, b"extra", b"\r\n"]);
            return write([whole, more].concat());
        }
    };
    vec![Step::Write(bytes.to_vec()), end]
}

/// Bytes of characters.
pub(super) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| character as u8).collect()
}
