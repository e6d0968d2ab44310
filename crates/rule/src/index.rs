//! Finds the first matching rule without trying them all.
//!
//! Each rule is reduced to *boxes* ([`cover()`]): a host (or any) and a path prefix. Every request that
//! the rule matches lies in one of its boxes, though not every request in a box matches. A look-up
//! visits the boxes that the request lies in (its host's, its wildcard's and those of any host,
//! each along the chain of prefixes of its path) and asks the rules found there in order,
//! never one that comes after the best found so far. A rule that matches every request in its box is
//! not asked: that is most of them, and what need not be read costs no time among very many.
//!
//! A clone shares everything; an edit copies what it touches. So a new version of a large index costs as
//! much as what changed in it.

mod cover;
mod hosts;
mod paths;

use std::sync::Arc;

use crate::index::cover::{HostKey, Part, cover};
use crate::index::hosts::Hosts;
use crate::index::paths::PathTable;
use crate::matcher::{Wildcard, trim_dots};
use crate::rule::Rule;
use crate::subject::Subject;

/// Something that claims requests by its rule.
///
/// Its order is the one in which claims are tried, the least first; no two claims of an index are equal.
pub trait Claim: Ord {
    /// What a request must satisfy.
    fn rule(&self) -> &Rule;
}

/// Claims, arranged for look-up.
#[derive(Debug)]
pub struct Index<C> {
    exact: Hosts<C>,
    wildcard: Hosts<C>,
    any_host: Arc<PathTable<C>>,
    len: usize,
}

impl<C: Claim> Index<C> {
    /// Adds a claim.
    pub fn insert(&mut self, claim: &Arc<C>) {
        for part in cover(claim.rule().node()) {
            self.table(part, |table| table.insert(part.path, claim, part.whole));
        }
        self.len += 1;
    }

    /// Takes a claim away.
    pub fn remove(&mut self, claim: &C) {
        for part in cover(claim.rule().node()) {
            self.table(part, |table| table.remove(part.path, claim));
        }
        self.len -= 1;
    }

    /// The first claim whose rule `subject` satisfies.
    pub fn find<'a, S: Subject + ?Sized>(&'a self, subject: &S) -> Option<&'a Arc<C>> {
        let (host, path) = (subject.host(), subject.path());
        // What a rule makes of trailing dots only the rule knows.
        let plain = !host.ends_with('.');
        let mut best: Option<&'a Arc<C>> = None;
        for table in self.tables(host) {
            for claims in table.candidates(path) {
                let better =
                    claims.iter().take_while(|found| best.is_none_or(|best| found.claim < *best));
                let found = { better }
                    .find(|found| found.whole && plain || found.claim.rule().matches(subject));
                best = found.map(|found| &found.claim).or(best);
            }
        }
        best
    }

    /// All claims, in the order in which they are tried.
    #[must_use]
    pub fn claims(&self) -> Vec<&Arc<C>> {
        let tables = self.exact.tables().chain(self.wildcard.tables()).chain([&*self.any_host]);
        let mut claims: Vec<_> = tables.flat_map(PathTable::claims).collect();
        claims.sort_unstable();
        claims.dedup();
        claims
    }

    /// How many claims there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no claim.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn table(&mut self, part: Part<'_>, edit: impl FnOnce(&mut PathTable<C>)) {
        match part.host {
            HostKey::Any => edit(Arc::make_mut(&mut self.any_host)),
            HostKey::Exact(host) => self.exact.edit(host, edit),
            HostKey::Wildcard(rest) => self.wildcard.edit(rest, edit),
        }
    }

    /// The tables that hold every claim which a request for `host` can match.
    fn tables(&self, host: &str) -> impl Iterator<Item = &PathTable<C>> {
        let exact = self.exact.get(trim_dots(host));
        let no_wildcard = self.wildcard.len() == 0;
        let wildcard = if no_wildcard { None } else { self.wildcard.get(Wildcard::key_of(host)) };
        exact.into_iter().chain(wildcard).chain([&*self.any_host])
    }

    /// How many rules a request may have to be asked.
    #[cfg(test)]
    fn asked(&self, host: &str, path: &[u8]) -> usize {
        self.tables(host).flat_map(|table| table.candidates(path)).map(<[_]>::len).sum()
    }
}

impl<C: Claim> FromIterator<Arc<C>> for Index<C> {
    fn from_iter<I: IntoIterator<Item = Arc<C>>>(claims: I) -> Self {
        let mut index = Self::default();
        claims.into_iter().for_each(|claim| index.insert(&claim));
        index
    }
}

impl<C> Clone for Index<C> {
    fn clone(&self) -> Self {
        Self {
            exact: self.exact.clone(),
            wildcard: self.wildcard.clone(),
            any_host: Arc::clone(&self.any_host),
            len: self.len,
        }
    }
}

impl<C> Default for Index<C> {
    fn default() -> Self {
        Self {
            exact: Hosts::default(),
            wildcard: Hosts::default(),
            any_host: Arc::default(),
            len: 0,
        }
    }
}

#[cfg(test)]
mod tests;
