//! Kubernetes objects as far as they are read: decoded from text trees, with a problem for what does not fit.
//!
//! A field that Kubernetes' schema does not know is a warning and costs nothing (an API server drops it);
//! a value that the schema forbids is an error, because an API server would refuse the object.

use std::{collections::BTreeMap, fmt};

use portway_model::{Fields, Node, Place, Position, Problem, Severity, nearest};

mod cluster_node;
mod core;
mod ingress;
mod ingress_route;
mod judge;
mod load_balancer;
mod middleware;
mod reading;
mod record;
mod service_reference;
mod tls;
mod traefik_service;
mod transport;
mod unserved;

pub use cluster_node::{ClusterNode, NodeAddress};
pub use core::{
    Address, ConfigMap, EndpointPort, EndpointSlice, Endpoints, Secret, Service, ServicePort,
    Subset,
};
pub use ingress::{Backend, Ingress, IngressClass, IngressPath, IngressRule, IngressTls, PathType};
pub use ingress_route::{IngressRoute, Route, RouteTls};
pub use load_balancer::{LoadBalancerAddress, LoadBalancerPort};
pub use middleware::{Middleware, RedisSecrets};
pub use service_reference::{Port, ServiceReference};
pub use tls::{TlsOption, TlsStore};
pub use traefik_service::{Failover, Mirroring, TraefikService};
pub use transport::{RootAuthority, ServersTransport};

/// One object of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it is called.
    pub key: Key,
    /// What is known about it besides its content.
    pub meta: Meta,
    /// Its content.
    pub body: Body,
    /// What is wrong with it as a whole; parts of it (routes, service references) carry their own.
    pub problems: Vec<Problem>,
    /// What an API server keeps about it, which changes nothing of what it means.
    pub record: Record,
}

/// What an API server keeps about an object.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// `metadata.uid`: another object of the same name has another.
    pub uid: String,
    /// `metadata.generation`: grows with each change of the object's specification.
    pub generation: i64,
    /// A hash of `status.conditions` in the order written, without their times.
    pub conditions: u64,
}

/// What an object is called. Keys of one kind sort by namespace and name, the newer API group first.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// The kind.
    pub kind: Kind,
    /// The namespace; empty for kinds that have none.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The API group.
    pub group: Group,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, qualified(&self.namespace, &self.name))
    }
}

impl Key {
    /// The object with the reason for which it comes before another of its kind.
    pub(crate) fn before(&self, other: &Self) -> String {
        match (self.group.traefik(), other.group.traefik()) {
            (Some(group), Some(others)) if group != others => {
                format!("{self} of {group}, which comes before {others}")
            }
            _ => format!("{self}, which is older"),
        }
    }
}

/// `namespace/name`, or the name alone of what has no namespace.
fn qualified(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// An API group.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Group {
    /// Kubernetes' own groups: core (`v1`), `discovery.k8s.io/v1` and `networking.k8s.io/v1`.
    Kubernetes,
    /// `traefik.io/v1alpha1`; wins over the older group.
    TraefikIo,
    /// `traefik.containo.us/v1alpha1`, as Traefik 2 had it.
    TraefikContainous,
}

/// A kind of objects that means something to Portway.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "the names are Kubernetes' own")]
pub enum Kind {
    ConfigMap,
    EndpointSlice,
    Endpoints,
    Ingress,
    IngressClass,
    IngressRoute,
    IngressRouteTcp,
    IngressRouteUdp,
    Middleware,
    MiddlewareTcp,
    Node,
    Secret,
    ServersTransport,
    ServersTransportTcp,
    Service,
    TlsOption,
    TlsStore,
    TraefikService,
}

impl Group {
    /// The name of a group of Traefik's; `None` for Kubernetes' own groups.
    pub fn traefik(self) -> Option<&'static str> {
        match self {
            Self::Kubernetes => None,
            Self::TraefikIo => Some("traefik.io"),
            Self::TraefikContainous => Some("traefik.containo.us"),
        }
    }
}

