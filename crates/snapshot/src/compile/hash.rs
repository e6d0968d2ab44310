//! The hash that replicas compare.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use portway_model::{Entry, Names, dynamic::Config};
use sha2::{Digest, Sha256};

use crate::Settings;

/// What objects add up to: the sum of their hashes, in which one can be exchanged for another without looking
/// at the rest.
///
/// Files, lines and what sources complain of do not enter it: they differ between replicas that serve the same.
/// Secrets enter it as input, never as text.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Sum([u64; 4]);

/// The kinds of objects, so that a router and a service of one name and content differ.
#[derive(Clone, Copy, Debug, Hash)]
enum Kind {
    Router,
    Service,
    Middleware,
    ServersTransport,
    TlsOptions,
    TlsStore,
}

impl Sum {
    /// The sum of all objects of `configs`, given that of those `before`.
    pub(crate) fn after(
        mut self,
        before: &BTreeMap<String, Arc<Config>>,
        configs: &BTreeMap<String, Arc<Config>>,
    ) -> Self {
        let none = Arc::default();
        for (provider, config) in before {
            let now = configs.get(provider).unwrap_or(&none);
            self.exchange_all(provider, config, now);
        }
        for (provider, config) in configs.iter().filter(|(name, _)| !before.contains_key(*name)) {
            self.exchange_all(provider, &none, config);
        }
        self
    }

    fn exchange_all(&mut self, provider: &str, before: &Config, now: &Config) {
        let (was, is) = (&before.http, &now.http);
        self.exchange(Kind::Router, provider, &was.routers, &is.routers);
        self.exchange(Kind::Service, provider, &was.services, &is.services);
        self.exchange(Kind::Middleware, provider, &was.middlewares, &is.middlewares);
        let (transports, now_transports) = (&was.servers_transports, &is.servers_transports);
        self.exchange(Kind::ServersTransport, provider, transports, now_transports);
        self.exchange(Kind::TlsOptions, provider, &before.tls.options, &now.tls.options);
        self.exchange(Kind::TlsStore, provider, &before.tls.stores, &now.tls.stores);
    }

    fn exchange<T: Hash>(
        &mut self,
        kind: Kind,
        provider: &str,
        before: &Names<Entry<T>>,
        now: &Names<Entry<T>>,
    ) {
        for change in now.changes(before) {
            let hash = |entry| digest(&(kind, provider, change.name, entry));
            if let Some(entry) = change.before {
                self.combine(hash(entry), u64::wrapping_sub);
            }
            if let Some(entry) = change.now {
                self.combine(hash(entry), u64::wrapping_add);
            }
        }
    }

    fn combine(&mut self, hash: [u8; 32], combine: fn(u64, u64) -> u64) {
        let (words, _) = hash.as_chunks::<8>();
        for (sum, word) in self.0.iter_mut().zip(words) {
            *sum = combine(*sum, u64::from_le_bytes(*word));
        }
    }
}

/// A hash of everything that decides what is served: settings, what objects add up to, and certificates, whose
/// order counts.
pub(crate) fn hash(
    sum: Sum,
    configs: &BTreeMap<String, Arc<Config>>,
    settings: &Settings,
) -> [u8; 32] {
    let certificates = configs.iter().map(|(name, config)| (name, &config.tls.certificates));
    digest(&(settings, sum, certificates.collect::<Vec<_>>()))
}

fn digest(value: &impl Hash) -> [u8; 32] {
    let mut bytes = Bytes(Vec::with_capacity(1024));
    value.hash(&mut bytes);
    Sha256::digest(&bytes.0).into()
}

/// What a value would be hashed from. Between the parts stand their lengths, as `Hash` has it.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
