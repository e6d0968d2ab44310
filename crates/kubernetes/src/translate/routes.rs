//! IngressRoutes to routers.

use std::sync::Arc;

use portway_model::{
    Cause, Problem, Severity,
    dynamic::{Router, RouterTls, Service, Weighted},
};

use super::{
    Part, Translation, entry, own, references::or_parent, services::Resolved, with_origin,
};
use crate::api::{IngressRoute, Kind, Object, Route};

/// The annotation that Traefik 2 read an IngressRoute's class from.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

impl Translation<'_> {
    fn is_served(&mut self, object: &Object, route: &IngressRoute) -> bool {
        let annotation = object.meta.annotations.get(CLASS_ANNOTATION);
        let written = route.ingress_class_name.as_ref().or(annotation);
        let class = written.map_or("", String::as_str);
        let wanted = self.options.ingress_class.as_str();
        let served = class == wanted || (wanted.is_empty() && class == "traefik");
        if served && route.ingress_class_name.is_none() && !class.is_empty() {
            let message = format!(
                "'{CLASS_ANNOTATION}' is a deprecated annotation, please use spec.ingressClassName \
                 instead."
            );
            self.diagnose(&Problem::warning("metadata.annotations", message));
        }
        served
    }

    /// An IngressRoute, if it is of the class that is served.
    pub(super) fn ingress_route(&mut self, object: &Object, route: &IngressRoute) {
        if !self.is_served(object, route) {
            return;
        }
        let mut shared = self.keep_errors(&object.problems);
        let tls = self.router_tls(object, route, &mut shared);
        let parents = self.parents(object, route, &mut shared);
        let mut own = Vec::new();
        let timeouts = own::timeouts(&object.meta.annotations, &mut own);
        shared.extend(self.keep_errors(&own));
        let mut made = false;
        for (number, one) in route.routes.iter().enumerate() {
            let Some(name) = self.router_name(object, one, number) else { continue };
            made = true;
            if let Some(owner) = self.owner(&name) {
                let message = format!("router `{name}` belongs to {}", owner.before(&object.key));
                let problem = Problem::error(&one.path, message).at(one.at);
                self.diagnose(&problem.about(Cause::Conflict));
                continue;
            }
            if self.routers.contains_key(name.as_str()) {
                let message =
                    "another route of this IngressRoute has the same match; the last one wins";
                let field = format!("{}.match", one.path);
                let problem = Problem::warning(field, message).at(one.at);
                self.diagnose(&problem.about(Cause::Conflict));
            }
            let mut problems = shared.clone();
            let router = Router {
                entry_points: route.entry_points.clone(),
                parent_refs: parents.clone(),
                tls: tls.clone().map(Box::new),
                timeouts: timeouts.clone(),
                ..self.router(object, one, &name, &mut problems)
            };
            let fails = problems.iter().any(Problem::is_error);
            if fails && self.routers.get(name.as_str()).is_some_and(|known| !known.is_disabled()) {
                // Traefik skips it, so that the other one stays; the claim is the same.
                self.diagnose_all(&problems);
                continue;
            }
            let name: Arc<str> = name.into();
            self.part(Part::Router(Arc::clone(&name)));
            self.routers.insert(name, entry(object, one.at, router, problems));
        }
        if !made {
            // No router can carry them.
            self.diagnose_all(&shared);
        }
    }

    /// The name of a route's router; `None` when there can be none.
    fn router_name(&mut self, object: &Object, route: &Route, number: usize) -> Option<String> {
        let reason = if !route.kind.is_empty() && route.kind != "Rule" {
            let message = format!(
                "Unsupported match kind: {}. Only \"Rule\" is supported for now.",
                route.kind
            );
            Some(("kind", message))
        } else if route.rule.is_empty() {
            Some(("match", "Empty match rule".to_owned()))
        } else {
            None
        };
        if let Some((field, message)) = reason {
            let field = format!("{}.{field}", route.path);
            if !route.problems.iter().any(|known| known.is_error() && known.field == field) {
                self.diagnose(&Problem::error(field, message).at(route.at));
            }
            self.diagnose_all(&route.problems);
            return None;
        }
        Some(self.naming.router(&object.key.namespace, &object.key.name, number, &route.rule))
    }

    fn router(
        &mut self,
        object: &Object,
        route: &Route,
        name: &str,
        problems: &mut Vec<Problem>,
    ) -> Router {
        problems.extend(self.keep_errors(&route.problems));
        let path = format!("{}.middlewares", route.path);
        Router {
            middlewares: self.middleware_names(object, &route.middlewares, &path, problems),
            service: self.router_service(object, route, name, problems),
            rule: route.rule.clone(),
            rule_syntax: route.syntax.clone(),
            priority: route.priority,
            observability: Some(with_origin(route.observability.clone(), object)),
            ..Router::default()
        }
    }

    /// The name of the service that a route leads to. A single Kubernetes Service is named after the router,
    /// several become a weighted service of such a name; what leads nowhere has one too, with the reason.
    fn router_service(
        &mut self,
        object: &Object,
        route: &Route,
        router: &str,
        problems: &mut Vec<Problem>,
    ) -> String {
        let native = self.options.native_lb_by_default;
        let name = self.naming.service(router, route.services.len() > 1);
        let made = match route.services.as_slice() {
            [] => return String::new(),
            [reference] => match self.service(object, reference, native) {
                Ok(Resolved::Named(name)) => return name,
                Ok(Resolved::Made { service, .. }) => *service,
                Err(errors) => entry(object, reference.at, Service::Unreadable, errors).into(),
            },
            references => {
                let (services, errors) = self.weighted(object, references, &name, native);
                let weighted = Weighted { services, ..Weighted::default() };
                entry(object, route.at, Service::Weighted(weighted), errors).into()
            }
        };
        problems
            .extend(made.entry.problems.iter().filter(|p| p.severity == Severity::Error).cloned());
        self.add_service(&name, format!("a route of {}", object.key), made);
        name
    }

    fn router_tls(
        &mut self,
        object: &Object,
        route: &IngressRoute,
        problems: &mut Vec<Problem>,
    ) -> Option<RouterTls> {
        let tls = route.tls.as_ref()?;
        if !tls.secret_name.is_empty() {
            // Without its certificate the router still answers, with another one.
            if let Err(reason) = self.certificate(&object.key.namespace, &tls.secret_name, None) {
                let message = format!("Error configuring TLS: {reason}");
                let problem = Problem::error("spec.tls.secretName", message).at(tls.secret_at);
                self.diagnose(&problem.about(Cause::Reference));
            }
        }
        let mut options = String::new();
        if let Some(reference) = tls.options.as_ref().filter(|options| !options.name.is_empty()) {
            match self.resolve(object, reference, "spec.tls.options") {
                Ok(name) => options = name,
                Err(reason) => {
                    let message =
                        format!("Invalid reference to TLSOption \"{}\": {reason}", reference.name);
                    let problem = Problem::error("spec.tls.options", message).at(reference.at);
                    problems.push(problem.about(Cause::Reference));
                }
            }
        }
        Some(RouterTls {
            options,
            cert_resolver: tls.cert_resolver.clone(),
            domains: tls.domains.clone(),
        })
    }

    /// The names of all routers of the IngressRoutes that are this one's parents.
    fn parents(
        &mut self,
        object: &Object,
        route: &IngressRoute,
        problems: &mut Vec<Problem>,
    ) -> Vec<String> {
        let mut parents = Vec::new();
        for (i, reference) in route.parent_refs.iter().enumerate() {
            let namespace = or_parent(&reference.namespace, &object.key.namespace);
            let name = reference.name.as_str();
            let message = if !self.may_cross_namespaces(&object.key.namespace, namespace) {
                format!(
                    "cross-namespace reference to parent IngressRoute {namespace}/{name} not allowed"
                )
            } else if let Some((_, parent)) = self.index.ingress_route(namespace, name) {
                let routes = parent.routes.iter().enumerate();
                let naming = self.naming;
                let router = |(number, route): (usize, &Route)| {
                    naming.router(namespace, name, number, &route.rule)
                };
                parents.extend(routes.map(router));
                continue;
            } else {
                let hint = self.index.hint(Kind::IngressRoute, namespace, name);
                format!("parent IngressRoute {namespace}/{name} does not exist{hint}")
            };
            let field = format!("spec.parentRefs[{i}]");
            let problem = Problem::error(field, message).at(reference.at);
            problems.push(problem.about(Cause::Reference));
        }
        parents
    }
}
