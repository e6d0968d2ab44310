//! Middlewares: what happens to a request between its router and its service.

use std::fmt;

use serde::Serialize;

mod certificate;
mod client_tls;
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

pub use certificate::{ClientCertificateInfo, NameParts, PassTlsClientCert};
pub use client_tls::ClientTls;
pub use compress::Compress;
pub use errors::Errors;
pub use failure::{Buffering, CircuitBreaker};
pub use forward_auth::ForwardAuth;
pub use grpc_web::GrpcWeb;
pub use headers::{Cors, Headers, InertHeaders, Security};
pub use limits::{InFlightReq, IpAllowList, IpStrategy, IpWhiteList, RateLimit, SourceCriterion};
pub use own::{BodyLimit, IpDenyList, Maintenance};
pub use redis::Redis;
pub use retry::Retry;

use super::service::Unserved;

/// What happens to a request between its router and its service. Traefik: `http.middlewares.<name>`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Middleware {
    /// Adds a prefix to the path.
    AddPrefix(AddPrefix),
    /// Asks for a user and a password.
    BasicAuth(BasicAuth),
    /// Limits the bodies of requests while they pass.
    BodyLimit(BodyLimit),
    /// Reads bodies whole before it passes them on, within limits.
    Buffering(Buffering),
    /// Asks what fails no more, until it has recovered.
    CircuitBreaker(CircuitBreaker),
    /// Other middlewares under one name.
    Chain(Chain),
    /// Compresses the bodies of responses.
    Compress(Compress),
    /// Gives responses without a type that which their beginning looks like.
    ContentType(ContentType),
    /// Asks for a user and a digest of a password; its settings have the fields of `basicAuth`, and lines of
    /// `user:realm:digest`.
    DigestAuth(BasicAuth),
    /// Refuses paths that hold some characters encoded.
    EncodedCharacters(EncodedCharacters),
    /// Puts another service's page in the place of an error.
    Errors(Errors),
    /// Asks another server whether a request may pass.
    ForwardAuth(Box<ForwardAuth>),
    /// Translates between gRPC-Web and gRPC.
    GrpcWeb(GrpcWeb),
    /// Changes request and response headers.
    Headers(Box<Headers>),
    /// Limits the requests of one source that are served at once.
    InFlightReq(InFlightReq),
    /// Lets in clients of some addresses only.
    IpAllowList(IpAllowList),
    /// Keeps out clients of some addresses.
    IpDenyList(IpDenyList),
    /// The old name of `ipAllowList`.
    IpWhiteList(IpWhiteList),
    /// Answers every request in the same way.
    Maintenance(Maintenance),
    /// Tells servers the client's certificate.
    #[serde(rename = "passTLSClientCert")]
    PassTlsClientCert(PassTlsClientCert),
    /// Limits the requests of one source in a time.
    RateLimit(RateLimit),
    /// Redirects by a regular expression over the URL.
    RedirectRegex(RedirectRegex),
    /// Redirects to another scheme or port.
    RedirectScheme(RedirectScheme),
    /// Replaces the path.
    ReplacePath(ReplacePath),
    /// Replaces the path by a regular expression.
    ReplacePathRegex(ReplacePathRegex),
    /// Asks again when a server could not be reached, or answered with some status.
    Retry(Retry),
    /// Removes a prefix from the path.
    StripPrefix(StripPrefix),
    /// Removes what a regular expression matches at the start of the path.
    StripPrefixRegex(StripPrefixRegex),
    /// A kind that is known by name but not served yet; it closes its routers.
    #[serde(untagged)]
    Unserved(Unserved),
    /// Nothing could be read; the entry's problems say why.
    #[default]
    #[serde(untagged)]
    Unreadable,
}

/// Kinds of middlewares that are served.
pub const SERVED_MIDDLEWARES: &[&str] = &[
    "addPrefix",
    "basicAuth",
    "bodyLimit",
    "buffering",
    "chain",
    "circuitBreaker",
    "compress",
    "contentType",
    "digestAuth",
    "encodedCharacters",
    "errors",
    "forwardAuth",
    "grpcWeb",
    "headers",
    "inFlightReq",
    "ipAllowList",
    "ipDenyList",
    "ipWhiteList",
    "maintenance",
    "passTLSClientCert",
    "rateLimit",
    "redirectRegex",
    "redirectScheme",
    "replacePath",
    "replacePathRegex",
    "retry",
    "stripPrefix",
    "stripPrefixRegex",
];

/// Kinds of middlewares that are known by name but not served yet.
pub const UNSERVED_MIDDLEWARES: &[&str] = &["plugin"];