impl Kind {
    /// The kinds of Traefik's own groups.
    pub const TRAEFIK: [Kind; 10] = [
        Kind::IngressRoute,
        Kind::IngressRouteTcp,
        Kind::IngressRouteUdp,
        Kind::Middleware,
        Kind::MiddlewareTcp,
        Kind::ServersTransport,
        Kind::ServersTransportTcp,
        Kind::TlsOption,
        Kind::TlsStore,
        Kind::TraefikService,
    ];

    /// The kind as a path of the API spells it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::EndpointSlice => "endpointslices",
            Self::Endpoints => "endpoints",
            Self::Ingress => "ingresses",
            Self::IngressClass => "ingressclasses",
            Self::IngressRoute => "ingressroutes",
            Self::IngressRouteTcp => "ingressroutetcps",
            Self::IngressRouteUdp => "ingressrouteudps",
            Self::Middleware => "middlewares",
            Self::MiddlewareTcp => "middlewaretcps",
            Self::Node => "nodes",
            Self::Secret => "secrets",
            Self::ServersTransport => "serverstransports",
            Self::ServersTransportTcp => "serverstransporttcps",
            Self::Service => "services",
            Self::TlsOption => "tlsoptions",
            Self::TlsStore => "tlsstores",
            Self::TraefikService => "traefikservices",
        }
    }

    /// Where Kubernetes' own kinds stand in its API.
    pub(crate) fn kubernetes_path(self) -> &'static str {
        match self {
            Self::EndpointSlice => "/apis/discovery.k8s.io/v1",
            Self::Ingress | Self::IngressClass => "/apis/networking.k8s.io/v1",
            _ => "/api/v1",
        }
    }

    /// Whether the status of its objects is written.
    pub(crate) fn is_reported(self) -> bool {
        self == Self::Ingress || Self::TRAEFIK.contains(&self)
    }

    /// Whether its objects belong to the whole cluster rather than to a namespace.
    pub fn is_cluster_scoped(self) -> bool {
        matches!(self, Self::IngressClass | Self::Node)
    }

    /// The kind as `kind:` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::EndpointSlice => "EndpointSlice",
            Self::Endpoints => "Endpoints",
            Self::Ingress => "Ingress",
            Self::IngressClass => "IngressClass",
            Self::IngressRoute => "IngressRoute",
            Self::IngressRouteTcp => "IngressRouteTCP",
            Self::IngressRouteUdp => "IngressRouteUDP",
            Self::Middleware => "Middleware",
            Self::MiddlewareTcp => "MiddlewareTCP",
            Self::Node => "Node",
            Self::Secret => "Secret",
            Self::ServersTransport => "ServersTransport",
            Self::ServersTransportTcp => "ServersTransportTCP",
            Self::Service => "Service",
            Self::TlsOption => "TLSOption",
            Self::TlsStore => "TLSStore",
            Self::TraefikService => "TraefikService",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known about an object besides its content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `metadata.creationTimestamp` (RFC 3339 in UTC); older objects win ties.
    pub created: Option<String>,
    /// Where the object was written, where the source is a file.
    pub place: Option<Place>,
}

impl Meta {
    /// Drops labels and annotations that nobody reads: `kubectl apply` leaves a copy of the whole object in one, and
    /// controllers write the time of each change into others.
    fn slim(&mut self) {
        self.labels.retain(|name, _| READ_LABELS.contains(&name.as_str()));
        self.annotations
            .retain(|name, _| READ_ANNOTATIONS.iter().any(|read| name.starts_with(read)));
    }
}

/// The labels that are read of objects of an API server, which chooses by labels itself.
const READ_LABELS: [&str; 2] = ["kubernetes.io/service-name", "owner"];

/// What the annotations begin with that are read.
const READ_ANNOTATIONS: [&str; 3] = ["kubernetes.io/ingress.class", "portway.io/", "traefik."];

/// The content of an object.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant wraps the type of its name")]
pub enum Body {
    ConfigMap(ConfigMap),
    EndpointSlice(EndpointSlice),
    Endpoints(Endpoints),
    Ingress(Ingress),
    IngressClass(IngressClass),
    IngressRoute(IngressRoute),
    Middleware(Middleware),
    Node(ClusterNode),
    Secret(Secret),
    ServersTransport(Box<ServersTransport>),
    Service(Service),
    TlsOption(Box<TlsOption>),
    TlsStore(TlsStore),
    TraefikService(TraefikService),
    /// A kind that is known but not served yet (TCP and UDP).
    Unserved,
}

