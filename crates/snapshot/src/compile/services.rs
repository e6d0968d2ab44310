//! Services.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portway_model::{
    Entry, InternalService, Names,
    dynamic::{self, HeedsHealth, LoadBalancer, Sticky, Strategy, WeightedService},
    name::{provider, qualify},
    runtime::{Runtime, ServiceInfo, Status},
};
use portway_upstream::{Member, Service};

use crate::compile::{
    Carried,
    names::{Objects, disabled, with_nearest},
    order::{Order, order},
    transports::Transports,
};

/// A compiled service, or why there is none.
pub(crate) type Built = Result<Arc<Service>, String>;

/// Services inside one another at most: each is a step on a request's way.
const MAX_DEPTH: usize = 32;

/// Compiles every service and notes errors.
pub(crate) fn compile(
    objects: &Objects<'_>,
    transports: &Transports,
    carried: &mut Carried,
    runtime: &mut Runtime,
) {
    let order = order(&objects.services);
    let mut compiler = Compiler {
        objects,
        leaves: Leaves { transports, carried: &carried.upstream },
        order: &order,
        built: BTreeMap::new(),
        depths: BTreeMap::new(),
    };
    for name in &order.names {
        let Some(entry) = objects.services.get(*name) else { continue };
        let built = compiler.build(name, entry);
        if let Some(info) = runtime.services.get_mut(name) {
            info.errors.extend(order.circle_at(name).map(str::to_owned));
            tell(info, entry, &built);
        }
        compiler.built.insert(name, built);
    }
    let is_compound =
        |name: &str| objects.services.get(name).is_some_and(|entry| entry.spec.is_compound());
    carried.ties.broken |=
        compiler.built.iter().any(|(name, built)| built.is_err() && is_compound(name));
    let parts = Arc::make_mut(&mut carried.ties.parts);
    for (name, entry) in &objects.services {
        let children = entry.spec.parts().iter();
        parts.extend(children.map(|child| qualify(&child.name, provider(name))));
    }
    let name = |name| runtime.services.get_key_value(name).map(|(name, _)| Arc::clone(name));
    let built = compiler.built.into_iter();
    carried.services = built.filter_map(|(n, built)| Some((name(n)?, built))).collect();
}

/// Notes with a service why it could not be built.
pub(crate) fn tell(info: &mut ServiceInfo, entry: &Entry<dynamic::Service>, built: &Built) {
    let reason = match built {
        Ok(service) => {
            info.health = service.health();
            return;
        }
        Err(reason) => reason,
    };
    // Its own problems are noted already.
    if entry.is_disabled() {
        return;
    }
    if !info.errors.contains(reason) {
        info.errors.push(reason.clone());
    }
    info.status = Status::Disabled;
}

/// Notes the status of the servers that routers reach, directly or through other services.
pub(crate) fn note_servers(carried: &mut Carried, runtime: &mut Runtime) {
    let used = runtime.services.iter().filter(|(_, info)| is_used(info, runtime));
    let mut open: Vec<Arc<str>> = used.map(|(name, _)| Arc::clone(name)).collect();
    let mut seen = BTreeSet::new();
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !seen.insert(Arc::clone(&name)) || !works(&name, &carried.services) {
            continue;
        }
        let Some(info) = runtime.services.get_mut(&name) else { continue };
        for child in info.service.parts() {
            let child = qualify(&child.name, provider(&name));
            open.push(child.as_str().into());
            reached.insert(child);
        }
        info.reached = true;
    }
    carried.ties.reached = Arc::new(reached);
}

fn works(name: &str, built: &Names<Built>) -> bool {
    built.get(name).is_some_and(|built| built.is_ok())
}

/// Notes the status of a service's servers, where it works and is reached.
pub(crate) fn note_servers_of(name: &str, carried: &Carried, runtime: &mut Runtime) {
    let Some(info) = runtime.services.get(name) else { return };
    let reached = is_used(info, runtime) || carried.ties.reached.contains(name);
    let reached = reached && works(name, &carried.services);
    if let Some(info) = runtime.services.get_mut(name) {
        info.reached = reached;
    }
}

/// Whether a router gets as far as the service.
pub(crate) fn is_used(info: &ServiceInfo, runtime: &Runtime) -> bool {
    let routers = info.used_by.keys().filter_map(|router| runtime.routers.get(router));
    routers.into_iter().any(|router| !router.stopped)
}

struct Compiler<'a> {
    objects: &'a Objects<'a>,
    leaves: Leaves<'a>,
    order: &'a Order<'a>,
    /// Services whose parts are all in here before them.
    built: BTreeMap<&'a str, Built>,
    /// How many services are inside one another, itself included.
    depths: BTreeMap<String, usize>,
}

/// Builds services that have no other ones inside.
pub(crate) struct Leaves<'a> {
    pub(crate) transports: &'a Transports,
    pub(crate) carried: &'a portway_upstream::Carried,
}

