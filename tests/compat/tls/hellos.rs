//! Hellos that no usual client sends: what comes back first, byte for byte where it is an alert.

use std::time::Duration;

use portway_testkit::certificate::Certificate;
use portway_testkit::client::{Client, End, SupportedProtocolVersion, TLS12, TLS13, Tls, hello};
use portway_testkit::process::Setup;

use super::super::pair::{Pair, Side};

/// How long a server may take to say something.
const SILENCE: Duration = Duration::from_secs(2);

const DYNAMIC: &str = r#"
http:
  routers:
    named: {rule: "Host(`name.test`)", service: noop@internal, tls: {}}
    strict: {rule: "Host(`strict.tst`) || Host(`*.strict.t`)", service: noop@internal, tls: {options: strict}}
tls:
  certificates:
    - {certFile: "@@folder@@/dynamic/own.pem", keyFile: "@@folder@@/dynamic/own.key"}
  options:
    strict: {sniStrict: true}
"#;

/// A name that every client can ask for, to be replaced by one as long.
const USUAL: &str = "usually.t";

/// Names as they stand in a hello.
const NAMES: &[&str] =
    &["name.test", "NAME.TEST", "named.tes", "192.0.2.1", "127.0.0.1", "a_b-c.tst", "localhost"];

/// Names that are none: Portway refuses them, where Traefik treats most as a name that nobody claims (58).
const MALFORMED: &[&str] = &[
    ".ame.test",
    "-abc.test",
    "abc-.test",
    "na e.test",
    "name.te\0t",
    "12345.678",
    "na..test.",
    "::1:::::1",
];

fn first(side: &Side, bytes: &[u8]) -> String {
    let mut client = Client::connect(side.process.address("web")).expect("a connection");
    client.send(bytes).expect("sent");
    client.set_patience(SILENCE);
    let Ok(record) = client.bytes(5) else {
        let (_, end) = client.until_end(SILENCE);
        return if end == End::Open { "silence".to_owned() } else { "closed".to_owned() };
    };
    match record[0] {
        21 => format!("alert {:?}", client.bytes(2).unwrap_or_default()),
        22 => "handshake".to_owned(),
        other => format!("record {other}"),
    }
}

#[test]
fn odd_hellos_are_met_as_by_traefik() {
    let own = Certificate::for_names(&["name.test"]);
    let mut setup = Setup::web(DYNAMIC);
    setup.files.push(("own.pem".to_owned(), own.certificate_pem.clone()));
    setup.files.push(("own.key".to_owned(), own.key_pem.clone()));
    let Some(mut pair) = Pair::start(&setup, 0) else { return };
    super::settle(&pair, "name.test", &own);
    const EACH: [&[&SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];
    for versions in EACH {
        let usual = Tls { versions, ..Tls::to(USUAL) };
        let whole = hello(&usual).expect("a hello");
        let place = whole.windows(USUAL.len()).position(|part| part == USUAL.as_bytes());
        let place = place.expect("a name");
        let named = |name: &str| {
            let mut bytes = whole.clone();
            bytes[place..place + USUAL.len()].copy_from_slice(name.as_bytes());
            bytes
        };
        for name in NAMES {
            let texts = pair.sides.each_ref().map(|side| first(side, &named(name)));
            pair.compare_texts(&format!("{name:?} in {:?}", versions[0].version), texts);
        }
        for name in MALFORMED {
            let portway = first(&pair.sides[0], &named(name));
            assert!(portway.starts_with("alert"), "{name:?}: {portway}");
            pair.count();
        }
    }
    let whole = hello(&Tls::to(USUAL)).expect("a hello");
    for length in 1..=8 {
        let records = whole[5..].chunks(length).flat_map(|part| {
            [&[22, 3, 1, 0, u8::try_from(part.len()).expect("short")], part].concat()
        });
        let bytes: Vec<u8> = records.collect();
        let texts = pair.sides.each_ref().map(|side| first(side, &bytes));
        pair.compare_texts(&format!("in records of {length} bytes"), texts);
    }
    for (name, bytes) in old() {
        let texts = pair.sides.each_ref().map(|side| first(side, &bytes));
        pair.compare_texts(name, texts);
    }
    pair.finish();
}

/// Hellos of versions that nobody serves.
fn old() -> Vec<(&'static str, Vec<u8>)> {
    // Length with the highest bit set, version 2, one cipher of three bytes, no session, sixteen bytes of challenge.
    let ssl2 = [&[0x80, 28, 1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 0, 0x80][..], &[7; 16]].concat();
    let version = |minor: u8| {
        let body = [&[3, minor][..], &[7; 32], &[0, 0, 4, 0, 0x2f, 0, 0x35, 1, 0]].concat();
        let length = u8::try_from(body.len()).expect("a short hello");
        [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
    };
    vec![
        ("SSL 2.0", ssl2),
        ("SSL 3.0", version(0)),
        ("TLS 1.0", version(1)),
        ("TLS 1.1", version(2)),
    ]
}
