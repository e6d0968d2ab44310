//! What two programs show of the same objects, and which differences are wanted.
//!
//! The wanted ones are rows of `docs/compatibility.md`, and each is recognised object by object:
//!
//! - row 1: what Traefik leaves out because something that it names cannot be used, Portway keeps closed
//!   ([`Closed`]);
//! - row 11: what secrets hold is not shown;
//! - row 12: what no router comes to is checked all the same;
//! - row 2: the order of a Service's Nodes is chance in Traefik;
//! - row 27: a router is listed once where it names a middleware twice;
//! - what is not served yet is shown, but does not work.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use portway_testkit::golden::lines_that_differ;
use serde_json::{Map, Value};

use self::closed::Closed;
use crate::compat::api::leaves;

mod closed;

const ROUTERS: &str = "routers";
const SERVICES: &str = "services";
const MIDDLEWARES: &str = "middlewares";

/// How Portway says that something is known by name alone.
const UNSERVED: &str = "not served by this version of Portway";

/// Where a load balancer has the name of its cookie.
const COOKIE: &str = "/sticky/cookie/name";

/// In what two states of `/api/rawdata` differ, as far as objects of Kubernetes are concerned.
pub(super) fn differ(portway: &Value, traefik: &Value) -> Option<String> {
    let closed = Closed::new(portway, traefik);
    let beneath = beneath_unserved(portway);
    let parents = parents(portway);
    let (mut texts, mut reasons) = ([String::new(), String::new()], String::new());
    for kind in [ROUTERS, SERVICES, MIDDLEWARES] {
        let names = objects(portway, kind).chain(objects(traefik, kind)).map(|(name, _)| name);
        for name in names.collect::<BTreeSet<_>>() {
            if closed.holds(kind, name) {
                continue;
            }
            let [mut ours, mut theirs] = [portway, traefik]
                .map(|data| data[kind].get(name).and_then(Value::as_object).cloned());
            if let (Some(ours), Some(theirs)) = (&mut ours, &mut theirs) {
                closed.leave_out_users(name, ours);
                settle(ours, theirs, parents.contains(name));
                if is_beyond_reach(theirs, traefik) {
                    leave_out_checks(name, ours, theirs);
                }
                if beneath.contains(name) && !ours.contains_key("serverStatus") {
                    theirs.remove("serverStatus");
                }
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

/// Takes out of both what differs as it is wanted.
fn settle(ours: &mut Map<String, Value>, theirs: &mut Map<String, Value>, is_parent: bool) {
    for object in [&mut *ours, &mut *theirs] {
        if let Some(users) = object.get_mut("usedBy").and_then(Value::as_array_mut) {
            users.dedup();
        }
        let servers = object.get_mut("loadBalancer").and_then(|b| b.get_mut("servers"));
        if let Some(servers) = servers.and_then(Value::as_array_mut) {
            servers.sort_by_key(ToString::to_string);
        }
        hide_secrets(object);
    }
    if is_unserved(ours) || is_parent {
        // Traefik makes up the name of a cookie when it first uses the service.
        if ours.get("loadBalancer").is_some_and(|balancer| balancer.pointer(COOKIE).is_none())
            && let Some(cookie) =
                theirs.get_mut("loadBalancer").and_then(|b| b.pointer_mut("/sticky/cookie"))
            && let Some(cookie) = cookie.as_object_mut()
        {
            cookie.remove("name");
        }
        for field in ["error", "status", "serverStatus"] {
            ours.remove(field);
            theirs.remove(field);
        }
    }
}

/// Takes out what comes out of Secrets and is shown by Traefik alone.
fn hide_secrets(object: &mut Map<String, Value>) {
    for (kind, fields) in [("digestAuth", ["users", ""]), ("rateLimit", ["username", "password"])] {
        let Some(settings) = object.get_mut(kind) else { continue };
        let holder = if kind == "rateLimit" { &mut settings["redis"] } else { settings };
        let Some(holder) = holder.as_object_mut() else { continue };
        for field in fields {
            holder.remove(field);
        }
    }
}

fn is_unserved(object: &Map<String, Value>) -> bool {
    let errors = object.get("error").and_then(Value::as_array).into_iter().flatten();
    errors.filter_map(Value::as_str).any(|error| error.contains(UNSERVED))
}

/// Routers that others are beneath, which is not served yet.
fn parents(portway: &Value) -> BTreeSet<&str> {
    let routers = objects(portway, ROUTERS).map(|(_, router)| router);
    let parents = routers.flat_map(|router| router["parentRefs"].as_array().into_iter().flatten());
    parents.filter_map(Value::as_str).collect()
}

/// Whether all routers that use an object in Traefik are disabled, so that it may never have come to look at it.
fn is_beyond_reach(theirs: &Map<String, Value>, traefik: &Value) -> bool {
    let users = theirs.get("usedBy").and_then(Value::as_array);
    let mut users = users.into_iter().flatten().filter_map(Value::as_str).peekable();
    users.peek().is_some() && users.all(|user| traefik[ROUTERS][user]["status"] == "disabled")
}

/// Takes out what Portway found out about an object that Traefik did not look at.
fn leave_out_checks(name: &str, ours: &mut Map<String, Value>, theirs: &mut Map<String, Value>) {
    let is =
        |object: &Map<String, Value>, status| object.get("status").is_some_and(|s| s == status);
    if is(ours, "disabled") && is(theirs, "enabled") {
        for field in ["error", "status"] {
            ours.remove(field);
            theirs.remove(field);
        }
    }
    for object in [ours, theirs] {
        let chain = object.get_mut("chain").and_then(|chain| chain.get_mut("middlewares"));
        for member in chain.and_then(Value::as_array_mut).into_iter().flatten() {
            *member = qualified(member.as_str().unwrap_or_default(), provider(name)).into();
        }
    }
}

/// The services that what is not served would lead to.
fn beneath_unserved(portway: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for kind in [ROUTERS, SERVICES] {
        for (name, object) in objects(portway, kind) {
            if object.as_object().is_some_and(is_unserved) {
                strings(object, &mut |text| {
                    names.insert(qualified(text, provider(name)));
                });
            }
        }
    }
    // Their parts, too.
    for _ in 0..4 {
        for (name, object) in objects(portway, SERVICES) {
            if names.contains(name) {
                names.extend(members(name, object));
            }
        }
    }
    names
}

fn strings(value: &Value, note: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => note(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, note)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, note)),
        _ => {}
    }
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

/// The services that a weighted service leads to.
fn members<'a>(name: &'a str, object: &'a Value) -> impl Iterator<Item = String> + 'a {
    let members = object["weighted"]["services"].as_array().into_iter().flatten();
    members
        .filter_map(|member| member["name"].as_str())
        .map(move |member| qualified(member, provider(name)))
}
