//! Services.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portway_model::{
    Entry,
    dynamic::{self, LoadBalancer, Weighted},
    name::{provider, qualify},
    runtime::{Runtime, ServiceInfo, Status},
};
use portway_upstream::Service;

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
    before: &Carried,
    carried: &mut Carried,
    runtime: &mut Runtime,
) -> BTreeMap<String, Built> {
    let order = order(&objects.services);
    let mut compiler = Compiler {
        objects,
        transports,
        order: &order,
        before,
        carried,
        built: BTreeMap::new(),
        depths: BTreeMap::new(),
    };
    for name in &order.names {
        let Some(entry) = objects.services.get(*name) else { continue };
        let built = compiler.build(name, entry);
        if let Some(info) = runtime.services.get_mut(*name) {
            info.errors.extend(order.circle_at(name).map(str::to_owned));
            tell(info, entry, &built);
        }
        compiler.built.insert((*name).to_owned(), built);
    }
    compiler.built
}

fn tell(info: &mut ServiceInfo, entry: &Entry<dynamic::Service>, built: &Built) {
    let Err(reason) = built else { return };
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
pub(crate) fn note_servers(built: &BTreeMap<String, Built>, runtime: &mut Runtime) {
    let used = runtime.services.iter().filter(|(_, info)| !info.used_by.is_empty());
    let mut open: Vec<String> = used.map(|(name, _)| name.clone()).collect();
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        let works = matches!(built.get(&name), Some(Ok(_)));
        let new = reached.insert(name.clone());
        let Some(info) = runtime.services.get_mut(&name).filter(|_| new && works) else { continue };
        match &info.service {
            dynamic::Service::Weighted(weighted) => {
                let children = weighted.services.iter();
                open.extend(children.map(|child| qualify(&child.name, provider(&name))));
            }
            dynamic::Service::LoadBalancer(balancer) => {
                let urls = balancer.servers.iter().map(|server| (server.url.clone(), "UP"));
                info.server_status = urls.collect();
            }
            _ => {}
        }
    }
}

struct Compiler<'a> {
    objects: &'a Objects<'a>,
    transports: &'a Transports,
    order: &'a Order<'a>,
    before: &'a Carried,
    carried: &'a mut Carried,
    /// Services whose parts are all in here before them.
    built: BTreeMap<String, Built>,
    /// How many services are inside one another, itself included.
    depths: BTreeMap<String, usize>,
}

impl Compiler<'_> {
    fn build(&mut self, name: &str, entry: &Entry<dynamic::Service>) -> Built {
        if let Some(reason) = disabled("service", name, entry) {
            return Err(reason);
        }
        match &entry.spec {
            dynamic::Service::LoadBalancer(config) => self.load_balancer(name, config),
            dynamic::Service::Weighted(config) => self.weighted(name, config),
            dynamic::Service::Unserved(_) => Err(format!(
                "service kind \"{}\" is not served by this version of Portway yet",
                entry.spec.kind()
            )),
            dynamic::Service::Unreadable => {
                Err(format!("the service \"{name}\" does not have any type defined"))
            }
        }
    }

    fn load_balancer(&mut self, name: &str, config: &LoadBalancer) -> Built {
        let transport =
            self.transports.find(&config.servers_transport, name).map_err(|reason| match config
                .servers
                .first()
            {
                Some(server) => format!(
                    "error building proxy for server URL {}: getting RoundTripper: {reason}",
                    server.url
                ),
                None => format!("getting RoundTripper: {reason}"),
            })?;
        let (before, carried) = (&self.before.upstream, &mut self.carried.upstream);
        Service::compile(name, config, &transport, before, carried)
            .map(Arc::new)
            .map_err(|(index, error)| format!("loadBalancer.servers[{index}].url: {error}"))
    }

    fn weighted(&mut self, name: &str, config: &Weighted) -> Built {
        let qualified = |child: &str| qualify(child, provider(name));
        let parts = config.services.iter().map(|child| qualified(&child.name));
        let depths = parts.map(|part| self.depths.get(&part).copied().unwrap_or(1));
        let depth = depths.max().unwrap_or(0) + 1;
        self.depths.insert(name.to_owned(), depth);
        if depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} services are inside one another"));
        }
        let mut children = Vec::new();
        for child in &config.services {
            let qualified = qualified(&child.name);
            let service = self
                .part(name, &qualified)
                .map_err(|reason| format!("building HTTP service \"{}\": {reason}", child.name))?;
            children.push((qualified, service, child.weight.unwrap_or(1)));
        }
        let (before, carried) = (&self.before.upstream, &mut self.carried.upstream);
        Ok(Arc::new(Service::weighted(name, children, before, carried)))
    }

    fn part(&self, of: &str, name: &str) -> Built {
        if let Some(circle) = self.order.circle(of, name) {
            return Err(circle.to_owned());
        }
        self.built.get(name).cloned().unwrap_or_else(|| {
            let text = format!("the service \"{name}\" does not exist");
            Err(with_nearest(text, name, self.objects.services.keys()))
        })
    }
}
