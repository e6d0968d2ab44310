//! All objects that are known, by kind, namespace and name.
//!
//! One task owns an index; a folder of manifests and the watches of a cluster feed it alike.

use std::collections::BTreeMap;

use crate::api::{Body, Group, Key, Kind, Object};

/// All objects that are known.
///
/// An object of `traefik.containo.us` is hidden while `traefik.io` has one of the same kind, namespace and
/// name, and shows again when that one is deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    objects: BTreeMap<Key, Object>,
}

impl Index {
    /// Adds an object or replaces the one of its key; says whether anything changed.
    pub fn apply(&mut self, object: Object) -> bool {
        if self.objects.get(&object.key) == Some(&object) {
            return false;
        }
        self.objects.insert(object.key.clone(), object);
        true
    }

    /// Removes an object; says whether it was there.
    pub fn delete(&mut self, key: &Key) -> bool {
        self.objects.remove(key).is_some()
    }

    /// Replaces all objects of a kind and group at once, as after a watch that had to start over; says
    /// whether anything changed. Objects of another kind or group are left out.
    pub fn reset(
        &mut self,
        kind: Kind,
        group: Group,
        objects: impl IntoIterator<Item = Object>,
    ) -> bool {
        let of = |key: &Key| key.kind == kind && key.group == group;
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
    ingress_route: IngressRoute -> IngressRoute,
    secret: Secret -> Secret,
    service: Service -> Service,
}
