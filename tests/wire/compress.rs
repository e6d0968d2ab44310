//! `compress`: what is compressed comes in time and whole, and takes no more than its share.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Received, Step};
use portway_testkit::client::{Client, End};
use portway_testkit::http2_server::{HEADERS, frame};
use portway_testkit::process::Setup;

use super::{Site, cost, http2_stalls};

const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s, entryPoints: [web], middlewares: [c]}
  middlewares:
    c: {compress: {}}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
"#;

const ENCODINGS: [&str; 3] = ["gzip", "br", "zstd"];

/// How long the backend is silent in the middle of a body.
const SILENCE: Duration = Duration::from_secs(3);

fn site(script: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static) -> Site {
    Site::with(Backend::scripted(script), &Setup::web(DYNAMIC), &["--workers=1"])
}

fn get(target: &str, encoding: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {encoding}\r\n\r\n")
}

/// What of a body can be read, whether or not it has come to its end.
fn readable(encoding: &str, coded: &[u8]) -> Vec<u8> {
    let mut reader: Box<dyn std::io::Read> = match encoding {
        "br" => Box::new(brotli::Decompressor::new(coded, 4096)),
        "gzip" => Box::new(flate2::read::GzDecoder::new(coded)),
        _ => Box::new(zstd::stream::read::Decoder::new(coded).unwrap()),
    };
    let mut body = Vec::new();
    // One byte at a time, so that an error takes nothing with it.
    let mut byte = [0];
    while matches!(reader.read(&mut byte), Ok(1)) {
        body.push(byte[0]);
    }
    body
}

/// The payload of chunks, as far as they have come.
fn without_chunks(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let size = usize::from_str_radix(&size, 16).unwrap();
        let rest = &bytes[end + 2..];
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        bytes = rest.get(size + 2..).unwrap_or_default();
    }
    body
}

/// Reads the head, and so long what follows.
fn begun(client: &mut Client, request: &str, patience: Duration) -> Vec<u8> {
    client.send(request).unwrap();
    assert_eq!(client.head().unwrap().part(1), "200");
    without_chunks(&client.until_end(patience).0)
}

#[test]
fn what_a_server_pauses_behind_reaches_the_client() {
    let site = site(|received| {
        let text = "data: something\n\n".repeat(100);
        let head = match received.path() {
            "/events" => "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked",
            _ => "Content-Length: 3400",
        };
        let chunk = match received.path() {
            "/events" => format!("{:x}\r\n{text}\r\n", text.len()),
            _ => text,
        };
        vec![
            Step::Write(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{chunk}").into_bytes()),
            Step::Wait(SILENCE),
            Step::Close,
        ]
    });
    for encoding in ENCODINGS {
        for target in ["/events", "/length"] {
            let start = Instant::now();
            let coded =
                begun(&mut site.client(), &get(target, encoding), Duration::from_millis(1000));
            let text = String::from_utf8(readable(encoding, &coded)).unwrap();
            assert_eq!(text, "data: something\n\n".repeat(100), "{encoding} {target}");
            assert!(start.elapsed() < SILENCE, "{encoding} {target}");
            assert!(coded.len() < 200, "{encoding} {target}: {}", coded.len());
        }
    }
}

#[test]
fn a_body_that_breaks_off_does_not_pass_for_whole() {
    let site = site(|received| {
        let framing = match received.path() {
            "/chunked" => "Transfer-Encoding: chunked",
            _ => "Content-Length: 9000",
        };
        let body = "x".repeat(2048);
        let text = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n800\r\n{body}\r\n");
        vec![Step::Write(text.into_bytes()), Step::Wait(Duration::from_millis(50)), Step::Close]
    });
    for encoding in ENCODINGS {
        for target in ["/chunked", "/length"] {
            let mut client = site.client();
            client.send(get(target, encoding)).unwrap();
            let (bytes, end) = client.until_end(Duration::from_secs(5));
            assert_ne!(end, End::Open);
            assert!(!bytes.ends_with(b"0\r\n\r\n"), "{encoding} {target}");
        }
    }
}

#[test]
fn an_endless_body_leaves_others_their_turn() {
    let site = site(|received| match received.path() {
        "/endless" => {
            let head = "HTTP/1.1 200 OK\r\n\r\n";
            vec![Step::Write(head.as_bytes().to_vec()), Step::Fill(1 << 34), Step::Close]
        }
        _ => vec![Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec())],
    });
    for encoding in ENCODINGS {
        let mut greedy = site.client();
        greedy.send(get("/endless", encoding)).unwrap();
        assert_eq!(greedy.head().unwrap().part(1), "200");
        let before = site.process.resident_bytes();
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let start = Instant::now();
            assert_eq!(site.client().ask(get("/", encoding)).unwrap().text(), "ok");
            slowest = slowest.max(start.elapsed());
        }
        assert!(slowest < Duration::from_millis(500), "{encoding}: {slowest:?}");
        let grown = site.process.resident_bytes().saturating_sub(before);
        assert!(grown < 16 << 20, "{encoding}: {grown} bytes");
    }
}

