//! Prefixes of paths, each with the claims found under it.

use std::sync::Arc;

use smallvec::SmallVec;

/// Answers which of its prefixes a path begins with.
///
/// Prefixes are sorted. Whatever sorts between a prefix of the path and the path begins with that prefix, so the
/// greatest prefix that is not greater than the path is either one of the path's own, or it shows by what it has in
/// common with the path how long the next one can be at most.
#[derive(Debug)]
pub(super) struct PathTable<C> {
    prefixes: SmallVec<[Arc<Prefix<C>>; 1]>,
}

#[derive(Debug)]
struct Prefix<C> {
    bytes: SmallVec<[u8; 16]>,
    /// In the order in which they are tried.
    claims: SmallVec<[Found<C>; 1]>,
}

/// A claim under a prefix.
#[derive(Debug)]
pub(super) struct Found<C> {
    pub(super) claim: Arc<C>,
    /// See [`Part::whole`](super::cover::Part).
    pub(super) whole: bool,
}

impl<C: Ord> PathTable<C> {
    /// Puts a claim under a prefix.
    pub(super) fn insert(&mut self, bytes: &[u8], claim: &Arc<C>, whole: bool) {
        let found = Found { claim: Arc::clone(claim), whole };
        match self.position(bytes) {
            Ok(at) => {
                let Some(prefix) = self.prefixes.get_mut(at) else { return };
                let claims = &mut Arc::make_mut(prefix).claims;
                if let Err(at) = claims.binary_search_by(|known| known.claim.cmp(claim)) {
                    claims.insert(at, found);
                }
            }
            Err(at) => {
                let claims = SmallVec::from([found]);
                self.prefixes.insert(at, Arc::new(Prefix { bytes: bytes.into(), claims }));
            }
        }
    }

    /// Takes a claim away from a prefix.
    pub(super) fn remove(&mut self, bytes: &[u8], claim: &C) {
        let Ok(at) = self.position(bytes) else { return };
        let Some(prefix) = self.prefixes.get_mut(at) else { return };
        let claims = &mut Arc::make_mut(prefix).claims;
        if let Ok(at) = claims.binary_search_by(|known| known.claim.as_ref().cmp(claim)) {
            claims.remove(at);
        }
        if claims.is_empty() {
            self.prefixes.remove(at);
        }
    }

    fn position(&self, bytes: &[u8]) -> Result<usize, usize> {
        self.prefixes.binary_search_by(|prefix| (*prefix.bytes).cmp(bytes))
    }
}

impl<C> PathTable<C> {
    /// Whether no claim is under any prefix.
    pub(super) fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// All claims, those under several prefixes several times.
    pub(super) fn claims(&self) -> impl Iterator<Item = &Arc<C>> {
        self.prefixes.iter().flat_map(|prefix| &prefix.claims).map(|found| &found.claim)
    }

    /// The claims under each prefix that `path` begins with, longest prefix first.
    pub(super) fn candidates<'a, 'p>(
        &'a self,
        path: &'p [u8],
    ) -> impl Iterator<Item = &'a [Found<C>]> + use<'a, 'p, C> {
        let (mut prefixes, mut path) = (self.prefixes.as_slice(), path);
        std::iter::from_fn(move || {
            loop {
                let at =
                    prefixes.partition_point(|prefix| *prefix.bytes <= *path).checked_sub(1)?;
                let prefix = prefixes.get(at)?;
                let common = common_length(&prefix.bytes, path);
                (prefixes, path) = (prefixes.get(..at)?, path.get(..common)?);
                if common == prefix.bytes.len() {
                    return Some(prefix.claims.as_slice());
                }
            }
        })
    }
}

fn common_length(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

impl<C> Clone for PathTable<C> {
    fn clone(&self) -> Self {
        Self { prefixes: self.prefixes.clone() }
    }
}

impl<C> Default for PathTable<C> {
    fn default() -> Self {
        Self { prefixes: SmallVec::new() }
    }
}

impl<C> Clone for Prefix<C> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), claims: self.claims.clone() }
    }
}

impl<C> Clone for Found<C> {
    fn clone(&self) -> Self {
        Self { claim: Arc::clone(&self.claim), whole: self.whole }
    }
}
