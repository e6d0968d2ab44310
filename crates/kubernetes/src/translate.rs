//! The index to the dynamic configurations of Traefik's providers `kubernetescrd` and `kubernetes`.
//!
//! # Invariants
//! - Pure and total: no clock, no IO, and no object makes the whole fail.
//! - The result depends on the objects alone, never on the order in which they came: ties are settled by
//!   creation time, then namespace, then name.
//! - Fail closed: where Traefik skips a route because something that it names cannot be used, the router is
//!   made all the same with an error, so that it keeps its claim. A Service that is there but has no
//!   usable endpoint becomes a load balancer without servers (503), as Traefik does with
//!   `allowEmptyServices`.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, btree_map},
    sync::Arc,
};

use portway_model::{
    Cause, Diagnostic, Entry, Place, Position, Problem, Severity,
    dynamic::{
        Certificate, Config, IngressMetadata, LoadBalancer, Observability, ObservabilityMetadata,
        Service,
    },
    static_config::{KubernetesIngress, KubernetesObjects},
};

use crate::{
    Index, ServiceName,
    api::{Body, Group, Key, Kind, Object},
};

mod endpoints;
mod ingress;
mod middlewares;
mod names;
mod references;
mod routes;
mod secrets;
mod servers;
mod services;
mod tls;
mod transports;

use endpoints::Endpoints;
use names::Naming;

/// Translates Traefik's own objects: what the provider [`crate::PROVIDER`] says.
///
/// Of the options `namespaces` and `labelSelector` have no part in this: they say what an index holds at all
/// (see [`crate::Selection`]). `allowEmptyServices` changes nothing: see the invariants above.
pub fn translate(index: &Index, options: &KubernetesObjects) -> Translated {
    let mut translation = Translation::new(index, options);
    translation.objects();
    translation.tls_stores();
    translation.tls_options();
    translation.ingress_routes();
    translation.middlewares();
    translation.traefik_services();
    translation.servers_transports();
    translation.finish()
}

/// Translates Ingresses: what the provider [`crate::INGRESS_PROVIDER`] says.
///
/// Problems of Services and Secrets themselves are those that [`translate`] reports. `allowEmptyServices`
/// changes nothing: see the invariants above.
pub fn translate_ingresses(index: &Index, options: &KubernetesIngress) -> Translated {
    let mut translation = Translation::new(index, &options.objects);
    translation.hides_nodes = options.disable_cluster_scope_resources;
    translation.ingresses(options);
    translation.finish()
}

/// What a translation gives, and what it needs to follow endpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Translated {
    /// What the provider says.
    pub config: Config,
    /// The load balancers whose servers are a Service's endpoints.
    balancers: BTreeMap<ServiceName, Vec<Balancer>>,
    /// What was made of each object of Traefik's kinds that is served, and told of it.
    pub(crate) objects: BTreeMap<Key, Said>,
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
    Router(String),
    Service(String),
    Middleware(String),
    Transport(String),
    Options(String),
    Store(String),
}

/// A load balancer whose servers are endpoints.
#[derive(Clone, Debug, PartialEq)]
struct Balancer {
    name: Arc<str>,
    endpoints: Endpoints,
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

/// A translation under way. The passes are methods, each in the module of its subject.
struct Translation<'a> {
    index: &'a Index,
    options: &'a KubernetesObjects,
    naming: Naming,
    /// Certificates by `namespace/secret`.
    certificates: BTreeMap<String, Entry<Certificate>>,
    /// Services by name.
    services: BTreeMap<String, Made>,
    config: Config,
    /// What was made of objects, and told of them.
    objects: BTreeMap<Key, Said>,
    /// Whether Nodes must not be looked up.
    hides_nodes: bool,
    /// How many names may still be compared for hints (`did you mean …?`).
    comparisons: Cell<usize>,
}

/// Names compared for hints in one translation, at most: thousands of faults among thousands of names are one
/// fault, thousands of times.
const MAX_COMPARISONS: usize = 20_000;

/// A service and what it was made from.
struct Made {
    /// What its name stands for; two origins of one name are a conflict.
    origin: String,
    /// The object that asked for it.
    by: String,
    service: NewService,
    /// What else its name stands for.
    clashes: Vec<Problem>,
}

/// A service, and the endpoints that its servers are, where they are any.
struct NewService {
    entry: Entry<Service>,
    endpoints: Option<Endpoints>,
}

impl From<Entry<Service>> for NewService {
    /// One whose servers are no endpoints.
    fn from(entry: Entry<Service>) -> Self {
        Self { entry, endpoints: None }
    }
}

impl<'a> Translation<'a> {
    fn new(index: &'a Index, options: &'a KubernetesObjects) -> Self {
        Self {
            index,
            options,
            naming: Naming::of(options),
            certificates: BTreeMap::new(),
            services: BTreeMap::new(),
            config: Config::default(),
            objects: BTreeMap::new(),
            hides_nodes: false,
            comparisons: Cell::new(MAX_COMPARISONS),
        }
    }

