//! Connections against frames that are written byte by byte.

mod client;
mod conformance;
mod exchanges;
mod floods;
mod floods_of_servers;
mod heads;
mod properties;
mod support;
