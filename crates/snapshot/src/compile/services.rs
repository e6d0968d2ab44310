//! Services.

mod compound;
mod health;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portway_model::{
    Entry, InternalService,
    dynamic::{self, LoadBalancer},
    internal::UNSERVED_INTERNAL_SERVICES,
    name::{base, provider, qualify},
    runtime::{Runtime, ServiceInfo, Status},
};
use portway_upstream::Servers;

use self::compound::Compiler;
use crate::{
    Service, Settings,
    compile::{
        Carried, Configs,
        middlewares::Middlewares,
        names::{Objects, disabled},
        order::order,
        transports::Transports,
        users::show_members,
    },
};

/// A compiled service, or why there is none.
pub(crate) type Built = Result<Arc<Service>, String>;

/// Compiles every service and notes errors.
pub(crate) fn compile(
    objects: &Objects<'_>,
    configs: &Configs,
    settings: &Settings,
    transports: &Transports,
    before: &Carried,
    carried: &mut Carried,
    runtime: &mut Runtime,
) {
    let order = order(objects);
    let (made, listed) = (&carried.middlewares, &runtime.middlewares);
    let mut compiler = Compiler {
        objects,
        settings,
        leaves: Leaves { transports, carried: &carried.upstream },
        middlewares: Middlewares { configs, made, listed },
        before: &before.services,
        order: &order,
        built: BTreeMap::new(),
        shut: BTreeSet::new(),
        depths: BTreeMap::new(),
    };
    let mut told = Vec::new();
    for name in &order.names {
        let Some(entry) = objects.services.get(*name) else { continue };
        let built = compiler.build(name, entry);
        compiler.built.insert(name, built.clone());
        told.push((*name, entry, built));
    }
    let Compiler { built, shut, .. } = compiler;
    for (name, entry, built) in told {
        if let Some(info) = runtime.services.get_mut(name) {
            info.errors.extend(order.circle_at(name).map(str::to_owned));
            tell(info, entry, &built);
        }
    }
    let is_compound =
        |name: &str| objects.services.get(name).is_some_and(|entry| entry.spec.is_compound());
    carried.ties.broken |= built.iter().any(|(name, built)| built.is_err() && is_compound(name));
    carried.ties.shut = Arc::new(shut);
    let parts = Arc::make_mut(&mut carried.ties.parts);
    for (name, entry) in &objects.services {
        let children = entry.spec.parts().into_iter();
        let children = children.chain(entry.spec.middlewares().iter().map(String::as_str));
        parts.extend(children.map(|child| qualify(child, provider(name))));
    }
    let name = |name| runtime.services.get_key_value(name).map(|(name, _)| Arc::clone(name));
    carried.services = built.into_iter().filter_map(|(n, built)| Some((name(n)?, built))).collect();
    for (name, entry) in &objects.services {
        for middleware in entry.spec.middlewares() {
            let middleware = qualify(middleware, provider(name));
            if let Some(info) = runtime.middlewares.get_mut(&middleware) {
                show_members(&middleware, info);
            }
        }
    }
}

/// Notes with a service why it could not be built.
pub(crate) fn tell(info: &mut ServiceInfo, entry: &Entry<dynamic::Service>, built: &Built) {
    let reason = match built {
        Ok(service) => {
            info.health = service.servers().and_then(Servers::health);
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
        if !seen.insert(Arc::clone(&name)) || !works(&name, carried) {
            continue;
        }
        let Some(info) = runtime.services.get_mut(&name) else { continue };
        for child in info.service.parts() {
            let child = qualify(child, provider(&name));
            open.push(child.as_str().into());
            reached.insert(child);
        }
        info.reached = true;
    }
    carried.ties.reached = Arc::new(reached);
}

/// Whether a service works, if not for its middlewares.
fn works(name: &str, carried: &Carried) -> bool {
    let built = carried.services.get(name);
    built.is_some_and(|built| built.is_ok()) || carried.ties.shut.contains(name)
}

/// Notes the status of a service's servers, where it works and is reached.
pub(crate) fn note_servers_of(name: &str, carried: &Carried, runtime: &mut Runtime) {
    let Some(info) = runtime.services.get(name) else { return };
    let reached = is_used(info, runtime) || carried.ties.reached.contains(name);
    let reached = reached && works(name, carried);
    if let Some(info) = runtime.services.get_mut(name) {
        info.reached = reached;
    }
}

/// Whether a router gets as far as the service.
pub(crate) fn is_used(info: &ServiceInfo, runtime: &Runtime) -> bool {
    let routers = info.used_by.keys().filter_map(|router| runtime.routers.get(router));
    routers.into_iter().any(|router| !router.stopped)
}

/// A service inside Portway.
///
/// # Errors
/// Where there is none of this name, or it is not enabled.
pub(crate) fn internal(name: &str, settings: &Settings) -> Built {
    let service = name.parse::<InternalService>();
    if let Ok(service) = service
        && settings.internal_services.contains(&service)
    {
        return Ok(Arc::new(Service::Internal(service)));
    }
    let known = service.is_ok() || UNSERVED_INTERNAL_SERVICES.contains(&name);
    Err(match known {
        true => format!("{} is not enabled", base(name)),
        false => format!("unknown internal service {name}"),
    })
}

/// Builds services that have no other objects inside.
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
            // What holds others is built by those who know them; several kinds at once have an error.
            dynamic::Service::Weighted(_)
            | dynamic::Service::HighestRandomWeight(_)
            | dynamic::Service::Failover(_)
            | dynamic::Service::Mirroring(_)
            | dynamic::Service::Several(_)
            | dynamic::Service::Unreadable => {
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
        Servers::compile(name, config, &transport, self.carried)
            .map(|servers| Arc::new(Service::Servers(servers)))
            .map_err(|(index, error)| format!("loadBalancer.servers[{index}].url: {error}"))
    }
}
