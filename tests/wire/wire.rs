//! Bytes in, bytes out through the real binary: framing, limits, time, reloads and shutdown.

mod aborts;
mod advisories;
mod backends;
mod balancing;
mod bodies;
mod buffering;
mod compress;
mod cost;
mod endings;
mod error_pages;
mod failover;
mod forward_auth;
mod grpc;
mod grpc_web;
mod h2spec;
mod health;
mod http2;
mod http2_floods;
mod http2_server_floods;
mod http2_silence;
mod http2_stalls;
mod http2_trailers;
mod mirroring;
mod own_filters;
mod pipelining;
mod proxy_status;
pub(crate) mod python;
mod redis;
mod reload;
mod reload_state;
mod route_timeouts;
mod scanners;
mod shutdown;
mod slow_clients;
mod smuggling;
mod storm;
mod tunnels;
mod unwanted_bodies;
mod websocket;

use portway_testkit::backend::Backend;
use portway_testkit::client::Client;
use portway_testkit::process::{Process, Setup};

/// Everything goes to one backend; `@@backend@@` is its address.
const EVERYTHING: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s, entryPoints: [web]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
"#;

/// Portway in front of one backend.
struct Site {
    process: Process,
    backend: Backend,
}

impl Site {
    /// Portway with further flags, sending everything to `backend`.
    #[track_caller]
    fn start(backend: Backend, flags: &[&str]) -> Self {
        Self::with(backend, &Setup::web(EVERYTHING), flags)
    }

    /// The same with another setup, whose `@@backend@@` is the backend's address.
    #[track_caller]
    fn with(backend: Backend, setup: &Setup, flags: &[&str]) -> Self {
        let mut setup = setup.clone();
        let address = backend.address().to_string();
        setup.files.iter_mut().for_each(|(_, text)| *text = text.replace("@@backend@@", &address));
        setup.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        Self { process: Process::start(&crate::portway(), &setup), backend }
    }

    #[track_caller]
    fn client(&self) -> Client {
        Client::connect(self.process.address("web")).expect("a connection")
    }
}

/// A GET with nothing else.
fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}
