//! The internal services on the data plane, and the routers that lead to them.

use std::{
    collections::BTreeMap,
    net::{IpAddr, UdpSocket},
    sync::atomic::{AtomicBool, Ordering},
};

use portway_api::{Facts, Features, RequestView, View, exposure};
use portway_http::{Answer, HeaderName, HeaderValue, Status};
use portway_model::{
    InternalService,
    dynamic::Config,
    static_config::{INTERNAL_ENTRY_POINT, StaticConfig, written_port},
};
use portway_proxy::{Inbound, InternalServices};
use serde_json::Value;

/// What `api@internal` and its kin know besides the snapshot.
#[derive(Debug)]
pub(crate) struct Internals {
    facts: Facts,
    entry_points: BTreeMap<String, Value>,
    terminating_status: u16,
    ready: AtomicBool,
    terminating: AtomicBool,
}

impl Internals {
    pub(crate) fn new(config: &StaticConfig, host_name: String) -> Self {
        let api = config.api.clone().unwrap_or_default();
        let providers = [
            (config.providers.file.is_some(), "File"),
            (config.providers.kubernetes_ingress.is_some(), "KubernetesIngress"),
            (config.providers.kubernetes_crd.is_some(), "KubernetesCRD"),
            (config.providers.kubernetes_manifests.is_some(), "KubernetesManifests"),
        ];
        let named = providers.into_iter().filter(|(enabled, _)| *enabled);
        let facts = Facts {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            codename: "portway".to_owned(),
            start_date: jiff::Timestamp::now().to_string(),
            uuid: None,
            base_path: api.base_path,
            dashboard: api.dashboard,
            disable_dashboard_ad: api.disable_dashboard_ad,
            dashboard_name: api.dashboard_name,
            providers: named.map(|(_, name)| name.to_owned()).collect(),
            features: Features {
                tracing: String::new(),
                metrics: String::new(),
                access_log: config.access_log.is_some(),
            },
            hostname: host_name,
            addresses: addresses(),
        };
        let entry_points = config.tcp_entry_points().filter_map(|(name, entry_point)| {
            Some((name.to_owned(), serde_json::to_value(entry_point).ok()?))
        });
        Self {
            facts,
            entry_points: entry_points.collect(),
            terminating_status: config
                .ping
                .as_ref()
                .map_or(503, |ping| ping.terminating_status_code),
            ready: AtomicBool::new(false),
            terminating: AtomicBool::new(false),
        }
    }

    /// Every provider has said its first complete state.
    pub(crate) fn become_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// The process is ending: `/ping` says so.
    pub(crate) fn terminate(&self) {
        self.terminating.store(true, Ordering::Release);
    }

    fn ping_status(&self) -> u16 {
        if self.terminating.load(Ordering::Acquire) {
            self.terminating_status
        } else if self.ready.load(Ordering::Acquire) {
            200
        } else {
            503
        }
    }
}

impl InternalServices for Internals {
    fn answer(&self, service: InternalService, inbound: &Inbound) -> Answer {
        let request = &inbound.request;
        let headers: Vec<(&str, &[u8])> =
            request.headers.iter().map(|field| (field.name, field.value)).collect();
        let remote_address = inbound.peer.to_string();
        let query = String::from_utf8_lossy(request.target.query());
        let asked = RequestView {
            method: request.method.as_str(),
            path: request.target.escaped_path(),
            query: &query,
            host: request.authority(),
            remote_address: &remote_address,
            protocol: request.version.as_str(),
            tls: inbound.secure,
            headers: &headers,
        };
        let view = View {
            runtime: &inbound.snapshot.runtime,
            entry_points: &self.entry_points,
            certificates: None,
            ping_status: self.ping_status(),
            facts: &self.facts,
        };
        adapt(portway_api::answer(service, &asked, &view))
    }
}

fn adapt(answer: portway_api::Answer) -> Answer {
    let status = Status::new(answer.status).unwrap_or(Status::INTERNAL_SERVER_ERROR);
    let mut adapted = Answer::empty(status);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::parse(name), HeaderValue::parse(value.as_bytes()))
        {
            adapted.headers.append(&name, &value);
        }
    }
    adapted.body = answer.body;
    adapted
}

/// The routers that the static configuration makes: of the API, of `/ping` and of redirections.
pub(crate) fn config(config: &StaticConfig) -> Config {
    let mut dynamic = Config::default();
    let http = &mut dynamic.http;
    if let Some(api) = config.api.as_ref().filter(|api| api.insecure) {
        exposure::insecure_api(http, INTERNAL_ENTRY_POINT, &api.base_path, api.dashboard);
    }
    if let Some(ping) = config.ping.as_ref().filter(|ping| !ping.manual_routing) {
        exposure::ping(http, &ping.entry_point);
    }
    for (from, entry_point) in config.tcp_entry_points() {
        let redirections = entry_point.http.redirections.as_ref();
        let Some(to) = redirections.and_then(|redirections| redirections.entry_point.as_ref())
        else {
            continue;
        };
        let named = config.entry_points.get(&to.to).map(|target| target.address.port.to_string());
        let written = || written_port(&to.to).map(str::to_owned);
        let port = named.or_else(written);
        exposure::redirection(
            http,
            &exposure::Redirection {
                from,
                to: &to.to,
                port: port.as_deref(),
                scheme: &to.scheme,
                permanent: to.permanent,
                priority: to.priority,
            },
        );
    }
    dynamic
}

/// The machine's name, as the system says it.
pub(crate) fn host_name() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let name = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname"));
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_default()
}

/// The address that this machine has towards others, for whoami; asks the routing table and sends nothing.
fn addresses() -> Vec<String> {
    let towards = |local: &str, remote: &str| -> Option<IpAddr> {
        let socket = UdpSocket::bind(local).ok()?;
        socket.connect(remote).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let loopback = ["127.0.0.1".to_owned(), "::1".to_owned()];
    let mut addresses: Vec<String> = loopback.into();
    let own = [towards("0.0.0.0:0", "192.0.2.1:9"), towards("[::]:0", "[2001:db8::1]:9")];
    addresses.extend(own.into_iter().flatten().map(|address| address.to_string()));
    addresses.dedup();
    addresses
}
