//! What is running: every object of the configuration with its status, as `/api` shows it.
//!
//! Settings are shared with the configuration wherever they are shown as written: there may be a hundred thousand.
//! `compile` fills these beside the snapshot; the API, the dashboard and the log read them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::Serialize;

use crate::{
    Diagnostic, Names, Problem,
    dynamic::{Middleware, Observability, Router, Service},
};

/// Whether an object works. Traefik: `status`.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It works.
    #[default]
    Enabled,
    /// It works; something in it has no effect.
    Warning,
    /// It does not work; a router answers 500.
    Disabled,
}

/// All objects, by qualified name. Versions share what they have in common.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    /// HTTP routers.
    pub routers: Names<RouterInfo>,
    /// HTTP services.
    pub services: Names<ServiceInfo>,
    /// HTTP middlewares.
    pub middlewares: Names<MiddlewareInfo>,
    /// Problems of sources that no object above carries.
    pub diagnostics: Vec<Diagnostic>,
    /// What was found in parts that no object above shows.
    pub found: Found,
}

/// Problems that were found when parts were compiled, besides those that their sources told; of every part there is,
/// by its qualified name, or the name alone of what is named `default`.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// TLS options.
    pub options: BTreeMap<String, Vec<Problem>>,
    /// TLS stores.
    pub stores: BTreeMap<String, Vec<Problem>>,
    /// Servers transports.
    pub transports: BTreeMap<String, Vec<Problem>>,
    /// Certificates, by what is written of where they are from.
    pub certificates: BTreeMap<String, Vec<Problem>>,
}

/// A router and what became of it.
#[derive(Clone, Debug, Default)]
pub struct RouterInfo {
    /// The qualified name that it was written under: on entry points it may have others.
    pub written: Arc<str>,
    /// As configured, with the rule's syntax filled in.
    pub router: Arc<Router>,
    /// Qualified names of its middlewares.
    pub middlewares: Box<[Arc<str>]>,
    /// The priority that applies.
    pub priority: i64,
    /// The choice of records that applies.
    pub observability: Observability,
    /// Reasons of its status.
    pub errors: Vec<String>,
    /// What is wrong with its TLS options on an entry point, which `errors` say too.
    pub tls: Option<Box<Problem>>,
    /// Whether it works.
    pub status: Status,
    /// The entry points that use it, sorted.
    pub using: Box<[Arc<str>]>,
    /// Whether it is not looked at beyond its own settings, as in Traefik: it has no entry point, or its priority or
    /// TLS options cannot be used. It is then no reason to ask its service's servers for their health.
    pub stopped: bool,
}

impl RouterInfo {
    /// The entry points that it asks for; where it asks for none, those that it has by default.
    #[must_use]
    pub fn entry_points(&self) -> Vec<&str> {
        match self.router.entry_points.as_slice() {
            [] => self.using.iter().map(|name| &**name).collect(),
            named => named.iter().map(String::as_str).collect(),
        }
    }
}

/// A service and what became of it.
#[derive(Clone, Debug, Default)]
pub struct ServiceInfo {
    /// As configured, with shares and the qualified name of the transport filled in.
    pub service: Arc<Service>,
    /// Reasons of its status.
    pub errors: Vec<String>,
    /// Whether it works.
    pub status: Status,
    /// Qualified names of the routers that use it.
    pub used_by: Names<()>,
    /// Whether routers reach it, so that the status of its servers is shown.
    pub reached: bool,
    /// Who knows which of its servers take requests; absent where nobody watches them and all do.
    pub health: Option<Arc<dyn ServerHealth>>,
}

/// Who knows which servers of a service take requests now.
pub trait ServerHealth: fmt::Debug + Send + Sync {
    /// Whether the server with this URL does.
    fn is_up(&self, url: &str) -> bool;
}

impl ServiceInfo {
    /// Server URLs and whether each takes requests (`UP` or `DOWN`); none where no router reaches the service.
    pub fn server_status(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let servers = match &*self.service {
            Service::LoadBalancer(balancer) if self.reached => balancer.servers.as_slice(),
            _ => &[],
        };
        servers.iter().map(|server| {
            let url = server.url.as_str();
            let is_up = self.health.as_ref().is_none_or(|health| health.is_up(url));
            (url, if is_up { "UP" } else { "DOWN" })
        })
    }
}

/// A middleware and what became of it.
#[derive(Clone, Debug, Default)]
pub struct MiddlewareInfo {
    /// As configured, with qualified names of members where a router uses it.
    pub middleware: Arc<Middleware>,
    /// Reasons of its status.
    pub errors: Vec<String>,
    /// Whether it works.
    pub status: Status,
    /// Qualified names of the routers that use it.
    pub used_by: Names<()>,
}
