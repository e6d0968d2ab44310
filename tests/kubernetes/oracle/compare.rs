//! What two programs show of the same objects.
//!
//! What may differ are rows of `docs/compatibility.md`, each recognised object by object: [`closed`] and [`wanted`].

use std::collections::BTreeSet;
use std::fmt::Write as _;

use portway_testkit::golden::lines_that_differ;
use serde_json::{Map, Value};

use self::closed::Closed;
use self::wanted::Wanted;
use crate::compat::api::leaves;

mod closed;
mod wanted;

const ROUTERS: &str = "routers";
const SERVICES: &str = "services";
const MIDDLEWARES: &str = "middlewares";

/// The fields of one object.
type Fields = Map<String, Value>;

/// In what two states of `/api/rawdata` differ, as far as objects of Kubernetes are concerned.
pub(super) fn differ(portway: &Value, traefik: &Value) -> Option<String> {
    let closed = Closed::new(portway, traefik);
    let reached = closed.reached(portway);
    let wanted = Wanted::new(portway, traefik);
    let (mut texts, mut reasons) = ([String::new(), String::new()], String::new());
    for kind in [ROUTERS, SERVICES, MIDDLEWARES] {
        let names = objects(portway, kind).chain(objects(traefik, kind)).map(|(name, _)| name);
        for name in names.collect::<BTreeSet<_>>() {
            if closed.holds(kind, name) || kind == ROUTERS && wanted.is_renamed(name) {
                continue;
            }
            let fields = |object: Option<&Value>| object.and_then(Value::as_object).cloned();
            let mut theirs = fields(traefik[kind].get(name));
            let mut ours = match wanted.namesakes(portway, kind, name, theirs.as_ref()) {
                Some(namesake) => fields(Some(namesake)),
                None => fields(portway[kind].get(name)),
            };
            if let (Some(ours), Some(theirs)) = (&mut ours, &mut theirs) {
                closed.leave_out_users(ours);
                if kind == SERVICES
                    && !theirs.contains_key("serverStatus")
                    && !reached.contains(name)
                {
                    ours.remove("serverStatus");
                }
                closed.settle(portway, kind, name, ours, theirs);
                wanted.settle(name, ours, theirs);
            }
            for (text, object) in texts.iter_mut().zip([&ours, &theirs]) {
                if let Some(object) = object {
                    leaves(text, &format!("{kind} {name}"), &Value::Object(object.clone()));
                }
            }
            if ours != theirs
                && let Some(error) = portway[kind][name].get("error")
            {
                let _ = writeln!(reasons, "{name}: {error}");
            }
        }
    }
    let [portway, traefik] = &texts;
    let lines = || lines_that_differ(traefik, portway);
    (portway != traefik).then(|| format!("- Traefik, + Portway\n{}{reasons}", lines()))
}

fn objects<'a>(data: &'a Value, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let objects = data[kind].as_object().into_iter().flatten();
    let objects = objects.map(|(name, object)| (name.as_str(), object));
    objects.filter(|(name, _)| ["kubernetescrd", "kubernetes"].contains(&provider(name)))
}

fn provider(name: &str) -> &str {
    name.rsplit_once('@').map_or("", |(_, provider)| provider)
}

/// A name as an object of a provider writes it, with the provider.
fn qualified(name: &str, provider: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@{provider}") }
}

/// The texts of a list.
fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> + Clone {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The services that a service is made of.
fn members<'a>(name: &'a str, object: &'a Value) -> impl Iterator<Item = String> + 'a {
    const LISTS: [&str; 3] =
        ["/weighted/services", "/highestRandomWeight/services", "/mirroring/mirrors"];
    const ONES: [&str; 3] = ["/mirroring/service", "/failover/service", "/failover/fallback"];
    let lists = LISTS.iter().filter_map(|list| object.pointer(list)?.as_array()).flatten();
    let ones = ONES.iter().filter_map(|one| object.pointer(one));
    lists
        .map(|member| &member["name"])
        .chain(ones)
        .filter_map(Value::as_str)
        .map(move |member| qualified(member, provider(name)))
}

#[cfg(test)]
mod tests;
