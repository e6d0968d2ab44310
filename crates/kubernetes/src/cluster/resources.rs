//! What is followed in a cluster.

use portway_model::static_config::KubernetesCrd;

use super::follow::Target;
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
        let mut all = Self { namespaces: options.objects.namespaces.clone(), ..Self::default() };
        all.add(Kind::Service, Group::Kubernetes, Need::Required, "");
        all.add(Kind::EndpointSlice, Group::Kubernetes, Need::Required, "");
        all.add(Kind::Secret, Group::Kubernetes, Need::Required, NOT_OF_HELM);
        all.add(Kind::ConfigMap, Group::Kubernetes, Need::Wished, "");
        for (kind, need) in TRAEFIK {
            let selector = &options.objects.label_selector;
            all.add(kind, Group::TraefikIo, need, selector);
            all.add(kind, Group::TraefikContainous, Need::Wished, selector);
        }
        all
    }

    fn add(&mut self, kind: Kind, group: Group, need: Need, selector: &str) {
        self.resources.push(Resource { kind, group, selector: selector.to_owned(), need });
    }

    /// Each resource in each namespace.
    pub(super) fn targets(&self) -> impl Iterator<Item = Target> {
        let everywhere = [None];
        let namespaces: Vec<_> = match self.namespaces.as_slice() {
            [] => everywhere.into(),
            some => some.iter().map(|namespace| Some(namespace.clone())).collect(),
        };
        self.resources.iter().flat_map(move |resource| {
            let targets = namespaces.clone().into_iter();
            targets.map(|namespace| Target::new(resource.clone(), namespace))
        })
    }
}
