//! Test servers, raw clients, a fake API server, certificates and the golden runner; development only.
//!
//! Everything here is blocking and runs on plain threads, so that a test reads from top to bottom
//! and shares no code with what it tests: bytes go out as written and come back as received. Only the
//! API server, whose clients are tested above HTTP, and the client of HTTP/2 stand on libraries.
//!
//! - [`client`]: a raw HTTP/1.1 client, plain or TLS.
//! - [`http2`]: a client of HTTP/2.
//! - [`http2_server`]: a server of HTTP/2 that answers each frame as told.
//! - [`backend`]: a server that records what it receives and answers as told.
//! - [`control_plane`]: a real kube-apiserver with its etcd.
//! - [`process`]: Portway or the real Traefik as a child process with its own folder and ports.
//! - [`mod@line`]: connections of tests that do many things at once.
//! - [`message`]: heads, headers and bodies as they were on the wire.
//! - [`certificate`]: certificates made on the spot.
//! - [`chain`]: certificates that lead to others, sound and not.
//! - [`kubernetes`]: an API server that fails on demand.
//! - [`ocsp`]: an authority that says whether certificates are revoked.
//! - [`redis`]: a real Redis or Valkey as a child process.
//! - [`namespace`]: network namespaces, with addresses and packet filters of their own.
//! - [`folder`], [`golden`], [`random`]: temporary folders, golden files, a seeded generator.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "test support: an expectation that fails is a failing test"
)]

pub mod backend;
pub mod certificate;
pub mod chain;
pub mod client;
pub mod control_plane;
pub mod folder;
pub mod golden;
pub mod http2;
pub mod http2_server;
pub mod kubernetes;
pub mod line;
pub mod message;
pub mod namespace;
pub mod ocsp;
pub mod process;
pub mod random;
pub mod redis;