impl Middleware {
    /// The kind's name as users write it; empty when nothing could be read.
    pub fn kind(&self) -> &str {
        match self {
            Self::AddPrefix(_) => "addPrefix",
            Self::BasicAuth(_) => "basicAuth",
            Self::BodyLimit(_) => "bodyLimit",
            Self::Buffering(_) => "buffering",
            Self::CircuitBreaker(_) => "circuitBreaker",
            Self::Chain(_) => "chain",
            Self::Compress(_) => "compress",
            Self::ContentType(_) => "contentType",
            Self::DigestAuth(_) => "digestAuth",
            Self::EncodedCharacters(_) => "encodedCharacters",
            Self::Errors(_) => "errors",
            Self::ForwardAuth(_) => "forwardAuth",
            Self::GrpcWeb(_) => "grpcWeb",
            Self::Headers(_) => "headers",
            Self::InFlightReq(_) => "inFlightReq",
            Self::Maintenance(_) => "maintenance",
            Self::PassTlsClientCert(_) => "passTLSClientCert",
            Self::RateLimit(_) => "rateLimit",
            Self::IpAllowList(_) => "ipAllowList",
            Self::IpDenyList(_) => "ipDenyList",
            Self::IpWhiteList(_) => "ipWhiteList",
            Self::RedirectRegex(_) => "redirectRegex",
            Self::RedirectScheme(_) => "redirectScheme",
            Self::ReplacePath(_) => "replacePath",
            Self::ReplacePathRegex(_) => "replacePathRegex",
            Self::Retry(_) => "retry",
            Self::StripPrefix(_) => "stripPrefix",
            Self::StripPrefixRegex(_) => "stripPrefixRegex",
            Self::Unserved(kinds) => kinds.keys().next().map_or("", String::as_str),
            Self::Unreadable => "",
        }
    }
}

/// Adds a prefix to the path. Traefik: `addPrefix`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct AddPrefix {
    /// The prefix, with its leading slash.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// Asks for a user and a password. Traefik: `basicAuth`.
#[derive(Clone, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// Lines of `user:hash`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// The path of a file with such lines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub users_file: String,
    /// The file's lines, read by the provider; `users` wins over them.
    #[serde(skip)]
    pub users_of_file: Vec<String>,
    /// The realm that clients show; empty means `traefik`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub realm: String,
    /// Whether servers do not see the credentials.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub remove_header: bool,
    /// The header in which servers see the user's name; empty means none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header_field: String,
}

impl fmt::Debug for BasicAuth {
    /// Without the hashes: they are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth")
            .field("users", &self.users.len())
            .field("users_file", &self.users_file)
            .field("realm", &self.realm)
            .field("remove_header", &self.remove_header)
            .field("header_field", &self.header_field)
            .finish_non_exhaustive()
    }
}

/// Other middlewares under one name. Traefik: `chain`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct Chain {
    /// Names, in the order they run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
}

/// Gives responses without a type that which their beginning looks like. Traefik: `contentType`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentType {
    /// Traefik's deprecated `autoDetect`; false switches the middleware off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_detect: Option<bool>,
}

/// Refuses paths that hold some characters encoded. Traefik: `encodedCharacters`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncodedCharacters {
    /// Lets `%2F` pass.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_slash: bool,
    /// Lets `%5C` pass.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_back_slash: bool,
    /// Lets `%00` pass.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_null_character: bool,
    /// Lets `%3B` pass.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_semicolon: bool,
    /// Lets `%25` pass.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_percent: bool,
    /// Lets `%3F` pass.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_question_mark: bool,
    /// Lets `%23` pass.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_encoded_hash: bool,
}

/// Redirects by a regular expression over the URL. Traefik: `redirectRegex`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct RedirectRegex {
    /// The expression, in Go's syntax, over `scheme://host/path?query`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub regex: String,
    /// The new URL, with `${1}` or `${name}` for what groups have matched.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub replacement: String,
    /// 301 or 308 instead of 302 or 307.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub permanent: bool,
}

/// Redirects to another scheme or port. Traefik: `redirectScheme`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RedirectScheme {
    /// The new scheme.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scheme: String,
    /// The new port; empty means the scheme's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub port: String,
    /// 301 or 308 instead of 302 or 307.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub permanent: bool,
}

/// Replaces the path. Traefik: `replacePath`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct ReplacePath {
    /// The new path, encoded.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// Replaces the path by a regular expression. Traefik: `replacePathRegex`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct ReplacePathRegex {
    /// The expression, in Go's syntax, over the encoded path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub regex: String,
    /// The new path, encoded, with `${1}` or `${name}` for what groups have matched.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub replacement: String,
}

/// Removes a prefix from the path. Traefik: `stripPrefix`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StripPrefix {
    /// The first of these that the path begins with is removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
    /// Traefik's deprecated `forceSlash`; absent means false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_slash: Option<bool>,
}

/// Removes what a regular expression matches at the start of the path. Traefik: `stripPrefixRegex`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct StripPrefixRegex {
    /// Expressions, in Go's syntax, over the decoded path; the first that matches counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regex: Vec<String>,
}
