//! Private keys under headings of other forms.

use portway_testkit::certificate::{Certificate, Key, Made};
use portway_testkit::client::Tls;
use portway_testkit::process::Setup;

use super::super::pair::Pair;

const KEYS: [(&str, Key); 4] =
    [("p256", Key::P256), ("p384", Key::P384), ("ed25519", Key::Ed25519), ("rsa", Key::Rsa)];

const HEADINGS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// The same bytes under another heading.
fn headed(pem: &str, heading: &str) -> String {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let body: Vec<&str> = lines.collect();
    format!("-----BEGIN {heading}-----\n{}\n-----END {heading}-----\n", body.join("\n"))
}

/// A certificate for each kind of key and heading, with its name and the text of its key.
fn made() -> Vec<(String, Certificate, String)> {
    let all = KEYS.iter().flat_map(|key| HEADINGS.iter().map(move |heading| (key, heading)));
    let made = all.map(|((name, key), heading)| {
        let name = format!("{name}-{}.test", heading.to_lowercase().replace(' ', "-"));
        let names = &[name.as_str()];
        let made = Made { common_name: "", names, key: *key, expired: false };
        let certificate = Certificate::made(&made);
        let key = headed(&certificate.key_pem, heading);
        (name, certificate, key)
    });
    made.collect()
}

#[test]
fn keys_are_known_by_what_they_are_as_in_traefik() {
    let mut all = made();
    // A key of PKCS #1 as one of PKCS #8.
    let file = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/tls/src/tests/keys");
        std::fs::read_to_string(format!("{folder}/{name}")).expect("a file of the repository")
    };
    let rsa = Certificate::of_files(&file("rsa.crt"), &file("rsa-pkcs8.key"));
    all.push(("test".to_owned(), rsa, headed(&file("rsa-pkcs1.key"), "PRIVATE KEY")));

    let mut dynamic =
        "http:\n  routers:\n    r: {rule: \"PathPrefix(`/`)\", service: noop@internal, tls: {}}\n\
                       tls:\n  certificates:\n"
            .to_owned();
    for (name, _, _) in &all {
        let at = format!("@@folder@@/dynamic/{name}");
        dynamic.push_str(&format!("    - {{certFile: \"{at}.pem\", keyFile: \"{at}.key\"}}\n"));
    }
    let mut setup = Setup::web(&dynamic);
    for (name, certificate, key) in &all {
        setup.files.push((format!("{name}.pem"), certificate.certificate_pem.clone()));
        setup.files.push((format!("{name}.key"), key.clone()));
    }
    let Some(mut pair) = Pair::start(&setup, 0) else { return };
    super::settle(&pair, &all[0].0, &all[0].1);
    for (name, certificate, _) in &all {
        let known = [("own".to_owned(), certificate.clone())];
        let texts =
            pair.sides.each_ref().map(|side| super::handshake(side, &Tls::to(name), &known));
        assert!(texts[0].contains("own"), "{name}: {}", texts[0]);
        pair.compare_texts(name, texts);
    }
    pair.finish();
}
