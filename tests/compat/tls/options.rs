//! TLS options made at random, and clients of all kinds: who gets in, and with what.
//!
//! `COMPAT_SEED` and `COMPAT_TLS_OPTIONS` make long runs.

use std::fmt::Write as _;

use portway_testkit::certificate::{Authority, Certificate};
use portway_testkit::client::{CipherSuite, Client, NamedGroup, Response, Tls};
use portway_testkit::process::Setup;
use portway_testkit::random::{Random, number_from_environment};

use super::super::pair::{Pair, Side};
use super::{TYPES, VERSIONS};

const VERSION_NAMES: [&str; 5] = ["", "", "VersionTLS12", "VersionTLS13", "VersionTLS99"];

/// Those of TLS 1.2 that Portway serves, with one that nobody here can use: the certificate's key is of another kind.
const SUITES: [(&str, CipherSuite); 4] = [
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
];

const SUITES_OF_13: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];

const GROUPS: [(&str, NamedGroup); 4] = [
    ("X25519", NamedGroup::X25519),
    ("CurveP256", NamedGroup::secp256r1),
    ("CurveP384", NamedGroup::secp384r1),
    ("X25519MLKEM768", NamedGroup::X25519MLKEM768),
];

/// Without `acme-tls/1`, which Traefik answers itself, and `h2`, in which these clients cannot ask.
const PROTOCOLS: [&str; 3] = ["http/1.1", "another", "other"];

/// TLS options, each with a router whose host is their name.
fn dynamic(random: &mut Random, count: usize) -> String {
    let mut routers =
        "    settled: {rule: \"Host(`settled.test`)\", service: s, tls: {}}\n".to_owned();
    let mut options = String::new();
    for number in 0..count {
        let name = format!("o{number}");
        let _ = writeln!(
            routers,
            "    {name}: {{rule: \"Host(`{name}.test`)\", service: s, tls: {{options: {name}}}}}"
        );
        let _ = writeln!(options, "    {name}: {{{}}}", one(random));
    }
    format!(
        "http:\n  routers:\n{routers}  services:\n    s: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n\
         tls:\n  certificates:\n    - {{certFile: \"@@folder@@/dynamic/own.pem\", keyFile: \"@@folder@@/dynamic/own.key\"}}\n\
         \x20 options:\n{options}"
    )
}

fn one(random: &mut Random) -> String {
    let mut fields = Vec::new();
    if random.once_in(2) {
        let (least, most) = (random.pick(&VERSION_NAMES), random.pick(&VERSION_NAMES));
        fields.push(format!("minVersion: \"{least}\", maxVersion: \"{most}\""));
    }
    if random.once_in(2) {
        fields.push(format!("cipherSuites: [{}]", some(random, &SUITES.map(|(name, _)| name))));
    }
    if random.once_in(2) {
        fields.push(format!("curvePreferences: [{}]", some(random, &GROUPS.map(|(name, _)| name))));
    }
    if random.once_in(3) {
        fields.push(format!("alpnProtocols: [{}]", some(random, &PROTOCOLS)));
    }
    if random.once_in(4) {
        fields.push("sniStrict: true".to_owned());
    }
    if random.once_in(4) {
        fields.push("disableSessionTickets: true".to_owned());
    }
    if !random.once_in(3) {
        const FILES: [&str; 5] = [
            "",
            "\"@@folder@@/dynamic/known.pem\"",
            "\"@@folder@@/dynamic/known.pem\"",
            "\"@@folder@@/dynamic/known.pem\"",
            "\"@@folder@@/dynamic/nobody.pem\"",
        ];
        let files = random.pick(&FILES);
        fields.push(format!(
            "clientAuth: {{caFiles: [{files}], clientAuthType: \"{}\"}}",
            random.pick(&TYPES)
        ));
    }
    fields.join(", ")
}

