//! Addresses of load balancers, as the status of a Service and of an Ingress holds them.

use portway_model::{Fields, Node, Problem};
use serde::Serialize;

use super::reading::port_number;

/// Where a load balancer is reached: an item of `status.loadBalancer.ingress`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct LoadBalancerAddress {
    /// The IP address; empty where there is a host name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// The host name; empty where there is an IP address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// The ports, where they are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<LoadBalancerPort>,
}

/// A port of a load balancer.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct LoadBalancerPort {
    /// The number.
    pub port: u16,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
}

impl LoadBalancerAddress {
    /// Reads `status.loadBalancer.ingress` of an object; `None` where it is not there.
    pub(super) fn read_status(object: &Node, problems: &mut Vec<Problem>) -> Option<Vec<Self>> {
        let balancer = object.get("status")?.get("loadBalancer")?;
        let mut fields = Fields::open(balancer, "status.loadBalancer", problems);
        fields.node("ingress")?;
        Some(fields.list("ingress", Self::read))
    }

    fn read(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, path, problems);
        Self {
            ip: fields.string("ip"),
            hostname: fields.string("hostname"),
            ports: fields.list("ports", |node, path, problems| {
                let mut fields = Fields::open(node, path, problems);
                LoadBalancerPort {
                    port: port_number(&mut fields, "port"),
                    protocol: fields.string("protocol"),
                }
            }),
        }
    }
}
