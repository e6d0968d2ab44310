//! Every flag that the chart gives is an option that the binary takes and serves.

use std::process::{Command, Stdio};

use portway_model::Severity;
use portway_model::options::{assemble, from_flags};
use portway_testkit::process::free_port;

use super::helm::Helm;
use super::{pod, text, texts, values_files};

/// Holds flags against the binary's own reader: it names options that it does not serve, and those that are outdated,
/// which a values file may give all the same.
#[track_caller]
fn accepted(flags: &[&str], what: &str) {
    let (_, diagnostics) = assemble([from_flags(flags.iter().copied())]);
    for diagnostic in diagnostics {
        assert!(diagnostic.severity != Severity::Error, "{what}: {diagnostic}");
        if diagnostic.message.starts_with("deprecated; use ") {
            continue;
        }
        let named = diagnostic.message.split('`').skip(1).step_by(2);
        assert_eq!(named.count(), 0, "{what}: {diagnostic}");
    }
}

#[test]
fn every_flag_of_every_values_file_is_an_option() {
    let Some(helm) = Helm::found() else { return };
    let mut files: Vec<Vec<_>> = values_files().into_iter().map(|file| vec![file]).collect();
    files.push(Vec::new());
    for files in files {
        let objects = helm.objects(&files);
        let flags = texts(&pod(&objects)["containers"][0]["args"]);
        assert!(flags.len() >= 10, "{files:?}: {flags:?}");
        accepted(&flags, &format!("{files:?}"));
    }
}

#[test]
fn the_flags_in_the_file_for_k3s_are_options() {
    let objects = super::documents(&text("deploy/k3s/portway.yaml"));
    accepted(&texts(&pod(&objects)["containers"][0]["args"]), "deploy/k3s/portway.yaml");
}

#[test]
fn the_binary_takes_the_chart_s_flags() {
    let Some(helm) = Helm::found() else { return };
    // The health check reads all options first and then asks an entry point where nobody is.
    let values = format!("ports: {{traefik: {{port: {}, hostIP: 127.0.0.1}}}}", free_port());
    let rendered = helm.render_with(&values).unwrap();
    let objects = super::documents(&rendered);
    let output = Command::new(env!("CARGO_BIN_EXE_portway"))
        .arg("healthcheck")
        .args(texts(&pod(&objects)["containers"][0]["args"]))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("nobody listens there"), "{told}");
    assert_eq!(output.status.code(), Some(1));
}
