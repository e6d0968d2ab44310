//! Random changes of objects that refer to each other, as a busy cluster makes them.

use serde_json::{Value, json};

use crate::random::Random;

use super::ApiServer;

/// A stream of changes; the same seed gives the same stream for the same server.
///
/// The objects are Services with their EndpointSlices, Secrets, Middlewares and IngressRoutes in
/// two namespaces, few enough that most references point at something, and some at nothing.
#[derive(Clone, Debug)]
pub struct Churn {
    random: Random,
    steps: u64,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An object was created or changed; as the server has it now.
    Applied(Value),
    /// An object was deleted; as it was last applied.
    Deleted(Value),
    /// Nothing: the kind is not installed now, or there was nothing to delete.
    Nothing,
}

impl Churn {
    /// Changes by the seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { random: Random::new(seed), steps: 0 }
    }

    /// Installs the kinds of Traefik's group that the changes need.
    pub fn install(server: &ApiServer) {
        server.install(TRAEFIK, "Middleware", "middlewares", true);
        server.install(TRAEFIK, "IngressRoute", "ingressroutes", true);
    }

    /// Makes one change: mostly an edit or a creation, once in five a deletion.
    pub fn step(&mut self, server: &ApiServer) -> Change {
        self.steps += 1;
        let kind = *self.random.pick(&KINDS);
        let namespace = *self.random.pick(&NAMESPACES);
        let number = self.random.below(NAMES);
        if self.random.once_in(5) {
            return self.delete(server, kind, namespace, number);
        }
        let object = self.object(kind, namespace, number);
        server.try_apply(object).map_or(Change::Nothing, Change::Applied)
    }

    /// Makes `count` changes.
    pub fn steps(&mut self, server: &ApiServer, count: usize) {
        for _ in 0..count {
            self.step(server);
        }
    }

    fn delete(&self, server: &ApiServer, kind: Kind, namespace: &str, number: usize) -> Change {
        let (api_version, name) = kind.types();
        let object = server.object(api_version, name, namespace, &kind.name(number));
        match object {
            Some(object) if server.delete(api_version, name, namespace, &kind.name(number)) => {
                Change::Deleted(object)
            }
            _ => Change::Nothing,
        }
    }

    fn object(&mut self, kind: Kind, namespace: &str, number: usize) -> Value {
        let (api_version, name) = kind.types();
        let mut object = match kind {
            Kind::Service => json!({ "spec": {
                "type": "ClusterIP",
                "clusterIP": format!("10.43.0.{}", number + 1),
                "ports": [{ "name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP" }],
            } }),
            Kind::EndpointSlice => self.endpoint_slice(number),
            Kind::Secret => json!({
                "type": "Opaque",
                "data": { "users": format!("dXNlcjok{:04x}", self.random.below(1 << 16)) },
            }),
            Kind::Middleware => self.middleware(),
            Kind::IngressRoute => self.ingress_route(number),
        };
        object["apiVersion"] = json!(api_version);
        object["kind"] = json!(name);
        object["metadata"]["name"] = json!(kind.name(number));
        object["metadata"]["namespace"] = json!(namespace);
        // Every edit is a change, and labels come and go.
        object["metadata"]["annotations"] = json!({ "portway.test/step": self.steps.to_string() });
        if self.random.once_in(2) {
            object["metadata"]["labels"]["team"] = json!(*self.random.pick(&["blue", "green"]));
        }
        object
    }

    fn endpoint_slice(&mut self, number: usize) -> Value {
        let endpoints: Vec<_> = (0..self.random.below(4))
            .map(|index| {
                let terminating = self.random.once_in(6);
                json!({
                    "addresses": [format!("10.42.{number}.{}", index + 1)],
                    "conditions": {
                        "ready": !terminating,
                        "serving": true,
                        "terminating": terminating,
                    },
                })
            })
            .collect();
        json!({
            "metadata": { "labels": {
                "kubernetes.io/service-name": Kind::Service.name(number),
            } },
            "addressType": "IPv4",
            "ports": [{ "name": "http", "port": 8080, "protocol": "TCP" }],
            "endpoints": endpoints,
        })
    }

    fn middleware(&mut self) -> Value {
        match self.random.below(3) {
            0 => json!({ "spec": { "addPrefix": {
                "prefix": format!("/v{}", self.random.below(10)),
            } } }),
            1 => json!({ "spec": { "basicAuth": { "secret": self.some(Kind::Secret) } } }),
            _ => json!({ "spec": { "chain": { "middlewares": [
                { "name": self.some(Kind::Middleware) },
            ] } } }),
        }
    }

    fn ingress_route(&mut self, number: usize) -> Value {
        let mut route = json!({
            "kind": "Rule",
            "match": format!("Host(`host-{number}.test`) && PathPrefix(`/{}`)", self.random.below(3)),
            "services": [{ "name": self.some(Kind::Service), "port": 80 }],
        });
        if self.random.once_in(2) {
            route["middlewares"] = json!([{ "name": self.some(Kind::Middleware) }]);
        }
        json!({ "spec": { "entryPoints": ["web"], "routes": [route] } })
    }

    fn some(&mut self, kind: Kind) -> String {
        kind.name(self.random.below(NAMES))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Service,
    EndpointSlice,
    Secret,
    Middleware,
    IngressRoute,
}

impl Kind {
    fn types(self) -> (&'static str, &'static str) {
        match self {
            Self::Service => ("v1", "Service"),
            Self::EndpointSlice => ("discovery.k8s.io/v1", "EndpointSlice"),
            Self::Secret => ("v1", "Secret"),
            Self::Middleware => (TRAEFIK, "Middleware"),
            Self::IngressRoute => (TRAEFIK, "IngressRoute"),
        }
    }

    fn name(self, number: usize) -> String {
        format!("{}-{number}", self.types().1.to_lowercase())
    }
}

const TRAEFIK: &str = "traefik.io/v1alpha1";

const KINDS: [Kind; 5] =
    [Kind::Service, Kind::EndpointSlice, Kind::Secret, Kind::Middleware, Kind::IngressRoute];

const NAMESPACES: [&str; 2] = ["shop", "team-a"];

/// Objects of each kind in each namespace, at most.
const NAMES: usize = 6;
