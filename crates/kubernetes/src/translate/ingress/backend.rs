//! Backends of Ingresses to services.

use std::sync::Arc;

use portway_model::{
    Cause, Problem,
    decode::join,
    dynamic::{LoadBalancer, Server, Service},
};

use super::settings::ServiceSettings;
use crate::{
    api::{self, Backend, Kind, Object, Port},
    translate::{
        NewService, Translation,
        endpoints::Endpoints,
        entry,
        names::normalize,
        servers::{Target, find_port, is_node_port, origin, ports, scheme_of},
    },
};

impl Translation<'_> {
    /// The name of the service behind a backend, and why it leads nowhere.
    ///
    /// It is named by namespace, Service and port, unless `name` says otherwise, and shared by all paths that
    /// lead there.
    pub(super) fn backend(
        &mut self,
        from: &Object,
        backend: &Backend,
        name: Option<&str>,
    ) -> (String, Vec<Problem>) {
        let mut problems = self.keep_errors(&backend.problems);
        if backend.is_resource {
            let field = join(&backend.field, "resource");
            let message = "resource backends are not supported; name a `service`";
            problems.push(Problem::error(field, message).at(backend.at));
        }
        let Some((service, port)) = &backend.service else { return (String::new(), problems) };
        let namespace = from.key.namespace.as_str();
        let origin = format!("Service {namespace}/{service}, port {port}");
        let name = match name {
            Some(name) => name.to_owned(),
            None => normalize(&format!("{namespace}-{service}-{port}")),
        };
        let known = self.services.get(name.as_str()).into_iter().flatten();
        let mut known = known.filter(|offer| offer.origin == origin);
        if !problems.is_empty() || known.any(|offer| !offer.service.is_disabled()) {
            return (name, problems);
        }
        let mut noted = Vec::new();
        let (made, endpoints) = match self.reach(backend, namespace, service, port, &mut noted) {
            Ok((balancer, endpoints)) => {
                problems.extend(noted.iter().filter(|problem| problem.is_error()).cloned());
                noted.retain(|problem| !problem.is_error());
                (Service::LoadBalancer(balancer), endpoints)
            }
            Err((field, reason)) => {
                let cause = if field == "service" { Cause::Value } else { Cause::Reference };
                let problem = Problem::error(join(&backend.field, field), reason);
                problems.push(problem.at(backend.at).about(cause));
                (Service::Unreadable, None)
            }
        };
        noted.extend(problems.iter().cloned());
        let entry = Arc::new(entry(from, backend.at, made, noted));
        let made = NewService { entry, endpoints: endpoints.map(Arc::new) };
        self.add_service(&name, origin, made);
        (name, problems)
    }

    /// The load balancer of a Service's port; the field and the reason where there is none. What is wrong with
    /// it besides is noted.
    pub(super) fn reach(
        &self,
        backend: &Backend,
        namespace: &str,
        name: &str,
        written: &Port,
        noted: &mut Vec<Problem>,
    ) -> Result<(LoadBalancer, Option<Endpoints>), (&'static str, String)> {
        let Some((object, service)) = self.index.service(namespace, name) else {
            let hint = self.index.hint(Kind::Service, namespace, name);
            return Err(("service.name", format!("service not found: {namespace}/{name}{hint}")));
        };
        if service.is_external_name() {
            self.allow_external_name(namespace, name).map_err(|reason| ("service.name", reason))?;
        }
        let Some(port) = find_port(service, written) else {
            let ports = ports(service);
            return Err(("service.port", format!("service port not found: {written}{ports}")));
        };
        let settings = ServiceSettings::read(&object.meta.annotations);
        // What is not served closes the service, but leaves it what it is.
        let (errors, others): (Vec<_>, Vec<_>) = settings
            .problems
            .iter()
            .partition(|problem| problem.is_error() && problem.cause != Cause::Unserved);
        let of_service = |problem: &Problem| format!("{}, {problem}", object.key);
        let field = join(&backend.field, "service");
        noted.extend(others.into_iter().map(|problem| Problem {
            field: field.clone(),
            message: of_service(problem),
            at: backend.at,
            ..problem.clone()
        }));
        if !errors.is_empty() {
            let errors: Vec<_> = errors.into_iter().map(of_service).collect();
            return Err(("service", errors.join("; ")));
        }
        if !settings.servers_transport.is_empty() && !self.may_cross_providers(namespace) {
            let reason = format!(
                "{}: cross-provider serversTransport reference is not allowed from namespace \
                 \"{namespace}\" (crossProviderNamespaces)",
                object.key
            );
            return Err(("service", reason));
        }
        let scheme = match settings.scheme.as_str() {
            "" => scheme_of(port),
            scheme => scheme,
        };
        let target = Target { namespace, name, service, port, scheme };
        let (servers, endpoints) =
            self.backend_servers(service, target, &settings).map_err(|r| ("service", r))?;
        let balancer = LoadBalancer {
            sticky: settings.sticky,
            servers,
            pass_host_header: settings.pass_host_header,
            servers_transport: settings.servers_transport,
            middlewares: settings.middlewares,
            origin: Some(origin(namespace, name, written)),
            ..LoadBalancer::default()
        };
        Ok((balancer, endpoints))
    }

    /// The servers of a Service's port. The order of the questions is that of Traefik's Ingress provider, which
    /// is another than that of its custom resources.
    fn backend_servers(
        &self,
        service: &api::Service,
        target: Target<'_>,
        settings: &ServiceSettings,
    ) -> Result<(Vec<Server>, Option<Endpoints>), String> {
        let servers = if settings.node_port_lb && is_node_port(service) {
            self.node_ports(target)?
        } else if service.is_external_name() {
            self.external_name(target)?
        } else if settings.native_lb.unwrap_or(self.options.native_lb_by_default) {
            self.cluster_address(target)?
        } else {
            let endpoints = Endpoints::of(target);
            return Ok((self.index.servers(&endpoints), Some(endpoints)));
        };
        Ok((servers, None))
    }
}
