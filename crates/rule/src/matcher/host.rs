//! Hosts: exact and wildcard, with Traefik's tolerance for one trailing dot.

/// A `Host` argument that begins with `*`: the first label of the request's host stands for it.
#[derive(Clone, Debug)]
pub(crate) struct Wildcard {
    /// What follows the `*`, in lower case.
    rest: Box<str>,
}

impl Wildcard {
    /// From an argument in lower case; `None` if it does not begin with `*`.
    pub(super) fn new(argument: &str) -> Option<Self> {
        argument.strip_prefix('*').map(|rest| Self { rest: rest.into() })
    }

    pub(super) fn matches(&self, host: &str) -> bool {
        if host.is_empty() {
            return false;
        }
        let rest = &*self.rest;
        after_first_label(host) == rest
            || rest.strip_suffix('.').is_some_and(|rest| after_first_label(host) == rest)
            || host.strip_suffix('.').is_some_and(|host| after_first_label(host) == rest)
    }

    /// What every matching host's [`Wildcard::key_of`] is equal to.
    pub(crate) fn key(&self) -> &str {
        trim_dots(&self.rest)
    }

    /// The key under which wildcards that may match `host` are found.
    pub(crate) fn key_of(host: &str) -> &str {
        trim_dots(after_first_label(host))
    }
}

/// Whether `host` is the one that the rule names; one of both may end in a dot.
pub(super) fn equals(host: &str, expected: &str) -> bool {
    if host.is_empty() {
        return false;
    }
    host == expected
        || expected.strip_suffix('.').is_some_and(|expected| host == expected)
        || host.strip_suffix('.').is_some_and(|host| host == expected)
}

/// Hosts that differ only in trailing dots share this key.
pub(crate) fn trim_dots(host: &str) -> &str {
    host.trim_end_matches('.')
}

/// `.example.com` of `a.example.com`; nothing if there is one label only.
fn after_first_label(host: &str) -> &str {
    host.find('.').and_then(|place| host.get(place..)).unwrap_or_default()
}
