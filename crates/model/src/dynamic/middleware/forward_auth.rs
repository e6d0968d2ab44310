//! `forwardAuth`.

use serde::{Serialize, Serializer};

use super::ClientTls;

/// Asks another server whether a request may pass. Traefik: `forwardAuth`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardAuth {
    /// The URL that is asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// TLS towards the server that is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
    /// Whether the `X-Forwarded-*` fields of the request are passed on (true), replaced (false), or, where nothing is
    /// said, in part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_forward_header: Option<bool>,
    /// Fields of the answer that the request gets in place of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_response_headers: Vec<String>,
    /// The same for every field whose name this expression, in Go's syntax, matches.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth_response_headers_regex: String,
    /// Fields of the request that the server sees; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub auth_request_headers: Vec<String>,
    /// Bytes of the answer's body, at most; below 0, or where nothing is said, any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_body_size: Option<i64>,
    /// Names of cookies of the answer that the response gets in place of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_auth_cookies_to_response: Vec<String>,
    /// The field of the answer that names the user, for the access log; empty means none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub header_field: String,
    /// Whether the server sees the request's body.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forward_body: bool,
    /// Bytes of the request's body that the server sees, at most; below 0 any number.
    #[serde(serialize_with = "or_any_number")]
    pub max_body_size: Option<i64>,
    /// Whether the `Location` of an answer is passed on as it is, and not made absolute.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preserve_location_header: bool,
    /// Whether the server is asked with the request's method, and not with GET.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preserve_request_method: bool,
    /// Where clients are sent if the answer is 401; empty means that they get that answer.
    #[serde(rename = "authSigninURL", skip_serializing_if = "String::is_empty")]
    pub auth_signin_url: String,
}

/// Traefik's default, where nothing is said.
#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn or_any_number<S: Serializer>(size: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(size.unwrap_or(-1))
}
