//! The compiler: what all providers say → a snapshot.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use portway_model::{
    Names, Problem,
    dynamic::{Config, ServersTransport},
    runtime::Runtime,
};
use portway_tls::{Certificates, GeneratedDefault, NativeRoots};
use portway_upstream::Transport;
use rustls_pki_types::UnixTime;

use crate::{Settings, Snapshot};

mod amend;
mod auth_server;
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
mod users;

pub(crate) use middlewares::{Aside, Member};
pub(crate) use names::precedence;

/// What all providers say, by provider name.
pub(crate) type Configs = BTreeMap<String, Arc<Config>>;

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
    /// What the snapshot was compiled from; `None` before the first.
    settings: Option<Settings>,
    configs: Configs,
    sum: hash::Sum,
    upstream: portway_upstream::Carried,
    pub(crate) services: Names<services::Built>,
    middlewares: Names<middlewares::Made>,
    routers: Names<routers::Placed>,
    transports: HashMap<String, Kept<Arc<ServersTransport>, Transport>>,
    tls: tls::Carried,
    ties: Ties,
}

impl Carried {
    /// The certificates that were compiled.
    pub(crate) fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.tls.certificates.as_ref()
    }
}

/// What ties objects together beyond the names that they refer to each other by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ties {
    /// Whether names of routers' copies met names of others, or TLS options differ between routers. What becomes
    /// of one router may then depend on any other.
    entangled: bool,
    /// Whether a chain, or a service that is made of other objects, is broken: what is said of it may depend on any name.
    broken: bool,
    /// Names that chains and services mention.
    parts: Arc<BTreeSet<String>>,
    /// Services that would work if their middlewares did.
    shut: Arc<BTreeSet<String>>,
    /// Services that routers reach through others.
    reached: Arc<BTreeSet<String>>,
    /// Middlewares of which something is told though they work.
    warned: Names<()>,
    /// Routers, as they were written, that ask a resolver for certificates.
    resolving: Names<()>,
    /// Routers that do not work. What is said of them may depend on any name.
    closed: Names<()>,
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

/// Compiles what all providers say, by provider name.
///
/// Pure and total: an object that cannot be built is reported in the snapshot's runtime and closed. State
/// is adopted from the snapshot `before`; `now` is what certificates' dates are compared with. What has not changed
/// since then is not compiled again where that is known to change nothing (see `compile/amend.rs`).
pub fn compile(
    configs: &BTreeMap<String, Arc<Config>>,
    settings: &Settings,
    environment: &Environment,
    now: UnixTime,
    before: Option<&Snapshot>,
) -> Snapshot {
    before
        .and_then(|before| amend::amend(configs, settings, environment, now, before))
        .unwrap_or_else(|| anew(configs, settings, environment, now, before))
}

/// Compiles everything. The passes, in order; each sees only what earlier passes produced.
fn anew(
    configs: &Configs,
    settings: &Settings,
    environment: &Environment,
    now: UnixTime,
    before: Option<&Snapshot>,
) -> Snapshot {
    let nothing = Snapshot::default();
    let before = before.unwrap_or(&nothing);
    let mut runtime = Runtime::default();
    let mut carried = Carried {
        settings: Some(settings.clone()),
        configs: configs.clone(),
        sum: hash::Sum::default().after(&Configs::new(), configs),
        upstream: before.carried.upstream.clone(),
        ..Carried::default()
    };

    let objects = names::resolve(configs, settings, &mut runtime);
    let transports = transports::compile(
        &objects,
        settings,
        environment,
        &before.carried,
        &mut carried,
        &mut runtime,
    );
    let was = &before.carried;
    middlewares::compile(&objects, configs, environment, was, &mut carried, &mut runtime);
    services::compile(&objects, configs, settings, &transports, was, &mut carried, &mut runtime);
    let tls = &mut carried.tls;
    let options = tls::compile(&objects, environment, now, &before.carried.tls, tls, &mut runtime);
    let claims = routers::compile(configs, settings, before, &mut carried, &mut runtime);
    let entry_points = entry_points::build(&claims, settings, &options, &mut carried, &mut runtime);
    services::note_servers(&mut carried, &mut runtime);
    routers::tell_resolvers(&carried, &mut runtime);
    let hash = hash::hash(carried.sum, configs, settings);
    Snapshot { entry_points, runtime, hash, carried }
}

#[cfg(test)]
mod tests;
