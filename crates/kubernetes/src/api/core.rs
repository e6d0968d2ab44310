//! Kubernetes' own kinds. Their schemas are large; fields that are not read here are nobody's problem.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use portway_model::{Fields, Node, Problem};

use super::{LoadBalancerAddress, reading::port_number};

/// A `v1` Service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    /// `ClusterIP`, `ExternalName`, `LoadBalancer` or `NodePort`; empty means the first.
    pub service_type: String,
    /// The virtual address; empty when none was given, `None` for a headless Service.
    pub cluster_ip: String,
    /// The name that an ExternalName Service stands for.
    pub external_name: String,
    /// Addresses outside of the cluster's care that lead to it.
    pub external_ips: Vec<String>,
    /// The ports.
    pub ports: Vec<ServicePort>,
    /// Where its load balancer is reached; `None` as long as nobody has said so.
    pub load_balancer: Option<Vec<LoadBalancerAddress>>,
}

/// A port of a Service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServicePort {
    /// The name; empty for the only port of a Service.
    pub name: String,
    /// The number.
    pub port: u16,
    /// The number on every Node, of Services of type NodePort and LoadBalancer; 0 means none.
    pub node_port: u16,
    /// `TCP`, `UDP`, `SCTP` or empty, which means the first.
    pub protocol: String,
}

impl ServicePort {
    fn read(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, path, problems);
        Self {
            name: fields.string("name"),
            port: port_number(&mut fields, "port"),
            node_port: port_number(&mut fields, "nodePort"),
            protocol: fields.string("protocol"),
        }
    }
}

impl Service {
    pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        let load_balancer = LoadBalancerAddress::read_status(node, problems);
        let empty = Node::empty_map();
        let spec = node.get("spec").unwrap_or(&empty);
        let mut fields = Fields::open(spec, "spec", problems);
        Self {
            service_type: fields.string("type"),
            cluster_ip: fields.string("clusterIP"),
            external_name: fields.string("externalName"),
            external_ips: fields.strings("externalIPs"),
            ports: fields.list("ports", ServicePort::read),
            load_balancer,
        }
    }

    /// Whether the Service stands for a name outside the cluster.
    pub fn is_external_name(&self) -> bool {
        self.service_type == "ExternalName"
    }
}

/// A `discovery.k8s.io/v1` EndpointSlice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointSlice {
    /// The endpoints' addresses in the order written.
    pub addresses: Vec<Address>,
    /// The ports that all of them have.
    pub ports: Vec<EndpointPort>,
}

/// An address of an endpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Address {
    /// An IP address or, in FQDN slices, a name.
    pub address: String,
    /// Whether it can take requests (`conditions.serving`, absent means yes).
    pub serving: bool,
    /// Whether it is going away.
    pub terminating: bool,
}

/// A port of an EndpointSlice or of Endpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointPort {
    /// The name of the Service's port; empty for an unnamed one.
    pub name: String,
    /// The number; 0 when none was given.
    pub port: u16,
}

impl EndpointPort {
    fn read(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, path, problems);
        Self { name: fields.string("name"), port: port_number(&mut fields, "port") }
    }
}

impl EndpointSlice {
    pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, "", problems);
        let endpoints = fields.list("endpoints", |node, path, problems| {
            let mut fields = Fields::open(node, path, problems);
            let addresses = fields.strings("addresses");
            let conditions = fields.object("conditions", |node, path, problems| {
                let mut fields = Fields::open(node, path, problems);
                (fields.boolean("serving"), fields.boolean("terminating"))
            });
            let (serving, terminating) = conditions.unwrap_or_default();
            addresses
                .into_iter()
                .map(|address| Address {
                    address,
                    serving: serving.unwrap_or(true),
                    terminating: terminating.unwrap_or(false),
                })
                .collect::<Vec<_>>()
        });
        let ports = fields.list("ports", EndpointPort::read);
        Self { addresses: endpoints.into_iter().flatten().collect(), ports }
    }
}

/// `v1` Endpoints, for Services that have no EndpointSlice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoints {
    /// The subsets in the order written.
    pub subsets: Vec<Subset>,
}

/// Addresses and the ports that all of them have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subset {
    /// Addresses that are ready.
    pub addresses: Vec<String>,
    /// The ports.
    pub ports: Vec<EndpointPort>,
}

impl Endpoints {
    pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, "", problems);
        let subsets = fields.list("subsets", |node, path, problems| {
            let mut fields = Fields::open(node, path, problems);
            let addresses = fields.list("addresses", |node, path, problems| {
                Fields::open(node, path, problems).string("ip")
            });
            Subset { addresses, ports: fields.list("ports", EndpointPort::read) }
        });
        Self { subsets }
    }
}

/// A `v1` Secret.
#[derive(Clone, Default, PartialEq)]
pub struct Secret {
    /// The type, such as `kubernetes.io/tls`.
    pub secret_type: String,
    /// The decoded data, `stringData` over `data`.
    pub data: BTreeMap<String, Vec<u8>>,
}

impl fmt::Debug for Secret {
    /// Without the values: they are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("secret_type", &self.secret_type)
            .field("keys", &self.data.keys())
            .finish()
    }
}

impl Secret {
    pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, "", problems);
        let secret_type = fields.string("type");
        let encoded = fields.map("data", |node, path, problems| {
            let decoded = match &node.value {
                portway_model::Value::Null => Some(Vec::new()),
                _ => node.as_text().and_then(decode),
            };
            if decoded.is_none() {
                // The value itself stays out of the message: it is a secret.
                let message = "not base64; write plain text under `stringData` instead";
                problems.push(Problem::error(path, message).at(node.at));
            }
            decoded
        });
        let mut data: BTreeMap<_, _> =
            encoded.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        for (key, text) in fields.string_map("stringData") {
            data.insert(key, text.into_bytes());
        }
        Self { secret_type, data }
    }
}

/// Decodes base64 with white space anywhere in it, as block scalars and `base64` itself leave it.
fn decode(text: &str) -> Option<Vec<u8>> {
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(dense).ok()
}

/// A `v1` ConfigMap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigMap {
    /// The texts.
    pub data: BTreeMap<String, String>,
}

impl ConfigMap {
    pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        Self { data: Fields::open(node, "", problems).string_map("data") }
    }
}
