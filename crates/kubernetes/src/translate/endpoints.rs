//! A Service's endpoints to servers.

use std::collections::BTreeSet;

use portway_model::dynamic::Server;

use super::servers::Target;
use crate::{Index, ServiceName, api::EndpointPort};

/// Which endpoints the servers of a load balancer are: those of one port of a Service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Endpoints {
    pub(super) service: ServiceName,
    /// The name of the port; empty for the only one.
    port: String,
    scheme: String,
}

impl Endpoints {
    pub(super) fn of(target: Target<'_>) -> Self {
        Self {
            service: ServiceName {
                namespace: target.namespace.to_owned(),
                name: target.name.to_owned(),
            },
            port: target.port.name.clone(),
            scheme: target.scheme.to_owned(),
        }
    }

    /// The servers now. Endpoints objects count only where no EndpointSlice exists, as a cluster mirrors the ones
    /// into the others.
    pub(super) fn servers(&self, index: &Index) -> Vec<Server> {
        let mut servers = Servers { scheme: &self.scheme, seen: BTreeSet::new(), list: Vec::new() };
        let ServiceName { namespace, name } = &self.service;
        let slices = index.endpoint_slices(&self.service);
        if !slices.is_empty() {
            for slice in slices {
                let Some(port) = port_number(&slice.ports, &self.port) else { continue };
                for address in slice.addresses.iter().filter(|address| address.serving) {
                    servers.add(&address.address, port, address.terminating);
                }
            }
        } else if let Some((_, endpoints)) = index.endpoints(namespace, name) {
            for subset in &endpoints.subsets {
                let Some(port) = port_number(&subset.ports, &self.port) else { continue };
                for address in &subset.addresses {
                    servers.add(address, port, false);
                }
            }
        }
        servers.list
    }
}

fn port_number(ports: &[EndpointPort], name: &str) -> Option<u16> {
    let port = ports.iter().find(|port| port.name == name)?;
    Some(port.port).filter(|port| *port != 0)
}

struct Servers<'a> {
    scheme: &'a str,
    /// Addresses that are there already: one address is one server, whatever its port (as in Traefik).
    seen: BTreeSet<String>,
    list: Vec<Server>,
}

impl Servers<'_> {
    fn add(&mut self, address: &str, port: u16, fenced: bool) {
        if self.seen.insert(address.to_owned()) {
            let url = url(self.scheme, address, i64::from(port));
            self.list.push(Server { url, fenced, ..Server::default() });
        }
    }
}

/// A server's URL; an IPv6 address gets its brackets.
pub(super) fn url(scheme: &str, host: &str, port: i64) -> String {
    if host.contains(':') {
        format!("{scheme}://[{host}]:{port}")
    } else {
        format!("{scheme}://{host}:{port}")
    }
}
