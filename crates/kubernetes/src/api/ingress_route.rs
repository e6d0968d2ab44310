//! IngressRoute: rules, and what follows from them. Traefik: `IngressRoute`.

use portway_model::{
    Fields, Node, Position, Problem, Value,
    dynamic::{Domain, Observability, TraceVerbosity, decode},
};

use super::{
    Reference, ServiceReference,
    reading::{item, one_of, place, required},
};

/// The content of an IngressRoute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IngressRoute {
    /// `spec.ingressClassName`; an empty one counts as given.
    pub ingress_class_name: Option<String>,
    /// Names of entry points; empty means the default ones.
    pub entry_points: Vec<String>,
    /// IngressRoutes whose routers are this one's parents.
    pub parent_refs: Vec<Reference>,
    /// The routes.
    pub routes: Vec<Route>,
    /// TLS of all routes.
    pub tls: Option<RouteTls>,
}

/// One rule and what follows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// The rule.
    pub rule: String,
    /// `Rule` or empty; nothing else is served.
    pub kind: String,
    /// Higher goes first; 0 means the rule's length.
    pub priority: i64,
    /// `v2`, `v3` or empty.
    pub syntax: String,
    /// The middlewares in the order they run.
    pub middlewares: Vec<Reference>,
    /// The services.
    pub services: Vec<ServiceReference>,
    /// Which records are made.
    pub observability: Option<Observability>,
    /// The route's path inside the object, such as `spec.routes[0]`.
    pub path: String,
    /// Where the route was written.
    pub at: Position,
    /// What is wrong with the route, besides its services.
    pub problems: Vec<Problem>,
}

/// TLS of an IngressRoute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteTls {
    /// The Secret with a certificate.
    pub secret_name: String,
    /// Where it was named.
    pub secret_at: Position,
    /// The TLSOption.
    pub options: Option<Reference>,
    /// The name of a certificate resolver.
    pub cert_resolver: String,
    /// Domains to ask certificates for.
    pub domains: Vec<Domain>,
}

impl IngressRoute {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let class = fields.scalar("ingressClassName", "a text", |text| Some(text.to_owned()));
        let route = Self {
            ingress_class_name: class,
            entry_points: fields.strings("entryPoints"),
            parent_refs: fields.list("parentRefs", Reference::read),
            routes: fields.list("routes", |node, path, _| Route::read(node, path)),
            tls: match fields.node("tls") {
                Some(_) => fields.object("tls", RouteTls::read),
                None => None,
            },
        };
        if fields.node("routes").is_some_and(|node| node.value == Value::List(Vec::new())) {
            fields.report("routes", Problem::warning, "is empty, so that nothing is routed");
        }
        fields.close_dropping(&["entryPoints", "tls"]);
        route
    }

    /// What is wrong with the routes and their services.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.routes.iter().flat_map(|route| {
            let services = route.services.iter().flat_map(|service| &service.problems);
            route.problems.iter().chain(services)
        })
    }

    /// What is wrong with the routes and their services, each list where it is kept.
    pub(super) fn problem_lists(&mut self) -> impl Iterator<Item = &mut Vec<Problem>> {
        self.routes.iter_mut().flat_map(|route| {
            let services = route.services.iter_mut().map(|service| &mut service.problems);
            std::iter::once(&mut route.problems).chain(services)
        })
    }

    /// Where the problems with a field of a route are kept; `None` for a field of no route.
    pub(super) fn problems_with(&mut self, field: &str) -> Option<&mut Vec<Problem>> {
        let route = self.routes.get_mut(item(field, "spec.routes")?)?;
        let service = item(field, &format!("{}.services", route.path));
        match service.and_then(|number| route.services.get_mut(number)) {
            Some(service) => Some(&mut service.problems),
            None => Some(&mut route.problems),
        }
    }
}

impl Route {
    fn read(node: &Node, path: &str) -> Self {
        let mut problems = Vec::new();
        let mut fields = Fields::open(node, path, &mut problems);
        let mut route = Self {
            rule: fields.string("match"),
            kind: fields.string("kind"),
            priority: fields.integer("priority").unwrap_or_default(),
            syntax: one_of(&mut fields, "syntax", &["v2", "v3"]),
            middlewares: fields.list("middlewares", Reference::read),
            services: fields.list("services", |node, path, _| ServiceReference::read(node, path)),
            observability: match fields.node("observability") {
                Some(_) => fields.object("observability", observability),
                None => None,
            },
            path: path.to_owned(),
            at: place(node, "match"),
            problems: Vec::new(),
        };
        fields.close_dropping(&["match", "middlewares", "priority"]);
        route.problems = problems;
        route
    }
}

/// Which records are made, with the verbosity that an API server writes where there is none.
fn observability(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Observability {
    let observability = decode::observability(node, path, problems);
    let trace_verbosity = observability.trace_verbosity.or(Some(TraceVerbosity::Minimal));
    Observability { trace_verbosity, ..observability }
}

impl RouteTls {
    fn read(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, path, problems);
        let tls = Self {
            secret_name: fields.string("secretName"),
            secret_at: place(node, "secretName"),
            options: match fields.node("options") {
                Some(_) => fields.object("options", options),
                None => None,
            },
            cert_resolver: fields.string("certResolver"),
            domains: fields.list("domains", decode::domain),
        };
        // Traefik reads `store` and gives it no meaning.
        if fields.node("store").is_some() {
            fields.report("store", Problem::warning, "has no effect, in Traefik neither");
        }
        fields.close_dropping(&["options"]);
        tls
    }
}

/// A reference to a TLSOption; an empty name means the default options.
fn options(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Reference {
    let mut fields = Fields::open(node, path, problems);
    let (name, namespace) = (fields.string("name"), fields.string("namespace"));
    if fields.node("name").is_none() {
        // Definitions that let this through leave open what was meant to be demanded of clients.
        fields.report("name", Problem::error, "required, but not there");
    }
    fields.close_dropping(&[]);
    Reference { name, namespace, at: node.at }
}

/// A certificate of a TLSStore or the like: the Secret's name and where it was named.
pub(super) fn secret_name(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> (String, Position) {
    let mut fields = Fields::open(node, path, problems);
    let name = required(&mut fields, node, "secretName");
    fields.close_dropping(&[]);
    (name, node.at)
}
