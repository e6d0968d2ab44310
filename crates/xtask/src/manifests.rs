//! One file that installs everything, for k3s' folder of manifests: the chart rendered, and what a chart does not hold.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{root, shown, tools};

/// What is rendered, from the workspace's folder.
const FILE: &str = "deploy/k3s/portway.yaml";

/// Where the objects go. A namespace of its own: `kubectl delete namespace` takes all of it away, the Lease that it may
/// write is the only one there, and Pod Security can hold its pods to the strictest standard, which kube-system's cannot.
const NAMESPACE: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: portway
  labels:
    # Admits the pods of this file and no others: not root, no rights, nothing of the node.
    pod-security.kubernetes.io/enforce: restricted
";

const HEAD: &str = "\
# Portway for k3s: put this file into /var/lib/rancher/k3s/server/manifests/ of a server that runs with `--disable traefik`.
# docs/kubernetes.md says how, step by step, and what to mind when routes of the bundled Traefik exist.
#
# Rendered by `cargo xtask manifests` out of deploy/chart/portway with deploy/k3s/values.yaml, and deploy/crds.
";

/// Writes the file.
///
/// # Errors
/// When there is no Helm, the chart does not render, or a file cannot be read or written.
pub(crate) fn write() -> Result<()> {
    let Some(helm) = tools::helm() else {
        bail!("there is no Helm and it could not be built; Go (https://go.dev/dl) brings it");
    };
    let path = root().join(FILE);
    fs::write(&path, rendered(&helm)?).with_context(|| format!("{FILE} cannot be written"))
}

/// Holds the committed file against what would be written.
///
/// # Errors
/// When they differ, or when it cannot be rendered; without Helm only with CI set.
pub(crate) fn check() -> Result<()> {
    let Some(helm) = tools::helm() else {
        return tools::missing("Helm", "Go (https://go.dev/dl)");
    };
    if read(FILE)? != rendered(&helm)? {
        bail!("{FILE} is not what the chart and the CRDs give; `cargo xtask manifests` writes it");
    }
    Ok(())
}

fn rendered(helm: &Path) -> Result<String> {
    let mut command = Command::new(helm);
    command
        .args(["template", "portway", "deploy/chart/portway", "--namespace", "portway"])
        .args(["--kube-version", "1.34.0", "--values", "deploy/k3s/values.yaml"])
        .current_dir(root());
    let output = command.output().with_context(|| format!("`{}` cannot run", shown(&command)))?;
    if !output.status.success() {
        bail!("`{}`: {}", shown(&command), String::from_utf8_lossy(&output.stderr));
    }
    let chart = String::from_utf8(output.stdout).context("the chart is no text")?;
    let mut text = format!("{HEAD}---\n{NAMESPACE}");
    for group in ["traefik.io", "traefik.containo.us"] {
        let definitions = read(&format!("deploy/crds/{group}.yaml"))?;
        text.push_str("---\n");
        text.push_str(definitions.trim_start_matches("---\n").trim_end());
        text.push('\n');
    }
    for line in chart.lines().filter(|line| !line.starts_with("# Source: ")) {
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("{path} cannot be read"))
}
