//! The static configuration: what is read once, when Portway starts.
//!
//! The types carry Traefik's names and defaults. [`decode()`] reads them out of one [`crate::Node`] tree, which
//! [`crate::options`] merges out of flags, environment and a file; [`known`] lists every option.

use std::{collections::BTreeMap, num::NonZeroUsize};

use crate::{Period, dynamic::ServersTransport};

mod decode;
mod entry_point;
mod errors;
pub mod known;
mod log;
mod providers;

pub use decode::decode;
pub use entry_point::{
    Address, AliasHeaders, EncodedCharacters, EntryPoint, EntryPointHttp, EntryPointObservability,
    ForwardedHeaders, Http2, Http3, KeepAlive, LifeCycle, NotAnAddress, Protocol, ProxyProtocol,
    RedirectToEntryPoint, Redirections, RespondingTimeouts, Transport, Udp, written_port,
};
pub use errors::{ErrorPages, ProxyStatus};
pub use log::{
    AccessLog, AccessLogFields, AccessLogFilters, AccessLogFormat, FieldMode, FieldModes, Level,
    Log, LogFormat, StatusRange,
};
pub use providers::{
    ClusterConnection, FileProvider, IngressEndpoint, KubernetesCrd, KubernetesIngress,
    KubernetesManifests, KubernetesObjects, Providers,
};

/// The entry point of the internal services, and the one that Portway creates for them where none is
/// defined.
pub const INTERNAL_ENTRY_POINT: &str = "traefik";

/// All that is read once, when Portway starts.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticConfig {
    /// Listening addresses by name; names are lower-case where they came from flags or the environment.
    pub entry_points: BTreeMap<String, EntryPoint>,
    /// Where the dynamic configuration comes from.
    pub providers: Providers,
    /// The API and the dashboard; `None` means neither.
    pub api: Option<Api>,
    /// The health endpoint; `None` means none.
    pub ping: Option<Ping>,
    /// Asking whether certificates are revoked; `None` means that nobody is asked.
    pub ocsp: Option<Ocsp>,
    /// Portway's own log.
    pub log: Log,
    /// One line for each request; `None` means none.
    pub access_log: Option<AccessLog>,
    /// How servers are reached by services that name no transport of their own; at most 200 idle
    /// connections for each server by default.
    pub servers_transport: ServersTransport,
    /// What applies to the whole of the configuration.
    pub core: Core,
    /// What applies to the whole of the process.
    pub global: Global,
    /// Errors in the form that clients ask for; `None` means plain text. Portway's own option `errorPages`.
    pub error_pages: Option<ErrorPages>,
    /// What responses say of what went wrong; `None` means nothing. Portway's own option `proxyStatus`.
    pub proxy_status: Option<ProxyStatus>,
    /// Threads of the data plane; `None` means one for each core. Portway's own option `workers`.
    pub workers: Option<NonZeroUsize>,
}

impl Default for StaticConfig {
    fn default() -> Self {
        Self {
            entry_points: BTreeMap::new(),
            providers: Providers::default(),
            api: None,
            ping: None,
            ocsp: None,
            log: Log::default(),
            access_log: None,
            servers_transport: ServersTransport {
                max_idle_conns_per_host: 200,
                ..ServersTransport::default()
            },
            core: Core::default(),
            global: Global::default(),
            error_pages: None,
            proxy_status: None,
            workers: None,
        }
    }
}

impl StaticConfig {
    /// Adds the entry points that Traefik creates by itself: `http` on port 80 where none is defined at
    /// all, and `traefik` on port 8080 where the API or the health endpoint needs it and it is not defined.
    pub fn add_default_entry_points(&mut self) {
        if self.entry_points.is_empty() {
            self.entry_points.insert("http".to_owned(), EntryPoint::new(Address::on_port(80)));
        }
        let api = self.api.as_ref().is_some_and(|api| api.insecure);
        let ping = self
            .ping
            .as_ref()
            .is_some_and(|ping| !ping.manual_routing && ping.entry_point == INTERNAL_ENTRY_POINT);
        if (api || ping) && !self.entry_points.contains_key(INTERNAL_ENTRY_POINT) {
            let entry_point = EntryPoint::new(Address::on_port(8080));
            self.entry_points.insert(INTERNAL_ENTRY_POINT.to_owned(), entry_point);
        }
    }

