//! What the internal services may look at.

use std::collections::BTreeMap;

use portway_model::runtime::Runtime;
use serde_json::Value;

/// What the internal services may look at, of one moment.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Every object with its status.
    pub runtime: &'a Runtime,
    /// Static entry points by name, in Traefik's JSON without `name`.
    pub entry_points: &'a BTreeMap<String, Value>,
    /// Certificates in Traefik's JSON; `None` when they are not known, then `/api/certificates` is 404.
    pub certificates: Option<&'a [Value]>,
    /// The status of `/ping`: 200, or `ping.terminatingStatusCode` once the end has begun.
    pub ping_status: u16,
    /// What does not change while the process lives.
    pub facts: &'a Facts,
}

/// What does not change while the process lives.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The version, without a leading `v`.
    pub version: String,
    /// The version's name.
    pub codename: String,
    /// When the process started (RFC 3339).
    pub start_date: String,
    /// The installation's identity, where there is one.
    pub uuid: Option<String>,
    /// `api.basePath`, with its leading slash; empty means `/`.
    pub base_path: String,
    /// `api.dashboard`.
    pub dashboard: bool,
    /// `api.disableDashboardAd`.
    pub disable_dashboard_ad: bool,
    /// `api.dashboardName`; empty means none.
    pub dashboard_name: String,
    /// Enabled providers by Traefik's names, such as `File` or `KubernetesCRD`.
    pub providers: Vec<String>,
    /// Enabled observability.
    pub features: Features,
    /// The machine's name, for `whoami@internal`.
    pub hostname: String,
    /// The machine's addresses, for `whoami@internal`.
    pub addresses: Vec<String>,
}

/// Enabled observability. Traefik: `features` of `/api/overview`.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// Where traces go, such as `OpenTelemetry`; empty means nowhere.
    pub tracing: String,
    /// Who gets metrics, such as `Prometheus`; empty means nobody.
    pub metrics: String,
    /// Whether there is an access log.
    pub access_log: bool,
}

impl Facts {
    /// What comes before `/api` and `/dashboard`: empty, or a path without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        self.base_path.trim_end_matches('/')
    }
}
