//! All objects that are known, by kind, namespace and name.
//!
//! One task owns an index; a folder of manifests and the watches of a cluster feed it alike.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{Body, ClusterNode, EndpointSlice, Group, Key, Kind, Object};

mod changes;

pub use changes::{Changes, Extent};

use changes::Meaning;

/// All objects that are known.
///
/// An object of `traefik.containo.us` is hidden while `traefik.io` has one of the same kind, namespace and
/// name, and shows again when that one is deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    objects: BTreeMap<Key, Object>,
    /// The names of each Service's EndpointSlices.
    slices: BTreeMap<ServiceName, BTreeSet<String>>,
}

/// A Service by its name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ServiceName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// The label that says which Service an EndpointSlice belongs to.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

impl Object {
    /// The Service whose endpoints the object holds.
    pub(crate) fn endpoints_of(&self) -> Option<ServiceName> {
        let service = match self.body {
            Body::EndpointSlice(_) => self.meta.labels.get(SERVICE_LABEL)?,
            _ => return None,
        };
        Some(ServiceName { namespace: self.key.namespace.clone(), name: service.clone() })
    }
}

impl Index {
    /// Adds an object or replaces the one of its key; says whether what it means has changed.
    pub fn apply(&mut self, object: Object) -> bool {
        self.apply_noting(object, &mut Changes::default())
    }

    /// Does what [`Index::apply`] does, and notes what has changed.
    pub fn apply_noting(&mut self, object: Object, changes: &mut Changes) -> bool {
        if let Some(known) = self.objects.get_mut(&object.key)
            && known.means(&object)
        {
            known.record = object.record;
            return false;
        }
        let (key, now) = (object.key.clone(), Meaning::of(&object));
        if let Some(service) = now.endpoints.clone() {
            self.slices.entry(service).or_default().insert(key.name.clone());
        }
        let before = self.objects.insert(key.clone(), object);
        if let Some(before) = &before
            && before.endpoints_of() != now.endpoints
        {
            self.forget_slice(before);
        }
        changes.note_object(&key, before.as_ref().map(Meaning::of), Some(now));
        true
    }

    fn forget_slice(&mut self, object: &Object) {
        let Some(service) = object.endpoints_of() else { return };
        let Some(names) = self.slices.get_mut(&service) else { return };
        names.remove(&object.key.name);
        if names.is_empty() {
            self.slices.remove(&service);
        }
    }

    /// Removes an object; says whether it was there.
    pub fn delete(&mut self, key: &Key) -> bool {
        self.delete_noting(key, &mut Changes::default())
    }

    /// Does what [`Index::delete`] does, and notes what has changed.
    pub fn delete_noting(&mut self, key: &Key, changes: &mut Changes) -> bool {
        let Some(object) = self.objects.remove(key) else { return false };
        self.forget_slice(&object);
        changes.note_object(key, Some(Meaning::of(&object)), None);
        true
    }

    /// Replaces all objects of a kind and group at once, in one namespace or in all, as after a watch that had
    /// to start over, and notes what has changed. Objects of another kind, group or namespace are left out.
    pub fn reset(
        &mut self,
        kind: Kind,
        group: Group,
        namespace: Option<&str>,
        objects: impl IntoIterator<Item = Object>,
        changes: &mut Changes,
    ) {
        let of = |key: &Key| {
            let here = namespace.is_none_or(|namespace| key.namespace == namespace);
            key.kind == kind && key.group == group && here
        };
        let fresh: BTreeMap<Key, Object> = objects
            .into_iter()
            .filter(|object| of(&object.key))
            .map(|object| (object.key.clone(), object))
            .collect();
        let gone: Vec<Key> = self
            .objects
            .keys()
            .filter(|key| of(key) && !fresh.contains_key(key))
            .cloned()
            .collect();
        for key in &gone {
            self.delete_noting(key, changes);
        }
        for object in fresh.into_values() {
            self.apply_noting(object, changes);
        }
    }