    /// The entry points that speak TCP, sorted by name: those that are served.
    pub fn tcp_entry_points(&self) -> impl Iterator<Item = (&str, &EntryPoint)> {
        let all = self.entry_points.iter().map(|(name, entry_point)| (name.as_str(), entry_point));
        all.filter(|(_, entry_point)| entry_point.address.protocol == Protocol::Tcp)
    }

    /// The entry points of routers that name none, sorted: those with `asDefault`, else all that speak
    /// TCP but the internal one.
    pub fn default_entry_points(&self) -> Vec<&str> {
        let chosen: Vec<&str> =
            self.tcp_entry_points().filter(|(_, ep)| ep.as_default).map(|(name, _)| name).collect();
        if !chosen.is_empty() {
            return chosen;
        }
        let names = self.tcp_entry_points().map(|(name, _)| name);
        names.filter(|name| *name != INTERNAL_ENTRY_POINT).collect()
    }

    /// Whether forwarded requests on `entry_point` get no X-Forwarded-For entry of the peer: by the entry
    /// point's own option or by the global one.
    pub fn keeps_x_forwarded_for(&self, entry_point: &EntryPoint) -> bool {
        self.global.not_append_x_forwarded_for
            || entry_point.forwarded_headers.not_append_x_forwarded_for
    }
}

/// The API and the dashboard. Traefik: `api`.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// Served on the entry point `traefik` without a router of the user and without a password.
    pub insecure: bool,
    /// Whether the dashboard is served, default yes.
    pub dashboard: bool,
    /// The path under which both are served, default `/`; begins with `/`.
    pub base_path: String,
    /// Whether `/debug` is served (Traefik's Go profiles; Portway has none and answers 404 there).
    pub debug: bool,
    /// Traefik's advertisement in its dashboard; Portway's has none.
    pub disable_dashboard_ad: bool,
    /// The name that the dashboard shows for this instance.
    pub dashboard_name: String,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            insecure: false,
            dashboard: true,
            base_path: "/".to_owned(),
            debug: false,
            disable_dashboard_ad: false,
            dashboard_name: String::new(),
        }
    }
}

/// Asking whether certificates are revoked, for clients to be shown the answer. Traefik: `ocsp`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ocsp {
    /// URLs to ask instead of those that certificates name.
    pub responder_overrides: BTreeMap<String, String>,
}

/// The health endpoint `/ping`. Traefik: `ping`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ping {
    /// The entry point that serves it, default `traefik`.
    pub entry_point: String,
    /// Whether only routers of the user lead to `ping@internal`.
    pub manual_routing: bool,
    /// The status while Portway shuts down, default 503.
    pub terminating_status_code: u16,
}

impl Default for Ping {
    fn default() -> Self {
        Self {
            entry_point: INTERNAL_ENTRY_POINT.to_owned(),
            manual_routing: false,
            terminating_status_code: 503,
        }
    }
}

/// What applies to the whole of the configuration. Traefik: `core`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Core {
    /// The syntax of rules whose router names none, default v3.
    pub default_rule_syntax: RuleSyntax,
}

/// A syntax of rules.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RuleSyntax {
    /// That of Traefik 2.
    V2,
    /// That of Traefik 3.
    #[default]
    V3,
}

impl RuleSyntax {
    /// `v2` or `v3`.
    pub fn name(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }
}

/// What applies to the whole of the process. Traefik: `global`. Its `checkNewVersion` and
/// `sendAnonymousUsage` have nothing to switch: Portway never calls home.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Global {
    /// Whether no entry point adds the peer to X-Forwarded-For.
    pub not_append_x_forwarded_for: bool,
}

/// Traefik's default for how long changes of the dynamic configuration are gathered before they are used.
///
/// Portway gathers for less by default (see [`Providers`]), so that a saved file is live within a second.
pub const TRAEFIK_THROTTLE: Period = Period::seconds(2);
