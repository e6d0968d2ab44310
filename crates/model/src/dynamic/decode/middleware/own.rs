//! Middlewares of Portway's own out of a tree.

use super::ip_strategy;
use crate::{
    Fields, Node, Problem,
    dynamic::{BodyLimit, IpDenyList, Maintenance},
};

/// Reads `bodyLimit`.
pub(super) fn body_limit(node: &Node, path: &str, problems: &mut Vec<Problem>) -> BodyLimit {
    let mut fields = Fields::open(node, path, problems);
    let max_request_body_bytes = fields.integer("maxRequestBodyBytes").unwrap_or_default();
    fields.close();
    BodyLimit { max_request_body_bytes }
}

/// Reads `ipDenyList`.
pub(super) fn ip_deny_list(node: &Node, path: &str, problems: &mut Vec<Problem>) -> IpDenyList {
    let mut fields = Fields::open(node, path, problems);
    let ip_deny_list = IpDenyList {
        source_range: fields.strings("sourceRange"),
        ip_strategy: fields.section("ipStrategy", ip_strategy),
        reject_status_code: fields.integer("rejectStatusCode").unwrap_or_default(),
    };
    fields.close();
    ip_deny_list
}

/// Reads `maintenance`.
pub(super) fn maintenance(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Maintenance {
    let mut fields = Fields::open(node, path, problems);
    let has_body = fields.node("body").is_some();
    let maintenance = Maintenance {
        status: fields.integer("status").unwrap_or_default(),
        body: has_body.then(|| fields.string("body")),
        content_type: fields.string("contentType"),
        retry_after: fields.period("retryAfter").unwrap_or_default(),
        headers: fields.string_map("headers"),
        source_range: fields.strings("sourceRange"),
        ip_strategy: fields.section("ipStrategy", ip_strategy),
    };
    fields.close();
    maintenance
}