    /// The object of a kind under a namespace and a name; `traefik.io` before `traefik.containo.us`.
    pub fn object(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        let first = Key { kind, namespace, name, group: Group::Kubernetes };
        let (key, object) = self.objects.range(&first..).next()?;
        let same = key.kind == kind && key.namespace == first.namespace && key.name == first.name;
        same.then_some(object)
    }

    /// The EndpointSlices of a Service, the oldest first.
    pub(crate) fn endpoint_slices(&self, service: &ServiceName) -> Vec<&EndpointSlice> {
        let names = self.slices.get(service);
        let objects = names.into_iter().flatten();
        let mut objects: Vec<_> = objects
            .filter_map(|name| self.object(Kind::EndpointSlice, &service.namespace, name))
            .collect();
        objects.sort_by_key(|object| object.order());
        let slices = objects.into_iter().filter_map(|object| match &object.body {
            Body::EndpointSlice(slice) => Some(slice),
            _ => None,
        });
        slices.collect()
    }

    /// The object of exactly this key.
    pub fn exactly(&self, key: &Key) -> Option<&Object> {
        self.objects.get(key)
    }

    /// All objects of a kind, by namespace and name; of two groups' objects of one name, the newer's.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        let (namespace, name) = (String::new(), String::new());
        let first = Key { kind, namespace, name, group: Group::Kubernetes };
        let mut before: Option<&Key> = None;
        self.objects
            .range(first..)
            .take_while(move |(key, _)| key.kind == kind)
            .filter(move |(key, _)| {
                let hidden = before
                    .is_some_and(|last| last.namespace == key.namespace && last.name == key.name);
                before = Some(key);
                !hidden
            })
            .map(|(_, object)| object)
    }

    /// All objects, hidden ones too.
    pub fn all(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// All Nodes, by name.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &ClusterNode> {
        self.of(Kind::Node).filter_map(|object| match &object.body {
            Body::Node(node) => Some(node),
            _ => None,
        })
    }

    /// The names of objects of a kind in a namespace next to this one in their order, sorted: as many before it and
    /// after it as `reach`.
    pub(crate) fn neighbours(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        reach: usize,
    ) -> Vec<&str> {
        let (here, name) = (namespace.to_owned(), name.to_owned());
        let at = Key { kind, namespace: here, name, group: Group::Kubernetes };
        let here = |key: &&Key| key.kind == kind && key.namespace == namespace;
        let keys = |(key, _)| key;
        let before = self.objects.range(..&at).rev().map(keys).take_while(here).take(reach);
        let after = self.objects.range(&at..).map(keys).take_while(here).take(reach);
        let mut names: Vec<_> = before.map(|key| key.name.as_str()).collect();
        names.reverse();
        names.extend(after.map(|key| key.name.as_str()));
        names
    }
}

/// Typed look-ups, for kinds whose body is read by reference.
macro_rules! lookups {
    ($($name:ident: $kind:ident -> $type:ident,)*) => {
        impl Index {
            $(
                #[doc = concat!("The ", stringify!($type), " of a namespace and a name.")]
                pub(crate) fn $name(
                    &self,
                    namespace: &str,
                    name: &str,
                ) -> Option<(&Object, &crate::api::$type)> {
                    let object = self.object(Kind::$kind, namespace, name)?;
                    match &object.body {
                        Body::$type(body) => Some((object, body)),
                        _ => None,
                    }
                }
            )*
        }
    };
}

lookups! {
    config_map: ConfigMap -> ConfigMap,
    endpoints: Endpoints -> Endpoints,
    ingress_class: IngressClass -> IngressClass,
    ingress_route: IngressRoute -> IngressRoute,
    secret: Secret -> Secret,
    service: Service -> Service,
}

#[cfg(test)]
mod tests {
    use portway_model::yaml;

    use super::{Changes, Extent, Index};
    use crate::api::{self, Body, Group, Key, Kind, Middleware, Object};

