//! TLSOptions and TLSStores.

use std::sync::Arc;

use portway_model::{
    Cause, Position, Problem,
    dynamic::{self, Material},
};

use super::{Translation, Whole, entry, names::Naming, of_secret};
use crate::api::{Object, TlsOption, TlsStore};

/// The name that means: where nothing else is named.
pub(crate) const DEFAULT: &str = "default";

impl Translation<'_> {
    /// A TLSOption.
    pub(super) fn tls_options(&mut self, object: &Object, body: &TlsOption) {
        let made = (!self.is_out_of_place(object)).then(|| {
            let problems = self.keep_errors(&object.problems);
            let options = self.tls_option(object, body);
            Arc::new(entry(object, Position::default(), options, problems))
        });
        self.whole = Some((name(object, self.naming).into(), Whole::Options(made)));
    }

    fn tls_option(&mut self, object: &Object, body: &TlsOption) -> dynamic::TlsOptions {
        let mut options = body.options.clone();
        for name in &body.authorities {
            match self.authority(&object.key.namespace, name, false) {
                Ok(authority) => {
                    let written = of_secret(&format!("{}/{name}", object.key.namespace));
                    options.client_auth.authorities.push(Material { written, ..authority });
                }
                // Those that are left vouch for fewer clients, and without any of them options that ask for one
                // cannot be used.
                Err(reason) => {
                    let problem = Problem::error("spec.clientAuth.secretNames", reason);
                    let problem = problem.at(body.authorities_at).about(Cause::Reference);
                    self.diagnose(&problem);
                }
            }
        }
        options
    }

    /// A TLSStore.
    pub(super) fn tls_store(&mut self, object: &Object, body: &TlsStore) {
        let made = (!self.is_out_of_place(object)).then(|| {
            let mut problems = self.keep_errors(&object.problems);
            let store = self.store(object, body, &mut problems);
            Arc::new(entry(object, Position::default(), store, problems))
        });
        self.whole = Some((name(object, self.naming).into(), Whole::Store(made)));
    }

    fn store(
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
                self.diagnose(&problem.about(Cause::Reference));
            }
        }
        let mut store = dynamic::TlsStore::default();
        if let Some((secret, at)) = &body.default_certificate {
            match self.key_pair(namespace, secret) {
                Ok(certificate) => store.default_certificate = Some(certificate),
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
            self.diagnose(&Problem::warning("metadata.namespace", message));
        }
        is_out
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
