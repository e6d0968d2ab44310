//! What to write into the status of objects: conditions into that of Traefik's kinds, into that of Ingresses the
//! addresses that their hosts should resolve to.
//!
//! Nothing is written here; a cluster's client does that, for those that are not current.

use portway_model::{nearest, static_config::KubernetesIngress};

mod conditions;

pub use conditions::{Condition, Report, reports};

use crate::{
    Index,
    api::{Body, Key, Kind, LoadBalancerAddress, LoadBalancerPort, Service, ServicePort},
    class::Classes,
};

/// What the status of all Ingresses that are served should say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IngressStatus<'a> {
    /// `status.loadBalancer.ingress`, the same for each.
    pub addresses: Vec<LoadBalancerAddress>,
    /// The Ingresses, by namespace and name, and whether each says so already.
    pub ingresses: Vec<(&'a Key, bool)>,
}

/// Why no address can be written, in Traefik's words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NoAddresses {
    #[error("publishedService or ip or hostname must be defined")]
    Undefined,
    #[error("invalid publishedService format (expected 'namespace/service' format): {0}")]
    Format(String),
    #[error("missing service: {service}{hint}")]
    MissingService { service: String, hint: String },
    #[error("unsupported service type: {0}")]
    ServiceType(String),
    #[error(
        "node port service type is not supported when cluster scope resources lookup is disabled"
    )]
    HiddenNodes,
    #[error("no nodes with internal IP address found for ingress status")]
    NoInternalAddress,
}

/// What the status of Ingresses should say; `None` where nothing is to be written: no option asks for it, or
/// the published Service has no load balancer yet.
///
/// The addresses are those of the options, those of the published Service (a LoadBalancer's status, a ClusterIP's
/// external addresses, a NodePort's on the external address of every Node, an ExternalName's name), or
/// with `reportNodeInternalIPs` the internal addresses of all Nodes, by name.
///
/// # Errors
/// When the options ask for addresses that cannot be had.
pub fn ingress_statuses<'a>(
    index: &'a Index,
    options: &KubernetesIngress,
) -> Result<Option<IngressStatus<'a>>, NoAddresses> {
    let Some(addresses) = addresses(index, options)? else { return Ok(None) };
    let classes = Classes::new(index, options);
    let ingresses = index.of(Kind::Ingress).filter_map(|object| match &object.body {
        Body::Ingress(ingress) if classes.serve(object, ingress) => {
            Some((&object.key, ingress.load_balancer == addresses))
        }
        _ => None,
    });
    let ingresses = ingresses.collect();
    Ok(Some(IngressStatus { addresses, ingresses }))
}

fn addresses(
    index: &Index,
    options: &KubernetesIngress,
) -> Result<Option<Vec<LoadBalancerAddress>>, NoAddresses> {
    if options.report_node_internal_ips {
        let addresses: Vec<_> =
            index.nodes().flat_map(|node| node.addresses_of("InternalIP")).map(on_ip).collect();
        return match addresses.is_empty() {
            true => Err(NoAddresses::NoInternalAddress),
            false => Ok(Some(addresses)),
        };
    }
    let Some(endpoint) = &options.ingress_endpoint else { return Ok(None) };
    if endpoint.published_service.is_empty() {
        if endpoint.ip.is_empty() && endpoint.hostname.is_empty() {
            return Err(NoAddresses::Undefined);
        }
        let (ip, hostname) = (endpoint.ip.clone(), endpoint.hostname.clone());
        return Ok(Some(vec![LoadBalancerAddress { ip, hostname, ports: Vec::new() }]));
    }
    let published = endpoint.published_service.as_str();
    let (namespace, name) = match published.split_once('/') {
        Some((namespace, name)) if !name.contains('/') => (namespace, name),
        _ => return Err(NoAddresses::Format(published.to_owned())),
    };
    let Some((_, service)) = index.service(namespace, name) else {
        let near = nearest(name, index.neighbours(Kind::Service, namespace, name, usize::MAX));
        let hint = near.map(|near| format!("; did you mean {namespace}/{near}?"));
        let (service, hint) = (published.to_owned(), hint.unwrap_or_default());
        return Err(NoAddresses::MissingService { service, hint });
    };
    of_service(index, service, options.disable_cluster_scope_resources)
}

fn of_service(
    index: &Index,
    service: &Service,
    hides_nodes: bool,
) -> Result<Option<Vec<LoadBalancerAddress>>, NoAddresses> {
    let on_ports = |ip: &str, ports: &[LoadBalancerPort]| LoadBalancerAddress {
        ports: ports.to_vec(),
        ..on_ip(ip)
    };
    let addresses = match service.service_type.as_str() {
        "LoadBalancer" => return Ok(service.load_balancer.clone()),
        "ClusterIP" | "" => {
            let ports = ports(service, |port| port.port);
            service.external_ips.iter().map(|ip| on_ports(ip, &ports)).collect()
        }
        "NodePort" if hides_nodes => return Err(NoAddresses::HiddenNodes),
        "NodePort" => {
            let ports = ports(service, |port| port.node_port);
            let ips = index.nodes().flat_map(|node| node.addresses_of("ExternalIP"));
            ips.map(|ip| on_ports(ip, &ports)).collect()
        }
        "ExternalName" => {
            let hostname = service.external_name.clone();
            vec![LoadBalancerAddress { hostname, ..LoadBalancerAddress::default() }]
        }
        other => return Err(NoAddresses::ServiceType(other.to_owned())),
    };
    Ok(Some(addresses))
}

fn on_ip(ip: &str) -> LoadBalancerAddress {
    LoadBalancerAddress { ip: ip.to_owned(), ..LoadBalancerAddress::default() }
}

fn ports(service: &Service, number: impl Fn(&ServicePort) -> u16) -> Vec<LoadBalancerPort> {
    let ports = service.ports.iter().map(|port| LoadBalancerPort {
        port: number(port),
        protocol: match port.protocol.as_str() {
            "" => "TCP".to_owned(),
            protocol => protocol.to_owned(),
        },
    });
    ports.collect()
}
