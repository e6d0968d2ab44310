//! A resource in one namespace, or in all, and where it is in the API.

use std::fmt;

use super::resources::{Need, Resource};
use crate::api::{Group, Kind};

/// Objects of a page of a list. Kubernetes' own clients ask for as many.
const PAGE: u32 = 500;

/// The same for what can be a megabyte each.
const PAGE_OF_LARGE: u32 = 100;

/// A resource in one namespace, or in all.
#[derive(Debug)]
pub(super) struct Target {
    resource: Resource,
    namespace: Option<String>,
    path: String,
}

impl Target {
    pub(super) fn new(resource: Resource, namespace: Option<String>) -> Self {
        let base = match resource.group {
            Group::Kubernetes => resource.kind.kubernetes_path(),
            Group::TraefikIo => "/apis/traefik.io/v1alpha1",
            Group::TraefikContainous => "/apis/traefik.containo.us/v1alpha1",
        };
        let plural = resource.kind.plural();
        let path = match &namespace {
            Some(namespace) => format!("{base}/namespaces/{namespace}/{plural}"),
            None => format!("{base}/{plural}"),
        };
        Self { resource, namespace, path }
    }

    pub(super) fn kind(&self) -> Kind {
        self.resource.kind
    }

    pub(super) fn group(&self) -> Group {
        self.resource.group
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(super) fn selector(&self) -> &str {
        &self.resource.selector
    }

    /// The path of the list in the API.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Objects of a page of a list.
    pub(super) fn page(&self) -> u32 {
        match self.kind() {
            Kind::Secret | Kind::ConfigMap => PAGE_OF_LARGE,
            _ => PAGE,
        }
    }

    pub(super) fn is_required(&self) -> bool {
        self.resource.need == Need::Required
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().plural())?;
        match self.group() {
            Group::Kubernetes => {}
            Group::TraefikIo => f.write_str(".traefik.io")?,
            Group::TraefikContainous => f.write_str(".traefik.containo.us")?,
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => Ok(()),
        }
    }
}
