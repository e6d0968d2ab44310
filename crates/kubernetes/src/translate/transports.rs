//! ServersTransports.

use portway_model::{
    Cause, Position, Problem,
    dynamic::{self, Material},
};

use super::{Part, Translation, entry};
use crate::api::{Body, Kind, Object, RootAuthority, ServersTransport};

impl Translation<'_> {
    /// All ServersTransports, the oldest first.
    pub(super) fn servers_transports(&mut self) {
        for object in self.oldest_first(Kind::ServersTransport) {
            let Body::ServersTransport(body) = &object.body else { continue };
            let problems = self.keep_errors(object, &object.problems);
            let transport = self.servers_transport(object, body);
            let name = self.naming.object(&object.key.namespace, &object.key.name);
            let message = format!("the name `{name}` stands for another ServersTransport too");
            let conflict = Problem::error("metadata.name", message).about(Cause::Conflict);
            let made = entry(object, Position::default(), transport, problems);
            if let Some(first) = self.config.http.servers_transports.get_mut(&name) {
                first.problems.push(conflict.clone());
                self.diagnose(object, &conflict);
            } else {
                self.part(object, Part::Transport(name.clone()));
                self.config.http.servers_transports.insert(name, made);
            }
        }
    }

    fn servers_transport(
        &mut self,
        object: &Object,
        body: &ServersTransport,
    ) -> dynamic::ServersTransport {
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
            self.diagnose(object, &problem);
        }
        for (i, (name, at)) in body.certificates.iter().enumerate() {
            match self.key_pair(namespace, name) {
                Ok((_, certificate)) => transport.certificates.push(certificate),
                Err(reason) => {
                    let field = format!("spec.certificatesSecrets[{i}]");
                    let message = format!("Error while loading certificates {name}: {reason}");
                    let problem = Problem::error(field, message).at(*at);
                    self.diagnose(object, &problem.about(Cause::Reference));
                }
            }
        }
        transport
    }
}
