//! Middlewares: what happens to a request between its router and its service.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::service::Unserved;

/// What happens to a request between its router and its service. Traefik: `http.middlewares.<name>`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Middleware {
    /// Adds a prefix to the path.
    AddPrefix(AddPrefix),
    /// Asks for a user and a password.
    BasicAuth(BasicAuth),
    /// Other middlewares under one name.
    Chain(Chain),
    /// Changes request and response headers.
    Headers(Headers),
    /// Redirects by a regular expression over the URL.
    RedirectRegex(RedirectRegex),
    /// Redirects to another scheme or port.
    RedirectScheme(RedirectScheme),
    /// Removes a prefix from the path.
    StripPrefix(StripPrefix),
    /// A kind that is known by name but not served yet; it closes its routers.
    #[serde(untagged)]
    Unserved(Unserved),
    /// Nothing could be read; the entry's problems say why.
    #[default]
    #[serde(untagged)]
    Unreadable,
}

/// Kinds of middlewares that are known by name but not served yet.
pub const UNSERVED_MIDDLEWARES: &[&str] = &[
    "buffering",
    "circuitBreaker",
    "compress",
    "contentType",
    "digestAuth",
    "encodedCharacters",
    "errors",
    "forwardAuth",
    "grpcWeb",
    "inFlightReq",
    "ipAllowList",
    "ipWhiteList",
    "passTLSClientCert",
    "plugin",
    "rateLimit",
    "replacePath",
    "replacePathRegex",
    "retry",
    "stripPrefixRegex",
];

impl Middleware {
    /// The kind's name as users write it; empty when nothing could be read.
    pub fn kind(&self) -> &str {
        match self {
            Self::AddPrefix(_) => "addPrefix",
            Self::BasicAuth(_) => "basicAuth",
            Self::Chain(_) => "chain",
            Self::Headers(_) => "headers",
            Self::RedirectRegex(_) => "redirectRegex",
            Self::RedirectScheme(_) => "redirectScheme",
            Self::StripPrefix(_) => "stripPrefix",
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

/// Changes request and response headers. Traefik: `headers`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Headers {
    /// Request headers to set; an empty value removes the header.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_request_headers: BTreeMap<String, String>,
    /// Response headers to set; an empty value removes the header.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_response_headers: BTreeMap<String, String>,
    /// CORS and security fields that are not served yet, as written; any of them closes the routers that
    /// use the middleware, since leaving a guard out in silence would be wrong. Those that have no effect in
    /// Traefik 3 either are shown and close nothing.
    #[serde(flatten)]
    pub unserved: BTreeMap<String, Value>,
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
