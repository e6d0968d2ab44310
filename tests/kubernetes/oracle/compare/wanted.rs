//! Differences between objects that both have. The numbers are those of the rows of `docs/compatibility.md`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Fields, ROUTERS, SERVICES, members, objects, provider, qualified, texts};

/// How Portway says that something is known by name alone, or that TLS options or settings
/// towards servers ask for what is never offered (7, 53).
const UNSERVED: [&str; 4] = [
    "not served by this version of Portway",
    ": only suites that are never offered,",
    "building TLS config: `VersionTLS12` is below `VersionTLS13`",
    "getting RoundTripper: maxVersion: `VersionTLS12` is below `VersionTLS13`",
];

/// How Portway says that an annotation cannot be read (row 19).
const UNREAD_ANNOTATIONS: [&str; 4] = [
    ": unknown annotation; did you mean `",
    ": expected a list of texts, found a mapping",
    ": has both the value `",
    ": stands twice: `",
];

/// Where a load balancer has the name of its cookie.
const COOKIE: &str = "/sticky/cookie";

/// What may differ.
pub(super) struct Wanted<'a> {
    traefik: &'a Value,
    /// Services that what is not served would lead to.
    beneath: BTreeSet<String>,
    /// Parts of services that cannot be built. Traefik builds parts in a random order until one fails (12).
    beneath_disabled: BTreeSet<String>,
    /// Routers that others are beneath, which is not served.
    parents: BTreeSet<&'a str>,
    /// Routers of Ingresses that have the hash of their rule in their name, because an older one has the name: that
    /// name by theirs (23).
    renamed: BTreeMap<&'a str, String>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(portway: &'a Value, traefik: &'a Value) -> Self {
        let routers = || objects(portway, ROUTERS);
        Self {
            traefik,
            beneath: beneath_unserved(portway),
            beneath_disabled: objects(traefik, SERVICES)
                .filter(|(_, service)| service["status"] == "disabled")
                .flat_map(|(name, service)| members(name, service))
                .collect(),
            parents: routers().flat_map(|(_, router)| texts(router.get("parentRefs"))).collect(),
            renamed: routers()
                .filter_map(|(name, _)| Some((name, name_of_another(name, portway, traefik)?)))
                .collect(),
        }
    }

    pub(super) fn is_renamed(&self, router: &str) -> bool {
        self.renamed.contains_key(router)
    }

    /// Of several routers that have one name in Traefik, the one that has it there (23).
    pub(super) fn namesakes<'d>(
        &self,
        portway: &'d Value,
        kind: &str,
        name: &str,
        theirs: Option<&Fields>,
    ) -> Option<&'d Value> {
        let renamed = self.renamed.iter().filter(|(_, first)| kind == ROUTERS && *first == name);
        let mut routers = renamed.map(|(name, _)| &portway[ROUTERS][name]);
        routers.find(|router| theirs.is_some_and(|theirs| theirs.get("rule") == router.get("rule")))
    }

    /// Takes out of both what differs as it is wanted.
    pub(super) fn settle(&self, name: &str, ours: &mut Fields, theirs: &mut Fields) {
        for object in [&mut *ours, &mut *theirs] {
            self.settle_users(object);
            sort_servers(object);
            hide_secrets(object);
        }
        // Kinds of Portway's own, of which Traefik reads nothing (22).
        for kind in ["bodyLimit", "ipDenyList", "maintenance"] {
            ours.remove(kind);
        }
        if is_unserved(ours) || self.parents.contains(name) {
            leave_out(&["error", "status", "serverStatus"], ours, theirs);
        }
        leave_out_cookies(ours, theirs);
        let by_chance = self.beneath.contains(name) || self.beneath_disabled.contains(name);
        if by_chance && !ours.contains_key("serverStatus") {
            theirs.remove("serverStatus");
        }
        if !theirs.contains_key("serverStatus") {
            qualify_transport(name, ours);
            qualify_transport(name, theirs);
        }
        if texts(ours.get("error")).any(|error| error.contains("error while parsing rule")) {
            qualify(name, ours.get_mut("middlewares"));
            qualify(name, theirs.get_mut("middlewares"));
        }
        if self.is_beyond_reach(theirs) {
            leave_out_checks(ours, theirs);
        }
        if !theirs.contains_key("usedBy") || self.is_beyond_reach(theirs) {
            qualify_members(name, ours);
            qualify_members(name, theirs);
        }
        let unread = texts(ours.get("error"))
            .any(|error| UNREAD_ANNOTATIONS.iter().any(|known| error.contains(known)));
        if unread && is(ours, "disabled") && is(theirs, "enabled") {
            leave_out(&["error", "status"], ours, theirs);
        }
        if self.renamed.values().any(|first| first == name) {
            // Of several with the same rule, too, Traefik has the last one.
            for object in [&mut *ours, &mut *theirs] {
                object["observability"]["metadata"] = Value::Null;
            }
        }
        leave_out_verbosity(ours, theirs);
    }

    /// Each user once (27), without those that Traefik has under another name.
    fn settle_users(&self, object: &mut Fields) {
        let Some(users) = object.get_mut("usedBy").and_then(Value::as_array_mut) else { return };
        users.dedup();
        let contested =
            |user: &str| self.renamed.iter().any(|(name, first)| *name == user || first == user);
        users.retain(|user| user.as_str().is_none_or(|user| !contested(user)));
        if users.is_empty() {
            object.remove("usedBy");
            object.remove("serverStatus");
        }
    }

    /// Whether all routers that use an object in Traefik are disabled, so that it may never have come to look at the
    /// object (12).
    fn is_beyond_reach(&self, theirs: &Fields) -> bool {
        let mut users = texts(theirs.get("usedBy")).peekable();
        users.peek().is_some()
            && users.all(|user| self.traefik[ROUTERS][user]["status"] == "disabled")
    }
}

