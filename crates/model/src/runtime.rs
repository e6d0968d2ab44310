//! What is running: every object of the configuration with its status, as `/api` shows it.
//!
//! `compile` fills these beside the snapshot; the API, the dashboard and the log read them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Diagnostic,
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

/// All objects, by qualified name.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    /// HTTP routers.
    pub routers: BTreeMap<String, RouterInfo>,
    /// HTTP services.
    pub services: BTreeMap<String, ServiceInfo>,
    /// HTTP middlewares.
    pub middlewares: BTreeMap<String, MiddlewareInfo>,
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
    /// Qualified names of the routers that use it, sorted.
    pub used_by: Vec<String>,
    /// Server URLs and whether each takes requests (`UP` or `DOWN`).
    pub server_status: BTreeMap<String, &'static str>,
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
    /// Qualified names of the routers that use it, sorted.
    pub used_by: Vec<String>,
}
