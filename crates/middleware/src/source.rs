//! What makes requests those of one source (Traefik: `sourceCriterion`), and what is kept for each source.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use portway_http::{HeaderName, Request};
use portway_model::dynamic;
use sha2::{Digest as _, Sha256};

use crate::Context;
use crate::client::{Client, Strategy};

/// What makes requests those of one source.
#[derive(Debug)]
pub(crate) enum Criterion {
    /// The client's address.
    Client(Strategy),
    /// The value of a header.
    Header(HeaderName),
    /// A header that no request has, so that all are of one source.
    Nothing,
    /// The host as it was sent.
    Host,
}

/// The name of a source, in a memory of fixed size: long texts are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    length: u8,
    bytes: [u8; LONGEST],
}

/// The longest text that is its own name.
const LONGEST: usize = 39;

impl Name {
    fn of_text(text: &[u8]) -> Self {
        if text.len() <= LONGEST {
            return Self::new(&[], text);
        }
        // No text has a control character in it, which is what other names begin with.
        Self::new(&[1], &Sha256::digest(text))
    }

    fn of_address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::new(&[4], &address.octets()),
            IpAddr::V6(address) => Self::new(&[6], &address.octets()),
        }
    }

    fn new(tag: &[u8], text: &[u8]) -> Self {
        let mut bytes = [0; LONGEST];
        let mut length = 0;
        for (place, byte) in bytes.iter_mut().zip(tag.iter().chain(text)) {
            *place = *byte;
            length += 1;
        }
        Self { length, bytes }
    }
}

impl Criterion {
    /// Compiles the user's settings; `None` if they say nothing.
    ///
    /// # Errors
    /// In Traefik's words.
    pub(crate) fn compile(
        config: Option<&dynamic::SourceCriterion>,
    ) -> Result<Option<Self>, String> {
        let Some(config) = config else { return Ok(None) };
        let (address, header) = (&config.ip_strategy, config.request_header_name.as_str());
        let exclusive = |pair| Err(format!("{pair} are mutually exclusive"));
        match (address, header, config.request_host) {
            (Some(_), name, _) if !name.is_empty() => exclusive("iPStrategy and RequestHeaderName"),
            (Some(_), _, true) => exclusive("iPStrategy and RequestHost"),
            (None, name, true) if !name.is_empty() => {
                exclusive("requestHost and RequestHeaderName")
            }
            (Some(strategy), _, false) => {
                Strategy::compile(Some(strategy)).map(Self::Client).map(Some)
            }
            (None, _, true) => Ok(Some(Self::Host)),
            (None, "", false) => Ok(None),
            (None, name, false) => {
                Ok(Some(HeaderName::parse(name).map_or(Self::Nothing, Self::Header)))
            }
        }
    }

    /// The source of a request.
    pub(crate) fn name(&self, request: &Request, context: &Context<'_>) -> Name {
        match self {
            Self::Client(strategy) => match strategy.client(request, context) {
                Client::Text(text) => Name::of_text(text),
                Client::Address(address) => Name::of_address(address),
            },
            Self::Header(name) => Name::of_text(request.headers.get(name).unwrap_or_default()),
            Self::Nothing => Name::of_text(b""),
            Self::Host => Name::of_text(request.authority().as_bytes()),
        }
    }

    /// The source of a request as Traefik writes it.
    pub(crate) fn text(&self, request: &Request, context: &Context<'_>) -> Vec<u8> {
        match self {
            Self::Client(strategy) => match strategy.client(request, context) {
                Client::Text(text) => text.to_vec(),
                Client::Address(address) => address.to_string().into_bytes(),
            },
            Self::Header(name) => request.headers.get(name).unwrap_or_default().to_vec(),
            Self::Nothing => Vec::new(),
            Self::Host => request.authority().as_bytes().to_vec(),
        }
    }
}

/// What is kept for each source, in parts that are locked one by one and for a short time.
pub(crate) struct Sources<T> {
    parts: [Mutex<Part<T>>; PARTS],
    hasher: foldhash::fast::RandomState,
}

/// The sources of one part.
pub(crate) type Part<T> = HashMap<Name, T, foldhash::fast::RandomState>;

/// How many parts there are.
pub(crate) const PARTS: usize = 16;

