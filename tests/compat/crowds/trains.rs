//! Requests one after another on one connection of HTTP/2, and what its server says of itself at its beginning.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use portway_testkit::client::Tls;
use portway_testkit::http2::Http2Client;
use portway_testkit::random::Random;

use super::guests::head;
use super::{doors, random, seeds, setup, text_of};
use crate::compat::differences::Difference;
use crate::compat::pair::{Pair, Side};
use crate::compat::seen::{Depth, Seen};

const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s}
    secure: {rule: "PathPrefix(`/`)", service: s, tls: {}}
    closed: {rule: "Host(`closed.test`)", service: s, middlewares: [closed]}
  middlewares:
    closed: {ipAllowList: {sourceRange: ["203.0.113.0/24"]}}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
"#;

/// How many connections there are to each set of entry points, and how many requests on each at most.
const TRAINS: usize = 25;
const LENGTH: usize = 8;

const FIELDS: &[&str] = &[
    "X-Forwarded-For: 192.0.2.1\r\n",
    "X-Real-Ip: 192.0.2.1\r\n",
    "X-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\n",
    "Cookie: a=1\r\nCookie: b=2\r\n",
    "User-Agent: a\r\n",
    "Authorization: Basic dGVzdDp0ZXN0\r\n",
    "X-Same: 1\r\nX-Same: 1\r\nX-Same: 2\r\n",
    "X-Long: @100\r\n",
    "X-Long: @100\r\nX-Longer: @3000\r\n",
    "X-Longer: @3000\r\n",
    "X-Longest: @10000\r\n",
    "X-Longest: @6000\r\n",
    "Content-Type: text/plain\r\n",
];

const TARGETS: &[&str] = &[
    "/",
    "/",
    "/a?b=c",
    "/status-404",
    "/long",
    "/fields",
    "/a/../b",
    "/@200",
    "/@5000",
    "/no-content",
];

/// The settings that say something of limits, as RFC 9113 §6.5.2 numbers them.
const SETTINGS: &[(u16, &str)] =
    &[(1, "table of fields"), (2, "push"), (3, "streams at once"), (6, "size of fields")];

#[test]
fn requests_follow_one_another_over_http2_as_through_traefik() {
    seeds(|seed| {
        let random = &mut random(seed, 2);
        let doors = doors::of_limits(random);
        let setup = setup(DYNAMIC, &doors);
        let mut pair = Pair::start(&setup, 1)?;
        let text = text_of(&setup);
        for name in doors::NAMES {
            let texts = pair.sides.each_ref().map(|side| settings(side, name));
            pair.compare_texts(&format!("COMPAT_SEED={seed} settings of {name}\n{text}"), texts);
        }
        for number in 0..TRAINS {
            let (door, options) = random.pick(&doors);
            let secure = random.once_in(3);
            let requests: Vec<_> = (0..1 + random.below(LENGTH)).map(|_| request(random)).collect();
            let [portway, traefik] = pair.sides.each_ref();
            let seen = std::thread::scope(|scope| {
                let other = scope.spawn(|| run(traefik, door, secure, &requests));
                [run(portway, door, secure, &requests), other.join().expect("a train")]
            });
            let small_table = options.iter().any(|option| option == doors::SMALL_TABLE);
            let [mine, theirs] = &seen;
            for (place, pair_of) in mine.iter().zip(theirs).enumerate() {
                let (mine, theirs) = pair_of;
                let refused = mine.seen.status() == Some(431);
                if (refused || small_table)
                    && Difference::CostsOneStream.holds(&mine.seen, &theirs.seen)
                {
                    pair.count();
                    break;
                }
                let texts = [mine.text(&pair.sides[0]), theirs.text(&pair.sides[1])];
                let name = format!(
                    "COMPAT_SEED={seed} train {number} at {door}, TLS: {secure}, {place} of {requests:?}\n{text}"
                );
                pair.compare_texts(&name, texts);
            }
        }
        Some(pair)
    });
}

/// A request that was sent, and whether its connection was over then.
struct Ride {
    seen: Seen,
    over: bool,
}

impl Ride {
    fn text(&self, side: &Side) -> String {
        // What a refusal says is each program's own.
        let depth = match self.seen.status() {
            Some(431) => Depth::Statuses,
            _ => Depth::WithoutFraming,
        };
        let text = self.seen.text(depth, |text| side.anonymous(text));
        text + if self.over { "over\n" } else { "goes on\n" }
    }
}

fn request(random: &mut Random) -> (String, &'static str) {
    let body = if random.once_in(3) { "a body" } else { "" };
    let method = if body.is_empty() { *random.pick(&["GET", "GET", "HEAD"]) } else { "POST" };
    let mut fields = String::new();
    for _ in 0..random.below(3) {
        fields.push_str(random.pick::<&str>(FIELDS));
    }
    let host = random.pick(&["a.test", "a.test", "b.test:80", "closed.test"]);
    let target = random.pick(TARGETS);
    (format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"), body)
}

/// `@100` is a hundred letters.
fn lengthen(text: &str) -> String {
    let mut parts = text.split('@');
    let mut long = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        long.push_str(&"x".repeat(digits.parse().unwrap_or_default()));
        long.push_str(&part[digits.len()..]);
    }
    long
}

/// What is seen of each request until the connection is over.
fn run(side: &Side, door: &str, secure: bool, requests: &[(String, &str)]) -> Vec<Ride> {
    let address = side.process.address(door);
    let client = match secure {
        true => Http2Client::connect_tls(address, &Tls::to("a.test")),
        false => Http2Client::connect(address),
    };
    let mut client = client.expect("a connection");
    let mut rides: Vec<Ride> = Vec::new();
    for (request, body) in requests {
        let mut seen = Seen { no_encoding: true, ..Seen::default() };
        match client.ask(&head(&lengthen(request)), body.as_bytes()) {
            Ok(response) => seen.responses.push(response),
            Err(error) => seen.failure = Some(error.kind()),
        }
        client.rest(Duration::from_millis(5));
        seen.received = side.received();
        let over = client.is_over();
        rides.push(Ride { seen, over });
        if over {
            break;
        }
    }
    rides
}

/// The first frame of the server, where it says anything of limits.
fn settings(side: &Side, door: &str) -> String {
    let frame = read_settings(side, door).unwrap_or_default();
    let mut text = format!("{} bytes\n", if frame.is_empty() { "no" } else { "some" });
    for (number, name) in SETTINGS {
        let value = frame.chunks_exact(6).find(|entry| entry[..2] == number.to_be_bytes());
        let value = value.map(|entry| u32::from_be_bytes([entry[2], entry[3], entry[4], entry[5]]));
        // What is not said is this.
        let value = value.or((*number == 1).then_some(4096));
        let _ = writeln!(text, "{name}: {value:?}");
    }
    text
}

fn read_settings(side: &Side, door: &str) -> std::io::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(side.process.address(door))?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")?;
    let mut head = [0; 9];
    socket.read_exact(&mut head)?;
    let mut payload = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
    socket.read_exact(&mut payload)?;
    Ok(if head[3] == 4 { payload } else { Vec::new() })
}