fn is(object: &Fields, status: &str) -> bool {
    object.get("status").is_some_and(|known| known == status)
}

fn leave_out(fields: &[&str], ours: &mut Fields, theirs: &mut Fields) {
    for field in fields {
        ours.remove(*field);
        theirs.remove(*field);
    }
}

/// The order of a Service's Nodes is chance in Traefik, and means nothing (2).
fn sort_servers(object: &mut Fields) {
    let servers = object.get_mut("loadBalancer").and_then(|balancer| balancer.get_mut("servers"));
    if let Some(servers) = servers.and_then(Value::as_array_mut) {
        servers.sort_by_key(ToString::to_string);
    }
}

/// Takes out what comes out of Secrets and is shown by Traefik alone (11).
fn hide_secrets(object: &mut Fields) {
    for (kind, place, fields) in [
        ("digestAuth", "", ["users", ""]),
        ("rateLimit", "/redis", ["username", "password"]),
        ("rateLimit", "/redis/tls", ["key", ""]),
        ("forwardAuth", "/tls", ["key", ""]),
    ] {
        let holder = object.get_mut(kind).and_then(|settings| settings.pointer_mut(place));
        let Some(holder) = holder.and_then(Value::as_object_mut) else { continue };
        for field in fields {
            holder.remove(field);
        }
    }
}

/// Traefik makes up the name of a cookie when it first uses the service.
fn leave_out_cookies(ours: &mut Fields, theirs: &Fields) {
    for kind in ["loadBalancer", "weighted"] {
        let named = theirs.get(kind).and_then(|service| service.pointer(COOKIE)?.get("name"));
        let cookie = ours.get_mut(kind).and_then(|service| service.pointer_mut(COOKIE));
        if let (None, Some(Value::Object(cookie))) = (named, cookie) {
            cookie.remove("name");
        }
    }
}

/// Takes out what Portway found out about an object that Traefik did not look at (12).
fn leave_out_checks(ours: &mut Fields, theirs: &mut Fields) {
    if is(ours, "disabled") && is(theirs, "enabled") {
        leave_out(&["error", "status"], ours, theirs);
    }
}

/// Traefik qualifies the names in a chain when it comes to look at it, for a router or for another chain (12).
fn qualify_members(name: &str, object: &mut Fields) {
    qualify(name, object.get_mut("chain").and_then(|chain| chain.get_mut("middlewares")));
}

/// Traefik qualifies the name of a transport when it comes to look at the service (12).
fn qualify_transport(name: &str, object: &mut Fields) {
    let transport = object.get_mut("loadBalancer").and_then(|b| b.get_mut("serversTransport"));
    if let Some(transport) = transport {
        *transport = qualified(transport.as_str().unwrap_or_default(), provider(name)).into();
    }
}

fn qualify(name: &str, list: Option<&mut Value>) {
    for text in list.and_then(Value::as_array_mut).into_iter().flatten() {
        *text = qualified(text.as_str().unwrap_or_default(), provider(name)).into();
    }
}

/// Traefik shows a verbosity that does not exist (28).
fn leave_out_verbosity(ours: &mut Fields, theirs: &mut Fields) {
    let observability = |object: &Fields| {
        let verbosity = object.get("observability")?.get("traceVerbosity")?.as_str()?;
        Some(verbosity.to_owned())
    };
    let exists = |verbosity: String| ["minimal", "detailed"].contains(&verbosity.as_str());
    if observability(theirs).is_some_and(|verbosity| !exists(verbosity)) {
        for object in [ours, theirs] {
            object["observability"]["traceVerbosity"] = Value::Null;
        }
    }
}

/// The name of another router that this one has with the hash of its rule, where Traefik has the other alone.
fn name_of_another(name: &str, portway: &Value, traefik: &Value) -> Option<String> {
    let base = name.strip_suffix("@kubernetes")?;
    let (first, hash) = base.rsplit_once('-')?;
    let first = format!("{first}@kubernetes");
    let is_one = hash.len() == 20
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && traefik[ROUTERS].get(name).is_none()
        && [portway, traefik].iter().all(|data| data[ROUTERS].get(&first).is_some());
    is_one.then_some(first)
}

fn is_unserved(object: &Fields) -> bool {
    texts(object.get("error")).any(|error| UNSERVED.iter().any(|reason| error.contains(reason)))
}

/// The services that what is not served would lead to.
fn beneath_unserved(portway: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for kind in [ROUTERS, SERVICES] {
        for (name, object) in objects(portway, kind) {
            if object.as_object().is_some_and(is_unserved) {
                all_texts(object, &mut |text| {
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

fn all_texts(value: &Value, note: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => note(text),
        Value::Array(items) => items.iter().for_each(|item| all_texts(item, note)),
        Value::Object(fields) => fields.values().for_each(|field| all_texts(field, note)),
        _ => {}
    }
}
