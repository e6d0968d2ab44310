//! The compiler: what all providers say → a snapshot.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use portway_middleware::Middleware;
use portway_model::{
    Problem,
    dynamic::{self, Config, ServersTransport},
    runtime::Runtime,
};
use portway_rule::{Rule, Syntax};
use portway_tls::{GeneratedDefault, NativeRoots};
use portway_upstream::Transport;
use rustls_pki_types::UnixTime;

use crate::{Settings, Snapshot};

mod entry_points;
mod hash;
mod middlewares;
mod names;
mod order;
mod routers;
mod services;
mod split;
mod tls;
mod transports;

/// What the compiler needs besides configuration: made once by the process and shared by all snapshots.
#[derive(Debug)]
pub struct Environment {
    /// The certificate shown where no other fits.
    pub generated: GeneratedDefault,
    /// The system's authorities, for TLS with servers.
    pub native_roots: NativeRoots,
}

/// State and finished work that the next snapshot adopts where names and settings are unchanged.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    upstream: portway_upstream::Carried,
    rules: HashMap<(Syntax, String), Arc<Rule>>,
    middlewares: HashMap<String, Kept<dynamic::Middleware, Middleware>>,
    transports: HashMap<String, Kept<ServersTransport, Transport>>,
    tls: tls::Carried,
}

/// Something compiled, what it was compiled from, and what it survived.
#[derive(Debug)]
pub(crate) struct Kept<C, T> {
    config: C,
    compiled: Arc<T>,
    warnings: Vec<Problem>,
}

impl<C: Clone, T> Clone for Kept<C, T> {
    fn clone(&self) -> Self {
        let (config, compiled) = (self.config.clone(), Arc::clone(&self.compiled));
        Self { config, compiled, warnings: self.warnings.clone() }
    }
}

/// Compiles what all providers say, by provider name. The passes, in order; each sees only what earlier
/// passes produced.
///
/// Pure and total: an object that cannot be built is reported in the snapshot's runtime and closed. State
/// is adopted from the snapshot `before`; `now` is what certificates' dates are compared with.
pub fn compile(
    configs: &BTreeMap<String, Arc<Config>>,
    settings: &Settings,
    environment: &Environment,
    now: UnixTime,
    before: Option<&Snapshot>,
) -> Snapshot {
    let empty = Carried::default();
    let before = before.map_or(&empty, |snapshot| &snapshot.carried);
    let mut carried = Carried::default();
    let mut runtime = Runtime::default();

    let objects = names::resolve(configs, settings, &mut runtime);
    let transports =
        transports::compile(&objects, settings, environment, before, &mut carried, &mut runtime);
    let services = services::compile(&objects, &transports, before, &mut carried, &mut runtime);
    let middlewares = middlewares::compile(&objects, before, &mut carried, &mut runtime);
    let tls = tls::compile(&objects, environment, now, &before.tls, &mut carried.tls, &mut runtime);
    let claims = routers::compile(
        &objects,
        settings,
        &routers::Parts { services: &services, middlewares: &middlewares },
        before,
        &mut carried,
        &mut runtime,
    );
    services::note_servers(&services, &mut runtime);
    let entry_points = entry_points::build(&claims, settings, &tls, &mut runtime);
    let sum = hash::Sum::default().after(&BTreeMap::new(), configs);
    let hash = hash::hash(sum, configs, settings);
    Snapshot { entry_points, runtime, hash, carried }
}

#[cfg(test)]
mod tests;
