//! TraefikService: services made of other services. Traefik: `TraefikService`.

use portway_model::{Fields, Node, Problem, decode::join, dynamic::Sticky};
use serde_json::{Map, Value as Json, json};

use super::{ServiceReference, service_reference::sticky};

/// The content of a TraefikService.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TraefikService {
    /// Several services, in shares.
    Weighted {
        /// The services.
        services: Vec<ServiceReference>,
        /// Whether clients stay with a service.
        sticky: Option<Box<Sticky>>,
    },
    /// Several services, in shares of clients.
    HighestRandomWeight(Vec<ServiceReference>),
    /// A kind that is known by name but not served yet.
    Unserved(UnservedService),
    /// None of the kinds that exist.
    #[default]
    Unspecified,
}

/// A TraefikService of a kind that is known by name but not served yet.
#[derive(Clone, Debug, PartialEq)]
pub struct UnservedService {
    /// The kind's name.
    pub kind: &'static str,
    /// Its settings as Traefik shows them, without the names of its parts.
    pub settings: Json,
    /// Its parts, in the order in which Traefik makes them.
    pub parts: Vec<ServicePart>,
}

/// A part of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePart {
    /// The service.
    pub service: ServiceReference,
    /// What it is in the whole, as names have it: `mirroring`, `mirror_0`.
    pub role: String,
    /// Where the whole's settings have its name: a JSON pointer.
    pub place: String,
}

impl TraefikService {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let weighted = match fields.node("weighted") {
            Some(_) => fields.object("weighted", weighted),
            None => None,
        };
        let mirroring = fields.object("mirroring", UnservedService::mirroring);
        let hrw = fields.object("highestRandomWeight", highest_random_weight);
        let failover = fields.object("failover", UnservedService::failover);
        fields.close_dropping(&[]);
        // Traefik's own order of precedence where several are written.
        weighted
            .or(mirroring.map(Self::Unserved))
            .or(hrw)
            .or(failover.map(Self::Unserved))
            .unwrap_or(Self::Unspecified)
    }

    fn references(&self) -> Vec<&ServiceReference> {
        match self {
            Self::Weighted { services, .. } | Self::HighestRandomWeight(services) => {
                services.iter().collect()
            }
            Self::Unserved(unserved) => unserved.parts.iter().map(|part| &part.service).collect(),
            Self::Unspecified => Vec::new(),
        }
    }

    fn references_mut(&mut self) -> Vec<&mut ServiceReference> {
        match self {
            Self::Weighted { services, .. } | Self::HighestRandomWeight(services) => {
                services.iter_mut().collect()
            }
            Self::Unserved(unserved) => {
                unserved.parts.iter_mut().map(|part| &mut part.service).collect()
            }
            Self::Unspecified => Vec::new(),
        }
    }

    /// What is wrong with its references.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.references().into_iter().flat_map(|reference| &reference.problems)
    }

    /// What is wrong with the references, each list where it is kept.
    pub(super) fn problem_lists(&mut self) -> impl Iterator<Item = &mut Vec<Problem>> {
        self.references_mut().into_iter().map(|reference| &mut reference.problems)
    }

    /// Where the problems with a field of a reference are kept; `None` for a field of no reference.
    pub(super) fn problems_with(&mut self, field: &str) -> Option<&mut Vec<Problem>> {
        let inside = |path: &str| {
            field.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut references = self.references_mut().into_iter();
        references.find(|reference| inside(&reference.path)).map(|found| &mut found.problems)
    }
}

impl UnservedService {
    fn mirroring(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, path, problems);
        // What is mirrored is written beside the mirrors; what is wrong with it stays with it.
        let main = ServiceReference::among(node, path);
        let mirrors = fields.list("mirrors", |node, path, _| {
            let percent = node.get("percent").map(Node::to_json);
            (percent, ServiceReference::among(node, path))
        });
        let mut settings = Map::from_iter([("service".to_owned(), "".into())]);
        for name in ["mirrorBody", "maxBodySize"] {
            if let Some(node) = fields.node(name) {
                settings.insert(name.to_owned(), node.to_json());
            }
        }
        let (role, place) = ("mirroring".to_owned(), "/service".to_owned());
        let mut parts = vec![ServicePart { service: main, role, place }];
        let mut shown = Vec::new();
        for (number, (percent, mirror)) in mirrors.into_iter().enumerate() {
            shown.push(match percent {
                Some(percent) => json!({"name": "", "percent": percent}),
                None => json!({"name": ""}),
            });
            let (role, place) = (format!("mirror_{number}"), format!("/mirrors/{number}/name"));
            parts.push(ServicePart { service: mirror, role, place });
        }
        if !shown.is_empty() {
            settings.insert("mirrors".to_owned(), shown.into());
        }
        Self { kind: "mirroring", settings: settings.into(), parts }
    }

    fn failover(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(node, path, problems);
        let mut settings = Map::new();
        let mut parts = Vec::new();
        for (name, role) in [("service", "failover"), ("fallback", "fallback")] {
            let Some(node) = fields.node(name) else { continue };
            settings.insert(name.to_owned(), "".into());
            let service = ServiceReference::read(node, &join(path, name));
            let (role, place) = (role.to_owned(), format!("/{name}"));
            parts.push(ServicePart { service, role, place });
        }
        if let Some(errors) = fields.node("errors") {
            settings.insert("errors".to_owned(), errors.to_json());
        }
        fields.close_dropping(&[]);
        Self { kind: "failover", settings: settings.into(), parts }
    }
}

fn weighted(node: &Node, path: &str, problems: &mut Vec<Problem>) -> TraefikService {
    let mut fields = Fields::open(node, path, problems);
    let services = fields.list("services", |node, path, _| ServiceReference::read(node, path));
    let sticky = sticky(&mut fields);
    fields.close_dropping(&[]);
    TraefikService::Weighted { services, sticky }
}

fn highest_random_weight(node: &Node, path: &str, problems: &mut Vec<Problem>) -> TraefikService {
    let mut fields = Fields::open(node, path, problems);
    let services = fields.list("services", |node, path, _| ServiceReference::read(node, path));
    fields.close_dropping(&[]);
    TraefikService::HighestRandomWeight(services)
}
