//! Adds a prefix to the request path.
//!
//! Traefik: `addPrefix`. Differences: none.

use portway_http::Request;
use portway_model::{Problem, dynamic};

use crate::Flow;

/// A compiled `addPrefix`.
#[derive(Debug)]
pub struct AddPrefix {
    prefix: Box<[u8]>,
}

impl AddPrefix {
    /// Compiles the user's settings; an empty prefix is refused.
    pub fn compile(config: &dynamic::AddPrefix, problems: &mut Vec<Problem>) -> Option<Self> {
        if config.prefix.is_empty() {
            problems.push(Problem::error("addPrefix.prefix", "prefix cannot be empty"));
            return None;
        }
        Some(Self { prefix: config.prefix.as_bytes().into() })
    }

    pub(crate) fn on_request(&self, request: &mut Request) -> Flow {
        request.target.add_prefix(&self.prefix);
        Flow::Continue
    }
}
