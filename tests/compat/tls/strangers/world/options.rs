//! TLS options at random.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use portway_testkit::random::Random;

use crate::compat::tls::TYPES;

/// The clients of these tests speak TLS 1.2 at least: of the old versions Traefik would serve more (7).
const VERSIONS: [[&str; 2]; 9] = [
    ["VersionTLS10", ""],
    ["", "VersionTLS11"],
    ["VersionTLS12", ""],
    ["VersionTLS13", ""],
    ["", "VersionTLS12"],
    ["", "VersionTLS13"],
    ["VersionTLS12", "VersionTLS12"],
    ["VersionTLS99", "VersionTLS12"],
    ["VersionTLS13", "VersionTLS12"],
];

const SUITES: [&str; 12] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_FALLBACK_SCSV",
];

const CURVES: [&str; 12] = [
    "X25519",
    "x25519",
    "CurveP256",
    "secp256r1",
    "CurveP384",
    "secp384r1",
    "CurveP521",
    "secp521r1",
    "X25519MLKEM768",
    "SecP256r1MLKEM768",
    "secp384r1mlkem1024",
    "x25519mlkem768",
];

const PROTOCOLS: [&str; 5] = ["h2", "http/1.1", "http/1.0", "another", "acme-tls/1"];

const FILES: [&str; 8] = [
    "",
    "known.pem",
    "known.pem",
    "second.pem",
    "both.pem",
    "between.pem",
    "known.pem second.pem",
    "known.pem nobody.pem",
];

/// Options `o0` and so on, and sometimes `default`; and those whose routers Portway may close.
pub(super) fn make(random: &mut Random, count: usize) -> (String, BTreeSet<String>) {
    let (mut text, mut risky) = (String::new(), BTreeSet::from(["nope".to_owned()]));
    let mut add = |name: &str, random: &mut Random| {
        let (fields, closes) = one(random);
        if closes {
            risky.insert(name.to_owned());
        }
        let _ = writeln!(text, "    {name}: {{{fields}}}");
    };
    for number in 0..count {
        add(&format!("o{number}"), random);
    }
    if random.once_in(3) {
        add("default", random);
    }
    if risky.contains("default") {
        risky.insert(String::new());
    }
    (text, risky)
}

fn one(random: &mut Random) -> (String, bool) {
    let mut fields = Vec::new();
    let mut risky = false;
    if random.once_in(3) {
        let [least, most] = random.pick(&VERSIONS);
        risky |= *least == "VersionTLS13" && *most == "VersionTLS12" || *most == "VersionTLS11";
        fields.push(format!("minVersion: \"{least}\", maxVersion: \"{most}\""));
    }
    if random.once_in(4) {
        let mut chosen = some(random, &SUITES, 4);
        if random.once_in(10) {
            chosen.push("TLS_NOBODY_KNOWS");
            risky = true;
        }
        // Of TLS 1.2 alone without suites for it nothing is left (7).
        risky |= chosen.iter().all(|suite| !SUITES[..7].contains(suite));
        fields.push(format!("cipherSuites: [{}]", chosen.join(", ")));
    }
    if random.once_in(4) {
        let mut chosen = some(random, &CURVES, 4);
        if random.once_in(10) {
            chosen.push("Curve25519");
            risky = true;
        }
        // The largest is offered nowhere (7).
        risky |= chosen.iter().all(|curve| curve.eq_ignore_ascii_case("SecP384r1MLKEM1024"));
        fields.push(format!("curvePreferences: [{}]", chosen.join(", ")));
    }
    if random.once_in(3) {
        let chosen = some(random, &PROTOCOLS, 3);
        let chosen = if random.once_in(10) { Vec::new() } else { chosen };
        fields.push(format!("alpnProtocols: [{}]", chosen.join(", ")));
    }
    if random.once_in(4) {
        fields.push("sniStrict: true".to_owned());
    }
    if random.once_in(5) {
        fields.push("disableSessionTickets: true".to_owned());
    }
    if random.once_in(2) {
        risky = true;
        let files: Vec<String> = random
            .pick(&FILES)
            .split_whitespace()
            .map(|file| format!("\"@@folder@@/dynamic/{file}\""))
            .collect();
        fields.push(format!(
            "clientAuth: {{caFiles: [{}], clientAuthType: \"{}\"}}",
            files.join(", "),
            random.pick(&TYPES)
        ));
    }
    (fields.join(", "), risky)
}

/// Up to `most` of `all`, at least one.
fn some(random: &mut Random, all: &[&'static str], most: usize) -> Vec<&'static str> {
    let mut chosen: Vec<&str> = Vec::new();
    for _ in 0..1 + random.below(most) {
        let one = *random.pick(all);
        if !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    chosen
}
