//! The data plane, in the order of a request's way.
//!
//! ```text
//! accept → PROXY protocol → handshake → connection → exchange → forward → relay → answer
//! ```
//!
//! - `accept`: listening sockets, one set for each worker (`SO_REUSEPORT`).
//! - `proxy_protocol`: the client's address, where a balancer in front tells it.
//! - `handshake`: TLS, with the certificate and options that the name asked for leads to.
//! - `connection`: one client connection: request heads, keep-alive, limits, graceful end.
//! - `http2`: one client connection that speaks HTTP/2, whose streams are exchanges.
//! - `exchange`: one request from head to last byte, the straight line.
//! - `failover`, `mirroring`: services that ask others, and `copies` of requests for mirrors.
//! - `forward`: pick a server, connect or reuse, send, receive.
//! - `relay`: both directions of bodies at once, with back-pressure.
//! - `tunnel`: what stays after an upgrade, and the bytes that pass through it.
//! - `answer`: answers of our own; errors → status.
//! - `error_pages`, `proxy_status`: what clients are told of errors beyond the status.
//!
//! Everything of one connection runs in one task on one worker: no channel, no lock, no memory shared with
//! other workers but the snapshot's pointer.

mod accept;
mod answer;
mod buffer;
mod clock;
mod connection;
mod copies;
mod deadline;
mod drain;
mod entry_point;
mod error_pages;
mod exchange;
mod failover;
mod forward;
mod handshake;
mod http2;
mod memory;
mod mirroring;
mod own;
mod proxy_protocol;
mod proxy_status;
mod record;
mod relay;
mod stick;
mod subject;
#[cfg(test)]
mod testing;
mod tunnel;
mod worker;
mod wrap;

pub use accept::{BindError, Bound, bind};
pub use drain::Drain;
pub use entry_point::{EntryPoint, InvalidEntryPoint};
pub use error_pages::{ErrorPages, InvalidTemplate};
pub use exchange::{Inbound, InternalServices};
pub use proxy_status::{InvalidProxyName, ProxyStatus};
pub use subject::Asked;
pub use worker::{Worker, WorkerParts};
