//! What is running: every object of the configuration with its status, as `/api` shows it.
//!
//! `compile` fills these beside the snapshot; the API, the dashboard and the log read them.

use serde::Serialize;

use crate::{
    Diagnostic, Names,
    dynamic::{Middleware, Router, Service},
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
}

/// A router and what became of it.
#[derive(Clone, Debug, Default)]
pub struct RouterInfo {
    /// As configured, with the effective priority and rule syntax filled in.
    pub router: Router,
    /// Reasons of its status.
    pub errors: Vec<String>,
    /// Whether it works.
    pub status: Status,
    /// The entry points that use it.
    pub using: Vec<String>,
}

/// A service and what became of it.
#[derive(Clone, Debug, Default)]
pub struct ServiceInfo {
    /// As configured.
    pub service: Service,
    /// Reasons of its status.
    pub errors: Vec<String>,
    /// Whether it works.
    pub status: Status,
    /// Qualified names of the routers that use it.
    pub used_by: Names<()>,
    /// Server URLs and whether each takes requests (`UP` or `DOWN`).
    pub server_status: Vec<(String, &'static str)>,
}

/// A middleware and what became of it.
#[derive(Clone, Debug, Default)]
pub struct MiddlewareInfo {
    /// As configured.
    pub middleware: Middleware,
    /// Reasons of its status.
    pub errors: Vec<String>,
    /// Whether it works.
    pub status: Status,
    /// Qualified names of the routers that use it.
    pub used_by: Names<()>,
}
