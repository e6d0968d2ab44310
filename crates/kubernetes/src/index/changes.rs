//! What has changed in an index, for those who follow it.

use std::collections::{BTreeMap, BTreeSet};

use super::ServiceName;
use crate::api::{Key, Kind, Object};

/// What has changed in an index.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Changes {
    /// Objects that mean something else than before, and how much of them has changed; without those that are
    /// nothing but endpoints.
    pub objects: BTreeMap<Key, Extent>,
    /// Services whose EndpointSlices have changed.
    pub endpoints: BTreeSet<ServiceName>,
}

/// How much of an object has changed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Extent {
    /// It says something else.
    Content,
    /// It came or went.
    Existence,
}

impl Changes {
    /// Adds what has changed besides.
    pub fn add(&mut self, other: Self) {
        for (key, extent) in other.objects {
            self.note(key, extent);
        }
        self.endpoints.extend(other.endpoints);
    }

    /// Whether nothing has.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.endpoints.is_empty()
    }

    /// Notes that an object became another, came or went.
    pub(super) fn note_object(&mut self, key: &Key, before: Option<Meaning>, now: Option<Meaning>) {
        let extent = match before.is_some() == now.is_some() {
            true => Extent::Content,
            false => Extent::Existence,
        };
        let meanings = || before.iter().chain(&now);
        // What is wrong with an object is told like what is wrong with any other.
        if !meanings().all(|meaning| meaning.is_endpoints_alone) {
            self.note(key.clone(), extent);
        }
        self.endpoints.extend([before, now].into_iter().flatten().filter_map(|m| m.endpoints));
    }

    fn note(&mut self, key: Key, extent: Extent) {
        let known = self.objects.entry(key).or_insert(extent);
        *known = extent.max(*known);
    }
}

/// What an object means to those who follow an index.
pub(super) struct Meaning {
    /// The Service whose endpoints it holds.
    pub(super) endpoints: Option<ServiceName>,
    is_endpoints_alone: bool,
}

impl Meaning {
    pub(super) fn of(object: &Object) -> Self {
        let is_slice = object.key.kind == Kind::EndpointSlice;
        Self {
            endpoints: object.endpoints_of(),
            is_endpoints_alone: is_slice && object.problems.is_empty(),
        }
    }
}
