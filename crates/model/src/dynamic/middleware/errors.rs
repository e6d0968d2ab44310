//! `errors`.

use std::collections::BTreeMap;

use serde::Serialize;

/// Puts another service's page in the place of an error. Traefik: `errors`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Errors {
    /// Status codes that are errors, and ranges of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// Status codes or ranges, and the status that clients get instead.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub status_rewrites: BTreeMap<String, i64>,
    /// The service that has the pages.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// The path and query of a page, with `{status}`, `{originalStatus}` and `{url}`; empty means the root.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Request headers that the service sees; absent means all. Traefik's API does not show an empty list.
    #[serde(skip_serializing_if = "is_nothing")]
    pub error_request_headers: Option<Vec<String>>,
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn is_nothing(names: &Option<Vec<String>>) -> bool {
    names.as_ref().is_none_or(Vec::is_empty)
}
