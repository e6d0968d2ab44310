//! A real API server for the tests: built with Go from the module `tests/kubernetes/apiserver`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

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
    let version = version(&stamp)?;
    build(&go, &module, &folder, version)?;
    starts_as(&folder, version)?;
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
fn version(module: &str) -> Result<&str> {
    let words = module.lines().map(|line| line.trim().trim_start_matches("require "));
    let required = words.filter_map(|line| line.strip_prefix("k8s.io/kubernetes ")).next();
    required
        .and_then(|line| line.split_whitespace().next())
        .context("tests/kubernetes/apiserver/go.mod requires no k8s.io/kubernetes")
}

/// Tells a binary that cannot start from tests that fail for want of it.
fn starts_as(folder: &Path, version: &str) -> Result<()> {
    for name in ["kube-apiserver", "kubectl"] {
        let version_of =
            if name == "kubectl" { ["version", "--client"] } else { ["--version", "-v=0"] };
        let output = Command::new(folder.join(name)).args(version_of).output().context(name)?;
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success() && said.contains(version),
            "the {name} that was built is not {version}: {said}{complaint}"
        );
    }
    Ok(())
}

fn has_all(folder: &Path) -> bool {
    BINARIES.iter().all(|name| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_version_stands_before_a_comment() {
        let module = "go 1.26\n\nrequire (\n\tk8s.io/kubernetes v1.37.2 // indirect\n)\n";
        assert_eq!(version(module).expect("a version"), "v1.37.2");
        assert_eq!(version("require k8s.io/kubernetes v1.38.0").expect("a version"), "v1.38.0");
        assert!(version("go 1.26").is_err());
    }
}
