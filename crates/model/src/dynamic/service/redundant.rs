//! Services that stand in for one another, and services that get copies of requests.

use serde::Serialize;

use super::HeedsHealth;

/// A service, and another for when it is down. Traefik: `failover`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failover {
    /// The name of the service that is asked first.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// The name of the service for when the other one is down.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fallback: String,
    /// Whether the fallback's health counts too, and is told to services that hold this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HeedsHealth>,
    /// Answers for which the fallback is asked instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<FailoverErrors>,
    /// See [`Service::middlewares`](super::Service::middlewares).
    #[serde(skip)]
    pub middlewares: Vec<String>,
}

/// Answers for which the fallback is asked. Traefik: `failover.errors`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailoverErrors {
    /// Bytes of a request's body above which it is refused with 413; below 0 means no limit. Absent means -1; a
    /// provider that shows what was written leaves it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_request_body_bytes: Option<i64>,
    /// Status codes, and ranges of them. Without any, answers count for nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
}

/// A service that answers, and others that get copies of its requests. Traefik: `mirroring`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mirroring {
    /// The name of the service that answers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// Whether bodies are copied too; absent means yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror_body: Option<bool>,
    /// Bytes of a body above which a request is not copied; below 0, or absent, means no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body_size: Option<i64>,
    /// The services that get copies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<Mirror>,
    /// Whether the health of the service that answers is told to services that hold this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HeedsHealth>,
    /// See [`Service::middlewares`](super::Service::middlewares).
    #[serde(skip)]
    pub middlewares: Vec<String>,
}

/// A service that gets copies. Traefik: `mirroring.mirrors[]`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    /// The service's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its share of the requests, from 0 to 100 percent.
    #[serde(skip_serializing_if = "is_zero")]
    pub percent: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
