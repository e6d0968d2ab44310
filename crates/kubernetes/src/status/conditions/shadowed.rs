//! Routes that get no request, because an older one claims the same.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use portway_model::{
    name::qualify,
    runtime::{RouterInfo, Runtime},
};

use crate::{
    Index, PROVIDER,
    api::Key,
    translate::{Part, Translated},
};

/// The objects that have such routes, and what to say of them.
///
/// Routers claim the same when rule, priority, TLS and an entry point are equal; the object of the newer API group, and
/// of one group the older, then gets all requests (see the order of routes in the snapshot).
pub(super) fn shadowed(
    index: &Index,
    translated: &Translated,
    runtime: &Runtime,
) -> BTreeMap<Key, Vec<String>> {
    let known =
        translated.objects.iter().filter_map(|(key, said)| Some((index.exactly(key)?, said)));
    let mut objects: Vec<_> = known.collect();
    objects.sort_by_key(|(object, _)| object.order());
    let mut claims = HashMap::<_, Vec<(&Key, &RouterInfo)>>::new();
    let mut shadowed: BTreeMap<Key, Vec<String>> = BTreeMap::new();
    for (object, said) in objects {
        for part in &said.parts {
            let Part::Router(name) = part else { continue };
            let Some(info) = runtime.routers.get(&qualify(name, PROVIDER)) else { continue };
            let claim = (info.router.rule.as_str(), info.priority, info.router.tls.is_some());
            let older = claims.entry(claim).or_default();
            let shared = |(_, other): &&(&Key, &RouterInfo)| meet(&other.using, &info.using);
            if let Some((owner, _)) =
                older.iter().find(shared).filter(|(owner, _)| **owner != object.key)
            {
                let message = format!(
                    "{} is claimed by {} and gets the requests",
                    info.router.rule,
                    owner.before(&object.key)
                );
                shadowed.entry(object.key.clone()).or_default().push(message);
            }
            older.push((&object.key, info));
        }
    }
    shadowed
}

fn meet(left: &[Arc<str>], right: &[Arc<str>]) -> bool {
    left.iter().any(|name| right.contains(name))
}
