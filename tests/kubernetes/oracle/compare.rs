//! What two programs show of the same objects, and which differences are wanted.
//!
//! The only wanted one is row 1 of `docs/compatibility.md`: what Traefik leaves out because something that it
//! names cannot be used, Portway keeps closed. It is recognised object by object: see [`Closed`].

use std::collections::BTreeSet;

use portway_testkit::golden::lines_that_differ;
use serde_json::Value;

use crate::compat::api::leaves;

const ROUTERS: &str = "routers";
const SERVICES: &str = "services";
const MIDDLEWARES: &str = "middlewares";

/// In what two states of `/api/rawdata` differ, as far as objects of Kubernetes are concerned.
pub(super) fn differ(portway: &Value, traefik: &Value) -> Option<String> {
    let closed = Closed::new(portway, traefik);
    let texts = [portway, traefik].map(|data| {
        let mut text = String::new();
        for kind in [ROUTERS, SERVICES, MIDDLEWARES] {
            for (name, object) in objects(data, kind) {
                if !closed.holds(kind, name) {
                    leaves(&mut text, &format!("{kind} {name}"), &closed.without(name, object));
                }
            }
        }
        text
    });
    let [portway, traefik] = &texts;
    let lines = || format!("- Traefik, + Portway\n{}", lines_that_differ(traefik, portway));
    (portway != traefik).then(lines)
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

/// Objects that Portway alone has and that serve nothing: those that are disabled, load balancers without
/// servers, and what leads nowhere but to these or comes from nowhere else.
#[derive(Debug, Default)]
struct Closed {
    names: BTreeSet<(&'static str, String)>,
}

impl Closed {
    fn new(portway: &Value, traefik: &Value) -> Self {
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
                    || self.is_for_closed_ones(portway, name, object)
            }
            _ => false,
        }
    }

    /// Whether a service is used, and by nothing that is not closed.
    fn is_for_closed_ones(&self, portway: &Value, name: &str, object: &Value) -> bool {
        let routers = users(object).map(|user| self.holds(ROUTERS, user));
        let services = objects(portway, SERVICES)
            .filter(|(user, service)| members(user, service).any(|member| member == name))
            .map(|(user, _)| self.holds(SERVICES, user));
        let uses: Vec<bool> = routers.chain(services).collect();
        !uses.is_empty() && uses.into_iter().all(|closed| closed)
    }

    fn holds(&self, kind: &'static str, name: &str) -> bool {
        self.names.contains(&(kind, name.to_owned()))
    }

    /// The object as it would be without users that are closed.
    fn without(&self, name: &str, object: &Value) -> Value {
        let mut object = object.clone();
        let Some(fields) = object.as_object_mut() else { return object };
        let Some(users) = fields.get_mut("usedBy").and_then(Value::as_array_mut) else {
            return object;
        };
        users.retain(|user| user.as_str().is_none_or(|user| !self.holds(ROUTERS, user)));
        if users.is_empty() {
            fields.remove("usedBy");
            // Traefik qualifies the members of a chain when a router first uses it.
            let members = object.pointer_mut("/chain/middlewares").and_then(Value::as_array_mut);
            for member in members.into_iter().flatten() {
                let own = format!("@{}", provider(name));
                let written = member.as_str().and_then(|member| member.strip_suffix(&own));
                if let Some(written) = written {
                    *member = written.to_owned().into();
                }
            }
        }
        object
    }
}

fn users(object: &Value) -> impl Iterator<Item = &str> {
    object["usedBy"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The services that a weighted service leads to.
fn members<'a>(name: &'a str, object: &'a Value) -> impl Iterator<Item = String> + 'a {
    let members = object["weighted"]["services"].as_array().into_iter().flatten();
    members
        .filter_map(|member| member["name"].as_str())
        .map(move |member| qualified(member, provider(name)))
}
