//! What clients are told of errors, out of a tree.

use crate::{
    Fields, Node, Problem,
    static_config::{ErrorPages, ProxyStatus},
};

pub(super) fn error_pages(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ErrorPages {
    let mut fields = Fields::open(node, path, problems);
    ErrorPages { html: fields.string("html"), json: fields.string("json") }
}

pub(super) fn proxy_status(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ProxyStatus {
    let mut fields = Fields::open(node, path, problems);
    let name = Some(fields.string("name")).filter(|name| !name.is_empty());
    name.map_or_else(ProxyStatus::default, |name| ProxyStatus { name })
}
