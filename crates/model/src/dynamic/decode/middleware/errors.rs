//! `errors` out of a tree.

use std::collections::BTreeMap;

use crate::{Fields, Node, Problem, decode::join, dynamic::Errors};

/// Reads `errors`; a provider with references of its own puts the service in.
pub fn errors(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Errors {
    let mut fields = Fields::open(node, path, problems);
    let errors = Errors {
        status: fields.strings("status"),
        status_rewrites: status_rewrites(&mut fields),
        service: fields.string("service"),
        query: fields.string("query"),
        error_request_headers: fields
            .node("errorRequestHeaders")
            .is_some()
            .then(|| fields.strings("errorRequestHeaders")),
    };
    fields.close();
    errors
}

/// Reads `errors` of a file, where an empty list of headers means all, as in Traefik.
pub(super) fn errors_of_file(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Errors {
    let errors = errors(node, path, problems);
    let passed = errors.error_request_headers.filter(|names| !names.is_empty());
    Errors { error_request_headers: passed, ..errors }
}

fn status_rewrites(fields: &mut Fields<'_>) -> BTreeMap<String, i64> {
    let path = fields.path("statusRewrites");
    let written = fields.string_map("statusRewrites");
    let mut rewrites = BTreeMap::new();
    for (from, to) in written {
        match to.parse() {
            Ok(to) => drop(rewrites.insert(from, to)),
            Err(_) => {
                let message = format!("expected a status code, found `{to}`");
                fields.push(Problem::error(join(&path, &from), message));
            }
        }
    }
    rewrites
}
