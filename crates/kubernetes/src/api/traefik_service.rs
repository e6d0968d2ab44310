//! TraefikService: services made of other services. Traefik: `TraefikService`.

use portway_model::{Fields, Node, Problem};
use serde_json::Value as Json;

use super::{ServiceReference, reading::item, service_reference::sticky};

/// The content of a TraefikService.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TraefikService {
    /// Several services, in shares.
    Weighted {
        /// The services.
        services: Vec<ServiceReference>,
        /// Stickiness, as written.
        sticky: Option<Box<Json>>,
    },
    /// A kind that is known by name but not served yet: its name and settings as written.
    Unserved(&'static str, Json),
    /// None of the kinds that exist.
    #[default]
    Unspecified,
}

impl TraefikService {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let weighted = match fields.node("weighted") {
            Some(_) => fields.object("weighted", weighted),
            None => None,
        };
        let unserved = ["mirroring", "highestRandomWeight", "failover"]
            .map(|kind| fields.node(kind).map(|node| (kind, node.to_json())));
        fields.close_dropping(&[]);
        // Traefik's own order of precedence where several are written.
        let unserved = unserved.into_iter().flatten().next();
        match (weighted, unserved) {
            (Some(weighted), _) => weighted,
            (None, Some((kind, json))) => Self::Unserved(kind, json),
            (None, None) => Self::Unspecified,
        }
    }

    /// What is wrong with its references.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        let services = match self {
            Self::Weighted { services, .. } => services.as_slice(),
            _ => &[],
        };
        services.iter().flat_map(|service| &service.problems)
    }

    /// What is wrong with the references, each list where it is kept.
    pub(super) fn problem_lists(&mut self) -> impl Iterator<Item = &mut Vec<Problem>> {
        let services = match self {
            Self::Weighted { services, .. } => services.as_mut_slice(),
            _ => &mut [],
        };
        services.iter_mut().map(|service| &mut service.problems)
    }

    /// Where the problems with a field of a reference are kept; `None` for a field of no reference.
    pub(super) fn problems_with(&mut self, field: &str) -> Option<&mut Vec<Problem>> {
        let Self::Weighted { services, .. } = self else { return None };
        let service = services.get_mut(item(field, "spec.weighted.services")?)?;
        Some(&mut service.problems)
    }
}

fn weighted(node: &Node, path: &str, problems: &mut Vec<Problem>) -> TraefikService {
    let mut fields = Fields::open(node, path, problems);
    let services = fields.list("services", |node, path, _| ServiceReference::read(node, path));
    let sticky = sticky(&mut fields);
    fields.close_dropping(&[]);
    TraefikService::Weighted { services, sticky }
}
