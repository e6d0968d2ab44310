//! Middlewares of Portway's own, which Traefik does not have.

use std::collections::BTreeMap;

use serde::Serialize;

use super::IpStrategy;
use crate::Period;

/// Keeps out clients of some addresses. Portway's own: `ipDenyList`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IpDenyList {
    /// Addresses and networks that are kept out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_range: Vec<String>,
    /// How the client's address is found; `None` means that of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// The status for them; 0 means 403.
    #[serde(skip_serializing_if = "is_zero")]
    pub reject_status_code: i64,
}

/// Answers every request in the same way. Portway's own: `maintenance`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Maintenance {
    /// The status; 0 means 503.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: i64,
    /// The body; `None` means the text of the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The type of the body; empty means plain text in UTF-8.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// When to ask again, told in whole seconds; no time means that nothing is told.
    #[serde(skip_serializing_if = "is_no_time")]
    pub retry_after: Period,
    /// Further fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Addresses and networks whose requests pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_range: Vec<String>,
    /// How the client's address is found; `None` means that of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
}

/// Limits the bodies of requests while they pass. Portway's own: `bodyLimit`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BodyLimit {
    /// Bytes of a request's body, at most; at least 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_request_body_bytes: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_no_time(period: &Period) -> bool {
    period.nanoseconds == 0
}
