//! Connections against frames that are written byte by byte.

mod client;
mod conformance;
mod exchanges;
mod floods;
mod heads;
mod properties;
mod support;
