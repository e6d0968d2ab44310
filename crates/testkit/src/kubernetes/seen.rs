//! What clients asked.

use std::time::Instant;

use serde_json::Value;

/// A request as the server saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Such as `GET`.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The parameters in order, decoded.
    pub query: Vec<(String, String)>,
    /// The body; `null` when there was none or it was not JSON.
    pub body: Value,
    /// The status of the answer; 0 when the connection was reset instead.
    pub status: u16,
    /// When its head had arrived.
    pub when: Instant,
    /// The name of the fault that changed the answer.
    pub fault: Option<&'static str>,
}

impl Seen {
    /// The first value of a parameter, or `""`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// True for a watch.
    #[must_use]
    pub fn is_watch(&self) -> bool {
        !["", "false", "0"].contains(&self.parameter("watch"))
    }
}
