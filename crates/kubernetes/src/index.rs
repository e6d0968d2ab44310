//! All objects that are known, by kind, namespace and name.
//!
//! One task owns an index; a folder of manifests and the watches of a cluster feed it alike.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::{Body, ClusterNode, EndpointSlice, Group, Key, Kind, Object};

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
        if let Some(known) = self.objects.get_mut(&object.key)
            && known.means(&object)
        {
            known.record = object.record;
            return false;
        }
        let service = object.endpoints_of();
        if let Some(service) = service.clone() {
            self.slices.entry(service).or_default().insert(object.key.name.clone());
        }
        if let Some(before) = self.objects.insert(object.key.clone(), object)
            && before.endpoints_of() != service
        {
            self.forget_slice(&before);
        }
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
        let Some(object) = self.objects.remove(key) else { return false };
        self.forget_slice(&object);
        true
    }

    /// Replaces all objects of a kind and group at once, in one namespace or in all, as after a watch that had
    /// to start over; says whether anything changed. Objects of another kind, group or namespace are left out.
    pub fn reset(
        &mut self,
        kind: Kind,
        group: Group,
        namespace: Option<&str>,
        objects: impl IntoIterator<Item = Object>,
    ) -> bool {
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
        let mut changed = !gone.is_empty();
        for key in &gone {
            self.delete(key);
        }
        for object in fresh.into_values() {
            changed |= self.apply(object);
        }
        changed
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
        objects.sort_by_key(|object| object.age());
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

    /// The names of all objects of a kind in a namespace, for error messages.
    pub(crate) fn names<'a>(
        &'a self,
        kind: Kind,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        self.of(kind)
            .filter(move |object| object.key.namespace == namespace)
            .map(|object| object.key.name.as_str())
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

    use super::Index;
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
        let fresh = || [middleware("traefik.io", "b", "/b2"), middleware("traefik.io", "d", "/d")];
        assert!(index.reset(Kind::Middleware, Group::TraefikIo, None, fresh()));
        check(&index, &["/b2", "/c", "/d"]);
        assert!(!index.reset(Kind::Middleware, Group::TraefikIo, None, fresh()));
        assert!(index.reset(Kind::Middleware, Group::TraefikIo, None, []));
        check(&index, &["/c"]);
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
