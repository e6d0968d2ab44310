//! TLSOptions and TLSStores.

use portway_model::{Cause, Position, Problem, dynamic};

use super::{Part, Translation, entry, names::Naming};
use crate::api::{Body, Kind, Object, TlsOption, TlsStore};

/// The name that means: where nothing else is named.
const DEFAULT: &str = "default";

impl Translation<'_> {
    /// All TLSOptions, the oldest first.
    ///
    /// Of several named `default` the oldest counts. Traefik drops them all, which drops what they demand
    /// of clients too.
    pub(super) fn tls_options(&mut self) {
        for object in self.oldest_first(Kind::TlsOption) {
            let Body::TlsOption(body) = &object.body else { continue };
            if self.is_out_of_place(object) {
                continue;
            }
            let problems = self.keep_errors(object, &object.problems);
            let options = self.tls_option(object, body);
            let name = name(object, self.naming);
            if let Some(first) = self.config.tls.options.get(&name) {
                let owner =
                    first.place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
                let message = if name == DEFAULT {
                    format!(
                        "Default TLS Options defined in multiple namespaces: {}; the oldest{owner} counts",
                        self.namespaces_of_default(Kind::TlsOption)
                    )
                } else {
                    format!("the name `{name}` is taken by an older TLSOption{owner}")
                };
                let problem = Problem::error("metadata.name", message);
                self.diagnose(object, &problem.about(Cause::Conflict));
                continue;
            }
            let entry = entry(object, Position::default(), options, problems);
            self.part(object, Part::Options(name.clone()));
            self.config.tls.options.insert(name, entry);
        }
    }

    fn tls_option(&mut self, object: &Object, body: &TlsOption) -> dynamic::TlsOptions {
        let mut options = body.options.clone();
        for name in &body.authorities {
            match self.authority(&object.key.namespace, name, false) {
                Ok(authority) => options.client_auth.authorities.push(authority),
                // Those that are left vouch for fewer clients, and without any of them options that ask for one
                // cannot be used.
                Err(reason) => {
                    let problem = Problem::error("spec.clientAuth.secretNames", reason);
                    let problem = problem.at(body.authorities_at).about(Cause::Reference);
                    self.diagnose(object, &problem);
                }
            }
        }
        options
    }

    /// All TLSStores. Several named `default` are no default store, as in Traefik: none of them can be
    /// preferred, and a generated certificate harms nobody.
    pub(super) fn tls_stores(&mut self) {
        let mut stores = self.oldest_first(Kind::TlsStore);
        stores.retain(|object| !self.is_out_of_place(object));
        let defaults = stores.iter().filter(|object| object.key.name == DEFAULT).count();
        for object in stores {
            let Body::TlsStore(body) = &object.body else { continue };
            let mut problems = self.keep_errors(object, &object.problems);
            let store = self.tls_store(object, body, &mut problems);
            if defaults > 1 && object.key.name == DEFAULT {
                let message = format!(
                    "Default TLS Stores defined in multiple namespaces: {}",
                    self.namespaces_of_default(Kind::TlsStore)
                );
                let problem = Problem::error("metadata.name", message);
                self.diagnose(object, &problem.about(Cause::Conflict));
                self.diagnose_all(object, &problems);
                continue;
            }
            let entry = entry(object, Position::default(), store, problems);
            self.part(object, Part::Store(name(object, self.naming)));
            self.config.tls.stores.insert(name(object, self.naming), entry);
        }
    }

    fn tls_store(
        &mut self,
        object: &Object,
        body: &TlsStore,
        problems: &mut Vec<Problem>,
    ) -> dynamic::TlsStore {
        let namespace = object.key.namespace.as_str();
        for (i, (secret, at)) in body.certificates.iter().enumerate() {
            if let Err(reason) =
                self.certificate(namespace, secret, Some(&name(object, self.naming)))
            {
                let field = format!("spec.certificates[{i}].secretName");
                let message = format!(
                    "Unable to read certificate secret {namespace}/{secret}, skipping: {reason}"
                );
                let problem = Problem::error(field, message).at(*at);
                self.diagnose(object, &problem.about(Cause::Reference));
            }
        }
        let mut store = dynamic::TlsStore::default();
        if let Some((secret, at)) = &body.default_certificate {
            match self.key_pair(namespace, secret) {
                Ok((_, certificate)) => store.default_certificate = Some(certificate),
                Err(reason) => {
                    let field = "spec.defaultCertificate.secretName";
                    let problem = Problem::error(field, reason).at(*at);
                    problems.push(problem.about(Cause::Reference));
                }
            }
        }
        store
    }

    /// Whether an object is named `default` in another namespace than the one that may have such an object; it is then
    /// reported. Traefik: `defaultTLSResourcesNamespace`.
    fn is_out_of_place(&mut self, object: &Object) -> bool {
        let namespace = self.options.default_tls_resources_namespace.as_str();
        let is_out = object.key.name == DEFAULT
            && !namespace.is_empty()
            && object.key.namespace != namespace;
        if is_out {
            let message = format!(
                "ignored: only the namespace \"{namespace}\" may have a {} named `default` \
                 (defaultTLSResourcesNamespace)",
                object.key.kind
            );
            self.diagnose(object, &Problem::warning("metadata.namespace", message));
        }
        is_out
    }

    fn namespaces_of_default(&self, kind: Kind) -> String {
        let defaults = self.index.of(kind).filter(|object| object.key.name == DEFAULT);
        let namespaces: Vec<_> = defaults.map(|object| object.key.namespace.as_str()).collect();
        format!("[{}]", namespaces.join(" "))
    }
}

/// The name of options or of a store: with the namespace, and not normalised, except for the default.
fn name(object: &Object, naming: Naming) -> String {
    if object.key.name == DEFAULT {
        return DEFAULT.to_owned();
    }
    match naming {
        Naming::Normalized => format!("{}-{}", object.key.namespace, object.key.name),
        Naming::Safe => naming.object(&object.key.namespace, &object.key.name),
    }
}