impl Object {
    /// Whether it means what `other` means: all but what an API server keeps about it.
    pub(crate) fn means(&self, other: &Self) -> bool {
        let Self { key, meta, body, problems, record: _ } = self;
        *key == other.key
            && *meta == other.meta
            && *body == other.body
            && *problems == other.problems
    }

    /// What objects of a kind are sorted by: the newer API group first, in it the oldest. Those whose creation is not
    /// known come after the others.
    pub(crate) fn order(&self) -> (Group, bool, Option<&str>, &str, &str) {
        let created = self.meta.created.as_deref();
        (self.key.group, created.is_none(), created, &self.key.namespace, &self.key.name)
    }

    /// Whether an API server would refuse it: it, or a part of it, breaks its schema.
    pub fn is_refused(&self) -> bool {
        self.all_problems().any(|problem| problem.severity == Severity::Error)
    }

    /// What is wrong with it and with its parts.
    pub fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        let parts: Vec<&Problem> = match &self.body {
            Body::Ingress(ingress) => ingress.problems().collect(),
            Body::IngressRoute(route) => route.problems().collect(),
            Body::TraefikService(service) => service.problems().collect(),
            _ => Vec::new(),
        };
        self.problems.iter().chain(parts)
    }

    /// What is wrong with it and with its parts, each list where it is kept.
    fn problem_lists(&mut self) -> impl Iterator<Item = &mut Vec<Problem>> {
        let parts: Vec<&mut Vec<Problem>> = match &mut self.body {
            Body::IngressRoute(route) => route.problem_lists().collect(),
            Body::TraefikService(service) => service.problem_lists().collect(),
            _ => Vec::new(),
        };
        std::iter::once(&mut self.problems).chain(parts)
    }

    /// Where the problems with a field are kept: with the part that they cost, or with the whole object.
    fn problems_with(&mut self, field: &str) -> &mut Vec<Problem> {
        let part = match &mut self.body {
            Body::IngressRoute(route) => route.problems_with(field),
            Body::TraefikService(service) => service.problems_with(field),
            _ => None,
        };
        part.unwrap_or(&mut self.problems)
    }
}

/// A document that is no object, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What the document seems to be, such as `IngressRoute default/web`.
    pub object: String,
    /// What is wrong.
    pub problem: Problem,
}

/// Reads the objects of one document, unpacking lists; objects of kinds that mean nothing to Portway
/// (Deployment, Namespace, roles, definitions …) are left out.
///
/// `file` is where the document was written; empty when it came from an API server.
pub fn read(node: &Node, file: &str) -> Vec<Result<Object, Refusal>> {
    let kind = node.get("kind").and_then(Node::as_text).unwrap_or_default();
    if !kind.ends_with("List") {
        return read_one(node, file).into_iter().collect();
    }
    match node.get("items").map(|items| &items.value) {
        Some(portway_model::Value::List(items)) => {
            items.iter().flat_map(|item| read(item, file)).collect()
        }
        _ => Vec::new(),
    }
}

/// Where the objects of a kind stand in the API, in one namespace or in all.
pub(crate) fn list_path(kind: Kind, group: Group, namespace: Option<&str>) -> String {
    let base = match group {
        Group::Kubernetes => kind.kubernetes_path(),
        Group::TraefikIo => "/apis/traefik.io/v1alpha1",
        Group::TraefikContainous => "/apis/traefik.containo.us/v1alpha1",
    };
    let plural = kind.plural();
    match namespace {
        Some(namespace) => format!("{base}/namespaces/{namespace}/{plural}"),
        None => format!("{base}/{plural}"),
    }
}

/// Reads an object of a known kind, as an API server sends it; `None` for one without a name.
///
/// The schema is not asked again: the API server has done so. What it let in all the same, under an older and laxer
/// definition, is for the readers to refuse.
pub fn read_as(kind: Kind, group: Group, node: &Node) -> Option<Object> {
    let mut problems = Vec::new();
    let mut fields = Fields::open(node, "", &mut problems);
    let (name, namespace, mut meta) = fields.object("metadata", metadata)?;
    meta.slim();
    let body = body(kind, node, &mut problems);
    let namespace = if kind.is_cluster_scoped() { String::new() } else { namespace };
    let key = Key { kind, namespace, name, group };
    let record = record::read(node);
    (!key.name.is_empty()).then_some(Object { key, meta, body, problems, record })
}

