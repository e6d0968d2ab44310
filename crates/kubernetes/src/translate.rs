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
    collections::{BTreeMap, btree_map},
};

use portway_model::{
    Diagnostic, Entry, Place, Position, Problem, Severity,
    dynamic::{Certificate, Config, Service},
    static_config::{KubernetesIngress, KubernetesObjects},
};

use crate::{
    Index,
    api::{Body, EndpointSlice, Kind, Object},
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

/// Translates Traefik's own objects: what the provider [`crate::PROVIDER`] says.
///
/// Of the options `namespaces` and `labelSelector` have no part in this: they say what an index holds at all
/// (see [`crate::Selection`]). `allowEmptyServices` changes nothing: see the invariants above.
pub fn translate(index: &Index, options: &KubernetesObjects) -> Config {
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
pub fn translate_ingresses(index: &Index, options: &KubernetesIngress) -> Config {
    let mut translation = Translation::new(index, &options.objects);
    translation.hides_nodes = options.disable_cluster_scope_resources;
    translation.ingresses(options);
    translation.finish()
}

/// A translation under way. The passes are methods, each in the module of its subject.
struct Translation<'a> {
    index: &'a Index,
    options: &'a KubernetesObjects,
    /// EndpointSlices by namespace and Service, oldest first.
    slices: BTreeMap<(&'a str, &'a str), Vec<(&'a Object, &'a EndpointSlice)>>,
    /// Certificates by `namespace/secret`.
    certificates: BTreeMap<String, Entry<Certificate>>,
    /// Services by name.
    services: BTreeMap<String, Made>,
    config: Config,
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
    entry: Entry<Service>,
    /// What else its name stands for.
    clashes: Vec<Problem>,
}

impl<'a> Translation<'a> {
    fn new(index: &'a Index, options: &'a KubernetesObjects) -> Self {
        Self {
            index,
            options,
            slices: endpoints::slices(index),
            certificates: BTreeMap::new(),
            services: BTreeMap::new(),
            config: Config::default(),
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
                    self.diagnose(object, &Problem::error("", message));
                    self.diagnose_all(object, &object.problems);
                }
                _ => {}
            }
        }
    }

    /// Objects of a kind, the oldest first, then by namespace and name.
    fn oldest_first(&self, kind: Kind) -> Vec<&'a Object> {
        let mut objects: Vec<_> = self.index.of(kind).collect();
        objects.sort_by_key(|object| age(object));
        objects
    }

    fn diagnose(&mut self, object: &Object, problem: &Problem) {
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
    fn add_service(&mut self, name: String, by: &Object, origin: String, entry: Entry<Service>) {
        let owner = by.key.to_string();
        match self.services.entry(name) {
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(Made { origin, by: owner, entry, clashes: Vec::new() });
            }
            btree_map::Entry::Occupied(mut occupied) => {
                let made = occupied.get_mut();
                if made.origin != origin {
                    let message = format!("the name stands for {} and for {origin}", made.origin);
                    let clash = Problem::error("", message);
                    if !made.clashes.contains(&clash) {
                        made.clashes.push(clash);
                    }
                    return;
                }
                let differs = made.entry.spec != entry.spec;
                made.entry = entry;
                let before = std::mem::replace(&mut made.by, owner);
                if differs {
                    let message = format!(
                        "service `{}` is defined with other settings by {before}; the last one wins",
                        occupied.key(),
                    );
                    self.diagnose(by, &Problem::warning("", message));
                }
            }
        }
    }

    fn finish(self) -> Config {
        let mut config = self.config;
        let services = self.services.into_iter().map(|(name, mut made)| {
            made.entry.problems.append(&mut made.clashes);
            (name, made.entry)
        });
        config.http.services = services.collect();
        config.tls.certificates = self.certificates.into_values().collect();
        config.diagnostics.sort_by(|a, b| {
            (&a.object, &a.field, &a.message).cmp(&(&b.object, &b.field, &b.message))
        });
        config
    }
}

/// The sort key of an object's age: those whose creation is not known come after the others.
fn age(object: &Object) -> (bool, Option<&str>, &str, &str) {
    let created = object.meta.created.as_deref();
    (created.is_none(), created, &object.key.namespace, &object.key.name)
}

/// Where a part of an object was written.
fn place(object: &Object, at: Position) -> Option<Place> {
    let place = object.meta.place.clone()?;
    Some(if at.line == 0 { place } else { Place { line: at.line, ..place } })
}

/// An entry of the configuration that comes from a part of an object.
fn entry<T>(object: &Object, at: Position, spec: T, problems: Vec<Problem>) -> Entry<T> {
    let created = object.meta.created.clone();
    Entry { created, place: place(object, at), ..Entry::new(spec).with(problems) }
}
