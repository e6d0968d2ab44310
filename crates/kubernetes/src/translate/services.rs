//! References to Services and TraefikServices, and TraefikServices themselves.

use std::sync::Arc;

use portway_model::{
    Cause, Problem,
    dynamic::{
        self, HighestRandomWeight, LoadBalancer, ResponseForwarding, Server, Service, Weighted,
        WeightedService,
    },
};

use super::{
    NewService, Translation,
    endpoints::Endpoints,
    entry,
    names::normalize,
    references::{is_ours, or_parent},
    servers::{Target, find_port, is_node_port, origin, ports, scheme_of},
};
use crate::{
    PROVIDER,
    api::{
        self, Failover, Kind, Mirroring, Object, Port, ServicePort, ServiceReference,
        TraefikService,
    },
};

/// What a reference leads to.
pub(super) enum Resolved {
    /// A service that exists elsewhere, by name.
    Named(String),
    /// A Kubernetes Service.
    Made {
        /// What it is, to tell a conflict of names.
        origin: String,
        /// The load balancer.
        service: Box<NewService>,
    },
}

impl Translation<'_> {
    /// What a reference of `from` leads to. The reference's own warnings stay with the service; its errors
    /// and the reason why it leads nowhere come back.
    pub(super) fn service(
        &mut self,
        from: &Object,
        reference: &ServiceReference,
        native_by_default: bool,
    ) -> Result<Resolved, Vec<Problem>> {
        let (errors, warnings): (Vec<_>, Vec<_>) = reference
            .problems
            .iter()
            .cloned()
            .partition(|problem| problem.severity == portway_model::Severity::Error);
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut resolved = self
            .resolve_service(from, reference, native_by_default)
            .map_err(|problem| vec![problem.about(Cause::Reference)])?;
        match &mut resolved {
            Resolved::Made { service, .. } => service.warn(warnings),
            Resolved::Named(_) => self.diagnose_all(&warnings),
        }
        Ok(resolved)
    }

    fn resolve_service(
        &mut self,
        from: &Object,
        reference: &ServiceReference,
        native_by_default: bool,
    ) -> Result<Resolved, Problem> {
        let parent = from.key.namespace.as_str();
        let name = reference.name.as_str();
        let fail = |field: &str, message: String| {
            let field = portway_model::decode::join(&reference.path, field);
            Problem::error(field, message).at(reference.at)
        };
        let qualified = name.contains('@');
        let namespace = match qualified {
            true => reference.namespace.as_str(),
            false => or_parent(&reference.namespace, parent),
        };
        if !qualified && !self.may_cross_namespaces(parent, namespace) {
            let message =
                format!("service {namespace}/{name} not in the parent resource namespace {parent}");
            return Err(fail("namespace", message));
        }
        if qualified && !self.options.allow_cross_namespace && is_ours(name) {
            let message = format!(
                "invalid reference to service {name}: namespace-name@kubernetescrd format is not \
                 allowed when crossnamespace is disallowed"
            );
            return Err(fail("name", message));
        }
        if qualified && !self.may_cross_providers(parent) {
            let message = format!(
                "service \"{name}\" reference is not allowed: namespace \"{parent}\" is not in \
                 crossProviderNamespaces"
            );
            return Err(fail("name", message));
        }
        match reference.kind.as_str() {
            "" | "Service" => {
                let service =
                    Box::new(self.load_balancer(from, namespace, reference, native_by_default)?);
                let origin = format!("Service {namespace}/{name}, port {}", reference.port);
                Ok(Resolved::Made { origin, service })
            }
            "TraefikService" => Ok(Resolved::Named(self.traefik_name(namespace, reference))),
            kind => Err(fail("kind", format!("unsupported service kind {kind}"))),
        }
    }

    /// The name of a TraefikService, here or in another provider.
    fn traefik_name(&mut self, namespace: &str, reference: &ServiceReference) -> String {
        match reference.name.rsplit_once('@') {
            None => self.naming.object(namespace, &reference.name),
            Some((name, PROVIDER)) => self.naming.object(namespace, name),
            Some((name, provider)) => {
                if !namespace.is_empty() {
                    let message =
                        format!("namespace \"{namespace}\" is ignored in cross-provider context");
                    let problem = Problem::warning(&reference.path, message).at(reference.at);
                    self.diagnose(&problem);
                }
                format!("{}@{provider}", normalize(name))
            }
        }
    }

    fn load_balancer(
        &mut self,
        from: &Object,
        namespace: &str,
        reference: &ServiceReference,
        native_by_default: bool,
    ) -> Result<NewService, Problem> {
        let (servers, endpoints) = self.servers(namespace, reference, native_by_default)?;
        let servers_transport = self.transport_name(namespace, reference)?;
        let middlewares = self.service_middlewares(from, reference)?;
        let forwarding = ResponseForwarding::default();
        let flush_interval = reference.flush_interval.unwrap_or(forwarding.flush_interval);
        let service = Service::LoadBalancer(LoadBalancer {
            sticky: reference.sticky.clone(),
            servers,
            strategy: reference.strategy,
            health_check: reference.health_check.clone(),
            passive_health_check: reference.passive_health_check.clone(),
            pass_host_header: reference.pass_host_header.unwrap_or(true),
            response_forwarding: ResponseForwarding { flush_interval },
            servers_transport,
            middlewares,
            origin: Some(origin(namespace, &reference.name, &reference.port)),
        });
        let entry = Arc::new(entry(from, reference.at, service, Vec::new()));
        Ok(NewService { entry, endpoints: endpoints.map(Arc::new) })
    }

    /// The names of a service's own middlewares.
    fn service_middlewares(
        &mut self,
        from: &Object,
        reference: &ServiceReference,
    ) -> Result<Vec<String>, Problem> {
        let path = portway_model::decode::join(&reference.path, "middlewares");
        let mut problems = Vec::new();
        let names = self.middleware_names(from, &reference.middlewares, &path, &mut problems);
        match problems.into_iter().next() {
            Some(refused) => Err(refused),
            None => Ok(names),
        }
    }

    fn servers(
        &mut self,
        namespace: &str,
        reference: &ServiceReference,
        native_by_default: bool,
    ) -> Result<(Vec<Server>, Option<Endpoints>), Problem> {
        let name = reference.name.as_str();
        let fail = |field: &str, message: String| {
            let field = portway_model::decode::join(&reference.path, field);
            Problem::error(field, message).at(reference.at)
        };
        let Some((_, service)) = self.index.service(namespace, name) else {
            let hint = if name.contains('@') {
                "; a name with `@` needs `kind: TraefikService`".to_owned()
            } else {
                self.index.hint(Kind::Service, namespace, name)
            };
            let message = format!("kubernetes service not found: {namespace}/{name}{hint}");
            return Err(fail("name", message));
        };
        let port = self.service_port(namespace, service, reference).map_err(|m| fail("port", m))?;
        if reference.health_check.is_some() && !service.is_external_name() {
            let message =
                format!("healthCheck allowed only for ExternalName services: {namespace}/{name}");
            return Err(fail("healthCheck", message));
        }
        let scheme = scheme(reference, &port).map_err(|m| fail("scheme", m))?;
        let target = Target { namespace, name, service, port: &port, scheme };
        let servers = if service.is_external_name() {
            self.external_name(target).map_err(|m| fail("name", m))?
        } else if reference.native_lb.unwrap_or(native_by_default) {
            self.cluster_address(target).map_err(|m| fail("nativeLB", m))?
        } else if reference.node_port_lb && is_node_port(service) {
            self.node_ports(target).map_err(|m| fail("nodePortLB", m))?
        } else {
            let endpoints = Endpoints::of(target);
            return Ok((self.index.servers(&endpoints), Some(endpoints)));
        };
        Ok((servers, None))
    }

    /// The port that a reference means.
    fn service_port(
        &mut self,
        namespace: &str,
        service: &api::Service,
        reference: &ServiceReference,
    ) -> Result<ServicePort, String> {
        if let Some(port) = find_port(service, &reference.port) {
            return Ok(port.clone());
        }
        let ports = ports(service);
        let number = match reference.port {
            Port::Absent => return Err(format!("ingressRoute service port not defined{ports}")),
            Port::Number(number) => u16::try_from(number).ok().filter(|number| *number != 0),
            Port::Name(_) => None,
        };
        let Some(number) = number.filter(|_| service.is_external_name()) else {
            return Err(format!("service port not found: {}{ports}", reference.port));
        };
        if !ports.is_empty() {
            let message = format!(
                "The port {number} from IngressRoute doesn't match with ports defined in the \
                 ExternalName service {namespace}/{}.",
                reference.name
            );
            let field = portway_model::decode::join(&reference.path, "port");
            self.diagnose(&Problem::warning(field, message).at(reference.at));
        }
        Ok(ServicePort { port: number, ..ServicePort::default() })
    }

    fn transport_name(
        &self,
        namespace: &str,
        reference: &ServiceReference,
    ) -> Result<String, Problem> {
        let name = reference.servers_transport.as_str();
        if name.is_empty() {
            return Ok(String::new());
        }
        let fail = |message: String| {
            let field = portway_model::decode::join(&reference.path, "serversTransport");
            Err(Problem::error(field, message).at(reference.at))
        };
        if !name.contains('@') {
            return Ok(self.naming.object(namespace, name));
        }
        if !self.options.allow_cross_namespace && is_ours(name) {
            return fail(format!(
                "invalid reference to serversTransport {name}: namespace-name@kubernetescrd format \
                 is not allowed when crossnamespace is disallowed"
            ));
        }
        if !self.may_cross_providers(namespace) {
            return fail(format!(
                "serversTransport \"{name}\" reference is not allowed: namespace \"{namespace}\" is \
                 not in crossProviderNamespaces"
            ));
        }
        Ok(name.to_owned())
    }

    /// A weighted service of several references, with its parts; the errors of those that lead nowhere. `whole`
    /// is its name.
    pub(super) fn weighted(
        &mut self,
        from: &Object,
        references: &[ServiceReference],
        whole: &str,
        native_by_default: bool,
    ) -> (Vec<WeightedService>, Vec<Problem>) {
        let (mut members, mut problems) = (Vec::new(), Vec::new());
        for (number, reference) in references.iter().enumerate() {
            let role = format!("{whole}_{number}");
            let name = self.member(from, reference, &role, native_by_default, &mut problems);
            let weight = Some(reference.weight.unwrap_or(1));
            members.extend(name.map(|name| WeightedService { name, weight }));
        }
        (members, problems)
    }

    /// The name of a part of a service, which is made where there is no problem yet: as in Traefik, parts that come
    /// after one that leads nowhere are not made.
    fn member(
        &mut self,
        from: &Object,
        reference: &ServiceReference,
        role: &str,
        native_by_default: bool,
        problems: &mut Vec<Problem>,
    ) -> Option<String> {
        match self.service(from, reference, native_by_default) {
            Err(errors) => {
                problems.extend(errors);
                None
            }
            Ok(Resolved::Named(name)) => Some(name),
            Ok(Resolved::Made { origin, service }) => {
                let namespace = or_parent(&reference.namespace, &from.key.namespace);
                let name = self.naming.part(role, namespace, &reference.name, &reference.port);
                if problems.is_empty() {
                    self.add_service(&name, origin, *service);
                }
                Some(name)
            }
        }
    }

    /// A service that answers, and services that get copies of its requests.
    fn mirroring(
        &mut self,
        from: &Object,
        mirroring: &Mirroring,
        name: &str,
        problems: &mut Vec<Problem>,
    ) -> dynamic::Mirroring {
        let mut settings = mirroring.settings.clone();
        let role = format!("{name}_mirroring");
        let main = self.member(from, &mirroring.main, &role, false, problems);
        settings.service = main.unwrap_or_default();
        for (number, (mirror, reference)) in
            settings.mirrors.iter_mut().zip(&mirroring.mirrors).enumerate()
        {
            let role = format!("{name}_mirror_{number}");
            mirror.name = self.member(from, reference, &role, false, problems).unwrap_or_default();
        }
        settings
    }

    /// A service, and another for when it fails.
    fn failover(
        &mut self,
        from: &Object,
        failover: &Failover,
        name: &str,
        problems: &mut Vec<Problem>,
    ) -> dynamic::Failover {
        let mut part = |reference, role: &str| {
            let role = format!("{name}_{role}");
            self.member(from, reference, &role, false, problems).unwrap_or_default()
        };
        let service = part(&failover.service, "failover");
        let fallback = part(&failover.fallback, "fallback");
        dynamic::Failover { service, fallback, ..failover.settings.clone() }
    }

    /// A TraefikService.
    pub(super) fn traefik_service(&mut self, object: &Object, body: &TraefikService) {
        let mut problems = self.keep_errors(&object.problems);
        let name = self.naming.object(&object.key.namespace, &object.key.name);
        let service = match body {
            TraefikService::Weighted { services, sticky } => {
                let whole = self.naming.service(&name, true);
                let (services, more) = self.weighted(object, services, &whole, false);
                problems.extend(more);
                Service::Weighted(Weighted {
                    services,
                    sticky: sticky.clone(),
                    ..Weighted::default()
                })
            }
            TraefikService::HighestRandomWeight(services) => {
                let whole = format!("{name}_hrw");
                let (services, more) = self.weighted(object, services, &whole, false);
                problems.extend(more);
                Service::HighestRandomWeight(HighestRandomWeight {
                    services,
                    ..HighestRandomWeight::default()
                })
            }
            TraefikService::Mirroring(mirroring) => {
                Service::Mirroring(self.mirroring(object, mirroring, &name, &mut problems))
            }
            TraefikService::Failover(failover) => {
                Service::Failover(self.failover(object, failover, &name, &mut problems))
            }
            TraefikService::Unspecified => {
                problems.push(Problem::error("spec", "unspecified service type"));
                Service::Unreadable
            }
        };
        let entry = entry(object, portway_model::Position::default(), service, problems);
        self.add_service(&name, object.key.to_string(), entry.into());
    }
}

/// The scheme as written, or as the port tells.
fn scheme<'a>(reference: &'a ServiceReference, port: &ServicePort) -> Result<&'a str, String> {
    match reference.scheme.as_str() {
        "" => Ok(scheme_of(port)),
        "http" | "https" | "h2c" => Ok(&reference.scheme),
        other => Err(format!("invalid scheme \"{other}\" specified; use http, https or h2c")),
    }
}
