//! `circuitBreaker` and `buffering`.

use serde::Serialize;

use crate::Period;

/// Asks what fails no more, until it has recovered. Traefik: `circuitBreaker`.
#[derive(Clone, Debug, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// When it fails, such as `NetworkErrorRatio() > 0.30`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expression: String,
    /// Time between checks.
    #[serde(skip_serializing_if = "is_no_time")]
    pub check_period: Period,
    /// Time for which it is not asked.
    #[serde(skip_serializing_if = "is_no_time")]
    pub fallback_duration: Period,
    /// Time in which it is asked more and more again.
    #[serde(skip_serializing_if = "is_no_time")]
    pub recovery_duration: Period,
    /// The status while it is not asked.
    #[serde(skip_serializing_if = "is_zero")]
    pub response_code: i64,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            expression: String::new(),
            check_period: Period::milliseconds(100),
            fallback_duration: Period::seconds(10),
            recovery_duration: Period::seconds(10),
            response_code: 503,
        }
    }
}

/// Reads bodies whole before it passes them on, within limits. Traefik: `buffering`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Buffering {
    /// Bytes of a request's body, at most; 0 means no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_request_body_bytes: i64,
    /// Bytes of a request's body that are held in memory; 0 means 1 MiB.
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_request_body_bytes: i64,
    /// Bytes of a response's body, at most; 0 means no limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub max_response_body_bytes: i64,
    /// Bytes of a response's body that are held in memory; 0 means 1 MiB.
    #[serde(skip_serializing_if = "is_zero")]
    pub mem_response_body_bytes: i64,
    /// When to try again, such as `IsNetworkError() && Attempts() < 3`; empty means never.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub retry_expression: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_no_time(period: &Period) -> bool {
    period.nanoseconds == 0
}
