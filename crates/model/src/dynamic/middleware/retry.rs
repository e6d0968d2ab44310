//! `retry`.

use serde::Serialize;

use crate::Period;

/// Asks again when a server could not be reached, or answered with some status. Traefik: `retry`.
#[derive(Clone, Debug, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// How often a request is tried in all.
    #[serde(skip_serializing_if = "is_zero")]
    pub attempts: i64,
    /// How long after the first attempt began another one may follow; 0 means any time.
    #[serde(skip_serializing_if = "is_no_time")]
    pub timeout: Period,
    /// The first pause, from which further ones grow up to twice as much; 0 means none.
    #[serde(skip_serializing_if = "is_no_time")]
    pub initial_interval: Period,
    /// Bytes of a body above which a status is no reason; below 0 means no limit.
    pub max_request_body_bytes: i64,
    /// Status codes that are reasons, and ranges of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// Whether a server that cannot be reached is no reason.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_retry_on_network_error: bool,
    /// Whether a status is a reason for POST, PATCH and LOCK too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retry_non_idempotent_method: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 0,
            timeout: Period::seconds(0),
            initial_interval: Period::seconds(0),
            max_request_body_bytes: 2 * 1024 * 1024,
            status: Vec::new(),
            disable_retry_on_network_error: false,
            retry_non_idempotent_method: false,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_no_time(period: &Period) -> bool {
    period.nanoseconds == 0
}
