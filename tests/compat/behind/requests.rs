//! Requests of all kinds.

use std::time::Duration;

use portway_testkit::random::Random;

use super::super::differences::Difference;
use super::super::pair::Case;
use super::answers::{self, FIELD, latin1};
use super::world::{SERVICES, World};

const METHODS: &[&str] = &[
    "GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "FOO",
    "TRACE",
];
const TARGETS: &[&str] =
    &["/", "/x", "/x/y?z=1", "/a%2Fb", "/x?", "/x?a;b=%zz", "//x", "/x/../y", "/é"];
const FIELDS: &[&str] = &[
    "TE: trailers\r\n",
    "TE: gzip\r\n",
    "Accept-Encoding: gzip\r\n",
    "Accept-Encoding: identity\r\n",
    "Connection: X-One\r\nX-One: 1\r\n",
    "X-One: 1\r\nX-One: 2\r\n",
    "Cookie: kept=x\r\n",
    "Cookie: a=1\r\nCookie: b=2\r\n",
    "Keep-Alive: 1\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n",
    "User-Agent: agent\r\n",
    "User-Agent:\r\n",
    "X-Odd: \u{e9}\r\n",
    "Range: bytes=0-1\r\n",
    "If-None-Match: \"x\"\r\n",
    "Content-Type: application/grpc\r\nTE: trailers\r\n",
    "Proxy-Connection: keep-alive\r\n",
    "X-Hasty: 1\r\n",
];

/// Bodies that are longer are not waited for by whoever does not want them.
const LONG: usize = 10_000;

/// How long copies may take to come.
const SETTLES: Duration = Duration::from_millis(60);

/// A request, with one answer in `wild` wild.
pub(super) fn request(random: &mut Random, world: &World, wild: usize) -> Case<'static> {
    let service = random.below(SERVICES);
    let host = format!("r{service}.test");
    let method = *random.pick(METHODS);
    let target = *random.pick(TARGETS);
    let mut fields: String = (0..random.below(3)).map(|_| *random.pick(FIELDS)).collect();
    let told = &world.told[service];
    let mut temper = String::new();
    if told.contains("failover") {
        // Traefik loses trailers there (52), and errors whose length is not known (42).
        temper.push('l');
    } else if random.once_in(wild) {
        temper.push('w');
    }
    if told.contains("sticky") {
        // Behind an interim response the final one sets no cookie (41).
        temper.push('f');
    }
    let answer = format!("{temper}{}", random.below(1_000_000));
    fields.push_str(&format!("{FIELD}: {answer}\r\n"));
    let http2 = random.once_in(4)
        && !fields.contains("Connection")
        && !fields.contains("Keep-Alive")
        && !fields.contains("TE: gzip")
        && fields.matches("TE:").count() < 2
        && !fields.contains("grpc")
        && target != "/é";
    let length = match random.below(8) {
        0 => 5,
        1 => 1000,
        // Mirrors get what the service that answers has taken (44), and byte by byte it would take longer than anybody
        // waits.
        2 if !told.contains("mirroring") && !is_slow(told) => 100_000,
        _ => 0,
    };
    let body = "request!".repeat(length / 8 + 1)[..length].to_owned();
    let mut case = if length > 0 && !http2 && random.once_in(2) {
        let (first, rest) = body.split_at(random.below(length));
        let mut framed = String::new();
        for part in [first, rest] {
            if !part.is_empty() {
                framed.push_str(&format!("{:x}\r\n{part}\r\n", part.len()));
            }
        }
        let trailers = if length > LONG { "" } else { *random.pick(&["", "", "X-Sum: 1\r\n"]) };
        let announced = if trailers.is_empty() { "" } else { "Trailer: X-Sum\r\n" };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{announced}Transfer-Encoding: chunked\r\n\r\n"
        );
        Case::new("chunked", latin1(&format!("{head}{framed}0\r\n{trailers}\r\n")))
    } else if length > 0 && !http2 && !told.contains("is late") && random.once_in(4) {
        // When the time begins that a server may think differs (71).
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        );
        Case::new("expecting", latin1(&format!("{head}{body}")))
    } else if length == 0 && !http2 && random.once_in(5) {
        let framing = *random
            .pick(&["Content-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]);
        Case::new(
            "empty",
            latin1(&format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{framing}")),
        )
    } else {
        let framing =
            if length > 0 { format!("Content-Length: {length}\r\n") } else { String::new() };
        Case::new(
            "plain",
            latin1(&format!(
                "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{framing}\r\n{body}"
            )),
        )
    };
    if http2 {
        case = case.over_http2();
    }
    case = case.without_request_trailers();
    if case.name() == "expecting" || length > LONG {
        // Whether the body came early enough for the connection to go on is left to chance, and Traefik loses fields
        // behind 100 Continue (41).
        case = case.statuses_only();
    } else if !http2 {
        case = case.watched();
    }
    if told.contains("failover") {
        case = case.refusal(Difference::StaysAnError);
    }
    if told.contains("mirroring") {
        case = case.settled(SETTLES);
    }
    let answer = answers::told(&answer, method);
    case.rename(&format!("{} {method} r{service} {told} answers {answer}", case.name()));
    case
}

/// Whether one of the servers takes few bytes at a time.
fn is_slow(told: &str) -> bool {
    told.contains("window: Some(1)") || told.contains("window: Some(10)")
}
