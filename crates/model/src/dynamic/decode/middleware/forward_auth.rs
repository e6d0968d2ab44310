//! `forwardAuth` out of a tree.

use crate::{
    Fields, Node, Problem,
    dynamic::{ClientTls, ForwardAuth, Material},
};

/// Reads `forwardAuth`, with TLS as files have it: each of `ca`, `cert` and `key` is a path or PEM text and the
/// provider's to read.
pub(super) fn forward_auth(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ForwardAuth {
    forward_auth_with(node, path, problems, client_tls).0
}

/// Reads `forwardAuth`, and `tls` in it by `tls`, which gives the settings and what else it finds there.
pub fn forward_auth_with<T>(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
    tls: impl FnOnce(&Node, &str, &mut Vec<Problem>) -> (ClientTls, T),
) -> (ForwardAuth, Option<T>) {
    let mut fields = Fields::open(node, path, problems);
    let (tls, found) = fields.section("tls", tls).unzip();
    let mut flag = |name| fields.boolean(name).unwrap_or_default();
    let forward_auth = ForwardAuth {
        forward_body: flag("forwardBody"),
        preserve_location_header: flag("preserveLocationHeader"),
        preserve_request_method: flag("preserveRequestMethod"),
        address: fields.string("address"),
        tls,
        trust_forward_header: fields.boolean("trustForwardHeader"),
        auth_response_headers: fields.strings("authResponseHeaders"),
        auth_response_headers_regex: fields.string("authResponseHeadersRegex"),
        auth_request_headers: fields.strings("authRequestHeaders"),
        max_response_body_size: fields.integer("maxResponseBodySize"),
        add_auth_cookies_to_response: fields.strings("addAuthCookiesToResponse"),
        header_field: fields.string("headerField"),
        max_body_size: fields.integer("maxBodySize"),
        auth_signin_url: fields.string("authSigninURL"),
    };
    fields.close();
    (forward_auth, found)
}

fn client_tls(node: &Node, path: &str, problems: &mut Vec<Problem>) -> (ClientTls, ()) {
    let mut fields = Fields::open(node, path, problems);
    let mut material = |name| Material { written: fields.string(name), content: Vec::new() };
    let tls = ClientTls {
        ca: material("ca"),
        cert: material("cert"),
        key: material("key"),
        insecure_skip_verify: fields.boolean("insecureSkipVerify").unwrap_or_default(),
        ca_optional: fields.boolean("caOptional"),
    };
    fields.close();
    (tls, ())
}
