//! One test binary for what needs the whole program.
//!
//! - `browser`: the dashboard in a headless Chromium.
//! - `compat`: Portway and the real Traefik side by side on the same configuration and requests.
//! - `deploy`: what the Helm chart and the files for k3s give.
//! - `kubernetes`: Portway and a real API server.
//! - `messages`: what Portway says of bad input.
//! - `tidy`: what must not drift in silence: the crate graph, the map, module docs.
//! - `wire`: bytes in, bytes out through the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "browser/browser.rs"]
mod browser;
#[path = "compat/compat.rs"]
mod compat;
#[path = "deploy/deploy.rs"]
mod deploy;
#[path = "kubernetes/kubernetes.rs"]
mod kubernetes;
#[path = "messages/messages.rs"]
mod messages;
#[path = "tidy/tidy.rs"]
mod tidy;
#[path = "wire/wire.rs"]
mod wire;

use portway_testkit::process::Program;

/// The Portway binary under test.
fn portway() -> Program {
    Program::portway(env!("CARGO_BIN_EXE_portway"))
}
