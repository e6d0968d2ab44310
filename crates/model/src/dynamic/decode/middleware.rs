//! Middlewares out of a tree.

use std::collections::BTreeMap;

mod certificate;
mod compress;
mod errors;
mod failure;
mod forward_auth;
mod grpc_web;
mod headers;
mod limits;
mod own;
mod redis;
mod retry;

use certificate::pass_tls_client_cert;
pub use errors::errors;
use errors::errors_of_file;
use failure::{buffering, circuit_breaker};
pub use forward_auth::forward_auth_with;
pub use headers::headers;
pub use limits::{
    in_flight_req, ip_allow_list, ip_strategy, ip_white_list, rate_limit, rate_limit_with,
    source_criterion,
};
use retry::retry;

pub use redis::redis_fields;

use super::kinds;
use crate::{
    Fields, Node, Problem,
    decode::join,
    dynamic::{
        AddPrefix, BasicAuth, Chain, ContentType, EncodedCharacters, Middleware, RedirectRegex,
        RedirectScheme, ReplacePath, ReplacePathRegex, SERVED_MIDDLEWARES, StripPrefix,
        StripPrefixRegex, UNSERVED_MIDDLEWARES,
    },
};

/// Reads a middleware. Traefik: `http.middlewares.<name>`.
///
/// A kind that is not served yet keeps its settings as JSON and has an error, as has a middleware of two kinds.
pub fn middleware(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Middleware {
    let known: Vec<&'static str> =
        SERVED_MIDDLEWARES.iter().chain(UNSERVED_MIDDLEWARES).copied().collect();
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
    let defaults = Node::empty_map();
    // Traefik: `allowEmpty`.
    let child = if SWITCHES.contains(&kind) && child.is_true() { &defaults } else { child };
    settings(kind, child, path, problems).unwrap_or_else(|| {
        let message =
            format!("middleware kind `{kind}` is not served by this version of Portway yet");
        problems.push(Problem::error(path, message).at(child.at));
        Middleware::Unserved(BTreeMap::from([(kind.to_owned(), child.to_json())]))
    })
}

/// Kinds whose settings may be `true`, which means that all are the defaults.
const SWITCHES: [&str; 2] = ["compress", "contentType"];

/// Reads the settings of a middleware of this kind; `None` if it is not served yet.
pub fn settings(
    kind: &str,
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<Middleware> {
    Some(match kind {
        "addPrefix" => Middleware::AddPrefix(add_prefix(node, path, problems)),
        "basicAuth" => Middleware::BasicAuth(basic_auth(node, path, problems)),
        "bodyLimit" => Middleware::BodyLimit(own::body_limit(node, path, problems)),
        "buffering" => Middleware::Buffering(buffering(node, path, problems)),
        "circuitBreaker" => Middleware::CircuitBreaker(circuit_breaker(node, path, problems)),
        "chain" => Middleware::Chain(chain(node, path, problems)),
        "compress" => Middleware::Compress(compress::compress(node, path, problems)),
        "contentType" => Middleware::ContentType(content_type(node, path, problems)),
        "digestAuth" => Middleware::DigestAuth(basic_auth(node, path, problems)),
        "encodedCharacters" => {
            Middleware::EncodedCharacters(encoded_characters(node, path, problems))
        }
        "errors" => Middleware::Errors(errors_of_file(node, path, problems)),
        "forwardAuth" => {
            Middleware::ForwardAuth(forward_auth::forward_auth(node, path, problems).into())
        }
        "grpcWeb" => Middleware::GrpcWeb(grpc_web::grpc_web(node, path, problems)),
        "headers" => Middleware::Headers(headers(node, path, problems).into()),
        "inFlightReq" => Middleware::InFlightReq(in_flight_req(node, path, problems)),
        "maintenance" => Middleware::Maintenance(own::maintenance(node, path, problems)),
        "passTLSClientCert" => {
            Middleware::PassTlsClientCert(pass_tls_client_cert(node, path, problems))
        }
        "rateLimit" => Middleware::RateLimit(rate_limit(node, path, problems)),
        "ipAllowList" => Middleware::IpAllowList(ip_allow_list(node, path, problems)),
        "ipDenyList" => Middleware::IpDenyList(own::ip_deny_list(node, path, problems)),
        "ipWhiteList" => Middleware::IpWhiteList(ip_white_list(node, path, problems)),
        "redirectRegex" => Middleware::RedirectRegex(redirect_regex(node, path, problems)),
        "redirectScheme" => Middleware::RedirectScheme(redirect_scheme(node, path, problems)),
        "replacePath" => Middleware::ReplacePath(replace_path(node, path, problems)),
        "replacePathRegex" => {
            Middleware::ReplacePathRegex(replace_path_regex(node, path, problems))
        }
        "retry" => Middleware::Retry(retry(node, path, problems)),
        "stripPrefix" => Middleware::StripPrefix(strip_prefix(node, path, problems)),
        "stripPrefixRegex" => {
            Middleware::StripPrefixRegex(strip_prefix_regex(node, path, problems))
        }
        _ => return None,
    })
}

/// Reads `addPrefix`.
pub fn add_prefix(node: &Node, path: &str, problems: &mut Vec<Problem>) -> AddPrefix {
    let mut fields = Fields::open(node, path, problems);
    let add_prefix = AddPrefix { prefix: fields.string("prefix") };
    fields.close();
    add_prefix
}

/// Reads `basicAuth` or `digestAuth`, which have the same fields; the lines of `usersFile` are the provider's to read.
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

/// Reads `contentType`.
pub fn content_type(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ContentType {
    let mut fields = Fields::open(node, path, problems);
    let content_type = ContentType { auto_detect: fields.boolean("autoDetect") };
    fields.close();
    content_type
}

/// Reads `encodedCharacters`.
pub fn encoded_characters(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> EncodedCharacters {
    let mut fields = Fields::open(node, path, problems);
    let mut flag = |name| fields.boolean(name).unwrap_or_default();
    let encoded_characters = EncodedCharacters {
        allow_encoded_slash: flag("allowEncodedSlash"),
        allow_encoded_back_slash: flag("allowEncodedBackSlash"),
        allow_encoded_null_character: flag("allowEncodedNullCharacter"),
        allow_encoded_semicolon: flag("allowEncodedSemicolon"),
        allow_encoded_percent: flag("allowEncodedPercent"),
        allow_encoded_question_mark: flag("allowEncodedQuestionMark"),
        allow_encoded_hash: flag("allowEncodedHash"),
    };
    fields.close();
    encoded_characters
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

/// Reads `replacePath`.
pub fn replace_path(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ReplacePath {
    let mut fields = Fields::open(node, path, problems);
    let replace_path = ReplacePath { path: fields.string("path") };
    fields.close();
    replace_path
}

/// Reads `replacePathRegex`.
pub fn replace_path_regex(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> ReplacePathRegex {
    let mut fields = Fields::open(node, path, problems);
    let replace_path_regex = ReplacePathRegex {
        regex: fields.string("regex"),
        replacement: fields.string("replacement"),
    };
    fields.close();
    replace_path_regex
}

/// Reads `stripPrefixRegex`.
pub fn strip_prefix_regex(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> StripPrefixRegex {
    let mut fields = Fields::open(node, path, problems);
    let strip_prefix_regex = StripPrefixRegex { regex: fields.strings("regex") };
    fields.close();
    strip_prefix_regex
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
