//! The ways from a Service's port to servers. Which of them is taken, and in which order they are asked
//! for, is the choice of what refers to the Service.
//!
//! Errors are reasons in Traefik's words.

use portway_model::dynamic::{Server, ServiceOrigin};

use super::{Translation, endpoints::url};
use crate::api::{self, Port, ServicePort};

/// A port of a Service and how its servers are spoken to.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) service: &'a api::Service,
    pub(super) port: &'a ServicePort,
    /// `http`, `https` or `h2c`.
    pub(super) scheme: &'a str,
}

impl Target<'_> {
    fn one(&self, host: &str, port: u16) -> Server {
        Server { url: url(self.scheme, host, i64::from(port)), ..Server::default() }
    }
}

impl Translation<'_> {
    /// The name outside of the cluster that an ExternalName Service stands for.
    pub(super) fn external_name(&self, target: Target<'_>) -> Result<Vec<Server>, String> {
        self.allow_external_name(target.namespace, target.name)?;
        Ok(vec![target.one(&target.service.external_name, target.port.port)])
    }

    /// Refuses ExternalName Services where the options do not allow them.
    pub(super) fn allow_external_name(&self, namespace: &str, name: &str) -> Result<(), String> {
        if self.options.allow_external_name_services {
            return Ok(());
        }
        Err(format!(
            "externalName services not allowed: {namespace}/{name}; allowExternalNameServices \
             allows them"
        ))
    }

    /// The Service's own virtual address. Traefik: `nativeLB`.
    pub(super) fn cluster_address(&self, target: Target<'_>) -> Result<Vec<Server>, String> {
        let problem = match target.service.cluster_ip.as_str() {
            "None" => "no clusterIP on headless service",
            "" => "no clusterIP found for service",
            address => return Ok(vec![target.one(address, target.port.port)]),
        };
        let Target { namespace, name, .. } = target;
        Err(format!("getting native Kubernetes Service address: {problem}: {namespace}/{name}"))
    }

    /// The port of the Service on every Node. Traefik: `nodePortLB`.
    pub(super) fn node_ports(&self, target: Target<'_>) -> Result<Vec<Server>, String> {
        let Target { namespace, name, port, .. } = target;
        if self.view.hides_nodes() {
            return Err("nodes lookup is disabled (disableClusterScopeResources)".to_owned());
        }
        let mut nodes = self.index.nodes().peekable();
        if nodes.peek().is_none() {
            return Err(format!("nodes not found, of which service {namespace}/{name} needs one"));
        }
        let addresses = nodes.flat_map(|node| node.addresses_of("InternalIP"));
        let servers: Vec<_> =
            addresses.map(|address| target.one(address, port.node_port)).collect();
        if servers.is_empty() {
            return Err(format!(
                "no servers were generated for service {namespace}/{name}: no node has an InternalIP"
            ));
        }
        if port.node_port == 0 {
            return Err(format!(
                "no servers were generated for service {namespace}/{name}: port {} has no nodePort",
                port.port
            ));
        }
        Ok(servers)
    }
}

/// What is shown of where a load balancer's servers come from.
pub(super) fn origin(namespace: &str, name: &str, port: &Port) -> Box<ServiceOrigin> {
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    Box::new(ServiceOrigin { namespace, name, port: port.to_string() })
}

/// Whether a Service has a port on every Node and was made for it.
pub(super) fn is_node_port(service: &api::Service) -> bool {
    service.service_type == "NodePort"
}

/// The port of a Service that a reference means by its number or its name, never by its target.
pub(super) fn find_port<'s>(service: &'s api::Service, wanted: &Port) -> Option<&'s ServicePort> {
    service.ports.iter().find(|port| match wanted {
        Port::Absent => false,
        Port::Number(number) => i64::from(port.port) == *number,
        Port::Name(name) => port.name == *name,
    })
}

/// The scheme where none is written: by the port's number or name.
pub(super) fn scheme_of(port: &ServicePort) -> &'static str {
    if port.port == 443 || port.name.starts_with("https") { "https" } else { "http" }
}

/// The ports of a Service, for error messages.
pub(super) fn ports(service: &api::Service) -> String {
    let ports: Vec<_> = service
        .ports
        .iter()
        .filter(|port| port.port != 0)
        .map(|port| match port.name.as_str() {
            "" => format!("`{}`", port.port),
            name => format!("`{}` (`{name}`)", port.port),
        })
        .collect();
    match ports.as_slice() {
        [] => String::new(),
        ports => format!("; the Service's ports are {}", ports.join(", ")),
    }
}
