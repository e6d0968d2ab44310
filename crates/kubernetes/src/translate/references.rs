//! References from one object to another, across namespaces and providers.

use portway_model::{Cause, Problem};

use super::Translation;
use crate::{
    PROVIDER,
    api::{Object, Reference},
};

impl Translation<'_> {
    /// The name that a reference to a Middleware or TLSOption stands for.
    ///
    /// # Errors
    /// The reason alone, in Traefik's words, when the reference is not allowed.
    pub(super) fn resolve(
        &mut self,
        from: &Object,
        reference: &Reference,
        path: &str,
    ) -> Result<String, String> {
        let parent = from.key.namespace.as_str();
        if reference.name.contains('@') {
            if !self.options.allow_cross_namespace && is_ours(&reference.name) {
                return Err("when allowCrossNamespace is disabled, @kubernetescrd references are \
                            disallowed"
                    .to_owned());
            }
            if !self.may_cross_providers(parent) {
                return Err(format!("namespace \"{parent}\" is not in crossProviderNamespaces"));
            }
            self.warn_of_namespace(path, reference);
            return Ok(reference.name.clone());
        }
        let namespace = or_parent(&reference.namespace, parent);
        if !self.may_cross_namespaces(parent, namespace) {
            return Err(
                "allowCrossNamespace is disabled, cross-namespace are disallowed".to_owned()
            );
        }
        Ok(self.naming.object(namespace, &reference.name))
    }

    /// The names of a list of Middlewares; the errors of those that are not allowed.
    pub(super) fn middleware_names(
        &mut self,
        from: &Object,
        references: &[Reference],
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> Vec<String> {
        let mut names = Vec::new();
        for (i, reference) in references.iter().enumerate() {
            let path = format!("{path}[{i}]");
            match self.resolve(from, reference, &path) {
                Ok(name) => names.push(name),
                Err(reason) => {
                    let message =
                        format!("invalid reference to middleware {}: {reason}", reference.name);
                    let problem = Problem::error(path, message).at(reference.at);
                    problems.push(problem.about(Cause::Reference));
                }
            }
        }
        names
    }

    /// Whether objects of a namespace may refer to objects of another.
    pub(super) fn may_cross_namespaces(&self, parent: &str, namespace: &str) -> bool {
        self.options.allow_cross_namespace || parent == namespace
    }

    /// Whether objects of a namespace may refer to other providers.
    pub(super) fn may_cross_providers(&self, parent: &str) -> bool {
        let allowed = self.options.cross_provider_namespaces.as_ref();
        allowed.is_none_or(|allowed| allowed.iter().any(|namespace| namespace == parent))
    }

    fn warn_of_namespace(&mut self, path: &str, reference: &Reference) {
        let namespace = reference.namespace.as_str();
        if !namespace.is_empty() {
            let message = format!("Namespace \"{namespace}\" is ignored in cross-provider context");
            self.diagnose(&Problem::warning(path, message).at(reference.at));
        }
    }
}

/// The namespace of a reference that may leave it out.
pub(super) fn or_parent<'a>(namespace: &'a str, parent: &'a str) -> &'a str {
    if namespace.is_empty() { parent } else { namespace }
}

/// Whether a name is qualified with this provider's own name.
pub(super) fn is_ours(name: &str) -> bool {
    name.rsplit_once('@').is_some_and(|(_, provider)| provider == PROVIDER)
}