impl Leaves<'_> {
    pub(crate) fn build(&self, name: &str, entry: &Entry<dynamic::Service>) -> Built {
        if let Some(reason) = disabled("service", name, entry) {
            return Err(reason);
        }
        match &*entry.spec {
            dynamic::Service::LoadBalancer(config) => self.load_balancer(name, config),
            dynamic::Service::Weighted(_)
            | dynamic::Service::HighestRandomWeight(_)
            | dynamic::Service::Unserved(_) => Err(format!(
                "service kind \"{}\" is not served by this version of Portway yet",
                entry.spec.kind()
            )),
            dynamic::Service::Unreadable => {
                Err(format!("the service \"{name}\" does not have any type defined"))
            }
        }
    }

    fn load_balancer(&self, name: &str, config: &LoadBalancer) -> Built {
        let transport = match config.servers.first() {
            Some(server) => {
                self.transports.find(&config.servers_transport, name).map_err(|reason| {
                    let url = &server.url;
                    format!(
                        "error building proxy for server URL {url}: getting RoundTripper: {reason}"
                    )
                })?
            }
            // As in Traefik, what no server is reached with need not exist.
            None => self.transports.find("", name)?,
        };
        Service::compile(name, config, &transport, self.carried)
            .map(Arc::new)
            .map_err(|(index, error)| format!("loadBalancer.servers[{index}].url: {error}"))
    }
}

impl Compiler<'_> {
    fn build(&mut self, name: &str, entry: &Entry<dynamic::Service>) -> Built {
        if entry.spec.is_compound()
            && let Some(reason) = disabled("service", name, entry)
        {
            return Err(reason);
        }
        match &*entry.spec {
            dynamic::Service::Weighted(config) => {
                let named =
                    |child: &str, reason| format!("building HTTP service \"{child}\": {reason}");
                let mut children = self.parts(name, &config.services, named)?;
                let heeds = self.heed(name, config.health_check, &mut children)?;
                let sticky = config.sticky.as_deref();
                Ok(self.weighted(name, Strategy::Wrr, sticky, children, heeds))
            }
            dynamic::Service::HighestRandomWeight(config) => {
                let mut children = self.parts(name, &config.services, |_, reason| reason)?;
                let heeds = self.heed(name, config.health_check, &mut children)?;
                Ok(self.weighted(name, Strategy::Hrw, None, children, heeds))
            }
            _ => self.leaves.build(name, entry),
        }
    }

    fn weighted(
        &self,
        name: &str,
        strategy: Strategy,
        sticky: Option<&Sticky>,
        children: Vec<Member<'_, Arc<Service>>>,
        heeds: bool,
    ) -> Arc<Service> {
        Arc::new(Service::weighted(name, strategy, sticky, children, heeds, self.leaves.carried))
    }

    /// Lets a service heed the health of its parts where it is to; says whether it is.
    ///
    /// # Errors
    /// In Traefik's words, where a part does not tell of its health.
    fn heed(
        &self,
        name: &str,
        wanted: Option<HeedsHealth>,
        children: &mut [Member<'_, Arc<Service>>],
    ) -> Result<bool, String> {
        if wanted.is_none() {
            return Ok(false);
        }
        for child in children {
            let Some(standing) = child.item.standing() else {
                let qualified = qualify(child.name, provider(name));
                let kind =
                    self.objects.services.get(&qualified).map_or("", |entry| kind(&entry.spec));
                return Err(format!(
                    "cannot register {} as updater for {name}: healthCheck not enabled in config for this \
                     {kind} service",
                    child.name
                ));
            };
            child.standing = Some(Arc::clone(standing));
        }
        Ok(true)
    }

    /// The compiled parts of a service, as they are named in it, with their weights. `tell` says in Traefik's words
    /// why the service does not work when a part does not.
    fn parts<'p>(
        &mut self,
        name: &str,
        config: &'p [WeightedService],
        tell: impl Fn(&str, String) -> String,
    ) -> Result<Vec<Member<'p, Arc<Service>>>, String> {
        let qualified = |child: &str| qualify(child, provider(name));
        let parts = config.iter().map(|child| qualified(&child.name));
        let depths = parts.map(|part| self.depths.get(&part).copied().unwrap_or(1));
        let depth = depths.max().unwrap_or(0) + 1;
        self.depths.insert(name.to_owned(), depth);
        if depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} services are inside one another"));
        }
        let mut children = Vec::new();
        for child in config {
            let qualified = qualified(&child.name);
            let service =
                self.part(name, &qualified).map_err(|reason| tell(&child.name, reason))?;
            children.push(Member {
                item: service,
                name: &child.name,
                weight: child.weight.unwrap_or(1),
                fenced: false,
                standing: None,
            });
        }
        Ok(children)
    }

    fn part(&self, of: &str, name: &str) -> Built {
        if let Some(circle) = self.order.circle(of, name) {
            return Err(circle.to_owned());
        }
        self.built.get(name).cloned().unwrap_or_else(|| {
            if name.parse::<InternalService>().is_ok() {
                return Err(format!(
                    "\"{name}\" as a part of another service is not served by this version of Portway \
                     yet"
                ));
            }
            let text = format!("the service \"{name}\" does not exist");
            Err(with_nearest(text, name, self.objects.services.keys().map(String::as_str)))
        })
    }
}

/// What Traefik calls a service that is to tell of its health.
fn kind(service: &dynamic::Service) -> &'static str {
    match service {
        dynamic::Service::LoadBalancer(balancer) => match balancer.strategy {
            Strategy::Wrr => "WRR",
            Strategy::P2c => "P2C",
            Strategy::Hrw => "HRW",
            Strategy::LeastTime => "LeastTime",
        },
        dynamic::Service::HighestRandomWeight(_) => "HRW",
        _ => "WRR",
    }
}
