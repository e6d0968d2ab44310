//! Services and the transports to their servers.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use portway_model::{
    Entry,
    dynamic::{self, LoadBalancer, ServersTransport, Weighted},
    name::{provider, qualify},
    runtime::{Runtime, Status},
};
use portway_tls::ClientTls;
use portway_upstream::{Service, Transport};

use crate::{
    Settings,
    compile::{
        Carried, Environment,
        names::{Objects, with_nearest},
    },
};

/// Compiled transports and the settings that they were compiled from.
pub(crate) type Transports = HashMap<String, (ServersTransport, Arc<Transport>)>;

/// A compiled service, or why there is none.
pub(crate) type Built = Result<Arc<Service>, String>;

/// Compiles every service and notes errors.
pub(crate) fn compile(
    objects: &Objects<'_>,
    settings: &Settings,
    environment: &Environment,
    before: &Carried,
    carried: &mut Carried,
    runtime: &mut Runtime,
) -> BTreeMap<String, Built> {
    let mut compiler = Compiler {
        objects,
        settings,
        environment,
        before,
        carried,
        built: BTreeMap::new(),
        path: Vec::new(),
    };
    for name in objects.services.keys() {
        let built = compiler.service(name);
        let Some(info) = runtime.services.get_mut(name) else { continue };
        if let Err(reason) = built {
            if !info.errors.contains(&reason) {
                info.errors.push(reason);
            }
            info.status = Status::Disabled;
        }
    }
    compiler.built
}

/// Notes the status of the servers that routers reach, directly or through other services.
pub(crate) fn note_servers(built: &BTreeMap<String, Built>, runtime: &mut Runtime) {
    let used = runtime.services.iter().filter(|(_, info)| !info.used_by.is_empty());
    let mut open: Vec<String> = used.map(|(name, _)| name.clone()).collect();
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        let Some(info) = runtime.services.get_mut(&name).filter(|_| reached.insert(name.clone()))
        else {
            continue;
        };
        if let dynamic::Service::Weighted(weighted) = &info.service {
            open.extend(
                weighted.services.iter().map(|child| qualify(&child.name, provider(&name))),
            );
        }
        if let Some(Ok(service)) = built.get(&name)
            && let Service::Servers { balancer, .. } = service.as_ref()
        {
            let urls = balancer.items().iter().map(|server| (server.url.clone(), "UP"));
            info.server_status = urls.collect();
        }
    }
}

struct Compiler<'a> {
    objects: &'a Objects<'a>,
    settings: &'a Settings,
    environment: &'a Environment,
    before: &'a Carried,
    carried: &'a mut Carried,
    built: BTreeMap<String, Built>,
    /// The services being built, outermost first: what refers to one of them refers to itself.
    path: Vec<String>,
}

impl Compiler<'_> {
    fn service(&mut self, name: &str) -> Built {
        if let Some(built) = self.built.get(name) {
            return built.clone();
        }
        if self.path.iter().any(|open| open == name) {
            let cycle: Vec<_> = self
                .path
                .iter()
                .map(String::as_str)
                .chain([name])
                .map(|n| format!("service:{n}"))
                .collect();
            return Err(format!(
                "could not instantiate service {name}: recursion detected in {}",
                cycle.join("->")
            ));
        }
        let Some(entry) = self.objects.services.get(name) else {
            let text = format!("the service \"{name}\" does not exist");
            return Err(with_nearest(text, name, self.objects.services.keys()));
        };
        self.path.push(name.to_owned());
        let built = self.build(name, entry);
        self.path.pop();
        self.built.insert(name.to_owned(), built.clone());
        built
    }

    fn build(&mut self, name: &str, entry: &Entry<dynamic::Service>) -> Built {
        if let Some(problem) = entry.first_error() {
            return Err(problem.to_string());
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
        let first = config.servers.first().map_or("", |server| server.url.as_str());
        let transport = self.transport(name, &config.servers_transport).map_err(|reason| {
            format!("error building proxy for server URL {first}: getting RoundTripper: {reason}")
        })?;
        let (before, carried) = (&self.before.upstream, &mut self.carried.upstream);
        Service::compile(name, config, &transport, before, carried)
            .map(Arc::new)
            .map_err(|(index, error)| format!("loadBalancer.servers[{index}].url: {error}"))
    }

    fn weighted(&mut self, name: &str, config: &Weighted) -> Built {
        let mut children = Vec::new();
        for child in &config.services {
            let qualified = qualify(&child.name, provider(name));
            let service = self
                .service(&qualified)
                .map_err(|reason| format!("building HTTP service \"{}\": {reason}", child.name))?;
            children.push((qualified, service, child.weight.unwrap_or(1)));
        }
        let (before, carried) = (&self.before.upstream, &mut self.carried.upstream);
        Ok(Arc::new(Service::weighted(name, children, before, carried)))
    }

    /// The transport that the service `of` names; the static default where it names none.
    fn transport(&mut self, of: &str, name: &str) -> Result<Arc<Transport>, String> {
        if name.is_empty() {
            return self.compile_transport("", &self.settings.servers_transport);
        }
        let qualified = qualify(name, provider(of));
        let Some(entry) = self.objects.transports.get(&qualified) else {
            let text = format!("servers transport not found {qualified}");
            return Err(with_nearest(text, &qualified, self.objects.transports.keys()));
        };
        if let Some(problem) = entry.first_error() {
            return Err(problem.to_string());
        }
        self.compile_transport(&qualified, &entry.spec)
    }

    fn compile_transport(
        &mut self,
        name: &str,
        config: &ServersTransport,
    ) -> Result<Arc<Transport>, String> {
        if let Some((_, transport)) = self.carried.transports.get(name) {
            return Ok(Arc::clone(transport));
        }
        let unchanged = self.before.transports.get(name).filter(|(known, _)| known == config);
        let transport = match unchanged {
            Some((_, transport)) => Arc::clone(transport),
            None => {
                let (tls, problems) = ClientTls::compile(config, &self.environment.native_roots);
                let reason =
                    || problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                Arc::new(Transport::compile(config, tls.ok_or_else(reason)?))
            }
        };
        let kept = (config.clone(), Arc::clone(&transport));
        self.carried.transports.insert(name.to_owned(), kept);
        Ok(transport)
    }
}
