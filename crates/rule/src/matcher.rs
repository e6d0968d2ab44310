//! Compiled matchers: one question about a request each.

mod address;
mod compile;
mod host;
mod template;

pub(crate) use compile::compile;
pub(crate) use host::{Wildcard, trim_dots};

pub use self::address::AddressRange;
use crate::pattern::Pattern;
use crate::query;
use crate::subject::Subject;

/// A compiled rule, or a part of one.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Leaf(Matcher),
    Not(Box<Node>),
    And(Box<[Node]>),
    Or(Box<[Node]>),
}

impl Node {
    pub(crate) fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        match self {
            Self::Leaf(matcher) => matcher.matches(subject),
            Self::Not(inner) => !inner.matches(subject),
            Self::And(parts) => parts.iter().all(|part| part.matches(subject)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(subject)),
        }
    }
}

/// One question about a request.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    Always,
    Never,
    Host(Box<str>),
    HostWildcard(Wildcard),
    HostPattern(Pattern),
    Path(Box<[u8]>),
    PathPrefix(Box<[u8]>),
    PathPattern(Pattern),
    Method(Box<[u8]>),
    /// Some value of the header equals the text.
    Header(Box<str>, Box<[u8]>),
    HeaderPattern(Box<str>, Pattern),
    /// Some value of the key equals the text.
    Query(Box<[u8]>, Box<[u8]>),
    QueryPattern(Box<[u8]>, Pattern),
    /// The first value of the key equals the text.
    QueryFirst(Box<[u8]>, Box<[u8]>),
    /// The pattern matches `key=first value`, or the empty text if the key is absent.
    QueryPair(Box<[u8]>, Pattern),
    Client(AddressRange),
}

impl Matcher {
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Host(expected) => host::equals(subject.host(), expected),
            Self::HostWildcard(wildcard) => wildcard.matches(subject.host()),
            Self::HostPattern(pattern) => pattern.is_match(subject.host().as_bytes()),
            Self::Path(path) => subject.path() == &**path,
            Self::PathPrefix(prefix) => subject.path().starts_with(prefix),
            Self::PathPattern(pattern) => pattern.is_match(subject.path()),
            Self::Method(method) => subject.method() == &**method,
            Self::Header(name, expected) => {
                subject.any_header(name, &mut |value| value == &**expected)
            }
            Self::HeaderPattern(name, pattern) => {
                subject.any_header(name, &mut |value| pattern.is_match(value))
            }
            Self::Query(key, expected) => query::pairs(subject.query())
                .any(|pair| pair.is_named(key) && pair.has_value(expected)),
            Self::QueryPattern(key, pattern) => query::pairs(subject.query()).any(|pair| {
                pair.is_named(key) && pattern.is_match(&pair.value().collect::<Vec<u8>>())
            }),
            Self::QueryFirst(key, expected) => query::pairs(subject.query())
                .find(|pair| pair.is_named(key))
                .is_some_and(|pair| pair.has_value(expected)),
            Self::QueryPair(key, pattern) => {
                let first = query::pairs(subject.query()).find(|pair| pair.is_named(key));
                let text = first.map_or_else(Vec::new, |pair| {
                    key.iter().copied().chain([b'=']).chain(pair.value()).collect()
                });
                pattern.is_match(&text)
            }
            Self::Client(range) => {
                subject.client_ip().is_some_and(|address| range.contains(address))
            }
        }
    }
}
