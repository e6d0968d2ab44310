//! A real API server, and what Portway makes of it.

mod oracle;
mod status;

use std::fs;
use std::path::Path;

/// The CustomResourceDefinitions of both groups.
fn crds() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/crds");
    let read = |name| fs::read_to_string(folder.join(name)).expect("definitions");
    format!("{}\n---\n{}", read("traefik.io.yaml"), read("traefik.containo.us.yaml"))
}
