//! ServersTransports.

use std::sync::Arc;

use portway_model::{
    Cause, Position, Problem,
    dynamic::{self, Material},
};

use super::{Translation, Whole, entry};
use crate::api::{Object, RootAuthority, ServersTransport};

impl Translation<'_> {
    /// A ServersTransport.
    pub(super) fn servers_transport(&mut self, object: &Object, body: &ServersTransport) {
        let problems = self.keep_errors(&object.problems);
        let transport = self.transport(object, body);
        let name = self.naming.object(&object.key.namespace, &object.key.name);
        let made = entry(object, Position::default(), transport, problems);
        self.whole = Some((name.into(), Whole::Transport(Arc::new(made))));
    }

    fn transport(&mut self, object: &Object, body: &ServersTransport) -> dynamic::ServersTransport {
        let namespace = object.key.namespace.as_str();
        let mut transport = body.transport.clone();
        let mut missing = Vec::new();
        for authority in &body.root_authorities {
            let (read, at) = match authority {
                RootAuthority::Secret(name, at) => (self.authority(namespace, name, true), *at),
                RootAuthority::ConfigMap(name, at) => {
                    (self.config_map_authority(namespace, name), *at)
                }
            };
            match read {
                Ok(material) => transport.root_cas.push(material),
                Err(reason) => missing.push((reason, at)),
            }
        }
        if transport.root_cas.is_empty() && !missing.is_empty() {
            // Without any the system's authorities would be trusted, which is more than was meant.
            transport.root_cas.push(Material::inline(Vec::new()));
        }
        for (reason, at) in missing {
            let message = format!("Error while loading CA: {reason}");
            let problem = Problem::error("spec.rootCAs", message).at(at).about(Cause::Reference);
            self.diagnose(&problem);
        }
        for (i, (name, at)) in body.certificates.iter().enumerate() {
            match self.key_pair(namespace, name) {
                Ok(certificate) => transport.certificates.push(certificate),
                Err(reason) => {
                    let field = format!("spec.certificatesSecrets[{i}]");
                    let message = format!("Error while loading certificates {name}: {reason}");
                    let problem = Problem::error(field, message).at(*at);
                    self.diagnose(&problem.about(Cause::Reference));
                }
            }
        }
        transport
    }
}
