//! Health of servers: how it is found out, and what is told of it to services that hold others.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Period;

/// Asks each server regularly whether it is well. Traefik: `loadBalancer.healthCheck`.
#[derive(Clone, Debug, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// How servers are asked; absent means the scheme of the server's URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<CheckScheme>,
    /// What is spoken; absent means HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<CheckMode>,
    /// Path and query, seen from the server's URL; empty means the URL itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The method; empty means GET.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The status that a server which is well answers with; 0 means any from 200 to 399.
    #[serde(skip_serializing_if = "is_zero")]
    pub status: u16,
    /// The port; 0 means that of the server's URL.
    #[serde(skip_serializing_if = "is_zero")]
    pub port: u16,
    /// Time between questions to a server that is up. The default stands in for what is not positive.
    #[serde(skip_serializing_if = "is_no_time")]
    pub interval: Period,
    /// Time between questions to a server that is down; absent means `interval`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_interval: Option<Period>,
    /// How long an answer may take. The default stands in for what is not positive.
    #[serde(skip_serializing_if = "is_no_time")]
    pub timeout: Period,
    /// The Host field; empty means that of the server's URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// Whether redirects are followed, rather than being an answer.
    pub follow_redirects: bool,
    /// More fields of the request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

impl HealthCheck {
    /// Time between questions where none is written. Traefik: `DefaultHealthCheckInterval`.
    pub const INTERVAL: Period = Period::seconds(30);
    /// How long an answer may take where nothing is written. Traefik: `DefaultHealthCheckTimeout`.
    pub const TIMEOUT: Period = Period::seconds(5);
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            scheme: None,
            mode: None,
            path: String::new(),
            method: String::new(),
            status: 0,
            port: 0,
            interval: Self::INTERVAL,
            unhealthy_interval: None,
            timeout: Self::TIMEOUT,
            hostname: String::new(),
            follow_redirects: true,
            headers: BTreeMap::new(),
        }
    }
}

/// How a server is asked for its health.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckScheme {
    /// In plaintext.
    Http,
    /// Over TLS, as the service's transport says.
    Https,
    /// HTTP/2 in plaintext.
    H2c,
}

/// What is spoken with a server about its health.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckMode {
    /// A request whose status tells.
    #[default]
    Http,
    /// `grpc.health.v1.Health/Check`.
    Grpc,
}

/// Takes out servers whose requests fail. Traefik: `loadBalancer.passiveHealthCheck`.
#[derive(Clone, Debug, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PassiveHealthCheck {
    /// Time in which failures count, and for which a server is out. The default stands in for what is not positive.
    #[serde(skip_serializing_if = "is_no_time")]
    pub failure_window: Period,
    /// Failures, without a success between them, that take a server out; less than 1 means 1.
    #[serde(skip_serializing_if = "is_zero_wide")]
    pub max_failed_attempts: i64,
}

impl PassiveHealthCheck {
    /// The time in which failures count where none is written. Traefik: `PassiveServerHealthCheck.SetDefaults`.
    pub const WINDOW: Period = Period::seconds(10);
    /// Failures that can be counted.
    pub const MOST: i64 = 65_536;
}

impl Default for PassiveHealthCheck {
    fn default() -> Self {
        Self { failure_window: Self::WINDOW, max_failed_attempts: 1 }
    }
}

/// That a service which holds others leaves out those that are down, and tells services that hold it when none of its
/// own is up. Traefik: `healthCheck: {}` of such services.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
pub struct HeedsHealth {}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero_wide(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_no_time(period: &Period) -> bool {
    period.nanoseconds == 0
}
