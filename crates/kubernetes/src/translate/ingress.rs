//! Ingresses to routers, as Traefik's provider `kubernetes` makes them.
//!
//! Each path becomes a router that is named by its Ingress, host and path. Paths of one Ingress whose names are
//! equal get the hash of their rule after it, unless only one of them can be served. Where Traefik skips a path or
//! a whole Ingress because something about it is wrong, the routers are made all the same, with the reason, and
//! keep their claim.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{
    Cause, Entry, Position, Problem, Severity,
    decode::join,
    dynamic::Router,
    static_config::{KubernetesIngress, RuleSyntax},
};

use self::{annotations::PREFIX, rule::RuleWriter, settings::RouterSettings};
use super::{Mark, Part, Translation, entry, names, unit::Category, with_origin};
use crate::api::{Backend, Body, Ingress, IngressPath, IngressRule, Key, Object};

mod annotations;
mod backend;
mod rule;
mod settings;

/// The router and the service of the default backend, of which there is one for all Ingresses.
const DEFAULT_ROUTER: &str = "default-router";
pub(super) const DEFAULT_BACKEND: &str = "default-backend";

/// The priority of the default backend's router: below every other.
const LOWEST: i64 = i32::MIN as i64;

/// The syntax of the default backend's rule, whatever `core.defaultRuleSyntax` says: that of Traefik 3.
const SYNTAX_OF_TRAEFIK_3: &str = "default";

/// A router of an Ingress, under the name that it would have alone.
struct Named<'i> {
    name: String,
    /// What it was made from: the path inside the object.
    field: &'i str,
    at: Position,
    router: Entry<Router>,
}

/// What all routers of one Ingress have in common.
struct Shared<'a> {
    object: &'a Object,
    settings: RouterSettings,
    writer: RuleWriter,
    /// What is wrong with the Ingress or its annotations.
    problems: Vec<Problem>,
}

impl<'a> Translation<'a> {
    /// An Ingress, if it is served.
    pub(super) fn ingress(
        &mut self,
        object: &'a Object,
        ingress: &Ingress,
        options: &KubernetesIngress,
    ) {
        let Some(classes) = self.index.classes() else { return };
        if !classes.serve(object, ingress) {
            if let Some(problem) = classes.complaint(ingress) {
                self.diagnose(&problem);
            }
            return;
        }
        // A default backend that leads nowhere is no reason to leave out one that leads somewhere.
        let fault = self.fault_of_default(object);
        self.order = self.order.behind(fault.is_some());
        self.ingress_certificates(object, ingress);
        let shared = self.shared(object, options);
        let made = match &ingress.default_backend {
            Some(backend) if ingress.rules.is_empty() => {
                self.default_router(&shared, backend, fault).into_iter().collect()
            }
            backend => {
                if let Some(Backend { at, .. }) = backend {
                    let message = "has no effect beside `rules`, in Traefik neither";
                    let problem = Problem::warning("spec.defaultBackend", message);
                    self.diagnose(&problem.at(*at));
                }
                self.path_routers(&shared, ingress)
            }
        };
        if made.is_empty() {
            // No router can carry them.
            self.diagnose_all(&shared.problems);
        }
        let mut times: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for Named { name, router, .. } in &made {
            let (working, all) = times.entry(name.clone()).or_default();
            *working += usize::from(!router.is_disabled());
            *all += 1;
        }
        for named in made {
            let (working, all) = times.get(&named.name).copied().unwrap_or_default();
            // Traefik skips paths that cannot be served: one that is alone beside them keeps its name.
            let several = if named.router.is_disabled() { all > 1 } else { working > 1 };
            self.add_ingress_router(named, several);
        }
    }

