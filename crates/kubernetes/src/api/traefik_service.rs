//! TraefikService: services made of other services. Traefik: `TraefikService`.

use portway_model::{
    Fields, Node, Problem,
    decode::join,
    dynamic::{self, Sticky, decode},
};

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
    /// A service that answers, and services that get copies of its requests.
    Mirroring(Box<Mirroring>),
    /// A service, and another for when it fails.
    Failover(Box<Failover>),
    /// None of the kinds that exist.
    #[default]
    Unspecified,
}

/// A service that answers, and services that get copies of its requests. Traefik: `spec.mirroring`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirroring {
    /// Its settings, without the names of its parts.
    pub settings: dynamic::Mirroring,
    /// The service that answers.
    pub main: ServiceReference,
    /// The others, one for each of [`dynamic::Mirroring::mirrors`].
    pub mirrors: Vec<ServiceReference>,
}

/// A service, and another for when it fails. Traefik: `spec.failover`.
#[derive(Clone, Debug, PartialEq)]
pub struct Failover {
    /// Its settings, without the names of its parts.
    pub settings: dynamic::Failover,
    /// What is asked first.
    pub service: ServiceReference,
    /// What is asked in its place.
    pub fallback: ServiceReference,
}

impl TraefikService {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let weighted = match fields.node("weighted") {
            Some(_) => fields.object("weighted", weighted),
            None => None,
        };
        let mirroring = fields.object("mirroring", mirroring);
        let hrw = fields.object("highestRandomWeight", highest_random_weight);
        let failover = fields.object("failover", failover);
        fields.close_dropping(&[]);
        // Traefik's own order of precedence where several are written.
        weighted
            .or(mirroring.map(|mirroring| Self::Mirroring(mirroring.into())))
            .or(hrw)
            .or(failover.map(|failover| Self::Failover(failover.into())))
            .unwrap_or(Self::Unspecified)
    }

    fn references(&self) -> Vec<&ServiceReference> {
        match self {
            Self::Weighted { services, .. } | Self::HighestRandomWeight(services) => {
                services.iter().collect()
            }
            Self::Mirroring(mirroring) => {
                std::iter::once(&mirroring.main).chain(&mirroring.mirrors).collect()
            }
            Self::Failover(failover) => vec![&failover.service, &failover.fallback],
            Self::Unspecified => Vec::new(),
        }
    }

    fn references_mut(&mut self) -> Vec<&mut ServiceReference> {
        match self {
            Self::Weighted { services, .. } | Self::HighestRandomWeight(services) => {
                services.iter_mut().collect()
            }
            Self::Mirroring(mirroring) => {
                std::iter::once(&mut mirroring.main).chain(&mut mirroring.mirrors).collect()
            }
            Self::Failover(failover) => vec![&mut failover.service, &mut failover.fallback],
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

fn mirroring(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Mirroring {
    let mut fields = Fields::open(node, path, problems);
    // What is mirrored is written beside the mirrors; what is wrong with it stays with it.
    let main = ServiceReference::among(node, path);
    let (mirror_body, max_body_size) =
        (fields.boolean("mirrorBody"), fields.integer("maxBodySize"));
    let read = fields.list("mirrors", |node, path, problems| {
        let percent = decode::percent(&mut Fields::open(node, path, problems));
        let mirror = dynamic::Mirror { name: String::new(), percent };
        (mirror, ServiceReference::among(node, path))
    });
    let (shares, mirrors) = read.into_iter().unzip();
    let settings =
        dynamic::Mirroring { mirror_body, max_body_size, mirrors: shares, ..Default::default() };
    Mirroring { settings, main, mirrors }
}

fn failover(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Failover {
    let mut fields = Fields::open(node, path, problems);
    // What is missing has been told.
    let mut part = |name: &'static str| match fields.node(name) {
        Some(node) => ServiceReference::read(node, &join(path, name)),
        None => ServiceReference::default(),
    };
    let (service, fallback) = (part("service"), part("fallback"));
    let errors = fields.section("errors", |node, path, problems| {
        let mut fields = Fields::open(node, path, problems);
        let errors = decode::failover_errors_fields(&mut fields);
        fields.close_dropping(&[]);
        errors
    });
    fields.close_dropping(&[]);
    let errors = Some(errors.unwrap_or_default());
    let settings = dynamic::Failover { errors, ..Default::default() };
    Failover { settings, service, fallback }
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