impl<T> Sources<T> {
    /// The part that a source belongs to.
    pub(crate) fn part(&self, name: &Name) -> MutexGuard<'_, Part<T>> {
        let [first, ..] = &self.parts;
        let number = usize::try_from(self.hasher.hash_one(name) % PARTS as u64);
        let part = number.ok().and_then(|number| self.parts.get(number)).unwrap_or(first);
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Sources<T> {
    fn default() -> Self {
        let parts = std::array::from_fn(|_| Mutex::default());
        Self { parts, hasher: foldhash::fast::RandomState::default() }
    }
}

impl<T> fmt::Debug for Sources<T> {
    /// Without the sources: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

/// What each router has of its own of one middleware, as in Traefik.
///
/// It is asked for when a router is compiled, and is the same as long as anybody holds it, so that a router that is
/// compiled again goes on where it was.
pub(crate) struct Instances<T> {
    by_router: Mutex<HashMap<Box<str>, Vec<Weak<T>>>>,
}

impl<T: Default> Instances<T> {
    /// What `router` has for the `number`th time that it names the middleware.
    pub(crate) fn of_router(&self, router: &str, number: usize) -> Arc<T> {
        let mut by_router = self.by_router.lock().unwrap_or_else(PoisonError::into_inner);
        let known = by_router.get(router).and_then(|instances| instances.get(number)?.upgrade());
        known.unwrap_or_else(|| {
            by_router.retain(|_, instances| instances.iter().any(|one| one.strong_count() > 0));
            let instances = by_router.entry(router.into()).or_default();
            if instances.len() <= number {
                instances.resize_with(number + 1, Weak::new);
            }
            let instance = Arc::default();
            if let Some(place) = instances.get_mut(number) {
                *place = Arc::downgrade(&instance);
            }
            instance
        })
    }
}

impl<T> Default for Instances<T> {
    fn default() -> Self {
        Self { by_router: Mutex::default() }
    }
}

impl<T> fmt::Debug for Instances<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instances").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, request};

    fn criterion(strategy: Option<i64>, header: &str, host: bool) -> dynamic::SourceCriterion {
        dynamic::SourceCriterion {
            ip_strategy: strategy.map(|depth| dynamic::IpStrategy { depth, ..Default::default() }),
            request_header_name: header.to_owned(),
            request_host: host,
        }
    }

    /// Whether requests of these hosts with these fields are of one source.
    #[track_caller]
    fn check(
        config: &dynamic::SourceCriterion,
        one: (&str, &str),
        other: (&str, &str),
        same: bool,
    ) {
        let criterion = Criterion::compile(Some(config)).unwrap().unwrap();
        let name = |(host, value)| {
            let fields = [("X-User", value), ("X-Forwarded-For", value)];
            criterion.name(&request("GET", "/", host, &fields), &context())
        };
        assert_eq!(name(one) == name(other), same, "{config:?} {one:?} {other:?}");
    }

    #[test]
    fn each_criterion_tells_its_sources_apart() {
        let (a, b) = (("a.test", "1.1.1.1"), ("b.test", "2.2.2.2"));
        check(&criterion(None, "", true), a, ("a.test", "2.2.2.2"), true);
        check(&criterion(None, "", true), a, ("A.test", "1.1.1.1"), false);
        check(&criterion(None, "x-user", false), a, ("b.test", "1.1.1.1"), true);
        check(&criterion(None, "x-user", false), a, b, false);
        check(&criterion(None, "X Bad", false), a, b, true);
        check(&criterion(Some(1), "", false), a, b, false);
        check(&criterion(Some(0), "", false), a, b, true);
    }

    #[test]
    fn long_texts_are_told_apart_too() {
        let text = |end: &str| format!("{}{end}", "x".repeat(LONGEST));
        let (one, other) = (text("1"), text("2"));
        let config = criterion(None, "x-user", false);
        check(&config, ("a.test", &one), ("a.test", &other), false);
        check(&config, ("a.test", &one), ("a.test", &one), true);
        check(&config, ("a.test", &text("")), ("a.test", &one), false);
        check(&config, ("a.test", "x"), ("a.test", ""), false);
    }

    #[test]
    fn two_criteria_are_refused_in_the_words_of_traefik() {
        for (config, expected) in [
            (
                criterion(Some(0), "a", true),
                "iPStrategy and RequestHeaderName are mutually exclusive",
            ),
            (criterion(Some(0), "", true), "iPStrategy and RequestHost are mutually exclusive"),
            (
                criterion(None, "a", true),
                "requestHost and RequestHeaderName are mutually exclusive",
            ),
        ] {
            assert_eq!(Criterion::compile(Some(&config)).unwrap_err(), expected);
        }
        assert!(Criterion::compile(Some(&criterion(None, "", false))).unwrap().is_none());
        assert!(Criterion::compile(None).unwrap().is_none());
    }

    #[test]
    fn each_router_has_its_own_while_anybody_holds_it() {
        let instances = Instances::<Mutex<u8>>::default();
        let first = instances.of_router("a@file", 0);
        assert!(Arc::ptr_eq(&first, &instances.of_router("a@file", 0)));
        assert!(!Arc::ptr_eq(&first, &instances.of_router("a@file", 1)));
        assert!(!Arc::ptr_eq(&first, &instances.of_router("b@file", 0)));
        *first.lock().unwrap() = 1;
        drop(first);
        assert_eq!(*instances.of_router("a@file", 0).lock().unwrap(), 0);
        assert_eq!(instances.by_router.lock().unwrap().len(), 1, "others are forgotten");
    }
}