/// A part of `all`, at least one.
fn some(random: &mut Random, all: &[&str]) -> String {
    let mut chosen: Vec<&str> = all.iter().filter(|_| random.once_in(2)).copied().collect();
    if chosen.is_empty() {
        chosen.push(*random.pick::<&str>(all));
    }
    chosen.join(", ")
}

struct Identities {
    known: Authority,
    shown: Vec<(&'static str, Option<Certificate>)>,
}

impl Identities {
    fn make() -> Self {
        let (known, other) = (Authority::new("known"), Authority::new("other"));
        let shown = vec![
            ("nobody", None),
            ("signed", Some(known.sign("client", false))),
            ("expired", Some(known.sign("client", true))),
            ("another's", Some(other.sign("client", false))),
            ("self-signed", Some(Certificate::for_names(&["client"]))),
        ];
        Self { known, shown }
    }
}

fn client<'name>(random: &mut Random, host: &'name str, identities: &Identities) -> Tls<'name> {
    let mut tls = Tls { versions: random.pick::<super::Versions>(VERSIONS), ..Tls::to(host) };
    tls.identity = random.pick(&identities.shown).1.clone();
    if random.once_in(2) {
        tls.suites = vec![random.pick(&SUITES).1, *random.pick(&SUITES_OF_13)];
    }
    if random.once_in(2) {
        tls.groups = vec![random.pick(&GROUPS).1];
    }
    for protocol in PROTOCOLS {
        if random.once_in(3) {
            tls.application_protocols.push(protocol.as_bytes().to_vec());
        }
    }
    tls
}

/// What became of a connection and of a request on it.
fn attempt(side: &Side, tls: &Tls<'_>, host: &str) -> String {
    let Ok(mut client) = Client::connect_tls(side.process.address("web"), tls) else {
        return "refused\n".to_owned();
    };
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let status = client.ask(request).map(|Response { status, .. }| status);
    // With TLS 1.3 a client hears of its refusal only after the handshake.
    let Ok(status) = status else { return "refused\n".to_owned() };
    format!("{} {:?} {status}\n", client.protocol_version(), client.application_protocol())
}

#[test]
fn options_let_in_whom_traefik_lets_in() {
    let seed = number_from_environment("COMPAT_SEED", 7);
    let count =
        usize::try_from(number_from_environment("COMPAT_TLS_OPTIONS", 60)).expect("a count");
    let mut random = Random::new(seed);
    let identities = Identities::make();
    let own = Certificate::for_names(&["o1.test", "*.test"]);
    let mut setup = Setup::web(&dynamic(&mut random, count));
    for (name, text) in [
        ("own.pem", &own.certificate_pem),
        ("own.key", &own.key_pem),
        ("known.pem", &identities.known.certificate.certificate_pem),
    ] {
        setup.files.push((name.to_owned(), text.clone()));
    }
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    super::settle(&pair, "settled.test", &own);
    for number in 0..count {
        let host = format!("o{number}.test");
        for _ in 0..12 {
            let tls = client(&mut random, &host, &identities);
            let texts = pair.sides.each_ref().map(|side| attempt(side, &tls, &host));
            let identity = tls.identity.as_ref().map(|identity| {
                let shown = identities.shown.iter();
                let of = |(_, other): &&(&str, Option<Certificate>)| {
                    other.as_ref().is_some_and(|o| o.certificate_der == identity.certificate_der)
                };
                shown.clone().find(of).map(|(name, _)| *name)
            });
            let mut option =
                setup.files[0].1.lines().filter(|line| line.contains(&format!(" o{number}: {{")));
            let name = format!(
                "seed {seed}, {}; versions {:?}, {:?}, {:?}, {identity:?}, {:?}",
                option.next_back().unwrap_or_default(),
                tls.versions.iter().map(|version| version.version).collect::<Vec<_>>(),
                tls.suites,
                tls.groups,
                tls.application_protocols,
            );
            pair.compare_texts(&name, texts);
        }
    }
    pair.finish();
}
