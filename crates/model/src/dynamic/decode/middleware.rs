//! Middlewares out of a tree.

use std::collections::BTreeMap;

use super::kinds;
use crate::{
    Fields, Node, Problem, Value,
    decode::join,
    dynamic::{
        AddPrefix, BasicAuth, Chain, Headers, Middleware, RedirectRegex, RedirectScheme,
        StripPrefix, UNSERVED_MIDDLEWARES,
    },
};

/// Kinds that are served.
const SERVED: [&str; 7] = [
    "addPrefix",
    "basicAuth",
    "chain",
    "headers",
    "redirectRegex",
    "redirectScheme",
    "stripPrefix",
];

/// Reads a middleware. Traefik: `http.middlewares.<name>`.
///
/// A kind that is not served yet keeps its settings as JSON and has an error, as has a middleware of two kinds.
pub fn middleware(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let known: Vec<&'static str> =
        SERVED.into_iter().chain(UNSERVED_MIDDLEWARES.iter().copied()).collect();
    let found = kinds(node, path, &known, problems);
    let (kind, child) = match found.as_slice() {
        [] => return Middleware::Unreadable,
        [one] => *one,
        several => {
            // Traefik's words, for those who look for them.
            let message = "cannot create middleware: multi-types middleware not supported, consider \
                           declaring two different pieces of middleware instead";
            problems.push(Problem::error(path, message).at(node.at));
            let kinds = several.iter().map(|(kind, node)| ((*kind).to_owned(), node.to_json()));
            return Middleware::Unserved(kinds.collect());
        }
    };
    let path = &join(path, kind);
    match kind {
        "addPrefix" => Middleware::AddPrefix(add_prefix(child, path, problems)),
        "basicAuth" => Middleware::BasicAuth(basic_auth(child, path, problems)),
        "chain" => Middleware::Chain(chain(child, path, problems)),
        "headers" => Middleware::Headers(headers(child, path, problems)),
        "redirectRegex" => Middleware::RedirectRegex(redirect_regex(child, path, problems)),
        "redirectScheme" => Middleware::RedirectScheme(redirect_scheme(child, path, problems)),
        "stripPrefix" => Middleware::StripPrefix(strip_prefix(child, path, problems)),
        kind => {
            let message =
                format!("middleware kind `{kind}` is not served by this version of Portway yet");
            problems.push(Problem::error(path, message).at(child.at));
            Middleware::Unserved(BTreeMap::from([(kind.to_owned(), child.to_json())]))
        }
    }
}

/// Reads `addPrefix`.
pub fn add_prefix(node: &Node, path: &str, problems: &mut Vec<Problem>) -> AddPrefix {
    let mut fields = Fields::open(node, path, problems);
    let add_prefix = AddPrefix { prefix: fields.string("prefix") };
    fields.close();
    add_prefix
}

/// Reads `basicAuth`; the lines of `usersFile` are the provider's to read.
pub fn basic_auth(node: &Node, path: &str, problems: &mut Vec<Problem>) -> BasicAuth {
    let mut fields = Fields::open(node, path, problems);
    let basic_auth = BasicAuth {
        users: fields.strings("users"),
        users_file: fields.string("usersFile"),
        users_of_file: Vec::new(),
        realm: fields.string("realm"),
        remove_header: fields.boolean("removeHeader").unwrap_or_default(),
        header_field: fields.string("headerField"),
    };
    fields.close();
    basic_auth
}

/// Reads `redirectRegex`.
pub fn redirect_regex(node: &Node, path: &str, problems: &mut Vec<Problem>) -> RedirectRegex {
    let mut fields = Fields::open(node, path, problems);
    let redirect_regex = RedirectRegex {
        regex: fields.string("regex"),
        replacement: fields.string("replacement"),
        permanent: fields.boolean("permanent").unwrap_or_default(),
    };
    fields.close();
    redirect_regex
}

/// Reads `chain`, whose middlewares are names.
pub fn chain(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Chain {
    let mut fields = Fields::open(node, path, problems);
    let chain = Chain { middlewares: fields.strings("middlewares") };
    fields.close();
    chain
}

/// Reads `headers`. A field that is not served yet and has an effect is an error: to leave out a guard in silence
/// would be wrong.
pub fn headers(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Headers {
    let mut fields = Fields::open(node, path, problems);
    let custom_request_headers = fields.string_map("customRequestHeaders");
    let custom_response_headers = fields.string_map("customResponseHeaders");
    let mut unserved = BTreeMap::new();
    for &name in UNSERVED_HEADERS {
        let Some(node) = fields.node(name).filter(|node| has_effect(name, node)) else { continue };
        unserved.insert(name.to_owned(), node.to_json());
        let message = format!("`{name}` is not served by this version of Portway yet");
        fields.report(name, Problem::error, message);
    }
    for &name in INERT_HEADERS {
        let Some(node) = fields.node(name).filter(|node| has_effect(name, node)) else { continue };
        unserved.insert(name.to_owned(), node.to_json());
    }
    fields.close();
    Headers { custom_request_headers, custom_response_headers, unserved }
}

/// Whether a field has another value than Go's zero, which is what Traefik takes most absent fields for.
fn has_effect(name: &str, node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Scalar { text, .. } => match text.to_ascii_lowercase().as_str() {
            "0" => ["accessControlMaxAge", "stsSeconds"].contains(&name),
            text => !matches!(text, "" | "false" | "f"),
        },
        Value::List(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
    }
}

/// Reads `redirectScheme`.
pub fn redirect_scheme(node: &Node, path: &str, problems: &mut Vec<Problem>) -> RedirectScheme {
    let mut fields = Fields::open(node, path, problems);
    let redirect_scheme = RedirectScheme {
        scheme: fields.string("scheme"),
        port: fields.string("port"),
        permanent: fields.boolean("permanent").unwrap_or_default(),
    };
    if fields.boolean("forcePermanentRedirect") == Some(true) {
        let message = "not served by this version of Portway; it has no effect";
        fields.report("forcePermanentRedirect", Problem::warning, message);
    }
    fields.close();
    redirect_scheme
}

/// Reads `stripPrefix`.
pub fn strip_prefix(node: &Node, path: &str, problems: &mut Vec<Problem>) -> StripPrefix {
    let mut fields = Fields::open(node, path, problems);
    let strip_prefix = StripPrefix {
        prefixes: fields.strings("prefixes"),
        force_slash: fields.boolean("forceSlash"),
    };
    fields.close();
    strip_prefix
}

/// CORS and security fields of `headers`.
const UNSERVED_HEADERS: &[&str] = &[
    "accessControlAllowCredentials",
    "accessControlAllowHeaders",
    "accessControlAllowMethods",
    "accessControlAllowOriginList",
    "accessControlAllowOriginListRegex",
    "accessControlExposeHeaders",
    "accessControlMaxAge",
    "addVaryHeader",
    "allowedHosts",
    "browserXssFilter",
    "contentSecurityPolicy",
    "contentSecurityPolicyReportOnly",
    "contentTypeNosniff",
    "customBrowserXSSValue",
    "customFrameOptionsValue",
    "forceSTSHeader",
    "frameDeny",
    "hostsProxyHeaders",
    "isDevelopment",
    "permissionsPolicy",
    "publicKey",
    "referrerPolicy",
    "sslProxyHeaders",
    "stsIncludeSubdomains",
    "stsPreload",
    "stsSeconds",
];

/// Fields of `headers` that Traefik 3 reads, shows and does not use.
const INERT_HEADERS: &[&str] =
    &["featurePolicy", "sslForceHost", "sslHost", "sslRedirect", "sslTemporaryRedirect"];
