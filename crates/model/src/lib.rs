//! What the user wrote: static and dynamic configuration, names, units, diagnostics; no IO.
//!
//! Text of any source (YAML, TOML, flags, environment, labels) becomes a [`Node`] tree that knows its
//! places; [`Fields`] reads typed values out of it and collects a [`Problem`] for each that does not fit.
//! Nothing here has a socket, a clock or a regular expression: that is the snapshot's. Objects stand in
//! [`Names`], so that a new version of a large configuration costs what changed in it.

pub mod decode;
pub mod dynamic;
pub mod internal;
pub mod name;
mod names;
mod nearest;
pub mod node;
pub mod options;
pub mod problem;
pub mod runtime;
pub mod static_config;
pub mod toml;
pub mod units;
pub mod yaml;

pub use decode::Fields;
pub use internal::InternalService;
pub use names::{Change, Names};
pub use nearest::nearest;
pub use node::{Node, Position, Value};
pub use problem::{Cause, Diagnostic, Entry, Place, Problem, Severity};
pub use units::Period;
