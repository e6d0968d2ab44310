//! Remembers every state that each resource has had.

use std::collections::{BTreeMap, HashMap, HashSet};

use portway_kubernetes::{
    Index,
    api::{self, Group, Key, Kind, Object},
};
use portway_model::Node;
use portway_testkit::kubernetes::{ApiServer, Edit};
use serde_json::Value;

/// The resources whose objects come and go.
const WATCHED: [(Kind, Group, &str); 6] = [
    (Kind::EndpointSlice, Group::Kubernetes, "discovery.k8s.io/v1"),
    (Kind::Ingress, Group::Kubernetes, "networking.k8s.io/v1"),
    (Kind::IngressRoute, Group::TraefikIo, "traefik.io/v1alpha1"),
    (Kind::Middleware, Group::TraefikIo, "traefik.io/v1alpha1"),
    (Kind::Secret, Group::Kubernetes, "v1"),
    (Kind::Service, Group::Kubernetes, "v1"),
];

/// A state of a resource: its objects, each as the number of one of its versions.
type State = Vec<(Key, usize)>;

/// Remembers every state that each resource has had since it began.
pub(crate) struct Witness {
    server: ApiServer,
    /// Steps of the server's history that are known.
    steps: usize,
    versions: HashMap<Key, Vec<Object>>,
    present: HashMap<Kind, BTreeMap<Key, usize>>,
    states: HashSet<(Kind, State)>,
    /// Objects that were not there for a time.
    lost: HashSet<(&'static str, String)>,
}

impl Witness {
    /// Begins with the present state.
    pub(crate) fn new(server: &ApiServer) -> Self {
        let mut witness = Self {
            server: server.clone(),
            steps: 0,
            versions: HashMap::new(),
            present: WATCHED.iter().map(|(kind, ..)| (*kind, BTreeMap::new())).collect(),
            states: HashSet::new(),
            lost: HashSet::new(),
        };
        witness.look();
        witness.states.clear();
        for (kind, ..) in WATCHED {
            witness.remember(kind);
        }
        witness
    }

    /// Whether an object of this name has been deleted since the beginning.
    pub(crate) fn has_lost(&self, kind: &str, name: &str) -> bool {
        self.lost.iter().any(|(its_kind, its_name)| *its_kind == kind && its_name == name)
    }

    /// Holds what is shown of each resource to the states that it has had.
    #[track_caller]
    pub(crate) fn hold(&mut self, index: &Index) {
        self.look();
        for (kind, group, _) in WATCHED {
            let shown = index.all().filter(|o| o.key.kind == kind && o.key.group == group);
            let shown: Vec<_> = shown.cloned().collect();
            let names: Vec<_> = shown.iter().map(|object| object.key.name.clone()).collect();
            let state = shown.into_iter().map(|object| self.number(object)).collect();
            assert!(
                self.states.contains(&(kind, state)),
                "{kind} was never so: {names:?}\nbut is now {:?}",
                self.present[&kind].keys().map(|key| &key.name).collect::<Vec<_>>(),
            );
        }
    }

    /// Learns what has happened since.
    fn look(&mut self) {
        for step in self.server.history(self.steps) {
            self.steps += 1;
            let mut kinds = HashSet::new();
            for Edit { before, after } in step {
                let of =
                    |object: &Value| WATCHED.into_iter().find(|watched| is_of(object, *watched));
                let Some((kind, group, _)) = before.as_deref().or(after.as_deref()).and_then(of)
                else {
                    continue;
                };
                kinds.insert(kind);
                let read = |value: &Value| {
                    let node: Node = serde_json::from_value(value.clone()).unwrap();
                    api::read_as(kind, group, &node).unwrap()
                };
                match (before, after) {
                    (_, Some(after)) => {
                        let (key, number) = self.number(read(&after));
                        self.present.get_mut(&kind).unwrap().insert(key, number);
                    }
                    (Some(before), None) => {
                        let key = read(&before).key;
                        self.lost.insert((kind.as_str(), key.name.clone()));
                        self.present.get_mut(&kind).unwrap().remove(&key);
                    }
                    (None, None) => {}
                }
            }
            for kind in kinds {
                self.remember(kind);
            }
        }
    }

    fn remember(&mut self, kind: Kind) {
        let state = self.present[&kind].iter().map(|(key, number)| (key.clone(), *number));
        self.states.insert((kind, state.collect()));
    }

    /// The object's key and which of its versions it is.
    fn number(&mut self, object: Object) -> (Key, usize) {
        let key = object.key.clone();
        let versions = self.versions.entry(key.clone()).or_default();
        let number = versions.iter().position(|version| *version == object).unwrap_or_else(|| {
            versions.push(object);
            versions.len() - 1
        });
        (key, number)
    }
}

fn is_of(object: &Value, (kind, _, api_version): (Kind, Group, &str)) -> bool {
    object["kind"] == kind.as_str() && object["apiVersion"] == api_version
}
