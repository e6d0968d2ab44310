//! Clients that keep an entry point waiting: what they are told, and when it has waited enough.

use std::net::SocketAddr;
use std::time::Duration;

use portway_testkit::client::{Client, End, Tls, hello};
use portway_testkit::message::latin1;
use portway_testkit::process::Setup;

use crate::compat::pair::{Pair, Side};

const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s}
    secure: {rule: "PathPrefix(`/`)", service: s, tls: {}}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
"#;

/// Entry points and their options; a time in them is one second, and in `patient` there is none.
const DOORS: &[(&str, &[&str])] = &[
    ("reading", &["transport.respondingTimeouts.readTimeout=1s"]),
    (
        "idling",
        &[
            "transport.respondingTimeouts.readTimeout=0",
            "transport.respondingTimeouts.idleTimeout=1s",
        ],
    ),
    (
        "either",
        &[
            "transport.respondingTimeouts.readTimeout=1s",
            "transport.respondingTimeouts.idleTimeout=0",
        ],
    ),
    ("writing", &["transport.respondingTimeouts.writeTimeout=1s"]),
    ("proxied", &["transport.respondingTimeouts.readTimeout=1s", "proxyProtocol.insecure=true"]),
    (
        "patient",
        &[
            "transport.respondingTimeouts.readTimeout=0",
            "transport.respondingTimeouts.idleTimeout=0",
        ],
    ),
    ("ageing", &["transport.keepAliveMaxTime=1s"]),
];

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_millis(2600);

const REQUEST: &str = "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n";

/// What a client sends: whole requests, each after the answer to the one before and a rest, and then a part of one.
#[derive(Clone, Debug)]
struct Probe {
    secure: bool,
    whole: usize,
    rest: u64,
    part: Vec<u8>,
}

fn probes() -> Vec<Probe> {
    let mut probes = Vec::new();
    for part in [
        "",
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\npart",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\npa",
        "P",
        "PROXY TCP4 192.0.2.1 ",
        "\r\n\r\n\0\r\nQUIT\n\x21\x11",
        "\x16\x03",
    ] {
        for (whole, rest) in [(0, 0), (1, 0), (1, 500), (2, 1500)] {
            if whole == 0 || !part.starts_with(['P', '\r', '\x16']) || part.starts_with("POST") {
                let part = part.as_bytes().to_vec();
                probes.push(Probe { secure: false, whole, rest, part: part.clone() });
                if rest == 0 && !part.starts_with(b"\x16") {
                    probes.push(Probe { secure: true, whole, rest, part });
                }
            }
        }
    }
    let hello = hello(&Tls::to("a.test")).expect("a hello");
    for length in [5, 6, 60, hello.len() - 1, hello.len()] {
        probes.push(Probe { secure: false, whole: 0, rest: 0, part: hello[..length].to_vec() });
    }
    probes
}

#[test]
fn who_keeps_doors_waiting_is_told_as_by_traefik() {
    let mut setup = Setup::web(DYNAMIC).flag("--log.level=ERROR");
    for (name, options) in DOORS {
        setup = setup.entry_point(name);
        for option in *options {
            setup = setup.flag(&format!("--entryPoints.{name}.{option}"));
        }
    }
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    let probes = probes();
    let cases: Vec<_> =
        DOORS.iter().flat_map(|(door, _)| probes.iter().map(move |probe| (*door, probe))).collect();
    let texts: Vec<[String; 2]> = std::thread::scope(|scope| {
        let sides = pair.sides.each_ref();
        let running: Vec<_> = cases
            .iter()
            .map(|(door, probe)| sides.map(|side| scope.spawn(move || seen(side, door, probe))))
            .collect();
        let texts = |pair: [std::thread::ScopedJoinHandle<'_, String>; 2]| {
            pair.map(|one| one.join().expect("what was seen"))
        };
        running.into_iter().map(texts).collect()
    });
    let texts = cases.iter().zip(texts).map(|(case, texts)| settled(&pair, *case, texts));
    let texts: Vec<_> = texts.collect();
    for ((door, probe), texts) in cases.iter().zip(texts) {
        let part = latin1(&probe.part);
        let part = part.chars().take(80).collect::<String>();
        let Probe { secure, whole, rest, .. } = probe;
        let name = format!(
            "{door}, {whole} answered and {rest} ms of rest, secure: {secure}, then {} bytes {}",
            probe.part.len(),
            part.escape_default()
        );
        pair.compare_texts(&name, texts);
    }
    pair.finish();
}

/// What is seen alone where it differed: among hundreds of clients at once, a busy machine answers late.
fn settled(pair: &Pair, (door, probe): (&str, &Probe), mut texts: [String; 2]) -> [String; 2] {
    for _ in 0..3 {
        if texts[0] == texts[1] {
            break;
        }
        texts = pair.sides.each_ref().map(|side| seen(side, door, probe));
    }
    texts
}

/// Whether a part of a request ends within its first line.
fn waits_for_line(part: &[u8]) -> bool {
    !part.contains(&b'\n')
}

fn seen(side: &Side, door: &str, probe: &Probe) -> String {
    let address: SocketAddr = side.process.address(door);
    let client = match probe.secure {
        true => Client::connect_tls(address, &Tls::to("a.test")),
        false => Client::connect(address),
    };
    let Ok(mut client) = client else { return "no connection\n".to_owned() };
    let mut text = String::new();
    for _ in 0..probe.whole {
        match client.ask(REQUEST) {
            Err(_) => return text + "not answered\n",
            Ok(response) => {
                let connection = response.headers.value("Connection").unwrap_or_default();
                text.push_str(&format!("answered {} {connection}\n", response.status));
            }
        }
        std::thread::sleep(Duration::from_millis(probe.rest));
    }
    if client.send(&probe.part).is_err() {
        return text + "closed\n";
    }
    let (bytes, end) = client.until_end(PATIENCE);
    let first = latin1(&bytes).lines().next().unwrap_or_default().to_owned();
    text.push_str(match first.get(..12) {
        _ if first.starts_with('\u{16}') => "a handshake",
        // By chance, and with nothing where Portway waits for the rest of a line (63).
        Some("HTTP/1.1 499" | "HTTP/1.1 504") => "a timeout",
        Some("HTTP/1.1 400") if waits_for_line(&probe.part) => "",
        _ => &first,
    });
    text + if end == End::Open { "\nopen\n" } else { "\nclosed\n" }
}
