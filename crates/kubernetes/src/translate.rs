//! The index to the dynamic configurations of Traefik's providers `kubernetescrd` and `kubernetes`.
//!
//! ```text
//! changed objects ─► units to do again ─► Translation (one object) ─► Unit ─► names to merge ─► merge ─► Translated
//!                          ▲                   │ what it looked up
//!                          └─────── uses ◄─────┘
//! ```
//!
//! Each object is a [`Unit`]: what it alone contributes. While a unit is made, whatever it looks up is noted, so that a
//! change does again only the units that it touches; then the names that these contribute to are merged again. A
//! translation of everything is one of changes to nothing.
//!
//! # Invariants
//! - Pure and total: no clock, no IO, and no object makes the whole fail.
//! - The result depends on the objects alone, never on the order in which they came or changed: ties are settled
//!   by API group, then creation time, then namespace, then name.
//! - A unit sees other objects only through [`Lookups`], which notes them, and other units only through the owners of
//!   names, who are before it in the order of a whole translation.
//! - Fail closed: where Traefik skips a route because something that it names cannot be used, the router is
//!   made all the same with an error, so that it keeps its claim. A Service that is there but has no
//!   usable endpoint becomes a load balancer without servers (503), as Traefik does with
//!   `allowEmptyServices`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portway_model::{
    Cause, Entry, Place, Position, Problem, Severity,
    dynamic::{
        Config, IngressMetadata, LoadBalancer, Observability, ObservabilityMetadata, Router,
        Service,
    },
    static_config::{KubernetesIngress, KubernetesObjects},
};

use crate::{
    Index, ServiceName,
    api::{Body, Group, Key, Object},
};

mod endpoints;
mod ingress;
mod lookups;
mod marks;
mod merge;
mod middlewares;
mod names;
mod own;
mod references;
mod routes;
mod secrets;
mod servers;
mod services;
mod tell;
mod tls;
mod translator;
mod transports;
mod unit;

pub use translator::Translator;

pub(crate) use secrets::of_secret;
pub(crate) use tls::DEFAULT;

use endpoints::Endpoints;
use lookups::Lookups;
use marks::Mark;
use names::Naming;
use translator::{Units, View};
use unit::{Offer, Order, Unit, Whole};

/// Translates Traefik's own objects: what the provider [`crate::PROVIDER`] says.
///
/// Of the options `namespaces` and `labelSelector` have no part in this: they say what an index holds at all
/// (see [`crate::Selection`]). `allowEmptyServices` changes nothing: see the invariants above.
pub fn translate(index: &Index, options: &KubernetesObjects) -> Translated {
    Translator::of_traefik(options.clone()).into_translated(index)
}

/// Translates Ingresses: what the provider [`crate::INGRESS_PROVIDER`] says.
///
/// Problems of Services and Secrets themselves are those that [`translate`] reports. `allowEmptyServices`
/// changes nothing: see the invariants above.
pub fn translate_ingresses(index: &Index, options: &KubernetesIngress) -> Translated {
    Translator::of_ingresses(options.clone()).into_translated(index)
}

/// What a translation gives, and what it needs to follow endpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translated {
    /// What the provider says.
    pub config: Config,
    /// The load balancers whose servers are a Service's endpoints, sorted by name.
    balancers: BTreeMap<ServiceName, Vec<Balancer>>,
    /// What was made of each Ingress or object of Traefik's kinds that is served, and told of it.
    pub(crate) objects: BTreeMap<Arc<Key>, Said>,
}

/// What was made of an object, and told of it besides what the problems of that say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) parts: Vec<Part>,
    pub(crate) told: Vec<Problem>,
}

/// Something in a configuration, by its name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Router(Arc<str>),
    Service(Arc<str>),
    Middleware(Arc<str>),
    Transport(Arc<str>),
    Options(Arc<str>),
    Store(Arc<str>),
    /// Of a Secret, as `namespace/secret`.
    Certificate(Arc<str>),
}

/// A load balancer whose servers are endpoints.
#[derive(Clone, Debug, PartialEq)]
struct Balancer {
    name: Arc<str>,
    endpoints: Arc<Endpoints>,
}

impl Translated {
    /// Becomes what a translation would give after nothing has changed but the endpoints of these Services, at
    /// the cost of those. Says whether anything is different.
    pub fn follow_endpoints(&mut self, index: &Index, services: &BTreeSet<ServiceName>) -> bool {
        let mut changed = false;
        let balancers = services.iter().filter_map(|service| self.balancers.get(service));
        for Balancer { name, endpoints } in balancers.flatten() {
            let servers = endpoints.servers(index);
            let known = self.config.http.services.get(name).map(|entry| &*entry.spec);
            let Some(Service::LoadBalancer(balancer)) = known else { continue };
            if balancer.servers == servers {
                continue;
            }
            let changed_balancer = LoadBalancer { servers, ..balancer.clone() };
            if let Some(entry) = self.config.http.services.get_mut(name) {
                entry.spec = Arc::new(Service::LoadBalancer(changed_balancer));
                changed = true;
            }
        }
        changed
    }
}

