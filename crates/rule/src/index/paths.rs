//! Prefixes of paths, each with the routes found under it.

use crate::index::Rank;

/// Answers which of its prefixes a path begins with.
///
/// Prefixes are sorted, and each knows the longest other one that it begins with. The greatest
/// prefix that is not greater than the path, followed along these links, passes every prefix of
/// the path: whatever sorts between a prefix of the path and the path begins with that prefix.
#[derive(Debug, Default)]
pub(super) struct PathTable {
    prefixes: Box<[Prefix]>,
}

#[derive(Debug)]
struct Prefix {
    bytes: Box<[u8]>,
    /// The position of the longest shorter prefix of `bytes`.
    parent: Option<u32>,
    /// In ascending order.
    ranks: Box<[Rank]>,
}

impl PathTable {
    /// Puts each route under its prefix; a prefix may come any number of times.
    pub(super) fn new(mut routes: Vec<(&[u8], Rank)>) -> Self {
        routes.sort_unstable();
        let mut prefixes: Vec<Prefix> = Vec::new();
        // The chain of prefixes that the last one lies under, itself included.
        let mut open: Vec<u32> = Vec::new();
        let groups = routes.chunk_by(|(left, _), (right, _)| left == right);
        for (position, group) in (0..u32::MAX).zip(groups) {
            let bytes = group.first().map(|(bytes, _)| *bytes).unwrap_or_default();
            while open.last().is_some_and(|&last| !is_prefix(&prefixes, last, bytes)) {
                open.pop();
            }
            let ranks = group.iter().map(|&(_, rank)| rank).collect();
            prefixes.push(Prefix { bytes: bytes.into(), parent: open.last().copied(), ranks });
            open.push(position);
        }
        Self { prefixes: prefixes.into() }
    }

    /// Whether no route is under any prefix.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// The routes under each prefix that `path` begins with, longest prefix first.
    pub(super) fn candidates<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = &'a [Rank]> {
        let position = self.prefixes.partition_point(|prefix| *prefix.bytes <= *path);
        let nearest = position.checked_sub(1).and_then(|position| self.prefixes.get(position));
        std::iter::successors(nearest, |prefix| at(&self.prefixes, prefix.parent?))
            .filter(|prefix| path.starts_with(&prefix.bytes))
            .map(|prefix| &*prefix.ranks)
    }
}

fn is_prefix(prefixes: &[Prefix], position: u32, bytes: &[u8]) -> bool {
    at(prefixes, position).is_some_and(|prefix| bytes.starts_with(&prefix.bytes))
}

fn at(prefixes: &[Prefix], position: u32) -> Option<&Prefix> {
    prefixes.get(usize::try_from(position).ok()?)
}
