//! The conformance cases of h2spec, strict.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use portway_testkit::backend::{Backend, Received, Step, script};

use super::Site;

/// In plaintext the first bytes say which protocol is spoken, and those of this case say that it is HTTP/1.1.
const ANOTHER_PROTOCOL: &str = "2: Sends invalid connection preface";

/// How long the server takes to answer.
const PAUSE: Duration = Duration::from_millis(150);

fn h2spec() -> Option<PathBuf> {
    let found = std::env::var_os("H2SPEC_BINARY").map(PathBuf::from).filter(|path| path.is_file());
    if found.is_none() {
        let advice = "no h2spec in H2SPEC_BINARY; `cargo xtask test` builds it with Go";
        assert!(std::env::var_os("CI").is_none(), "{advice}");
        eprintln!("SKIPPED: {advice}");
    }
    found
}

/// Runs all cases; those that failed, each with what was expected.
#[track_caller]
fn failures(arguments: &[&str], flags: &[&str]) -> Option<Vec<String>> {
    let mut run = Command::new(h2spec()?);
    // Cases send what is wrong after what is right, and must not be answered in between.
    let slow = |received: &Received| [vec![Step::Wait(PAUSE)], script::standard(received)].concat();
    let site = Site::start(Backend::scripted(slow), flags);
    let port = site.process.address("web").port().to_string();
    run.args(["-h", "127.0.0.1", "-p", &port, "--strict", "--timeout", "5"]).args(arguments);
    let output = run.output().expect("h2spec");
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.lines().rev().find(|line| line.contains(" tests, ")).unwrap_or_default();
    let count = summary.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
    assert!(count >= 146 && summary.contains(" 0 skipped"), "{text}");
    let (_, failed) = text.split_once("Failures:").unwrap_or_default();
    println!("{failed}");
    let names = failed.lines().filter_map(|line| line.trim().strip_prefix("× "));
    Some(names.map(str::to_owned).collect())
}

#[test]
fn http2_over_tls_conforms() {
    let Some(failures) = failures(&["-t", "-k"], &["--entryPoints.web.http.tls=true"]) else {
        return;
    };
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn http2_in_plaintext_conforms() {
    let Some(failures) = failures(&[], &[]) else { return };
    assert_eq!(failures, [ANOTHER_PROTOCOL]);
}
