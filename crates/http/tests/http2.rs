//! HTTP/2 against the `h2` crate, in both roles, and against h2spec.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by panicking")]

#[path = "http2/client.rs"]
mod client;
#[path = "http2/conformance.rs"]
mod conformance;
#[path = "http2/interop.rs"]
mod interop;
#[path = "http2/server.rs"]
mod server;
