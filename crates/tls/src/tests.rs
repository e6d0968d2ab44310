//! Certificates, options and whole handshakes between rustls' two sides, in memory.

mod certificates;
mod chain;
mod client;
mod entry;
mod fixtures;
mod handshakes;
mod ocsp;
mod options;
