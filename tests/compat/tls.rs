//! TLS: which certificate a name gets, which options a connection gets, and which router answers.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use portway_testkit::certificate::Certificate;
use portway_testkit::client::{Client, SupportedProtocolVersion, TLS12, TLS13, Tls};
use portway_testkit::process::Setup;

mod chains;
mod hellos;
mod keys;
mod live;
mod options;
mod strangers;

use super::differences::Difference;
use super::pair::{Case, Pair, Side};

const DYNAMIC: &str = r#"
http:
  routers:
    exact: {rule: "Host(`exact.test`)", service: s, entryPoints: [web], tls: {}, middlewares: [tls]}
    plain: {rule: "Host(`exact.test`)", service: s, entryPoints: [web], middlewares: [plain]}
    only: {rule: "Host(`only-plain.test`)", service: s, entryPoints: [web], middlewares: [plain]}
    wild: {rule: "HostRegexp(`^[a-z.]+wild\\.test$`)", service: s, entryPoints: [web], tls: {}, middlewares: [tls]}
    modern: {rule: "Host(`modern.test`)", service: s, entryPoints: [web], tls: {options: modern}, middlewares: [tls]}
    old: {rule: "Host(`old.test`)", service: s, entryPoints: [web], tls: {options: old}, middlewares: [tls]}
    strict: {rule: "Host(`strict.test`) || Host(`named-strict.test`)", service: s, entryPoints: [web], tls: {options: strict}, middlewares: [tls]}
    broken: {rule: "Host(`broken.test`)", service: s, entryPoints: [web], tls: {options: broken}, middlewares: [tls]}
    unknown: {rule: "Host(`unknown.test`)", service: s, entryPoints: [web], tls: {options: nope}, middlewares: [tls]}
    conflicta: {rule: "Host(`conflict.test`) && Path(`/a`)", service: s, entryPoints: [web], tls: {options: modern}, middlewares: [tls]}
    conflictb: {rule: "Host(`conflict.test`) && Path(`/b`)", service: s, entryPoints: [web], tls: {options: old}, middlewares: [tls]}
    nohost: {rule: "PathPrefix(`/nohost`)", service: s, entryPoints: [web], tls: {options: modern}, middlewares: [tls]}
    upper: {rule: "Host(`UPPER.test`)", service: s, entryPoints: [web], tls: {options: modern}, middlewares: [tls]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    tls: {headers: {customResponseHeaders: {X-Router: tls}}}
    plain: {headers: {customResponseHeaders: {X-Router: plain}}}
tls:
  certificates:
    - {certFile: "@@folder@@/dynamic/exact.pem", keyFile: "@@folder@@/dynamic/exact.key"}
    - {certFile: "@@folder@@/dynamic/wild.pem", keyFile: "@@folder@@/dynamic/wild.key"}
    - {certFile: "@@folder@@/dynamic/inside.pem", keyFile: "@@folder@@/dynamic/inside.key"}
    - {certFile: "@@folder@@/dynamic/strict.pem", keyFile: "@@folder@@/dynamic/strict.key"}
    - {certFile: "@@folder@@/dynamic/missing.pem", keyFile: "@@folder@@/dynamic/missing.key"}
  options:
    modern: {minVersion: VersionTLS13}
    old: {maxVersion: VersionTLS12}
    strict: {sniStrict: true}
    broken: {minVersion: VersionTLS99}
"#;

const STORE: &str = r#"
tls:
  stores:
    default:
      defaultCertificate: {certFile: "@@folder@@/dynamic/default.pem", keyFile: "@@folder@@/dynamic/default.key"}
"#;

const NAMES: &[&str] = &[
    "exact.test",
    "EXACT.test",
    "a.wild.test",
    "b.a.wild.test",
    "inside.wild.test",
    "wild.test",
    "modern.test",
    "old.test",
    "strict.test",
    "named-strict.test",
    "broken.test",
    "unknown.test",
    "conflict.test",
    "nobody.test",
    "upper.test",
    "only-plain.test",
];

type Versions = &'static [&'static SupportedProtocolVersion];

/// What `clientAuth.clientAuthType` may be.
const TYPES: [&str; 6] = [
    "",
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
];

const VERSIONS: &[Versions] = &[&[&TLS12], &[&TLS13], &[&TLS12, &TLS13]];

struct Certificates {
    setup: Setup,
    known: Vec<(String, Certificate)>,
}

