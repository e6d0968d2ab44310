//! What Portway alone has, because it keeps closed what Traefik leaves out (row 1 of `docs/compatibility.md`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Fields, MIDDLEWARES, ROUTERS, SERVICES, members, objects, provider, qualified, texts};

/// Objects that Portway alone has and that serve nothing: those that are disabled, load balancers without
/// servers, and what leads nowhere but to these or comes from nowhere else.
#[derive(Debug, Default)]
pub(super) struct Closed {
    names: BTreeSet<(&'static str, String)>,
}

impl Closed {
    pub(super) fn new(portway: &Value, traefik: &Value) -> Self {
        let mut closed = Self::default();
        loop {
            let before = closed.names.len();
            for kind in [ROUTERS, SERVICES, MIDDLEWARES] {
                for (name, object) in objects(portway, kind) {
                    let missing = traefik[kind].get(name).is_none();
                    if missing && closed.covers(portway, kind, name, object) {
                        closed.names.insert((kind, name.to_owned()));
                    }
                }
            }
            if closed.names.len() == before {
                return closed;
            }
        }
    }

    fn covers(&self, portway: &Value, kind: &str, name: &str, object: &Value) -> bool {
        if object["status"] == "disabled" {
            return true;
        }
        match kind {
            ROUTERS => {
                let service = object["service"].as_str().unwrap_or_default();
                self.holds(SERVICES, &qualified(service, provider(name)))
            }
            SERVICES => {
                let balancer = &object["loadBalancer"];
                balancer.is_object() && balancer["servers"].is_null()
                    || members(name, object).any(|member| self.holds(SERVICES, &member))
                    || self.is_for_closed_ones(portway, name)
            }
            _ => false,
        }
    }

    /// Whether a service is used, and by nothing that is not closed.
    fn is_for_closed_ones(&self, portway: &Value, name: &str) -> bool {
        let routers =
            texts(portway[SERVICES][name].get("usedBy")).map(|user| self.holds(ROUTERS, user));
        let services = objects(portway, SERVICES)
            .filter(|(user, service)| members(user, service).any(|member| member == name))
            .map(|(user, _)| self.holds(SERVICES, user));
        let uses: Vec<bool> = routers.chain(services).collect();
        !uses.is_empty() && uses.into_iter().all(|closed| closed)
    }

    /// The services that routers lead to which Traefik has too, and gets as far as the service with: where a rule
    /// cannot be read, it may have stopped at the TLS options.
    pub(super) fn reached(&self, portway: &Value) -> BTreeSet<String> {
        let unread = |error: &str| error.contains("error while parsing rule");
        let mut open: Vec<String> = objects(portway, ROUTERS)
            .filter(|(name, router)| {
                !self.holds(ROUTERS, name) && !texts(router.get("error")).any(unread)
            })
            .filter_map(|(name, router)| {
                Some(qualified(router["service"].as_str()?, provider(name)))
            })
            .collect();
        let mut reached = BTreeSet::new();
        while let Some(name) = open.pop() {
            if !self.holds(SERVICES, &name) && reached.insert(name.clone()) {
                open.extend(members(&name, &portway[SERVICES][&name]));
            }
        }
        reached
    }

    pub(super) fn holds(&self, kind: &'static str, name: &str) -> bool {
        self.names.contains(&(kind, name.to_owned()))
    }

    /// What Traefik disables, because a service that it names was left out, serves 503 or its other parts where that
    /// service has no servers.
    pub(super) fn settle(
        &self,
        portway: &Value,
        kind: &str,
        name: &str,
        ours: &mut Fields,
        theirs: &mut Fields,
    ) {
        let works = ours["status"] == "enabled" || ours["status"] == "warning";
        if !works || theirs["status"] != "disabled" {
            return;
        }
        let service = match kind {
            ROUTERS => qualified(ours["service"].as_str().unwrap_or_default(), provider(name)),
            SERVICES => name.to_owned(),
            _ => return,
        };
        let (mut open, mut seen) = (vec![service], BTreeSet::new());
        while let Some(name) = open.pop() {
            if self.holds(SERVICES, &name) {
                for field in ["status", "error"] {
                    ours.remove(field);
                    theirs.remove(field);
                }
                return;
            }
            if seen.insert(name.clone()) {
                open.extend(members(&name, &portway[SERVICES][&name]));
            }
        }
    }

    /// Makes of an object what it would be without users that are closed.
    pub(super) fn leave_out_users(&self, object: &mut Fields) {
        let Some(users) = object.get_mut("usedBy").and_then(Value::as_array_mut) else { return };
        users.retain(|user| user.as_str().is_none_or(|user| !self.holds(ROUTERS, user)));
        if !users.is_empty() {
            return;
        }
        object.remove("usedBy");
        object.remove("serverStatus");
    }
}