    fn middleware(group: &str, name: &str, prefix: &str) -> Object {
        let text = format!(
            "apiVersion: {group}/v1alpha1\nkind: Middleware\nmetadata: {{name: {name}}}\n\
             spec: {{addPrefix: {{prefix: {prefix}}}}}\n"
        );
        let documents = yaml::parse(&text).unwrap();
        api::read(&documents[0].node, "").remove(0).unwrap()
    }

    fn index(objects: impl IntoIterator<Item = Object>) -> Index {
        let mut index = Index::default();
        for object in objects {
            assert!(index.apply(object));
        }
        index
    }

    #[track_caller]
    fn check(index: &Index, prefixes: &[&str]) {
        let shown: Vec<_> = index.of(Kind::Middleware).map(prefix).collect();
        assert_eq!(shown, prefixes);
    }

    fn prefix(object: &Object) -> String {
        match &object.body {
            Body::Middleware(Middleware::Plain(plain)) => {
                serde_json::json!(plain)["addPrefix"]["prefix"].as_str().unwrap().to_owned()
            }
            _ => String::new(),
        }
    }

    #[test]
    fn an_old_groups_object_shows_only_while_the_new_group_has_none_of_its_name() {
        let old = middleware("traefik.containo.us", "a", "/old");
        let new = middleware("traefik.io", "a", "/new");
        let mut index = index([old, new.clone(), middleware("traefik.containo.us", "b", "/b")]);
        check(&index, &["/new", "/b"]);
        assert_eq!(prefix(index.object(Kind::Middleware, "default", "a").unwrap()), "/new");
        assert!(index.delete(&new.key));
        check(&index, &["/old", "/b"]);
        assert_eq!(prefix(index.object(Kind::Middleware, "default", "a").unwrap()), "/old");
    }

    #[test]
    fn applying_the_same_object_again_changes_nothing() {
        let object = middleware("traefik.io", "a", "/1");
        let mut index = index([object.clone()]);
        assert!(!index.apply(object));
        assert!(index.apply(middleware("traefik.io", "a", "/2")));
        check(&index, &["/2"]);
    }

    #[test]
    fn a_reset_replaces_one_kind_of_one_group() {
        let mut index = index([
            middleware("traefik.io", "a", "/a"),
            middleware("traefik.io", "b", "/b"),
            middleware("traefik.containo.us", "c", "/c"),
        ]);
        let fresh =
            || vec![middleware("traefik.io", "b", "/b2"), middleware("traefik.io", "d", "/d")];
        let mut reset = |objects: Vec<Object>, shown: &[&str]| {
            let mut changes = Changes::default();
            index.reset(Kind::Middleware, Group::TraefikIo, None, objects, &mut changes);
            check(&index, shown);
            let noted = changes.objects.into_iter();
            noted.map(|(key, extent)| (key.name, extent)).collect::<Vec<_>>()
        };
        let noted = |name: &str, extent| (name.to_owned(), extent);
        let (content, existence) = (Extent::Content, Extent::Existence);
        let changed = [noted("a", existence), noted("b", content), noted("d", existence)];
        assert_eq!(reset(fresh(), &["/b2", "/c", "/d"]), changed);
        assert_eq!(reset(fresh(), &["/b2", "/c", "/d"]), []);
        assert_eq!(reset(Vec::new(), &["/c"]), [noted("b", existence), noted("d", existence)]);
    }

    #[test]
    fn an_object_is_found_under_its_own_name_only() {
        let index = index([middleware("traefik.io", "b", "/b")]);
        for (namespace, name) in [("default", "a"), ("default", "bb"), ("apps", "b"), ("", "b")] {
            assert!(index.object(Kind::Middleware, namespace, name).is_none());
        }
        assert!(index.object(Kind::IngressRoute, "default", "b").is_none());
        let (kind, group) = (Kind::Middleware, Group::TraefikIo);
        let key = Key { kind, namespace: "default".to_owned(), name: "b".to_owned(), group };
        assert!(index.exactly(&key).is_some());
    }
}
