//! Services: named ways to reach servers.

mod health;
mod redundant;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

pub use self::{
    health::{CheckMode, CheckScheme, HealthCheck, HeedsHealth, PassiveHealthCheck},
    redundant::{Failover, FailoverErrors, Mirror, Mirroring},
};
use super::Sticky;
use crate::Period;

/// A named way to reach servers. Traefik: `http.services.<name>`.
#[derive(Clone, Debug, Default, Hash, PartialEq)]
pub enum Service {
    /// Servers, one of which takes each request.
    LoadBalancer(LoadBalancer),
    /// Other services, in shares.
    Weighted(Weighted),
    /// Other services, in shares of clients.
    HighestRandomWeight(HighestRandomWeight),
    /// A service, and another for when it fails.
    Failover(Failover),
    /// A service that answers, and others that get copies of its requests.
    Mirroring(Mirroring),
    /// Several kinds at once, which no service can be; it closes its routers.
    Several(Unserved),
    /// Nothing could be read; the entry's problems say why.
    #[default]
    Unreadable,
}

/// The settings under the kind's name, as in a file; nothing where nothing could be read.
impl Serialize for Service {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        match self {
            Self::LoadBalancer(balancer) => {
                fields.serialize_entry(self.kind(), balancer)?;
                if let Some(origin) = &balancer.origin {
                    // Traefik's nesting: `observability.metadata.kubernetes`.
                    let metadata = BTreeMap::from([("kubernetes", origin)]);
                    let observability = BTreeMap::from([("metadata", metadata)]);
                    fields.serialize_entry("observability", &observability)?;
                }
            }
            Self::Weighted(weighted) => fields.serialize_entry(self.kind(), weighted)?,
            Self::HighestRandomWeight(hrw) => fields.serialize_entry(self.kind(), hrw)?,
            Self::Failover(failover) => fields.serialize_entry(self.kind(), failover)?,
            Self::Mirroring(mirroring) => fields.serialize_entry(self.kind(), mirroring)?,
            Self::Several(kinds) => {
                for (kind, settings) in kinds {
                    fields.serialize_entry(kind, settings)?;
                }
            }
            Self::Unreadable => {}
        }
        if !self.middlewares().is_empty() {
            fields.serialize_entry("middlewares", self.middlewares())?;
        }
        fields.end()
    }
}

/// An object that is not served: its kinds by their names, and the settings of each as written.
pub type Unserved = BTreeMap<String, Value>;

impl Service {
    /// The kind's name as users write it; empty when nothing could be read.
    pub fn kind(&self) -> &str {
        match self {
            Self::LoadBalancer(_) => "loadBalancer",
            Self::Weighted(_) => "weighted",
            Self::HighestRandomWeight(_) => "highestRandomWeight",
            Self::Failover(_) => "failover",
            Self::Mirroring(_) => "mirroring",
            Self::Several(kinds) => kinds.keys().next().map_or("", String::as_str),
            Self::Unreadable => "",
        }
    }

    /// The services that it leads to, as they are named in it.
    pub fn parts(&self) -> Vec<&str> {
        match self {
            Self::Weighted(Weighted { services, .. })
            | Self::HighestRandomWeight(HighestRandomWeight { services, .. }) => {
                services.iter().map(|part| &*part.name).collect()
            }
            Self::Failover(failover) => vec![&failover.service, &failover.fallback],
            Self::Mirroring(mirroring) => {
                let mirrors = mirroring.mirrors.iter().map(|mirror| &*mirror.name);
                std::iter::once(&*mirroring.service).chain(mirrors).collect()
            }
            Self::LoadBalancer(_) | Self::Several(_) | Self::Unreadable => Vec::new(),
        }
    }

    /// The names of its own middlewares: what leads to it leads through them. Traefik: `http.services.<name>.middlewares`.
    pub fn middlewares(&self) -> &[String] {
        match self {
            Self::LoadBalancer(balancer) => &balancer.middlewares,
            Self::Weighted(weighted) => &weighted.middlewares,
            Self::HighestRandomWeight(hrw) => &hrw.middlewares,
            Self::Failover(failover) => &failover.middlewares,
            Self::Mirroring(mirroring) => &mirroring.middlewares,
            Self::Several(_) | Self::Unreadable => &[],
        }
    }

