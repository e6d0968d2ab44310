//! What a unit looks up of other objects, noted.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
};

use portway_model::{dynamic::Server, nearest};

use super::{Endpoints, Mark};
use crate::{
    Index,
    api::{ClusterNode, ConfigMap, Group, IngressRoute, Key, Kind, Object, Secret, Service},
    class::Classes,
};

/// Names before and after a missing one that are compared with it for a hint, at most: of thousands of names those
/// that are sorted next to it. So a fault costs the same however many names there are.
const NEIGHBOURS: usize = 32;

/// The index as one unit sees it. Endpoints are not noted: they are followed by another way.
pub(super) struct Lookups<'a> {
    known: Known<'a>,
    uses: RefCell<Vec<Mark>>,
}

/// What all units see that are made together.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) index: &'a Index,
    /// Which Ingresses are served; `None` for the provider that has none.
    pub(super) classes: Option<&'a Classes<'a>>,
    /// What finds the first object of a kind and a name in any namespace.
    pub(super) first: &'a dyn Fn(Kind, &str) -> Option<String>,
}

/// The first object of each name, by kind, for kinds that were asked for.
pub(super) struct Firsts<'i> {
    index: &'i Index,
    kinds: RefCell<BTreeMap<Kind, HashMap<&'i str, &'i Key>>>,
}

impl<'i> Firsts<'i> {
    pub(super) fn new(index: &'i Index) -> Self {
        Self { index, kinds: RefCell::default() }
    }

    pub(super) fn find(&self, kind: Kind, name: &str) -> Option<&'i Key> {
        let mut kinds = self.kinds.borrow_mut();
        let names = kinds.entry(kind).or_insert_with(|| {
            let mut names = HashMap::new();
            for object in self.index.of(kind) {
                names.entry(object.key.name.as_str()).or_insert(&object.key);
            }
            names
        });
        names.get(name).copied()
    }
}

impl<'a> Lookups<'a> {
    pub(super) fn new(known: Known<'a>) -> Self {
        Self { known, uses: RefCell::default() }
    }

    /// What was looked up, each once.
    pub(super) fn into_uses(self) -> Vec<Mark> {
        let mut uses = self.uses.into_inner();
        uses.sort_unstable();
        uses.dedup();
        uses
    }

    pub(super) fn note(&self, mark: Mark) {
        self.uses.borrow_mut().push(mark);
    }

    fn note_object(&self, kind: Kind, namespace: &str, name: &str) {
        self.note(Mark::object(kind, namespace, name));
    }

    /// Whether no object of a newer group hides this one. What changes it changes all objects of the name.
    pub(super) fn is_visible(&self, object: &Object) -> bool {
        let group = Group::TraefikIo;
        object.key.group != Group::TraefikContainous
            || self.known.index.exactly(&Key { group, ..object.key.clone() }).is_none()
    }

    pub(super) fn config_map(
        &self,
        namespace: &str,
        name: &str,
    ) -> Option<(&'a Object, &'a ConfigMap)> {
        self.note_object(Kind::ConfigMap, namespace, name);
        self.known.index.config_map(namespace, name)
    }

    pub(super) fn ingress_route(
        &self,
        namespace: &str,
        name: &str,
    ) -> Option<(&'a Object, &'a IngressRoute)> {
        self.note_object(Kind::IngressRoute, namespace, name);
        self.known.index.ingress_route(namespace, name)
    }

    pub(super) fn secret(&self, namespace: &str, name: &str) -> Option<(&'a Object, &'a Secret)> {
        self.note_object(Kind::Secret, namespace, name);
        self.known.index.secret(namespace, name)
    }

    pub(super) fn service(&self, namespace: &str, name: &str) -> Option<(&'a Object, &'a Service)> {
        self.note_object(Kind::Service, namespace, name);
        self.known.index.service(namespace, name)
    }

    /// All Nodes, by name.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &'a ClusterNode> + use<'a> {
        self.note(Mark::kind(Kind::Node));
        self.known.index.nodes()
    }

    /// Which Ingresses are served; `None` for the provider that has none.
    pub(super) fn classes(&self) -> Option<&'a Classes<'a>> {
        self.note(Mark::kind(Kind::IngressClass));
        self.known.classes
    }

    pub(super) fn servers(&self, endpoints: &Endpoints) -> Vec<Server> {
        endpoints.servers(self.known.index)
    }

    /// What to add to the message that an object was not found: the nearest name, or the namespace that
    /// has one of the name.
    pub(super) fn hint(&self, kind: Kind, namespace: &str, name: &str) -> String {
        self.note_object(kind, namespace, name);
        if self.known.index.object(kind, namespace, name).is_some() {
            return "; the one of this name belongs to Helm (label `owner: helm`)".to_owned();
        }
        self.note(Mark::names(kind, namespace));
        let names = self.known.index.neighbours(kind, namespace, name, NEIGHBOURS);
        if let Some(near) = nearest(name, names) {
            return format!("; did you mean {namespace}/{near}?");
        }
        self.note(Mark::namespaces(kind, name));
        match (self.known.first)(kind, name) {
            Some(object) => format!("; there is a {object}"),
            None => String::new(),
        }
    }
}
