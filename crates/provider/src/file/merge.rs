//! What all files say together.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use portway_model::{
    Diagnostic, Entry, Names, Place, Severity,
    dynamic::{Config, Http},
};

use super::parsed::File;

/// What all files say together, before what they only name is read.
#[derive(Debug, Default)]
pub(super) struct Whole {
    http: Http,
    /// Objects that stand in a second file, by the file's place in the order. While there are some, the removal of
    /// one object may bring another to light, and everything is merged again.
    doubled: BTreeMap<PathBuf, Vec<Diagnostic>>,
}

impl Whole {
    /// Merges all files; of two objects of one name the one of the first file counts, as in Traefik. What is as it
    /// was `before` is shared with that.
    pub(super) fn merge(files: &BTreeMap<PathBuf, File>, before: &Self) -> Self {
        let mut whole = Self::default();
        for (path, file) in files {
            let Some(config) = &file.config else { continue };
            let (all, http, mut doubled) = (&mut whole.http, &config.http, Vec::new());
            join("router", &mut all.routers, &http.routers, &mut doubled);
            join("service", &mut all.services, &http.services, &mut doubled);
            join("middleware", &mut all.middlewares, &http.middlewares, &mut doubled);
            let transports = &mut all.servers_transports;
            join("serversTransport", transports, &http.servers_transports, &mut doubled);
            if !doubled.is_empty() {
                whole.doubled.insert(path.clone(), doubled);
            }
        }
        whole.http.share(&before.http);
        whole
    }

    /// Puts what one file says now in place of what it said. `false`, with the whole in no usable state, where that
    /// is not enough.
    pub(super) fn replace(&mut self, before: &Config, now: &Config) -> bool {
        let (all, was, is) = (&mut self.http, &before.http, &now.http);
        self.doubled.is_empty()
            && replace(&mut all.routers, &was.routers, &is.routers)
            && replace(&mut all.services, &was.services, &is.services)
            && replace(&mut all.middlewares, &was.middlewares, &is.middlewares)
            && replace(&mut all.servers_transports, &was.servers_transports, &is.servers_transports)
    }

    /// The whole configuration.
    pub(super) fn config(&self, files: &BTreeMap<PathBuf, File>, faults: &[Diagnostic]) -> Config {
        let mut whole = Config { http: self.http.clone(), ..Config::default() };
        whole.diagnostics.extend_from_slice(faults);
        for (path, file) in files {
            let seen = &mut whole.diagnostics;
            seen.extend(file.fault.clone());
            seen.extend(self.doubled.get(path).into_iter().flatten().cloned());
            let Some(config) = &file.config else { continue };
            join("TLS options", &mut whole.tls.options, &config.tls.options, seen);
            join("TLS store", &mut whole.tls.stores, &config.tls.stores, seen);
            whole.tls.certificates.extend_from_slice(&config.tls.certificates);
            seen.extend_from_slice(&config.diagnostics);
        }
        whole
    }
}

/// Adds objects whose names are new.
fn join<T>(
    kind: &str,
    whole: &mut Names<Entry<T>>,
    more: &Names<Entry<T>>,
    doubled: &mut Vec<Diagnostic>,
) {
    for (name, entry) in more {
        let Some(first) = whole.get(name) else {
            whole.insert(Arc::clone(name), Arc::clone(entry));
            continue;
        };
        let place = first.place.as_ref().map(Place::to_string).unwrap_or_default();
        doubled.push(Diagnostic {
            severity: Severity::Warning,
            object: format!("{kind} {name}"),
            field: String::new(),
            message: format!("stands in {place} already, which counts; this one has no effect"),
            place: entry.place.clone(),
        });
    }
}

/// Puts `now` in place of `before`; `false` where a name turns out to stand in another file too.
fn replace<T>(
    whole: &mut Names<Entry<T>>,
    before: &Names<Entry<T>>,
    now: &Names<Entry<T>>,
) -> bool {
    now.changes(before).all(|change| {
        let known = whole.get(change.name);
        let owned = match (change.before, known) {
            (None, None) => true,
            (Some(before), Some(known)) => Arc::ptr_eq(before, known),
            _ => false,
        };
        match change.now {
            Some(entry) => whole.insert(Arc::clone(change.name), Arc::clone(entry)),
            None => whole.remove(change.name),
        };
        owned
    })
}
