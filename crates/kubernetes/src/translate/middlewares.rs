//! Middlewares: references become names, Secrets become users.

use std::sync::Arc;

use portway_model::{
    Cause, Position, Problem,
    dynamic::{self, BasicAuth, Chain, Unserved},
};

use super::{Translation, Whole, entry, services::Resolved};
use crate::api::{Key, Middleware, Object, ServiceReference};

impl Translation<'_> {
    /// A Middleware. One that cannot be built is kept with its errors.
    pub(super) fn middleware(&mut self, object: &Object, body: &Middleware) {
        let mut problems = self.keep_errors(&object.problems);
        let middleware = self.resolved(object, body, &mut problems);
        let name = self.naming.object(&object.key.namespace, &object.key.name);
        let entry = entry(object, Position::default(), middleware, problems);
        self.whole = Some((name.into(), Whole::Middleware(Arc::new(entry))));
    }

    /// The name of the service that makes the answers of `errors`. Traefik: `<middleware>-errorpage-service`.
    fn error_service(
        &mut self,
        object: &Object,
        reference: &ServiceReference,
        problems: &mut Vec<Problem>,
    ) -> String {
        match self.service(object, reference, false) {
            Ok(Resolved::Named(name)) => name,
            Ok(Resolved::Made { service, .. }) => {
                let Key { namespace, name, .. } = &object.key;
                let name = format!("{}-errorpage-service", self.naming.object(namespace, name));
                self.add_service(&name, object.key.to_string(), *service);
                name
            }
            Err(errors) => {
                problems.extend(errors);
                String::new()
            }
        }
    }

    fn resolved(
        &mut self,
        object: &Object,
        body: &Middleware,
        problems: &mut Vec<Problem>,
    ) -> dynamic::Middleware {
        match body {
            Middleware::Plain(middleware) => middleware.clone(),
            Middleware::Unreadable => dynamic::Middleware::Unreadable,
            Middleware::Chain(references) => {
                let path = "spec.chain.middlewares";
                let middlewares = self.middleware_names(object, references, path, problems);
                dynamic::Middleware::Chain(Chain { middlewares })
            }
            Middleware::Errors(settings, service) => {
                let mut settings = settings.clone();
                let service = self.error_service(object, service, problems);
                if let Some(settings) = settings.as_object_mut() {
                    settings.insert("service".to_owned(), service.into());
                }
                let kinds = Unserved::from([("errors".to_owned(), settings)]);
                dynamic::Middleware::Unserved(kinds)
            }
            Middleware::BasicAuth { settings, secret, secret_at } => {
                let mut settings = BasicAuth { users: Vec::new(), ..settings.clone() };
                if secret.is_empty() {
                    let message = "auth secret must be set";
                    problems.push(Problem::error("spec.basicAuth.secret", message).at(*secret_at));
                    return dynamic::Middleware::BasicAuth(settings);
                }
                match self.users(&object.key.namespace, secret) {
                    Ok(users) => settings.users = users,
                    Err(reason) => {
                        let problem = Problem::error("spec.basicAuth.secret", reason);
                        problems.push(problem.at(*secret_at).about(Cause::Reference));
                    }
                }
                dynamic::Middleware::BasicAuth(settings)
            }
        }
    }
}
