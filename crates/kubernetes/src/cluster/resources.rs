//! What is followed in a cluster.

use portway_model::static_config::{KubernetesCrd, KubernetesIngress};

use super::target::Target;
use crate::api::{Group, Kind};

/// What is followed in a cluster: resources, namespaces and labels.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    namespaces: Vec<String>,
    resources: Vec<Resource>,
}

/// A kind of objects in one API group, as an API server has it.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) kind: Kind,
    pub(super) group: Group,
    /// Objects are taken that satisfy this label selector; empty means all.
    pub(super) selector: String,
    pub(super) need: Need,
}

/// What it means when a resource may not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Need {
    /// Nothing is complete without it.
    Required,
    /// It counts as empty, with a warning.
    Wished,
}

/// The kinds of Traefik's groups that are followed: what is served, and what is reported as not served.
const TRAEFIK: [(Kind, Need); 10] = [
    (Kind::IngressRoute, Need::Required),
    (Kind::IngressRouteTcp, Need::Wished),
    (Kind::IngressRouteUdp, Need::Wished),
    (Kind::Middleware, Need::Required),
    (Kind::MiddlewareTcp, Need::Wished),
    (Kind::ServersTransport, Need::Required),
    (Kind::ServersTransportTcp, Need::Wished),
    (Kind::TlsOption, Need::Required),
    (Kind::TlsStore, Need::Required),
    (Kind::TraefikService, Need::Required),
];

/// Traefik leaves the Secrets out in which Helm keeps its releases.
const NOT_OF_HELM: &str = "owner!=helm";

impl Resources {
    /// What the provider `kubernetesCRD` needs.
    pub fn of_crd(options: &KubernetesCrd) -> Self {
        let mut all = Self::of_services(&options.objects.namespaces);
        all.add(Kind::ConfigMap, Group::Kubernetes, Need::Wished, "");
        if !options.disable_cluster_scope_resources {
            all.add(Kind::Node, Group::Kubernetes, Need::Wished, "");
        }
        for (kind, need) in TRAEFIK {
            let selector = &options.objects.label_selector;
            all.add(kind, Group::TraefikIo, need, selector);
            all.add(kind, Group::TraefikContainous, Need::Wished, selector);
        }
        all
    }

    /// What the provider `kubernetesIngress` needs.
    pub fn of_ingress(options: &KubernetesIngress) -> Self {
        let mut all = Self::of_services(&options.objects.namespaces);
        let selector = &options.objects.label_selector;
        all.add(Kind::Ingress, Group::Kubernetes, Need::Required, selector);
        if !options.disable_cluster_scope_resources {
            all.add(Kind::Node, Group::Kubernetes, Need::Wished, "");
            if !options.disable_ingress_class_lookup {
                all.add(Kind::IngressClass, Group::Kubernetes, Need::Wished, "");
            }
        }
        all
    }

    fn of_services(namespaces: &[String]) -> Self {
        let mut all = Self { namespaces: namespaces.to_vec(), ..Self::default() };
        all.add(Kind::Service, Group::Kubernetes, Need::Required, "");
        all.add(Kind::EndpointSlice, Group::Kubernetes, Need::Required, "");
        all.add(Kind::Secret, Group::Kubernetes, Need::Required, NOT_OF_HELM);
        all
    }

    /// Both, of the same namespaces.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for resource in other.resources {
            let same =
                |known: &&Resource| known.kind == resource.kind && known.group == resource.group;
            if self.resources.iter().find(same).is_none() {
                self.resources.push(resource);
            }
        }
        self
    }

    fn add(&mut self, kind: Kind, group: Group, need: Need, selector: &str) {
        self.resources.push(Resource { kind, group, selector: selector.to_owned(), need });
    }

    /// Each resource in each namespace that it can be in.
    pub(super) fn targets(&self) -> impl Iterator<Item = Target> {
        let everywhere = vec![None];
        let namespaces: Vec<_> = match self.namespaces.as_slice() {
            [] => everywhere.clone(),
            some => some.iter().map(|namespace| Some(namespace.clone())).collect(),
        };
        self.resources.iter().flat_map(move |resource| {
            let cluster = resource.kind.is_cluster_scoped();
            let namespaces = if cluster { everywhere.clone() } else { namespaces.clone() };
            namespaces.into_iter().map(|namespace| Target::new(resource.clone(), namespace))
        })
    }
}
