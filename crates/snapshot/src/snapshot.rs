//! The compiled, immutable form of the dynamic configuration that requests run on.

use std::{
    cmp::{Ordering, Reverse},
    sync::Arc,
    time::Duration,
};

use portway_model::{
    Entry, Period,
    dynamic::RouterTimeouts,
    runtime::{Runtime, ServiceInfo},
};
use portway_rule::{Claim, Index, Rule, Subject};
use portway_tls::{EntryPointTls, LoadedCertificate};
use portway_upstream::News;

use crate::{
    Service, Steps,
    compile::{Carried, precedence},
};

/// The compiled, immutable form of the dynamic configuration.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Entry points, in the order of [`Settings::entry_points`](crate::Settings).
    pub entry_points: Vec<EntryPoint>,
    /// Every object with its status, for the API, the dashboard and the log.
    pub runtime: Runtime,
    /// A hash of what was compiled: equal input, equal hash, on every replica.
    pub hash: [u8; 32],
    /// What the next snapshot adopts.
    pub(crate) carried: Carried,
}

impl Snapshot {
    /// Which services' servers are to be asked for their health from now on, where it may differ from `before`; those
    /// that no router reaches are not, as in Traefik. Costs what changed.
    pub fn checks_since(&self, before: &Self) -> News {
        let check = |snapshot: &Self, name: &str, info: Option<&Arc<ServiceInfo>>| {
            let built =
                snapshot.carried.services.get(name).filter(|_| info.is_some_and(|i| i.reached));
            built.and_then(|built| built.as_ref().as_ref().ok()?.servers()?.check().cloned())
        };
        let changes = self.runtime.services.changes(&before.runtime.services);
        let checks = changes.filter_map(|change| {
            let now = check(self, change.name, change.now);
            let known = now.is_some() || check(before, change.name, change.before).is_some();
            known.then(|| (Arc::clone(change.name), now))
        });
        checks.collect()
    }
}

/// What one entry point serves.
#[derive(Clone, Debug)]
pub struct EntryPoint {
    /// Routers without TLS; they see plaintext requests only.
    pub plain: Table,
    /// Routers with TLS; they see requests over TLS only.
    pub secure: Table,
    /// How TLS connections are accepted, by the name that the client asks for.
    pub tls: Arc<EntryPointTls>,
}

/// Routers of one entry point, found by their rules.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(crate) index: Index<Route>,
}

impl Snapshot {
    /// The certificates that came with the configuration and can be used.
    pub fn certificates(&self) -> Vec<Arc<LoadedCertificate>> {
        let certificates = self.carried.certificates().into_iter();
        certificates.flat_map(|certificates| certificates.loaded()).map(Arc::clone).collect()
    }
}

impl Table {
    /// The router that takes a request: the first in order of priority whose rule matches.
    pub fn find(&self, subject: &impl Subject) -> Option<&Arc<Route>> {
        self.index.find(subject)
    }

    /// All routers, in the order in which their rules are asked.
    pub fn routes(&self) -> Vec<&Arc<Route>> {
        self.index.claims()
    }
}

impl FromIterator<Arc<Route>> for Table {
    fn from_iter<I: IntoIterator<Item = Arc<Route>>>(routes: I) -> Self {
        Self { index: routes.into_iter().collect() }
    }
}

/// A router on one entry point, ready to run.
#[derive(Debug)]
pub struct Route {
    pub(crate) rule: Arc<Rule>,
    pub(crate) order: Order,
    /// The router's qualified name.
    pub name: Arc<str>,
    /// Its middlewares, up to what takes its requests.
    pub steps: Steps,
    /// The qualified name of its service.
    pub service: Arc<str>,
    /// The name of the TLS options that its connections must have been accepted with; empty without TLS.
    pub tls_options: Arc<str>,
    /// Whether its requests are written to the access log.
    pub access_log: bool,
    /// How long its requests may take.
    pub timeouts: Timeouts,
}

/// How long a request may take; see [`portway_model::dynamic::RouterTimeouts`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeouts {
    /// All of it.
    pub total: Option<Duration>,
    /// From the request's end to the response's head.
    pub first_byte: Option<Duration>,
    /// Without a byte of a body on its way.
    pub idle: Option<Duration>,
}

impl Timeouts {
    /// What the user wrote.
    pub(crate) fn of(written: Option<&RouterTimeouts>) -> Self {
        let Some(written) = written else { return Self::default() };
        let limit = |period: Option<Period>| period.and_then(Period::positive);
        Self {
            total: limit(written.total),
            first_byte: limit(written.first_byte),
            idle: limit(written.idle),
        }
    }
}

/// Where a router stands among the others of an entry point: by priority, then by Traefik's precedence of
/// providers, then by API group, then by age, then by name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Order {
    pub(crate) priority: Reverse<i64>,
    pub(crate) precedence: usize,
    /// Whether it loses ties whatever its age.
    pub(crate) yields: bool,
    /// Whether its age is not known, which makes it the youngest.
    pub(crate) ageless: bool,
    pub(crate) created: Option<Box<str>>,
    pub(crate) name: Arc<str>,
}

impl Order {
    pub(crate) fn new<T>(name: &Arc<str>, priority: i64, entry: &Entry<T>) -> Self {
        let created = entry.created.as_deref();
        Self {
            priority: Reverse(priority),
            precedence: precedence(name),
            yields: entry.yields,
            ageless: created.is_none(),
            created: created.map(Into::into),
            name: Arc::clone(name),
        }
    }
}

impl Claim for Route {
    fn rule(&self) -> &Rule {
        &self.rule
    }
}

impl Ord for Route {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.cmp(&other.order)
    }
}

impl PartialOrd for Route {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Route {}

/// What takes the requests of a router.
#[derive(Clone, Debug, Default)]
pub enum Target {
    /// A service.
    Service(Arc<Service>),
    /// The router could not be built; it keeps its claim and answers 500.
    #[default]
    Closed,
}