fn certificates(dynamic: &str) -> Certificates {
    let mut setup = Setup::web(dynamic);
    let mut known = Vec::new();
    for (file, names) in [
        ("exact", &["exact.test"][..]),
        ("wild", &["*.wild.test"][..]),
        ("inside", &["inside.wild.test"][..]),
        ("strict", &["named-strict.test"][..]),
        ("default", &["default.example"][..]),
    ] {
        let certificate = Certificate::for_names(names);
        setup.files.push((format!("{file}.pem"), certificate.certificate_pem.clone()));
        setup.files.push((format!("{file}.key"), certificate.key_pem.clone()));
        known.push((file.to_owned(), certificate));
    }
    Certificates { setup, known }
}

#[test]
fn names_get_the_certificates_and_versions_of_traefik() {
    let Certificates { setup, known } = certificates(DYNAMIC);
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    settle(&pair, "exact.test", &known[0].1);
    handshakes(&mut pair, &known);
    pair.finish();
}

#[test]
fn a_default_certificate_is_shown_as_by_traefik() {
    let Certificates { mut setup, known } = certificates(DYNAMIC);
    setup.files.push(("store.yml".to_owned(), STORE.to_owned()));
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    settle(&pair, "exact.test", &known[0].1);
    handshakes(&mut pair, &known);
    pair.finish();
}

#[test]
fn requests_over_tls_reach_the_routers_that_traefik_chooses() {
    let Certificates { setup, known } = certificates(DYNAMIC);
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    settle(&pair, "exact.test", &known[0].1);
    for name in ["exact.test", "a.wild.test", "modern.test", "nobody.test", "conflict.test"] {
        for host in NAMES.iter().filter(|host| **host != "unknown.test") {
            for target in ["/", "/a", "/b", "/nohost"] {
                let mut case = Case::get(host, target, "").over(Tls::to(name));
                case.rename(&format!("SNI {name}, Host {host}, {target}"));
                pair.compare(&case);
            }
        }
        let case = Case::get("unknown.test", "/", "").over(Tls::to(name));
        pair.compare(&case.differs(Difference::KeepsItsClaim));
    }
    for host in NAMES {
        pair.compare(&Case::get(host, "/", ""));
        pair.compare(
            &Case::get(host, "/", "")
                .over(Tls::anonymous())
                .statuses_only()
                .refusal(Difference::KeepsItsClaim),
        );
    }
    pair.compare(
        &Case::new("not quite a hello", "\u{16}\u{3}\u{1}hello, this is no TLS\r\n\r\n")
            .statuses_only(),
    );
    pair.finish();
}

/// Waits until both sides show a certificate to a name: Traefik applies routers before TLS.
pub(super) fn settle(pair: &Pair, name: &str, certificate: &Certificate) {
    let known = [("own".to_owned(), certificate.clone())];
    for side in &pair.sides {
        let start = Instant::now();
        while !handshake(side, &Tls::to(name), &known).contains("own") {
            assert!(
                start.elapsed() < Duration::from_secs(5),
                "no certificate: {}",
                side.process.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn handshakes(pair: &mut Pair, known: &[(String, Certificate)]) {
    for name in NAMES.iter().map(|name| Some(*name)).chain([None]) {
        for versions in VERSIONS {
            for protocols in [&[][..], &["http/1.1"], &["unknown"]] {
                let tls = Tls {
                    server_name: name,
                    versions,
                    application_protocols: protocols
                        .iter()
                        .map(|name| name.as_bytes().to_vec())
                        .collect(),
                    ..Tls::anonymous()
                };
                let texts = pair.sides.each_ref().map(|side| handshake(side, &tls, known));
                let count = versions.len();
                pair.compare_texts(
                    &format!("{name:?}, {:?} ({count}), {protocols:?}", versions[0].version),
                    texts,
                );
            }
        }
    }
}

fn handshake(side: &Side, tls: &Tls<'_>, known: &[(String, Certificate)]) -> String {
    let client = match Client::connect_tls(side.process.address("web"), tls) {
        Ok(client) => client,
        Err(_) => return "refused\n".to_owned(),
    };
    let chain = client.peer_certificates();
    let shown = chain.first().map(|der| {
        let name = known.iter().find(|(_, certificate)| certificate.certificate_der == *der);
        name.map_or("generated", |(name, _)| name.as_str())
    });
    let mut text = format!("{} {shown:?}\n", client.protocol_version());
    let _ = writeln!(text, "ALPN {:?}", client.application_protocol());
    text
}
