//! What a unit looks up or contributes to, as a number, and which units these are.
//!
//! Two things may have one number: then a unit is looked at without need, and nothing is missed.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher},
};

use super::unit::{Category, Id};
use crate::api::Kind;

/// A hash of what a unit looks up or contributes to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Mark(u64);

impl Mark {
    /// The object of a kind, a namespace and a name, whether it is there or not.
    pub(super) fn object(kind: Kind, namespace: &str, name: &str) -> Self {
        Self::of(0, (kind, namespace, name))
    }

    /// All objects of a kind.
    pub(super) fn kind(kind: Kind) -> Self {
        Self::of(1, kind)
    }

    /// Which names of a kind there are in a namespace.
    pub(super) fn names(kind: Kind, namespace: &str) -> Self {
        Self::of(2, (kind, namespace))
    }

    /// Which namespaces have an object of a kind and a name.
    pub(super) fn namespaces(kind: Kind, name: &str) -> Self {
        Self::of(3, (kind, name))
    }

    /// Who has the name of a router.
    pub(super) fn router(name: &str) -> Self {
        Self::of(4, name)
    }

    /// Who has the default backend.
    pub(super) fn default_backend() -> Self {
        Self::of(5, ())
    }

    /// A name in the configuration.
    pub(super) fn name(category: Category, name: &str) -> Self {
        Self::of(6, (category, name))
    }

    fn of(sort: u8, what: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        (sort, what).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Which units have a mark.
#[derive(Debug, Default)]
pub(super) struct Marked {
    units: HashMap<Mark, Ids, BuildHasherDefault<Hashed>>,
}

/// A hasher of what is a hash.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only numbers are hashed with it.
        bytes.iter().for_each(|byte| self.0 = (self.0 << 8) | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Units, of which there mostly is one.
#[derive(Debug)]
enum Ids {
    One(Id),
    Many(BTreeSet<Id>),
}

impl Marked {
    /// Gives a unit these marks instead of those before; both are sorted.
    pub(super) fn exchange(&mut self, before: &[Mark], now: &[Mark], id: Id) {
        let missing = |from: &[Mark], mark: &Mark| from.binary_search(mark).is_err();
        before.iter().filter(|mark| missing(now, mark)).for_each(|mark| self.remove(*mark, id));
        now.iter().filter(|mark| missing(before, mark)).for_each(|mark| self.insert(*mark, id));
    }

    fn insert(&mut self, mark: Mark, id: Id) {
        match self.units.entry(mark) {
            Entry::Vacant(vacant) => drop(vacant.insert(Ids::One(id))),
            Entry::Occupied(mut occupied) => match occupied.get_mut() {
                Ids::One(known) => {
                    let both = BTreeSet::from([*known, id]);
                    occupied.insert(Ids::Many(both));
                }
                Ids::Many(known) => drop(known.insert(id)),
            },
        }
    }

    fn remove(&mut self, mark: Mark, id: Id) {
        let empty = match self.units.get_mut(&mark) {
            Some(Ids::One(known)) => *known == id,
            Some(Ids::Many(known)) => {
                known.remove(&id);
                known.is_empty()
            }
            None => false,
        };
        if empty {
            self.units.remove(&mark);
        }
    }

    /// The units that have a mark, and perhaps others.
    pub(super) fn of(&self, mark: Mark) -> impl Iterator<Item = Id> + '_ {
        let (one, many) = match self.units.get(&mark) {
            None => (None, None),
            Some(Ids::One(id)) => (Some(*id), None),
            Some(Ids::Many(ids)) => (None, Some(ids.iter().copied())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}
