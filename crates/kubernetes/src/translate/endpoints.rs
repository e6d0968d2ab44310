//! A Service's endpoints to servers.

use std::collections::{BTreeMap, BTreeSet};

use portway_model::dynamic::Server;

use crate::{
    Index,
    api::{Body, EndpointPort, EndpointSlice, Kind, Object},
};

use super::{Translation, servers::Target};

/// The label that says which Service an EndpointSlice belongs to.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// EndpointSlices by namespace and Service, oldest first.
pub(super) fn slices(index: &Index) -> BTreeMap<(&str, &str), Vec<(&Object, &EndpointSlice)>> {
    let mut slices: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for object in index.of(Kind::EndpointSlice) {
        let Body::EndpointSlice(slice) = &object.body else { continue };
        let Some(service) = object.meta.labels.get(SERVICE_LABEL) else { continue };
        let key = (object.key.namespace.as_str(), service.as_str());
        slices.entry(key).or_default().push((object, slice));
    }
    for slices in slices.values_mut() {
        slices.sort_by_key(|(object, _)| super::age(object));
    }
    slices
}

impl Translation<'_> {
    /// The servers of a Service's port, by its name; Endpoints count only where no EndpointSlice exists,
    /// as a cluster mirrors the ones into the others.
    pub(super) fn endpoints(&self, target: Target<'_>) -> Vec<Server> {
        let Target { namespace, name: service, port, scheme, .. } = target;
        let port_name = port.name.as_str();
        let mut servers = Servers { scheme, seen: BTreeSet::new(), list: Vec::new() };
        if let Some(slices) = self.slices.get(&(namespace, service)) {
            for (_, slice) in slices {
                let Some(port) = port_number(&slice.ports, port_name) else { continue };
                for address in slice.addresses.iter().filter(|address| address.serving) {
                    servers.add(&address.address, port, address.terminating);
                }
            }
        } else if let Some((_, endpoints)) = self.index.endpoints(namespace, service) {
            for subset in &endpoints.subsets {
                let Some(port) = port_number(&subset.ports, port_name) else { continue };
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
