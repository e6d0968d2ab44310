//! `retry` out of a tree.

use crate::{Fields, Node, Problem, dynamic::Retry};

/// Reads `retry`.
pub(super) fn retry(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Retry {
    let mut fields = Fields::open(node, path, problems);
    let default = Retry::default();
    let retry = Retry {
        attempts: fields.integer("attempts").unwrap_or_default(),
        timeout: fields.period("timeout").unwrap_or(default.timeout),
        initial_interval: fields.period("initialInterval").unwrap_or(default.initial_interval),
        max_request_body_bytes: fields
            .integer("maxRequestBodyBytes")
            .unwrap_or(default.max_request_body_bytes),
        status: fields.strings("status"),
        disable_retry_on_network_error: fields
            .boolean("disableRetryOnNetworkError")
            .unwrap_or_default(),
        retry_non_idempotent_method: fields.boolean("retryNonIdempotentMethod").unwrap_or_default(),
    };
    fields.close();
    retry
}