/// Words that are compressed to a fourth, about.
fn words(length: usize) -> Vec<u8> {
    let words =
        (0_u32..).flat_map(|n| format!("{} ", n.wrapping_mul(2_654_435_761) % 9973).into_bytes());
    words.take(length).collect()
}

/// Asks for 200 long texts on one connection of HTTP/2, of which each may send so much.
fn ask_for_many(site: &Site, window: u32) -> TcpStream {
    let request = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/long"),
        (":authority", "a"),
        ("accept-encoding", "gzip"),
    ];
    let mut socket = http2_stalls::connect(site, window);
    let fields = http2_stalls::fields(&request);
    let asked: Vec<u8> = (0..200).flat_map(|n| frame(HEADERS, 0x5, 2 * n + 1, &fields)).collect();
    socket.write_all(&asked).unwrap();
    socket
}

#[test]
fn many_bodies_at_once_leave_others_their_turn() {
    let long = words(512 * 1024);
    let backend = Backend::scripted(move |_| {
        let length = long.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
        );
        vec![Step::Write([head.as_bytes(), &long].concat())]
    });
    let setup = Setup::web(&DYNAMIC.replace("PathPrefix(`/`)", "Path(`/long`)"));
    let site = Site::with(backend, &setup, &["--workers=1"]);
    // Clients that have no room for any of it, and others that take it all.
    let [closed, open] = [0, i32::MAX.cast_unsigned()].map(|window| {
        let before = cost::ticks(&site);
        let sockets: Vec<_> = (0..3).map(|_| ask_for_many(&site, window)).collect();
        let readers: Vec<_> = sockets
            .iter()
            .map(|socket| {
                let mut socket = socket.try_clone().unwrap();
                std::thread::spawn(move || while matches!(socket.read(&mut [0; 65536]), Ok(1..)) {})
            })
            .collect();
        // What the process does while somebody waits, however busy the machine is.
        let (start, mut slowest) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_secs(2) {
            let asked = cost::ticks(&site);
            assert_eq!(site.client().ask(get("/other", "gzip")).unwrap().status, 404);
            slowest = slowest.max(cost::ticks(&site) - asked);
            std::thread::sleep(Duration::from_millis(20));
        }
        let spent = cost::ticks(&site) - before;
        sockets.iter().for_each(|socket| socket.shutdown(Shutdown::Both).unwrap());
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        (slowest, spent)
    });
    let slowest = closed.0.max(open.0);
    assert!(slowest < 60, "ticks of 10 ms, and all of them: {closed:?} {open:?}");
    // Nothing is compressed that nobody takes.
    assert!(closed.1 < 80, "{} ticks of 10 ms", closed.1);
}

#[test]
fn what_would_take_too_much_memory_passes_as_it_is() {
    let text = "data: something\n\n".repeat(200);
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    let site = site(move |received| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n";
        let response = format!("{head}\r\n{chunk}");
        let rest = match received.path() {
            "/slow" => Step::Wait(Duration::from_secs(20)),
            _ => Step::Write(b"0\r\n\r\n".to_vec()),
        };
        vec![Step::Write(response.into_bytes()), rest]
    });
    let encoding = |client: &mut Client, target: &str| {
        client.send(get(target, "br")).unwrap();
        let head = client.head().unwrap();
        assert_eq!(head.part(1), "200");
        head.headers.value("Content-Encoding").unwrap_or("none").to_owned()
    };
    let mut clients = Vec::new();
    let mut begin = || {
        let mut client = site.client();
        let encoding = encoding(&mut client, "/slow");
        clients.push(client);
        encoding
    };
    // 512 MiB, in shares of 6.
    let seen: Vec<String> = (0..100).map(|_| begin()).collect();
    let compressed = seen.iter().take_while(|encoding| *encoding == "br").count();
    assert_eq!(compressed, 85);
    assert!(seen[compressed..].iter().all(|encoding| encoding == "none"), "{seen:?}");
    let last = clients.last_mut().unwrap();
    let plain = without_chunks(&last.until_end(Duration::from_millis(300)).0);
    assert_eq!(plain, text.as_bytes());
    // What the connections held is there again when they are gone.
    drop(clients);
    let deadline = Instant::now() + Duration::from_secs(5);
    while encoding(&mut site.client(), "/quick") != "br" {
        assert!(Instant::now() < deadline, "nothing was given back");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_short_body_costs_little() {
    let body: Vec<u8> = (0_u32..2000)
        .flat_map(|n| format!("{n}:{} ", n * 7919 % 997).into_bytes())
        .take(10_000)
        .collect();
    let served = body.clone();
    let site = site(move |_| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10000\r\n\r\n";
        vec![Step::Write([head.as_bytes(), &served].concat())]
    });
    for encoding in ENCODINGS {
        let ask = || {
            let response = site.client().ask(get("/", encoding)).unwrap();
            assert_eq!(response.headers.value("Content-Encoding"), Some(encoding));
            assert!(readable(encoding, &response.body) == body, "{encoding}");
        };
        ask();
        let before = site.process.resident_bytes();
        (0..40).for_each(|_| ask());
        // Tables that short bodies do not need were 32 MiB.
        let grown = site.process.resident_bytes().saturating_sub(before);
        assert!(grown < 6 << 20, "{encoding}: {grown} bytes");
    }
}
