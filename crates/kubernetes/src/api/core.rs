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
    /// The decoded data, `stringData` over `data`. Values that nobody reads are empty: those of other keys than
    /// [`Secret::READ`], unless there is only one.
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
    /// The keys whose values are read: of certificates, authorities and users.
    pub const READ: [&str; 6] = ["ca.crt", "password", "tls.ca", "tls.crt", "tls.key", "username"];

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
        if data.len() > 1 {
            forget(&mut data, &Self::READ);
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
    /// The texts. Those that nobody reads are empty: all but the values of [`ConfigMap::READ`].
    pub data: BTreeMap<String, String>,
}

impl ConfigMap {
    /// The keys whose values are read: of authorities.
    pub const READ: [&str; 2] = ["ca.crt", "tls.ca"];

    pub(super) fn read(node: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut data = Fields::open(node, "", problems).string_map("data");
        forget(&mut data, &Self::READ);
        Self { data }
    }
}

/// Empties the values of all keys but those that are `read`; the names stay for hints.
fn forget<T: Default>(data: &mut BTreeMap<String, T>, read: &[&str]) {
    for (key, value) in data {
        if !read.contains(&key.as_str()) {
            *value = T::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use portway_model::yaml;

    use super::*;

    fn read<T>(text: &str, read: impl Fn(&Node, &mut Vec<Problem>) -> T) -> T {
        let mut problems = Vec::new();
        let read = read(&yaml::parse(text).unwrap()[0].node, &mut problems);
        assert_eq!(problems, []);
        read
    }

    #[track_caller]
    fn kept(secret: &str, expected: &[(&str, &str)]) {
        let secret = read(secret, Secret::read);
        let data = secret.data.iter();
        let data = data.map(|(key, value)| (key.as_str(), std::str::from_utf8(value).unwrap()));
        assert_eq!(data.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_secret_keeps_what_is_read_and_the_names_of_the_rest() {
        kept(
            "data: {tls.key: a2V5, tls.cert: Y2VydA==}\nstringData: {note: long, ca.crt: authority}",
            &[("ca.crt", "authority"), ("note", ""), ("tls.cert", ""), ("tls.key", "key")],
        );
        kept(
            "stringData: {username: ada, password: secret}",
            &[("password", "secret"), ("username", "ada")],
        );
    }

    #[test]
    fn the_only_value_of_a_secret_is_kept_whatever_its_name() {
        kept("data: {users: YWRhOmhhc2g=}", &[("users", "ada:hash")]);
        kept("data: {a: YQ==, b: Yg==}", &[("a", ""), ("b", "")]);
    }

    #[test]
    fn a_config_map_keeps_authorities_and_the_names_of_the_rest() {
        let map = read("data: {ca.crt: authority, page.html: long}", ConfigMap::read);
        let kept = map.data.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        assert_eq!(kept.collect::<Vec<_>>(), [("ca.crt", "authority"), ("page.html", "")]);
    }
}
