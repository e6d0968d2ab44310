//! Health of servers: they are asked for it (Traefik: `healthCheck`), or told by the requests that they get
//! (`passiveHealthCheck`). What comes of it is in each server's [`Standing`], which balancers ask.

mod checkups;
mod grpc;
mod passive;
mod place;
mod probe;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use portway_model::{
    dynamic::{self, HealthCheck, LoadBalancer},
    runtime::ServerHealth,
};

pub use self::checkups::{Checkups, News};
pub use self::passive::Passive;
use crate::{Carried, Server, Standing};

/// The servers of a service, to be asked for their health.
#[derive(Debug)]
pub struct Check {
    /// The service's qualified name.
    pub service: Arc<str>,
    /// How they are asked.
    pub config: HealthCheck,
    /// Whom to ask; each URL once.
    pub targets: Vec<Target>,
}

/// A server to be asked for its health.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server.
    pub server: Arc<Server>,
    /// Where the outcome is told.
    pub standing: Arc<Standing>,
}

/// What is known of the health of a service's servers.
#[derive(Debug)]
pub(crate) struct Health {
    /// Standings of servers, by URL.
    standings: Vec<(String, Arc<Standing>)>,
    /// Whom to ask.
    pub(crate) check: Option<Arc<Check>>,
    /// Whether one of those that take requests of anybody is up, where servers are asked.
    pub(crate) standing: Option<Arc<Standing>>,
}

impl ServerHealth for Health {
    fn is_up(&self, url: &str) -> bool {
        let mut known = self.standings.iter();
        known.find(|(known, _)| known == url).is_none_or(|(_, standing)| standing.is_up())
    }
}

/// The standings of the servers of one service, adopted from the living ones.
///
/// They outlive every edit but one of the service's name, of the server's URL, or of the settings that make them.
pub(crate) struct Watch<'a> {
    service: &'a Arc<str>,
    config: &'a LoadBalancer,
    carried: &'a Carried,
    key: String,
    standings: Vec<(String, Arc<Standing>)>,
    open: Vec<Arc<Standing>>,
    targets: Vec<Target>,
}

impl<'a> Watch<'a> {
    /// A watch over the servers of a service; `None` where nobody wants to know of their health.
    pub(crate) fn over(
        service: &'a Arc<str>,
        config: &'a LoadBalancer,
        carried: &'a Carried,
    ) -> Option<Self> {
        let fingerprint = match (&config.health_check, &config.passive_health_check) {
            (Some(active), _) => fingerprint(active),
            (None, Some(passive)) => fingerprint(passive),
            (None, None) => return None,
        };
        let key = format!("{service} {fingerprint:x}");
        let (standings, open, targets) = (Vec::new(), Vec::new(), Vec::new());
        Some(Self { service, config, carried, key, standings, open, targets })
    }

    /// The standing of a server.
    pub(crate) fn standing(&mut self, entry: &dynamic::Server) -> Arc<Standing> {
        let url = &entry.url;
        let standing = self.carried.standing(&format!("{} {url}", self.key));
        // Weights mean nothing to `p2c`.
        let takes = entry.weight.unwrap_or(1) > 0 || self.config.strategy == dynamic::Strategy::P2c;
        if takes && !entry.fenced {
            self.open.push(Arc::clone(&standing));
        }
        if !self.standings.iter().any(|(known, _)| known == url) {
            self.standings.push((url.clone(), Arc::clone(&standing)));
        }
        standing
    }

    /// Who hears of requests to the server, if they are to tell of its health.
    pub(crate) fn passive(&self, url: &str, standing: &Arc<Standing>) -> Option<Arc<Passive>> {
        let config = self.config.passive_health_check.as_ref()?;
        let key = format!("{} {:x} {url}", self.key, fingerprint(config));
        let has_active = self.config.health_check.is_some();
        Some(self.carried.passive(&key, || {
            Passive::new(Arc::clone(self.service), url, config, has_active, Arc::clone(standing))
        }))
    }

    /// Lets the server be asked.
    pub(crate) fn ask(&mut self, server: &Arc<Server>, standing: Arc<Standing>) {
        if !self.targets.iter().any(|target| target.server.url == server.url) {
            self.targets.push(Target { server: Arc::clone(server), standing });
        }
    }

    /// What is known of all.
    pub(crate) fn finish(self) -> Health {
        let Self { service, config, standings, open, targets, .. } = self;
        let active = config.health_check.as_deref();
        let check = |config: &HealthCheck| {
            Arc::new(Check { service: Arc::clone(service), config: config.clone(), targets })
        };
        Health {
            standings,
            check: active.map(check),
            standing: active.map(|_| Arc::new(Standing::of(open))),
        }
    }
}

fn fingerprint(settings: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    settings.hash(&mut hasher);
    hasher.finish()
}