    fn shared(&mut self, object: &'a Object, options: &KubernetesIngress) -> Shared<'a> {
        let mut settings = RouterSettings::read(&object.meta.annotations);
        let namespace = object.key.namespace.as_str();
        if !self.may_cross_providers(namespace) {
            let options = settings.tls.as_ref().is_some_and(|tls| !tls.options.is_empty());
            for (written, field, what) in [
                (!settings.middlewares.is_empty(), "router.middlewares", "middleware"),
                (options, "router.tls.options", "TLS option"),
            ] {
                if written {
                    let message = format!(
                        "cross-provider {what} reference is not allowed from namespace \
                         \"{namespace}\" (crossProviderNamespaces)"
                    );
                    settings.problems.push(Problem::error(format!("{PREFIX}{field}"), message));
                }
            }
        }
        let mut problems = self.keep_errors(&object.problems);
        problems.extend(self.keep_errors(&settings.problems));
        let syntax = match settings.rule_syntax.as_str() {
            "" => options.default_rule_syntax,
            "v2" => RuleSyntax::V2,
            _ => RuleSyntax::V3,
        };
        let writer = RuleWriter {
            syntax,
            path_matcher: settings.path_matcher,
            strict_prefixes: options.strict_prefix_matching,
        };
        Shared { object, settings, writer, problems }
    }

    /// Certificates of Secrets. They are shown to every router's clients, and do not make a router speak TLS.
    fn ingress_certificates(&mut self, object: &Object, ingress: &Ingress) {
        for tls in ingress.tls.iter().filter(|tls| !tls.secret_name.is_empty()) {
            if let Err(reason) = self.certificate(&object.key.namespace, &tls.secret_name, None) {
                let field = format!("{}.secretName", tls.field);
                let message = format!("Error configuring TLS: {reason}");
                let problem = Problem::error(field, message).at(tls.at);
                self.diagnose(&problem.about(Cause::Reference));
            }
        }
    }

    /// Why the default backend of an Ingress, which has nothing else, leads nowhere.
    fn fault_of_default(&self, object: &Object) -> Option<Problem> {
        let Body::Ingress(Ingress { default_backend: Some(backend), rules, .. }) = &object.body
        else {
            return None;
        };
        let (service, port) = backend.service.as_ref().filter(|_| rules.is_empty())?;
        let reached = self.reach(backend, &object.key.namespace, service, port, &mut Vec::new());
        let (field, reason) = reached.err()?;
        Some(Problem::error(join(&backend.field, field), reason).at(backend.at))
    }

    /// The router of the default backend; `None` where another Ingress has it.
    fn default_router<'i>(
        &mut self,
        shared: &Shared<'a>,
        backend: &'i Backend,
        fault: Option<Problem>,
    ) -> Option<Named<'i>> {
        let (object, at) = (shared.object, backend.at);
        let field = backend.field.as_str();
        self.index.note(Mark::default_backend());
        if self.units.first(Category::Service, DEFAULT_BACKEND, &self.order).is_some() {
            let message = "the default backend already exists, of another Ingress";
            self.diagnose(&Problem::error(field, message).at(at));
            if let Some(fault) = fault {
                self.diagnose(&fault);
            }
            return None;
        }
        let mut problems = shared.problems.clone();
        let (service, errors) = self.backend(object, backend, Some(DEFAULT_BACKEND));
        problems.extend(errors);
        let router = Router {
            rule: "PathPrefix(\"/\")".to_owned(),
            rule_syntax: SYNTAX_OF_TRAEFIK_3.to_owned(),
            priority: LOWEST,
            ..shared.router(service)
        };
        let name = DEFAULT_ROUTER.to_owned();
        Some(Named { name, field, at, router: entry(object, at, router, problems) })
    }

    fn path_routers<'i>(&mut self, shared: &Shared<'a>, ingress: &'i Ingress) -> Vec<Named<'i>> {
        let mut routers = Vec::new();
        for rule in &ingress.rules {
            let problems = self.keep_errors(&rule.problems);
            // Without its host a rule would claim the requests of all hosts.
            let unread = rule.host.is_empty() && !problems.is_empty();
            if unread || rule.paths.is_empty() {
                // No router can carry them.
                self.diagnose_all(&problems);
            }
            if unread {
                continue;
            }
            if rule.paths.is_empty() && problems.is_empty() {
                let message = "has no `http.paths`, so that nothing is served for it";
                let problem = Problem::warning(rule.field.as_str(), message).at(rule.at);
                self.diagnose(&problem);
            }
            for path in &rule.paths {
                routers.push(self.path_router(shared, rule, path, &problems));
            }
        }
        let mut paths = ingress.rules.iter().flat_map(|rule| &rule.paths);
        if let Some(problem) = &shared.settings.path_matcher_problem
            && !paths.any(IngressPath::is_left_open)
        {
            let problem = Problem { severity: Severity::Warning, ..problem.clone() };
            self.diagnose(&problem);
        }
        routers
    }

    fn path_router<'i>(
        &mut self,
        shared: &Shared<'a>,
        rule: &IngressRule,
        path: &'i IngressPath,
        problems: &[Problem],
    ) -> Named<'i> {
        let Shared { object, settings, writer, .. } = shared;
        let mut problems = [shared.problems.as_slice(), problems].concat();
        problems.extend(self.keep_errors(&path.problems));
        if path.is_left_open() {
            problems.extend(settings.path_matcher_problem.clone());
        }
        if rule.host.is_empty() && path.path.is_empty() {
            let message =
                "neither a host nor a path says what matches; write `path: /` for every request";
            self.diagnose(&Problem::error(format!("{}.path", path.field), message).at(path.at));
        }
        let (service, errors) = self.backend(object, &path.backend, None);
        problems.extend(errors);
        let router = Router {
            rule: writer.rule(&rule.host, &path.path, path.path_type),
            rule_syntax: settings.rule_syntax.clone(),
            priority: settings.priority,
            ..shared.router(service)
        };
        let Key { namespace, name, .. } = &object.key;
        let name = names::normalize(&format!("{namespace}-{name}-{}{}", rule.host, path.path));
        let router = entry(object, path.at, router, problems);
        Named { name, field: &path.field, at: path.at, router }
    }

    /// Adds a router under its name, or with the hash of its rule after it where `several` have the name, or
    /// where an older Ingress has it.
    fn add_ingress_router(&mut self, named: Named<'_>, several: bool) {
        let Named { name, field, at, router } = named;
        let name = match several || self.owner(&name).is_some() {
            true => format!("{name}-{}", names::rule_hash(&router.spec.rule)),
            false => name,
        };
        if let Some(owner) = self.owner(&name) {
            // The rules are the same, so that the older Ingress gets all the requests in any case.
            let message = format!("router `{name}` belongs to {owner}, which is older");
            self.diagnose(&Problem::error(field, message).at(at));
            return;
        }
        if self.routers.contains_key(name.as_str()) {
            let rule = &router.spec.rule;
            let message = format!(
                "another path of this Ingress has the same rule, {rule}; the last one wins"
            );
            self.diagnose(&Problem::warning(field, message).at(at));
        }
        let name: Arc<str> = name.into();
        self.part(Part::Router(Arc::clone(&name)));
        self.routers.insert(name, router);
    }
}

impl Shared<'_> {
    /// A router to a service, without its rule.
    fn router(&self, service: String) -> Router {
        let settings = &self.settings;
        Router {
            entry_points: settings.entry_points.clone(),
            middlewares: settings.middlewares.clone(),
            service,
            tls: settings.tls.clone().map(Box::new),
            observability: Some(with_origin(settings.observability.clone(), self.object)),
            timeouts: settings.timeouts.clone(),
            ..Router::default()
        }
    }
}
