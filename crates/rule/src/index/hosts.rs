//! Hosts, each with the claims on its paths.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use crate::index::paths::PathTable;

/// A hash table in parts: an edit copies the one part that holds its host.
#[derive(Debug)]
pub(super) struct Hosts<C> {
    /// None, or [`PARTS`] of them.
    parts: Vec<Arc<HashTable<Arc<Host<C>>>>>,
    hasher: FixedState,
    len: usize,
}

#[derive(Debug)]
struct Host<C> {
    /// In place, where it is no longer than most: a look-up among very many waits for each place it reads.
    name: SmallVec<[u8; 32]>,
    paths: PathTable<C>,
}

/// With a hundred thousand hosts a part has four hundred, which is about what the list of parts has.
const PARTS: usize = 256;

impl<C> Hosts<C> {
    /// The claims on a host.
    pub(super) fn get(&self, name: &str) -> Option<&PathTable<C>> {
        let hash = self.hasher.hash_one(name.as_bytes());
        let part = self.parts.get(part_of(hash))?;
        part.find(hash, |host| *host.name == *name.as_bytes()).map(|host| &host.paths)
    }

    /// Edits the claims on a host, which comes with its first and goes with its last one.
    pub(super) fn edit(&mut self, name: &str, edit: impl FnOnce(&mut PathTable<C>)) {
        if self.parts.is_empty() {
            self.parts = vec![Arc::default(); PARTS];
        }
        let hash = self.hasher.hash_one(name.as_bytes());
        let Some(part) = self.parts.get_mut(part_of(hash)) else { return };
        let part = Arc::make_mut(part);
        if let Ok(mut found) = part.find_entry(hash, |host| *host.name == *name.as_bytes()) {
            let host = Arc::make_mut(found.get_mut());
            edit(&mut host.paths);
            if host.paths.is_empty() {
                found.remove();
                self.len -= 1;
            }
            return;
        }
        let mut paths = PathTable::default();
        edit(&mut paths);
        if paths.is_empty() {
            return;
        }
        self.len += 1;
        let hasher = &self.hasher;
        part.insert_unique(hash, Arc::new(Host { name: name.as_bytes().into(), paths }), |host| {
            hasher.hash_one(&*host.name)
        });
    }

    /// How many hosts there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The claims on every host.
    pub(super) fn tables(&self) -> impl Iterator<Item = &PathTable<C>> {
        self.parts.iter().flat_map(|part| part.iter()).map(|host| &host.paths)
    }
}

/// The part of a hash. The table in it looks at the lowest and the highest bits, so these are others.
fn part_of(hash: u64) -> usize {
    usize::from(hash.to_le_bytes()[5])
}

impl<C> Clone for Hosts<C> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone(), hasher: self.hasher.clone(), len: self.len }
    }
}

impl<C> Default for Hosts<C> {
    fn default() -> Self {
        Self { parts: Vec::new(), hasher: FixedState::default(), len: 0 }
    }
}

impl<C> Clone for Host<C> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), paths: self.paths.clone() }
    }
}
