//! What scanners of TLS find at an entry point with TLS as it comes: sslyze and testssl.sh.

use std::path::Path;
use std::process::Command;

use portway_testkit::backend::{Backend, script};
use serde_json::Value;

use super::{Site, python};

/// What says that nobody known has signed the generated certificate, nor tells of it, and that it is not of 127.0.0.1.
const OF_THE_CERTIFICATE: [&str; 3] = ["cert_chain_of_trust", "cert_revocation", "cert_trust"];

/// Fails by chance: openssl as it is called leaves before it has read a ticket of TLS 1.3, and has no session then.
const BY_CHANCE: &str = "sessionresumption_ticket";

/// What sslyze says of the same as [`OF_THE_CERTIFICATE`].
const UNSIGNED: &str = "certificate_path_validation";

/// Versions, suites, forward secrecy, what is offered besides, and attacks; not what is read out of answers, nor what
/// clients of old would do.
const CHECKS: [&str; 5] = ["-p", "-s", "-f", "-S", "-U"];

#[track_caller]
fn site() -> (Site, String) {
    let site =
        Site::start(Backend::scripted(script::standard), &["--entryPoints.web.http.tls=true"]);
    let address = site.process.address("web").to_string();
    (site, address)
}

#[test]
fn sslyze_finds_what_mozilla_recommends() {
    let Some(mut scan) = python::module("sslyze") else { return };
    let (site, address) = site();
    let file = site.process.folder().path().join("sslyze.json");
    scan.arg("--mozilla_config=intermediate").arg(format!("--json_out={}", file.display()));
    let output = scan.arg(&address).output().expect("sslyze");
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, judged) = text.split_once("COMPLIANCE AGAINST").expect(&text);
    let issues = judged.lines().filter_map(|line| line.trim().strip_prefix("* "));
    let issues: Vec<&str> = issues.filter(|issue| !issue.starts_with(UNSIGNED)).collect();
    assert!(issues.is_empty() && judged.contains(UNSIGNED), "{text}");

    let json = std::fs::read_to_string(&file).expect("a report");
    let report: Value = serde_json::from_str(&with_short_numbers(&json)).expect("JSON");
    let all = report.pointer("/server_scan_results/0/scan_result").expect(&json);
    for part in ["certificate_info", "tls_1_2_cipher_suites", "tls_1_3_cipher_suites"] {
        assert_eq!(all[part]["status"], "COMPLETED", "{part}: {json}");
    }
    for old in ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"] {
        let result = &all[&format!("{old}_cipher_suites")]["result"];
        assert_eq!(result["is_tls_version_supported"], false, "{old}");
    }
    for (part, fact, expected) in FACTS {
        assert_eq!(all[part]["result"][fact], *expected, "{part}");
    }
}

/// Numbers of keys are larger than any that JSON is read with here.
fn with_short_numbers(json: &str) -> String {
    let mut digits = 0;
    let kept = json.chars().filter(|character| {
        digits = if character.is_ascii_digit() { digits + 1 } else { 0 };
        digits < 18
    });
    kept.collect()
}

/// What sslyze finds of attacks.
const FACTS: &[(&str, &str, bool)] = &[
    ("heartbleed", "is_vulnerable_to_heartbleed", false),
    ("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", false),
    ("session_renegotiation", "is_vulnerable_to_client_renegotiation_dos", false),
    ("session_renegotiation", "supports_secure_renegotiation", true),
    ("tls_compression", "supports_compression", false),
    ("tls_extended_master_secret", "supports_ems_extension", true),
    ("tls_fallback_scsv", "supports_fallback_scsv", true),
];

#[test]
fn testssl_finds_nothing_that_is_worse_than_low() {
    let Some(testssl) = testssl() else { return };
    let (site, address) = site();
    let file = site.process.folder().path().join("testssl.json");
    let mut scan = Command::new(testssl);
    scan.args(["--quiet", "--warnings", "off", "--color", "0", "--nodns", "none", "--jsonfile"]);
    let output = scan.arg(&file).args(CHECKS).arg(&address).output().expect("testssl.sh");
    let text = String::from_utf8_lossy(&output.stdout);
    let json = std::fs::read_to_string(&file).expect(&text);
    let all: Vec<Value> = serde_json::from_str(&json).expect(&json);
    let found: Vec<_> = all.iter().filter(|one| is_bad(one)).collect();
    // Fewer would mean that it gave up.
    assert!(all.len() >= 80, "{} findings\n{text}", all.len());
    assert!(found.is_empty(), "{found:#?}");
}

fn is_bad(finding: &Value) -> bool {
    let text = |key: &str| finding[key].as_str().unwrap_or_default();
    let good = ["OK", "INFO", "LOW"].contains(&text("severity"));
    // Where there are several certificates, the number of one follows.
    let of = text("id").split(' ').next().unwrap_or_default();
    let by_chance = of == BY_CHANCE && text("severity") == "WARN";
    !good && !by_chance && !OF_THE_CERTIFICATE.contains(&of)
}

#[track_caller]
fn testssl() -> Option<&'static Path> {
    // Debian's name comes first.
    let places = ["/usr/bin/testssl", "/usr/bin/testssl.sh", "/usr/local/bin/testssl.sh"];
    let found = places.into_iter().map(Path::new).find(|path| path.is_file());
    if found.is_none() {
        let advice = "no testssl.sh; `cargo xtask test` installs it with apt-get";
        assert!(std::env::var_os("CI").is_none(), "{advice}");
        eprintln!("SKIPPED: {advice}");
    }
    found
}
