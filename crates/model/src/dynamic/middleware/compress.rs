//! `compress`.

use serde::Serialize;

/// Compresses the bodies of responses. Traefik: `compress`.
#[derive(Clone, Debug, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compress {
    /// Media types of requests and responses of which nothing is compressed; `application/grpc` is always one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_content_types: Vec<String>,
    /// The only media types of responses that are compressed; empty means all that are not excluded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub included_content_types: Vec<String>,
    /// Bytes of a body below which it is not compressed; 0 means the default, 1024.
    #[serde(skip_serializing_if = "is_zero")]
    pub min_response_body_bytes: i64,
    /// What is offered, the best first: `gzip`, `br` and `zstd`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encodings: Vec<String>,
    /// What a client gets that does not say what it takes, or that takes anything; empty means none, or the first.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default_encoding: String,
}

impl Default for Compress {
    fn default() -> Self {
        Self {
            excluded_content_types: Vec::new(),
            included_content_types: Vec::new(),
            min_response_body_bytes: 0,
            encodings: ["gzip", "br", "zstd"].map(str::to_owned).to_vec(),
            default_encoding: String::new(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