    /// Whether it is made of other objects.
    pub fn is_compound(&self) -> bool {
        match self {
            Self::LoadBalancer(balancer) => !balancer.middlewares.is_empty(),
            Self::Weighted(_)
            | Self::HighestRandomWeight(_)
            | Self::Failover(_)
            | Self::Mirroring(_) => true,
            Self::Several(_) | Self::Unreadable => false,
        }
    }
}

/// Servers, one of which takes each request.
#[derive(Clone, Debug, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// Whether clients stay with a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Box<Sticky>>,
    /// The servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Server>,
    /// How a server is chosen.
    pub strategy: Strategy,
    /// Whether servers are asked for their health.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<Box<HealthCheck>>,
    /// Whether requests that fail take servers out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive_health_check: Option<PassiveHealthCheck>,
    /// Whether servers see the client's Host (default) or their own.
    pub pass_host_header: bool,
    /// How responses are passed on.
    pub response_forwarding: ResponseForwarding,
    /// The name of the servers transport; empty means the static default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub servers_transport: String,
    /// See [`Service::middlewares`]; the API shows them beside the kind.
    #[serde(skip)]
    pub middlewares: Vec<String>,
    /// Where the servers come from; no user can write it. The API shows it beside the load balancer.
    #[serde(skip)]
    pub origin: Option<Box<ServiceOrigin>>,
}

/// The Kubernetes Service that a load balancer was made from, and the port as it was referred to: by its name or
/// by its number. Traefik: `observability.metadata.kubernetes`, in the API alone.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ServiceOrigin {
    pub namespace: String,
    pub name: String,
    pub port: String,
}

impl Default for LoadBalancer {
    fn default() -> Self {
        Self {
            sticky: None,
            servers: Vec::new(),
            strategy: Strategy::default(),
            health_check: None,
            passive_health_check: None,
            pass_host_header: true,
            response_forwarding: ResponseForwarding::default(),
            servers_transport: String::new(),
            middlewares: Vec::new(),
            origin: None,
        }
    }
}

/// How a server is chosen. Traefik: `strategy`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// Weighted round robin.
    #[default]
    Wrr,
    /// The less busy of two that chance takes.
    P2c,
    /// Highest random weight: by the client's address.
    Hrw,
    /// The quickest and least busy.
    LeastTime,
}

/// How responses are passed on.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseForwarding {
    /// How long response bytes may wait before they are passed on; negative means not at all.
    /// Portway passes them on at once, which satisfies every value.
    pub flush_interval: Period,
}

impl Default for ResponseForwarding {
    fn default() -> Self {
        Self { flush_interval: Period::milliseconds(100) }
    }
}

/// One backend address.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Scheme, host and port, such as `http://10.0.0.1:8080`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Its share; absent means 1, 0 means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
    /// Whether the URL's path goes before the request's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preserve_path: bool,
    /// Keeps existing sticky sessions but takes no new requests (a terminating endpoint).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fenced: bool,
}

/// Other services, in shares.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Weighted {
    /// The services and their shares.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<WeightedService>,
    /// Whether clients stay with a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Box<Sticky>>,
    /// Whether it heeds the health of its parts, and tells of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HeedsHealth>,
    /// See [`Service::middlewares`].
    #[serde(skip)]
    pub middlewares: Vec<String>,
}

/// Other services, each of which takes its share of the clients, told apart by their addresses: a client stays where
/// it is while the services stay.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HighestRandomWeight {
    /// The services and their shares.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<WeightedService>,
    /// Whether it heeds the health of its parts, and tells of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HeedsHealth>,
    /// See [`Service::middlewares`].
    #[serde(skip)]
    pub middlewares: Vec<String>,
}

/// A service and its share.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightedService {
    /// The service's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its share; absent means 1, 0 means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
}
