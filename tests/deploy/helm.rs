//! Helm as a child process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use portway_testkit::folder::Folder;
use serde_json::Value;

use super::{documents, place};

/// Kubernetes' version that charts are rendered for: helm built from source thinks of a very old one.
const KUBERNETES: &str = "--kube-version=1.34.0";

/// A Helm of version 3 or later.
#[derive(Clone, Debug)]
pub(super) struct Helm(PathBuf);

impl Helm {
    /// `HELM_BINARY`, the one that `cargo xtask setup` builds, or one on the path. Without any, `None`: a test then
    /// skips; with CI set that is a failure.
    pub(super) fn found() -> Option<Self> {
        static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
        let found = FOUND.get_or_init(find).clone();
        if found.is_none() {
            let advice = "no Helm found (HELM_BINARY, target/tools/bin, PATH); with Go installed, \
                          `cargo xtask setup` builds it";
            assert!(std::env::var_os("CI").is_none(), "{advice}");
            eprintln!("SKIPPED: {advice}");
        }
        found.map(Self)
    }

    /// The text that the chart gives with values files, the last strongest; or what Helm says instead.
    pub(super) fn render(&self, values: &[PathBuf]) -> Result<String, String> {
        let output = self.run(&["template", "portway"], &["--namespace", "portway"], values);
        if output.status.success() { Ok(told(&output.stdout)) } else { Err(told(&output.stderr)) }
    }

    /// The objects that the chart gives with one values file.
    #[track_caller]
    pub(super) fn objects(&self, values: &[PathBuf]) -> Vec<Value> {
        let rendered = self.render(values).unwrap_or_else(|error| panic!("{values:?}: {error}"));
        documents(&rendered)
    }

    /// The same with values written in the test.
    pub(super) fn render_with(&self, values: &str) -> Result<String, String> {
        let folder = Folder::new("helm");
        self.render(&[folder.write("values.yaml", values)])
    }

    /// What `helm lint --strict` says, and whether it is content.
    pub(super) fn lint(&self, values: &[PathBuf]) -> (bool, String) {
        let output = self.run(&["lint", "--strict"], &[], values);
        (output.status.success(), told(&output.stdout) + &told(&output.stderr))
    }

    fn run(&self, command: &[&str], options: &[&str], values: &[PathBuf]) -> Output {
        let files = values.iter().flat_map(|file| [OsString::from("--values"), file.into()]);
        Command::new(&self.0)
            .args(command)
            .arg(place("deploy/chart/portway"))
            .args(options)
            .arg(KUBERNETES)
            .args(files)
            .output()
            .expect("Helm runs")
    }
}

fn told(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn find() -> Option<PathBuf> {
    let named = std::env::var_os("HELM_BINARY").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<_> = std::env::split_paths(&path).map(|folder| folder.join("helm")).collect();
    let mut candidates = named.into_iter().chain([place("target/tools/bin/helm")]).chain(on_path);
    candidates.find(|candidate| is_helm(candidate))
}

fn is_helm(path: &Path) -> bool {
    let output = Command::new(path).args(["version", "--short"]).output();
    output.is_ok_and(|output| {
        let version = told(&output.stdout);
        version.starts_with("v3.") || version.starts_with("v4.")
    })
}
