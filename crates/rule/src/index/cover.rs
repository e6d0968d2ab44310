//! Which requests a rule can match at all: a set of boxes that covers them.

use crate::matcher::{Matcher, Node, trim_dots};

/// Requests of one host (or any) whose path begins with a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) host: HostKey<'a>,
    pub(super) path: &'a [u8],
    /// Whether the rule matches everything in it, as far as hosts without trailing dots are concerned.
    pub(super) whole: bool,
}

/// Which hosts a part holds. Two keys that differ, neither being `Any`, have no host in common
/// unless one is exact and the other a wildcard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HostKey<'a> {
    Any,
    /// Hosts that are this when their trailing dots are removed.
    Exact(&'a str),
    /// Hosts that are this when their first label and trailing dots are removed.
    Wildcard(&'a str),
}

const EVERYTHING: Part<'static> = Part { host: HostKey::Any, path: b"", whole: true };

/// The largest product of two covers that is worked out; beyond, the second is made coarser.
const MAX_PRODUCT: usize = 1024;

/// Parts that together hold every request that `node` matches.
pub(super) fn cover(node: &Node) -> Vec<Part<'_>> {
    let mut parts = match node {
        Node::Leaf(matcher) => of_matcher(matcher).into_iter().collect(),
        Node::Not(_) => vec![EVERYTHING.in_part()],
        Node::Or(any) => {
            let parts: Vec<_> = any.iter().flat_map(cover).collect();
            let all = parts.iter().filter(|part| part.is_everything());
            all.max_by_key(|part| part.whole).map_or_else(|| parts.clone(), |all| vec![*all])
        }
        Node::And(all) => {
            all.iter().map(cover).fold(vec![EVERYTHING], |parts, other| product(&parts, &other))
        }
    };
    parts.sort_unstable_by_key(|part| (part.host, part.path, !part.whole));
    parts.dedup_by_key(|part| (part.host, part.path));
    parts
}

impl Part<'_> {
    /// The same, of which the rule may match only some requests.
    fn in_part(self) -> Self {
        Self { whole: false, ..self }
    }

    fn is_everything(&self) -> bool {
        self.host == HostKey::Any && self.path.is_empty()
    }
}

fn of_matcher(matcher: &Matcher) -> Option<Part<'_>> {
    match matcher {
        Matcher::Never => None,
        Matcher::Always => Some(EVERYTHING),
        Matcher::Host(host) => {
            let key = trim_dots(host);
            let whole = key.len() == host.len() && !key.is_empty();
            Some(Part { host: HostKey::Exact(key), whole, ..EVERYTHING })
        }
        Matcher::HostWildcard(wildcard) => {
            Some(Part { host: HostKey::Wildcard(wildcard.key()), ..EVERYTHING }.in_part())
        }
        Matcher::Path(path) => Some(Part { path, ..EVERYTHING }.in_part()),
        Matcher::PathPrefix(path) => Some(Part { path, ..EVERYTHING }),
        _ => Some(EVERYTHING.in_part()),
    }
}

/// Parts that hold what lies both in `left` and in `right`.
fn product<'a>(left: &[Part<'a>], right: &[Part<'a>]) -> Vec<Part<'a>> {
    if left.len().saturating_mul(right.len()) > MAX_PRODUCT {
        // Hosts tell requests apart best, so they stay and the rest becomes one part.
        let hosts = |parts: &[Part<'_>]| parts.iter().all(|part| part.host != HostKey::Any);
        let (kept, merged) = match (hosts(left), hosts(right)) {
            (false, true) => (right, left),
            (true, false) => (left, right),
            _ if left.len() <= right.len() => (left, right),
            _ => (right, left),
        };
        let merged = hull(merged);
        return kept.iter().filter_map(|part| intersection(*part, merged)).collect();
    }
    left.iter()
        .flat_map(|left| right.iter().filter_map(|right| intersection(*left, *right)))
        .collect()
}

/// One part that holds all of `parts`.
fn hull<'a>(parts: &[Part<'a>]) -> Part<'a> {
    let path = parts.iter().map(|part| part.path).reduce(common_prefix).unwrap_or_default();
    Part { path, ..EVERYTHING }.in_part()
}

fn common_prefix<'a>(left: &'a [u8], right: &'a [u8]) -> &'a [u8] {
    let length = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    left.get(..length).unwrap_or_default()
}

fn intersection<'a>(left: Part<'a>, right: Part<'a>) -> Option<Part<'a>> {
    let path = match (left.path, right.path) {
        (short, long) if long.starts_with(short) => long,
        (long, short) if long.starts_with(short) => long,
        _ => return None,
    };
    let host = match (left.host, right.host) {
        (HostKey::Any, host) | (host, HostKey::Any) => host,
        (left, right) if left == right => left,
        (exact @ HostKey::Exact(_), HostKey::Wildcard(_))
        | (HostKey::Wildcard(_), exact @ HostKey::Exact(_)) => exact,
        _ => return None,
    };
    Some(Part { host, path, whole: left.whole && right.whole })
}
