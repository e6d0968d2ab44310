//! Middlewares that let in some clients, or so many.

use serde::Serialize;

use super::Redis;
use crate::Period;

/// Lets in clients of some addresses only. Traefik: `ipAllowList`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IpAllowList {
    /// Addresses and networks that are let in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_range: Vec<String>,
    /// How the client's address is found; `None` means that of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// The status for others; 0 means 403.
    #[serde(skip_serializing_if = "is_zero")]
    pub reject_status_code: i64,
}

/// The old name of [`IpAllowList`]. Traefik: `ipWhiteList`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IpWhiteList {
    /// Addresses and networks that are let in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_range: Vec<String>,
    /// How the client's address is found; `None` means that of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
}

/// How a client's address is found. Traefik: `ipStrategy`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct IpStrategy {
    /// The place in `X-Forwarded-For`, counted from the right, from 1; 0 means none.
    #[serde(skip_serializing_if = "is_zero")]
    pub depth: i64,
    /// Addresses and networks in `X-Forwarded-For` that are passed over.
    #[serde(rename = "excludedIPs", skip_serializing_if = "Vec::is_empty")]
    pub excluded_ips: Vec<String>,
    /// The bits of an IPv6 address that count.
    #[serde(rename = "ipv6Subnet", skip_serializing_if = "Option::is_none")]
    pub ipv6_subnet: Option<i64>,
}

/// What makes requests those of one source. Traefik: `sourceCriterion`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceCriterion {
    /// The client's address, found in this way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// The value of this header.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_header_name: String,
    /// The host.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub request_host: bool,
}

/// Limits the requests of one source that are served at once. Traefik: `inFlightReq`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InFlightReq {
    /// Requests at once.
    #[serde(skip_serializing_if = "is_zero")]
    pub amount: i64,
    /// What makes requests those of one source; by default the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
}

/// Limits the requests of one source in a time. Traefik: `rateLimit`.
#[derive(Clone, Debug, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Requests in a period; 0 means any number.
    #[serde(skip_serializing_if = "is_zero")]
    pub average: i64,
    /// The time that `average` counts for.
    #[serde(skip_serializing_if = "is_no_time")]
    pub period: Period,
    /// Requests at once, at most.
    #[serde(skip_serializing_if = "is_zero")]
    pub burst: i64,
    /// What makes requests those of one source; by default the address of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
    /// The Redis that several instances count in; `None` means that each router of each instance counts for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<Box<Redis>>,
}

impl Default for RateLimit {
    fn default() -> Self {
        let (period, burst) = (Period::seconds(1), 1);
        Self { average: 0, period, burst, source_criterion: None, redis: None }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_no_time(period: &Period) -> bool {
    period.nanoseconds == 0
}