    /// Reports what is wrong with objects that yield nothing by themselves.
    fn objects(&mut self) {
        for object in self.index.all() {
            match object.body {
                Body::ConfigMap(_)
                | Body::EndpointSlice(_)
                | Body::Endpoints(_)
                | Body::Node(_)
                | Body::Secret(_)
                | Body::Service(_) => self.diagnose_all(object, &object.problems),
                Body::Unserved => {
                    let message = "not served by this version of Portway yet";
                    self.diagnose(object, &Problem::error("", message).about(Cause::Unserved));
                    self.diagnose_all(object, &object.problems);
                }
                _ => {}
            }
        }
    }

    /// Objects of a kind, the oldest first, then by namespace and name.
    fn oldest_first(&self, kind: Kind) -> Vec<&'a Object> {
        let mut objects: Vec<_> = self.index.of(kind).collect();
        objects.sort_by_key(|object| object.age());
        objects
    }

    /// What is said of an object; nothing yet at first.
    fn said(&mut self, object: &Object) -> &mut Said {
        self.objects.entry(object.key.clone()).or_default()
    }

    /// Notes that something was made of an object.
    fn part(&mut self, object: &Object, part: Part) {
        if object.key.group != Group::Kubernetes {
            self.said(object).parts.push(part);
        }
    }

    fn diagnose(&mut self, object: &Object, problem: &Problem) {
        if object.key.group != Group::Kubernetes {
            self.said(object).told.push(problem.clone());
        }
        self.config.diagnostics.push(Diagnostic {
            severity: problem.severity,
            object: object.key.to_string(),
            field: problem.field.clone(),
            message: problem.message.clone(),
            place: place(object, problem.at),
        });
    }

    fn diagnose_all<'p>(
        &mut self,
        object: &Object,
        problems: impl IntoIterator<Item = &'p Problem>,
    ) {
        for problem in problems {
            self.diagnose(object, problem);
        }
    }

    /// Reports the warnings among `problems` and returns its errors.
    fn keep_errors(&mut self, object: &Object, problems: &[Problem]) -> Vec<Problem> {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            problems.iter().cloned().partition(|problem| problem.severity == Severity::Error);
        self.diagnose_all(object, &warnings);
        errors
    }

    /// Adds a service that `by` asked for.
    ///
    /// The same origin again replaces it, as in Traefik, with a warning where the settings differ; another
    /// origin of the same name closes both, because either could get the other's requests.
    fn add_service(&mut self, name: String, by: &Object, origin: String, service: NewService) {
        let owner = by.key.to_string();
        self.part(by, Part::Service(name.clone()));
        match self.services.entry(name) {
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(Made { origin, by: owner, service, clashes: Vec::new() });
            }
            btree_map::Entry::Occupied(mut occupied) => {
                let made = occupied.get_mut();
                if made.origin != origin {
                    let message = format!("the name stands for {} and for {origin}", made.origin);
                    let clash = Problem::error("", message).about(Cause::Conflict);
                    if !made.clashes.contains(&clash) {
                        made.clashes.push(clash);
                    }
                    return;
                }
                let (known, new) = (&made.service, &service);
                if new.entry.is_disabled() && !known.entry.is_disabled() {
                    // Traefik skips what asks for it.
                    return;
                }
                // Where no server is there, nothing else shows the scheme.
                let differs =
                    known.entry.spec != new.entry.spec || known.endpoints != new.endpoints;
                made.service = service;
                let before = std::mem::replace(&mut made.by, owner);
                if differs {
                    let message = format!(
                        "service `{}` is defined with other settings by {before}; the last one wins",
                        occupied.key(),
                    );
                    self.diagnose(by, &Problem::warning("", message).about(Cause::Conflict));
                }
            }
        }
    }

    fn finish(self) -> Translated {
        let (mut config, mut balancers) = (self.config, BTreeMap::<_, Vec<_>>::new());
        for (name, Made { service, mut clashes, .. }) in self.services {
            let NewService { mut entry, endpoints } = service;
            entry.problems.append(&mut clashes);
            let name: Arc<str> = name.into();
            if let Some(endpoints) = endpoints {
                let (service, name) = (endpoints.service.clone(), Arc::clone(&name));
                balancers.entry(service).or_default().push(Balancer { name, endpoints });
            }
            config.http.services.insert(name, entry);
        }
        config.tls.certificates = self.certificates.into_values().collect();
        config.diagnostics.sort_by(|a, b| {
            (&a.object, &a.field, &a.message).cmp(&(&b.object, &b.field, &b.message))
        });
        Translated { config, balancers, objects: self.objects }
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
    let created = object.meta.created.clone();
    Entry { created, place: place(object, at), ..Entry::new(spec).with(problems) }
}
