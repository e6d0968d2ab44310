//! Finds the first matching rule without trying them all.
//!
//! Each rule is reduced to *boxes* ([`cover()`]): a host (or any) and a path prefix. Every request that
//! the rule matches lies in one of its boxes, though not every request in a box matches. A look-up
//! visits the boxes that the request lies in (its host's, its wildcard's and those of any host,
//! each along the chain of prefixes of its path) and asks the rules found there in order of
//! priority, never one that comes after the best found so far.

mod cover;
mod paths;

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::index::cover::{HostKey, cover};
use crate::index::paths::PathTable;
use crate::matcher::{Wildcard, trim_dots};
use crate::rule::Rule;
use crate::subject::Subject;

/// A rule and what its owner knows it by.
#[derive(Clone, Debug)]
pub struct Route {
    /// Higher is tried first.
    pub priority: i64,
    /// What a request must satisfy.
    pub rule: Arc<Rule>,
    /// What [`Index::find`] answers.
    pub id: u32,
}

/// The routes of one entry point, arranged for look-up.
#[derive(Debug, Default)]
pub struct Index {
    /// By rank: the order in which they would be tried.
    routes: Box<[Ranked]>,
    exact: HashMap<Box<str>, PathTable, FixedState>,
    wildcard: HashMap<Box<str>, PathTable, FixedState>,
    any_host: PathTable,
}

#[derive(Debug)]
struct Ranked {
    rule: Arc<Rule>,
    id: u32,
}

/// The place of a route in the order of trial; 0 is first.
type Rank = u32;

/// The paths and ranks that each host's table will be made of.
type HostTables<'a> = HashMap<&'a str, Vec<(&'a [u8], Rank)>, FixedState>;

impl Index {
    /// Arranges `routes`: by descending priority, equal ones in the order given.
    ///
    /// Costs about n·log n, and memory in proportion to the hosts and paths that rules name.
    #[must_use]
    pub fn new(mut routes: Vec<Route>) -> Self {
        routes.sort_by_key(|route| std::cmp::Reverse(route.priority));
        let mut exact = HostTables::default();
        let mut wildcard = HostTables::default();
        let mut any_host = Vec::new();
        for (rank, route) in (0..Rank::MAX).zip(&routes) {
            for part in cover(route.rule.node()) {
                let table = match part.host {
                    HostKey::Any => &mut any_host,
                    HostKey::Exact(host) => exact.entry(host).or_default(),
                    HostKey::Wildcard(rest) => wildcard.entry(rest).or_default(),
                };
                table.push((part.path, rank));
            }
        }
        let build = |tables: HostTables<'_>| {
            tables.into_iter().map(|(host, table)| (host.into(), PathTable::new(table))).collect()
        };
        let exact = build(exact);
        let wildcard = build(wildcard);
        let any_host = PathTable::new(any_host);
        let routes = routes.into_iter().map(|route| Ranked { rule: route.rule, id: route.id });
        Self { routes: routes.collect(), exact, wildcard, any_host }
    }

    /// The id of the first route whose rule `subject` satisfies.
    pub fn find<S: Subject + ?Sized>(&self, subject: &S) -> Option<u32> {
        let path = subject.path();
        let mut best = Rank::MAX;
        for table in self.tables(subject.host()) {
            for ranks in table.candidates(path) {
                let limit = best;
                let matching = ranks.iter().take_while(|&&rank| rank < limit).find(|&&rank| {
                    self.ranked(rank).is_some_and(|route| route.rule.matches(subject))
                });
                best = matching.copied().unwrap_or(limit);
            }
        }
        self.ranked(best).map(|route| route.id)
    }

    /// The tables that hold every route which a request for `host` can match.
    fn tables(&self, host: &str) -> impl Iterator<Item = &PathTable> {
        let exact = self.exact.get(trim_dots(host));
        let no_wildcard = self.wildcard.is_empty();
        let wildcard = if no_wildcard { None } else { self.wildcard.get(Wildcard::key_of(host)) };
        exact.into_iter().chain(wildcard).chain([&self.any_host])
    }

    /// How many routes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there is no route.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    fn ranked(&self, rank: Rank) -> Option<&Ranked> {
        self.routes.get(usize::try_from(rank).ok()?)
    }

    /// How many rules a request may have to be asked.
    #[cfg(test)]
    fn asked(&self, host: &str, path: &[u8]) -> usize {
        self.tables(host).flat_map(|table| table.candidates(path)).map(<[Rank]>::len).sum()
    }
}

#[cfg(test)]
mod tests;