fn read_one(node: &Node, file: &str) -> Option<Result<Object, Refusal>> {
    let mut problems = Vec::new();
    let mut fields = Fields::open(node, "", &mut problems);
    let api_version = fields.string("apiVersion");
    let kind_text = fields.string("kind");
    let (name, namespace, meta) = fields.object("metadata", metadata).unwrap_or_default();
    let place = Place { file: file.into(), line: node.at.line };
    let meta = Meta { place: (!file.is_empty()).then_some(place), ..meta };
    let refuse = |problem: Problem| {
        let kind = if kind_text.is_empty() { "object" } else { &kind_text };
        let object = match name.as_str() {
            "" => kind.to_owned(),
            name => format!("{kind} {}", qualified(&namespace, name)),
        };
        Some(Err(Refusal { object, problem }))
    };
    if let Some(problem) = problems.iter().find(|problem| problem.severity == Severity::Error) {
        return refuse(problem.clone());
    }
    for (field, value) in [("apiVersion", &api_version), ("kind", &kind_text)] {
        if value.is_empty() {
            let message = "required, but not there; every Kubernetes object has one";
            return refuse(Problem::error(field, message).at(node.at));
        }
    }
    let (kind, group) = match identify(&api_version, &kind_text) {
        Identity::Known(kind, group) => (kind, group),
        Identity::Foreign => return None,
        Identity::Unknown(field, message) => {
            let at = node.get(field).map_or(node.at, |node| node.at);
            return refuse(Problem::error(field, message).at(at));
        }
    };
    if name.is_empty() {
        let at = node.get("metadata").map_or(node.at, |node| node.at);
        return refuse(Problem::error("metadata.name", "required, but not there").at(at));
    }
    let body = body(kind, node, &mut problems);
    let namespace = if kind.is_cluster_scoped() { String::new() } else { namespace };
    let key = Key { kind, namespace, name, group };
    let record = Record::default();
    let mut object = Object { key, meta, body, problems, record };
    judge::judge(&mut object, node);
    Some(Ok(object))
}

