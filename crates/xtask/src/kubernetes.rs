//! A real API server for the tests: built with Go from the module `tests/kubernetes/apiserver`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{root, run, tools};

const BINARIES: [&str; 3] = ["kube-apiserver", "kubectl", "etcd"];

/// Packages of the module, by the name that Go gives their binaries.
const PACKAGES: [&str; 3] = [
    "k8s.io/kubernetes/cmd/kube-apiserver",
    "k8s.io/kubernetes/cmd/kubectl",
    "go.etcd.io/etcd/server/v3",
];

/// The folder with `kube-apiserver`, `etcd` and `kubectl`: the one that `KUBEBUILDER_ASSETS` names, or where they
/// are built; `None` where they cannot be had.
///
/// # Errors
/// With CI set, when there is no Go; and when the build fails.
pub(crate) fn assets() -> Result<Option<PathBuf>> {
    let named = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    if let Some(folder) = named.filter(|folder| has_all(folder)) {
        return Ok(Some(folder));
    }
    let folder = tools::tools_folder().join("kubernetes");
    let module = root().join("tests/kubernetes/apiserver");
    let stamp =
        fs::read_to_string(module.join("go.mod")).context("tests/kubernetes/apiserver/go.mod")?;
    let stamp_file = folder.join("go.mod.built");
    if has_all(&folder) && fs::read_to_string(&stamp_file).is_ok_and(|built| built == stamp) {
        return Ok(Some(folder));
    }
    let Some(go) = tools::go() else {
        tools::missing("Go", "golang.org, version 1.26 or later,")?;
        return Ok(None);
    };
    build(&go, &module, &folder, &version(&stamp))?;
    fs::write(stamp_file, stamp)?;
    Ok(Some(folder))
}

fn build(go: &Path, module: &Path, folder: &Path, version: &str) -> Result<()> {
    fs::create_dir_all(folder)?;
    let component = "k8s.io/component-base/version";
    let flags = format!("-s -w -X {component}.gitVersion={version} -X {component}.gitMajor=1");
    let minor = version.split('.').nth(1).unwrap_or_default();
    let flags = format!("{flags} -X {component}.gitMinor={minor}");
    let mut build = Command::new(go);
    build.args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &flags, "-o"]);
    build.arg(folder).args(PACKAGES).current_dir(module).env("CGO_ENABLED", "0");
    run(&mut build)?;
    // The package of etcd's binary is called after what it is.
    fs::rename(folder.join("server"), folder.join("etcd")).context("etcd was not built")
}

/// The version of Kubernetes that the module requires, such as `v1.37.2`.
fn version(module: &str) -> String {
    let line = module.lines().find(|line| line.trim_start().starts_with("k8s.io/kubernetes "));
    line.and_then(|line| line.split_whitespace().last()).unwrap_or("v0.0.0").to_owned()
}

fn has_all(folder: &Path) -> bool {
    BINARIES.iter().all(|name| folder.join(name).is_file())
}
