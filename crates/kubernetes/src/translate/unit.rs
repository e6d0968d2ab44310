//! What one object contributes, and which place it has among the others.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{
    Entry, Problem,
    dynamic::{Middleware, Router, ServersTransport, TlsOptions, TlsStore},
};

use super::{Mark, NewService, Part, Translation};
use crate::api::{Group, Key, Kind, Object};

/// The number of a unit.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Id(pub(super) usize);

/// What a name stands for in the configuration.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Category {
    Certificate,
    Middleware,
    Options,
    Router,
    Service,
    Store,
    Transport,
}

/// A name in the configuration.
pub(super) type Name = (Category, Arc<str>);

/// What one object contributes.
#[derive(Debug, Default)]
pub(super) struct Unit {
    created: Option<String>,
    /// Whether it comes after those of its kind that lead somewhere.
    faulty: bool,
    pub(super) uses: Vec<Mark>,
    /// Routers, services and certificates, by name.
    pub(super) routers: Vec<(Arc<str>, Arc<Entry<Router>>)>,
    pub(super) services: Vec<(Arc<str>, Vec<Offer>)>,
    pub(super) certificates: Vec<(Arc<str>, Option<String>)>,
    /// What the object as a whole becomes.
    pub(super) whole: Option<(Arc<str>, Whole)>,
    pub(super) parts: Vec<Part>,
    pub(super) told: Vec<Problem>,
    /// What was found about its names when they were merged.
    pub(super) verdicts: BTreeMap<Name, Verdict>,
    /// Whether the diagnostics of the configuration have some of it.
    pub(super) is_diagnosed: bool,
}

/// A service as one object would have it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Offer {
    /// What its name stands for; two origins of one name are a conflict.
    pub(super) origin: String,
    pub(super) service: NewService,
}

/// What an object as a whole becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Whole {
    Middleware(Arc<Entry<Middleware>>),
    Transport(Arc<Entry<ServersTransport>>),
    /// `None` where it may not have its name.
    Options(Option<Arc<Entry<TlsOptions>>>),
    /// `None` where it may not have its name.
    Store(Option<Arc<Entry<TlsStore>>>),
}

/// What a merge says of one of those who contribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Verdict {
    /// Whether nothing of the configuration is its own.
    pub(super) lost: bool,
    pub(super) told: Vec<Problem>,
}

/// The order in which a translation of everything meets objects.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Order<'u> {
    rank: u8,
    group: Group,
    faulty: bool,
    /// Those whose creation is not known come last.
    is_uncreated: bool,
    created: Option<&'u str>,
    namespace: &'u str,
    name: &'u str,
}

impl<'u> Order<'u> {
    pub(super) fn of(key: &'u Key, created: Option<&'u str>, faulty: bool) -> Self {
        Self {
            rank: rank(key.kind),
            group: key.group,
            faulty,
            is_uncreated: created.is_none(),
            created,
            namespace: &key.namespace,
            name: &key.name,
        }
    }

    /// The same, after those that are not faulty.
    pub(super) fn behind(self, faulty: bool) -> Self {
        Self { faulty, ..self }
    }

    pub(super) fn is_faulty(&self) -> bool {
        self.faulty
    }
}

/// When the objects of a kind have their turn: of what two kinds may name, the first to come counts, or the last.
fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::TlsStore => 0,
        Kind::TlsOption => 1,
        Kind::IngressRoute => 2,
        Kind::Middleware => 3,
        Kind::TraefikService => 4,
        Kind::ServersTransport => 5,
        _ => 6,
    }
}

impl Unit {
    pub(super) fn of(made: Translation<'_>, object: &Object) -> Self {
        let routers = made.routers.into_iter().map(|(name, router)| (name, Arc::new(router)));
        let certificates = made.certificates.into_iter().map(|(name, store)| (name.into(), store));
        Self {
            created: object.meta.created.clone(),
            faulty: made.order.is_faulty(),
            uses: made.index.into_uses(),
            routers: routers.collect(),
            services: made.services.into_iter().collect(),
            certificates: certificates.collect(),
            whole: made.whole,
            parts: made.parts,
            told: made.told,
            verdicts: BTreeMap::new(),
            is_diagnosed: false,
        }
    }