/// What an `apiVersion` and a `kind` say together.
enum Identity {
    Known(Kind, Group),
    /// Something that Portway has no use for.
    Foreign,
    /// Something of Traefik's groups that does not exist: the field and the reason.
    Unknown(&'static str, String),
}

fn identify(api_version: &str, kind: &str) -> Identity {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let group = match group {
        "traefik.io" => Group::TraefikIo,
        "traefik.containo.us" => Group::TraefikContainous,
        "" if version == "v1" => {
            let core = [Kind::ConfigMap, Kind::Endpoints, Kind::Node, Kind::Secret, Kind::Service];
            return find(&core, kind, Group::Kubernetes).unwrap_or(Identity::Foreign);
        }
        "networking.k8s.io" | "extensions" => return networking(api_version, kind),
        "discovery.k8s.io" if version == "v1" => {
            let slices = [Kind::EndpointSlice];
            return find(&slices, kind, Group::Kubernetes).unwrap_or(Identity::Foreign);
        }
        _ => return unlike_traefik(api_version, group, kind),
    };
    if version != "v1alpha1" {
        let message =
            format!("`{api_version}` does not exist; did you mean `traefik.io/v1alpha1`?");
        return Identity::Unknown("apiVersion", message);
    }
    find(&Kind::TRAEFIK, kind, group).unwrap_or_else(|| {
        let names: Vec<_> = Kind::TRAEFIK.iter().map(|kind| kind.as_str()).collect();
        let hint = match nearest(kind, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known kinds are {}", portway_model::decode::quoted(&names)),
        };
        Identity::Unknown("kind", format!("`{kind}` does not exist in {api_version}; {hint}"))
    })
}

/// Ingress and IngressClass; what came before `networking.k8s.io/v1` has left Kubernetes.
fn networking(api_version: &str, kind: &str) -> Identity {
    let known = find(&[Kind::Ingress, Kind::IngressClass], kind, Group::Kubernetes);
    match (known, api_version) {
        (None, _) => Identity::Foreign,
        (Some(known), "networking.k8s.io/v1") => known,
        (Some(_), _) => {
            let message = format!(
                "`{api_version}` is not served by Kubernetes (any more); use `networking.k8s.io/v1`"
            );
            Identity::Unknown("apiVersion", message)
        }
    }
}

/// A foreign group is none of Portway's business, unless it is a misspelt one of Traefik's.
fn unlike_traefik(api_version: &str, group: &str, kind: &str) -> Identity {
    let ours = ["traefik.io", "traefik.containo.us"];
    let traefik_kind = Kind::TRAEFIK.iter().any(|known| known.as_str() == kind);
    match nearest(group, ours).or(ours.first().copied().filter(|_| traefik_kind)) {
        Some(near) => {
            let message = format!("`{api_version}` is unknown; did you mean `{near}/v1alpha1`?");
            Identity::Unknown("apiVersion", message)
        }
        None => Identity::Foreign,
    }
}

fn find(kinds: &[Kind], kind: &str, group: Group) -> Option<Identity> {
    let known = kinds.iter().find(|known| known.as_str() == kind);
    known.map(|known| Identity::Known(*known, group))
}

fn metadata(node: &Node, path: &str, problems: &mut Vec<Problem>) -> (String, String, Meta) {
    let mut fields = Fields::open(node, path, problems);
    let name = fields.string("name");
    let generated = fields.string("generateName");
    let namespace = fields.string("namespace");
    let meta = Meta {
        labels: fields.string_map("labels"),
        annotations: fields.string_map("annotations"),
        created: Some(fields.string("creationTimestamp")).filter(|created| !created.is_empty()),
        place: None,
    };
    let name = if name.is_empty() { generated } else { name };
    let namespace = if namespace.is_empty() { "default".to_owned() } else { namespace };
    (name, namespace, meta)
}

fn body(kind: Kind, node: &Node, problems: &mut Vec<Problem>) -> Body {
    let empty = Node { at: node.at, ..Node::empty_map() };
    let spec = node.get("spec").unwrap_or(&empty);
    match kind {
        Kind::ConfigMap => Body::ConfigMap(ConfigMap::read(node, problems)),
        Kind::EndpointSlice => Body::EndpointSlice(EndpointSlice::read(node, problems)),
        Kind::Endpoints => Body::Endpoints(Endpoints::read(node, problems)),
        Kind::Secret => Body::Secret(Secret::read(node, problems)),
        Kind::Service => Body::Service(Service::read(node, problems)),
        Kind::Ingress => Body::Ingress(Ingress::read(node, problems)),
        Kind::IngressClass => Body::IngressClass(IngressClass::read(spec, problems)),
        Kind::Node => Body::Node(ClusterNode::read(node, problems)),
        Kind::IngressRoute => Body::IngressRoute(IngressRoute::read(spec, problems)),
        Kind::Middleware => Body::Middleware(Middleware::read(spec, problems)),
        Kind::ServersTransport => {
            Body::ServersTransport(Box::new(ServersTransport::read(spec, problems)))
        }
        Kind::TlsOption => Body::TlsOption(Box::new(TlsOption::read(spec, problems))),
        Kind::TlsStore => Body::TlsStore(TlsStore::read(spec, problems)),
        Kind::TraefikService => Body::TraefikService(TraefikService::read(spec, problems)),
        Kind::IngressRouteTcp
        | Kind::IngressRouteUdp
        | Kind::MiddlewareTcp
        | Kind::ServersTransportTcp => Body::Unserved,
    }
}

/// A reference to an object by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// The name, possibly with `@provider`.
    pub name: String,
    /// The namespace; empty means the referring object's.
    pub namespace: String,
    /// Where the reference was written.
    pub at: Position,
}

impl Reference {
    pub(crate) fn read(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, path, problems);
        let name = reading::required(&mut fields, node, "name");
        let namespace = fields.string("namespace");
        fields.close_dropping(&[]);
        Self { name, namespace, at: node.at }
    }
}
