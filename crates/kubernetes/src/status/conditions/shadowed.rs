//! Routes that get no request, because an older one claims the same.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use portway_model::runtime::RouterInfo;

use super::Live;
use crate::{
    Index,
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
    live: &Live<'_>,
) -> BTreeMap<Key, Vec<String>> {
    let known =
        translated.objects.iter().filter_map(|(key, said)| Some((index.exactly(key)?, said)));
    let mut objects: Vec<_> = known.collect();
    objects.sort_by_key(|(object, _)| object.order());
    let mut claims = HashMap::<_, Vec<(&Key, &RouterInfo)>>::new();
    let mut shadowed: BTreeMap<Key, Vec<String>> = BTreeMap::new();
    for (object, said) in objects {
        let routers = said.parts.iter().filter_map(|part| match part {
            Part::Router(name) => Some(live.routers(name)),
            _ => None,
        });
        for info in routers.flatten() {
            let claim = (info.router.rule.as_str(), info.priority, info.router.tls.is_some());
            let older = claims.entry(claim).or_default();
            let shared = |(_, other): &&(&Key, &RouterInfo)| meet(&other.using, &info.using);
            if let Some((owner, _)) =
                older.iter().find(shared).filter(|(owner, _)| **owner != object.key)
            {
                let (rule, owner) = (&info.router.rule, owner.before(&object.key));
                let message = format!("{rule} is claimed by {owner} and gets the requests");
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