    /// Its place among others; `key` is its own.
    pub(super) fn order<'u>(&'u self, key: &'u Key) -> Order<'u> {
        Order::of(key, self.created.as_deref(), self.faulty)
    }

    /// Whether it and another of the same key have the same place.
    pub(super) fn is_in_place_of(&self, other: &Self) -> bool {
        self.created == other.created && self.faulty == other.faulty
    }

    pub(super) fn router(&self, name: &str) -> Option<&Arc<Entry<Router>>> {
        find(&self.routers, name)
    }

    pub(super) fn services(&self, name: &str) -> &[Offer] {
        find(&self.services, name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn certificate(&self, name: &str) -> Option<&Option<String>> {
        find(&self.certificates, name)
    }

    pub(super) fn whole(&self, category: Category, name: &str) -> Option<&Whole> {
        let (known, whole) = self.whole.as_ref()?;
        (&**known == name && whole.category() == category).then_some(whole)
    }

    /// All names that it contributes to.
    pub(super) fn names(&self) -> impl Iterator<Item = (Category, &Arc<str>)> {
        let routers = self.routers.iter().map(|(name, _)| (Category::Router, name));
        let services = self.services.iter().map(|(name, _)| (Category::Service, name));
        let certificates = self.certificates.iter().map(|(name, _)| (Category::Certificate, name));
        let whole = self.whole.iter().map(|(name, whole)| (whole.category(), name));
        routers.chain(services).chain(certificates).chain(whole)
    }

    /// The marks of all names that it contributes to, sorted.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let mut marks: Vec<_> =
            self.names().map(|(category, name)| Mark::name(category, name)).collect();
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    pub(super) fn contributes(&self, category: Category, name: &str) -> bool {
        match category {
            Category::Router => self.router(name).is_some(),
            Category::Service => !self.services(name).is_empty(),
            Category::Certificate => self.certificate(name).is_some(),
            _ => self.whole(category, name).is_some(),
        }
    }

    /// Whether it contributes to a name what another does.
    pub(super) fn agrees(&self, other: &Self, category: Category, name: &str) -> bool {
        match category {
            Category::Router => self.router(name) == other.router(name),
            Category::Service => self.services(name) == other.services(name),
            Category::Certificate => self.certificate(name) == other.certificate(name),
            _ => self.whole(category, name) == other.whole(category, name),
        }
    }

    /// What it became, where its name is its own.
    pub(super) fn whole_part(&self) -> Option<Part> {
        let (name, whole) = self.whole.as_ref()?;
        let verdict = self.verdicts.get(&(whole.category(), Arc::clone(name)));
        if verdict.is_some_and(|verdict| verdict.lost) {
            return None;
        }
        let name = Arc::clone(name);
        match whole {
            Whole::Middleware(_) => Some(Part::Middleware(name)),
            Whole::Transport(_) => Some(Part::Transport(name)),
            Whole::Options(made) => made.is_some().then_some(Part::Options(name)),
            Whole::Store(made) => made.is_some().then_some(Part::Store(name)),
        }
    }

    /// What is told of it.
    pub(super) fn all_told(&self) -> impl Iterator<Item = &Problem> {
        self.told.iter().chain(self.verdicts.values().flat_map(|verdict| &verdict.told))
    }
}

impl Whole {
    fn category(&self) -> Category {
        match self {
            Self::Middleware(_) => Category::Middleware,
            Self::Transport(_) => Category::Transport,
            Self::Options(_) => Category::Options,
            Self::Store(_) => Category::Store,
        }
    }
}

fn find<'u, T>(list: &'u [(Arc<str>, T)], name: &str) -> Option<&'u T> {
    let at = list.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
    list.get(at).map(|(_, found)| found)
}