/// The translation of one object under way. What is made of a kind is in the module of its subject.
struct Translation<'a> {
    index: Lookups<'a>,
    view: &'a View,
    options: &'a KubernetesObjects,
    naming: Naming,
    /// What other objects contribute.
    units: &'a Units,
    order: Order<'a>,
    routers: BTreeMap<Arc<str>, Entry<Router>>,
    services: BTreeMap<Arc<str>, Vec<Offer>>,
    /// Secrets whose certificates are shown, as `namespace/secret`, and the stores that they are for.
    certificates: BTreeMap<String, Option<String>>,
    whole: Option<(Arc<str>, Whole)>,
    parts: Vec<Part>,
    told: Vec<Problem>,
}

/// A service, and the endpoints that its servers are, where they are any.
#[derive(Clone, Debug, PartialEq)]
struct NewService {
    entry: Arc<Entry<Service>>,
    endpoints: Option<Arc<Endpoints>>,
}

impl From<Entry<Service>> for NewService {
    /// One whose servers are no endpoints.
    fn from(entry: Entry<Service>) -> Self {
        Self { entry: Arc::new(entry), endpoints: None }
    }
}

impl<'a> Translation<'a> {
    fn new(units: &'a Units, view: &'a View, index: Lookups<'a>, object: &'a Object) -> Self {
        let options = view.objects();
        Self {
            index,
            view,
            options,
            naming: Naming::of(options),
            units,
            order: Order::of(&object.key, object.meta.created.as_deref(), false),
            routers: BTreeMap::new(),
            services: BTreeMap::new(),
            certificates: BTreeMap::new(),
            whole: None,
            parts: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Makes what the object contributes.
    fn run(mut self, object: &'a Object) -> Unit {
        self.object(object);
        if self.index.is_visible(object) {
            match (self.view, &object.body) {
                (View::Ingresses(options), Body::Ingress(body)) => {
                    self.ingress(object, body, options);
                }
                (View::Traefik(_), Body::IngressRoute(body)) => self.ingress_route(object, body),
                (View::Traefik(_), Body::Middleware(body)) => self.middleware(object, body),
                (View::Traefik(_), Body::ServersTransport(body)) => {
                    self.servers_transport(object, body);
                }
                (View::Traefik(_), Body::TlsOption(body)) => self.tls_options(object, body),
                (View::Traefik(_), Body::TlsStore(body)) => self.tls_store(object, body),
                (View::Traefik(_), Body::TraefikService(body)) => {
                    self.traefik_service(object, body);
                }
                _ => {}
            }
        }
        Unit::of(self, object)
    }

    /// Reports what is wrong with an object that yields nothing by itself.
    fn object(&mut self, object: &Object) {
        if matches!(self.view, View::Ingresses(_)) {
            return;
        }
        match object.body {
            Body::ConfigMap(_)
            | Body::EndpointSlice(_)
            | Body::Endpoints(_)
            | Body::Node(_)
            | Body::Secret(_)
            | Body::Service(_) => self.diagnose_all(&object.problems),
            Body::Unserved => {
                let message = "not served by this version of Portway yet";
                self.diagnose(&Problem::error("", message).about(Cause::Unserved));
                self.diagnose_all(&object.problems);
            }
            _ => {}
        }
    }

    /// Notes that something was made of the object.
    fn part(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// The object that has a name of routers because it is before this one.
    fn owner(&self, router: &str) -> Option<&'a Key> {
        self.index.note(Mark::router(router));
        self.units.owner(router, &self.order)
    }

    fn diagnose(&mut self, problem: &Problem) {
        self.told.push(problem.clone());
    }

    fn diagnose_all<'p>(&mut self, problems: impl IntoIterator<Item = &'p Problem>) {
        self.told.extend(problems.into_iter().cloned());
    }

    /// Reports the warnings among `problems` and returns its errors.
    fn keep_errors(&mut self, problems: &[Problem]) -> Vec<Problem> {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            problems.iter().cloned().partition(|problem| problem.severity == Severity::Error);
        self.diagnose_all(&warnings);
        errors
    }

    /// Adds a service. What else has its name is seen when names are merged.
    fn add_service(&mut self, name: &str, origin: String, service: NewService) {
        let name: Arc<str> = name.into();
        self.part(Part::Service(Arc::clone(&name)));
        self.services.entry(name).or_default().push(Offer { origin, service });
    }
}

/// Where a part of an object was written.
fn place(object: &Object, at: Position) -> Option<Place> {
    let place = object.meta.place.clone()?;
    Some(if at.line == 0 { place } else { Place { line: at.line, ..place } })
}

/// Which records are made of a router, and the object that they name as its origin.
fn with_origin(observability: Option<Observability>, object: &Object) -> Observability {
    let Key { kind, namespace, name, .. } = &object.key;
    let (namespace, name) = (namespace.clone(), name.clone());
    let ingress = IngressMetadata { kind: kind.as_str(), namespace, name };
    let metadata = Some(Box::new(ObservabilityMetadata { ingress: Some(ingress) }));
    Observability { metadata, ..observability.unwrap_or_default() }
}

/// An entry of the configuration that comes from a part of an object.
fn entry<T>(object: &Object, at: Position, spec: T, problems: Vec<Problem>) -> Entry<T> {
    let yields = object.key.group == Group::TraefikContainous;
    let created = object.meta.created.clone();
    Entry { yields, created, place: place(object, at), ..Entry::new(spec).with(problems) }
}
