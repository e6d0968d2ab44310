//! The hash that replicas compare.

use std::{
    collections::BTreeMap,
    fmt::{self, Debug, Write as _},
    sync::Arc,
};

use portway_model::{
    Entry, Names,
    dynamic::{BasicAuth, Certificate, Config, Material, Middleware, ServersTransport},
};
use sha2::{Digest, Sha256};

use crate::Settings;

/// A hash of everything that decides what is served. Files, lines and what sources complain of do not
/// enter it: they differ between replicas that serve the same. Secrets enter it as input, never as text.
pub(crate) fn hash(configs: &BTreeMap<String, Arc<Config>>, settings: &Settings) -> [u8; 32] {
    let mut hasher = Hasher(Sha256::new());
    hasher.shown(settings);
    hasher.transport(&settings.servers_transport);
    hasher.shown(&configs.len());
    for (provider, config) in configs {
        hasher.bytes(provider.as_bytes());
        hasher.config(config);
    }
    hasher.0.finalize().into()
}

struct Hasher(Sha256);

/// What `Debug` prints goes straight into the hash.
impl fmt::Write for Hasher {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

impl Hasher {
    /// Bytes after their number, which keeps neighbours apart.
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes.len().to_le_bytes());
        self.0.update(bytes);
    }

    /// What `Debug` shows, and a byte that no text has. The model's types show all but secrets.
    fn shown(&mut self, value: &impl Debug) {
        // Writing into a hash cannot fail.
        let _ = write!(self, "{value:?}");
        self.0.update([0xFF]);
    }

    fn config(&mut self, config: &Config) {
        let Config { http, tls, diagnostics: _ } = config;
        self.entries(&http.routers, |_, _| {});
        self.entries(&http.services, |_, _| {});
        self.entries(&http.middlewares, |hasher, middleware| {
            if let Middleware::BasicAuth(auth) = middleware {
                hasher.users(auth);
            }
        });
        self.entries(&http.servers_transports, Self::transport);
        self.shown(&tls.certificates.len());
        for entry in &tls.certificates {
            self.entry(entry);
            self.certificate(&entry.spec);
        }
        self.entries(&tls.options, |hasher, options| {
            hasher.materials(&options.client_auth.authorities);
        });
        self.entries(&tls.stores, |hasher, store| {
            store.default_certificate.iter().for_each(|known| hasher.certificate(known));
        });
    }

    fn entries<T: Debug>(&mut self, entries: &Names<Entry<T>>, secrets: impl Fn(&mut Self, &T)) {
        self.shown(&entries.len());
        for (name, entry) in entries {
            self.bytes(name.as_bytes());
            self.entry(entry);
            secrets(self, &entry.spec);
        }
    }

    fn entry<T: Debug>(&mut self, entry: &Entry<T>) {
        self.shown(&entry.spec);
        self.shown(&entry.created);
        self.shown(&entry.problems.len());
        for problem in &entry.problems {
            self.shown(&(problem.severity, &problem.field, &problem.message));
        }
    }

    fn users(&mut self, auth: &BasicAuth) {
        for lines in [&auth.users, &auth.users_of_file] {
            self.shown(&lines.len());
            lines.iter().for_each(|line| self.bytes(line.as_bytes()));
        }
    }

    fn transport(&mut self, transport: &ServersTransport) {
        self.materials(&transport.root_cas);
        self.shown(&transport.certificates.len());
        transport.certificates.iter().for_each(|certificate| self.certificate(certificate));
    }

    fn materials(&mut self, materials: &[Material]) {
        self.shown(&materials.len());
        materials.iter().for_each(|material| self.bytes(&material.content));
    }

    fn certificate(&mut self, certificate: &Certificate) {
        self.bytes(&certificate.cert.content);
        self.bytes(&certificate.key.content);
    }
}
