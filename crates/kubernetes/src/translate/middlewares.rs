//! Middlewares: references become names, Secrets become users.

use std::sync::Arc;

use portway_model::{
    Cause, Position, Problem,
    dynamic::{self, BasicAuth, Chain, ClientTls, Material, RateLimit},
};

use super::{Translation, Whole, entry, services::Resolved};
use crate::api::{Key, Middleware, Object, RedisSecrets, ServiceReference};

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

    /// The settings of `rateLimit` with what the Secrets of its Redis hold.
    fn with_secrets(
        &self,
        namespace: &str,
        settings: &RateLimit,
        secrets: &RedisSecrets,
        problems: &mut Vec<Problem>,
    ) -> RateLimit {
        let mut settings = settings.clone();
        let Some(redis) = &mut settings.redis else { return settings };
        let mut missing = |field: &str, reason: String, at: Position| {
            let field = format!("spec.rateLimit.redis.{field}");
            problems.push(Problem::error(field, reason).at(at).about(Cause::Reference));
        };
        let RedisSecrets { user: (user, user_at), authority, certificate } = secrets;
        if !user.is_empty() {
            match self.credentials(namespace, user) {
                Ok((username, password)) => (redis.username, redis.password) = (username, password),
                Err(reason) => missing("secret", reason, *user_at),
            }
        }
        if let Some(tls) = &mut redis.tls {
            self.client_tls(
                namespace,
                tls,
                (authority, certificate),
                false,
                |field, reason, at| {
                    missing(&format!("tls.{field}"), reason, at);
                },
            );
        }
        settings
    }

    /// Adds to settings of TLS what the Secrets of its authorities and its certificate hold; a `lenient` authority may
    /// be the only value of its Secret. Tells `missing` which field names nothing of use, why and where.
    fn client_tls(
        &self,
        namespace: &str,
        tls: &mut ClientTls,
        (authority, certificate): (&(String, Position), &(String, Position)),
        lenient: bool,
        mut missing: impl FnMut(&str, String, Position),
    ) {
        if let (name, at) = authority
            && !name.is_empty()
        {
            match self.authority(namespace, name, lenient) {
                Ok(material) => tls.ca = material,
                Err(reason) => {
                    missing("caSecret", format!("failed to load auth ca secret: {reason}"), *at);
                }
            }
        }
        if let (name, at) = certificate
            && !name.is_empty()
        {
            match self.key_pair(namespace, name) {
                Ok(pair) => (tls.cert, tls.key) = (Material::inline(pair.cert.content), pair.key),
                Err(reason) => {
                    missing("certSecret", format!("failed to load auth secret: {reason}"), *at);
                }
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
            Middleware::RateLimit(settings, secrets) => {
                let namespace = &object.key.namespace;
                let settings = self.with_secrets(namespace, settings, secrets, problems);
                dynamic::Middleware::RateLimit(settings)
            }
            Middleware::Chain(references) => {
                let path = "spec.chain.middlewares";
                let middlewares = self.middleware_names(object, references, path, problems);
                dynamic::Middleware::Chain(Chain { middlewares })
            }
            Middleware::Errors(settings, service) => {
                let service = self.error_service(object, service, problems);
                dynamic::Middleware::Errors(dynamic::Errors { service, ..settings.clone() })
            }
            Middleware::BasicAuth { settings, secret, secret_at } => {
                let users = |secret: &str| self.users(&object.key.namespace, secret);
                let settings =
                    with_users(settings, "basicAuth", secret, *secret_at, users, problems);
                dynamic::Middleware::BasicAuth(settings)
            }
            Middleware::DigestAuth { settings, secret, secret_at } => {
                let users = |secret: &str| self.digests(&object.key.namespace, secret);
                let settings =
                    with_users(settings, "digestAuth", secret, *secret_at, users, problems);
                dynamic::Middleware::DigestAuth(settings)
            }
            Middleware::ForwardAuth { settings, at, authority, certificate } => {
                if settings.address.is_empty() {
                    let message = "forward authentication requires an address";
                    problems.push(Problem::error("spec.forwardAuth.address", message).at(*at));
                }
                let mut settings = settings.clone();
                if let Some(tls) = &mut settings.tls {
                    let (namespace, secrets) = (&object.key.namespace, (authority, certificate));
                    self.client_tls(namespace, tls, secrets, true, |field, reason, at| {
                        let field = format!("spec.forwardAuth.tls.{field}");
                        let problem = Problem::error(field, reason).at(at);
                        problems.push(problem.about(Cause::Reference));
                    });
                }
                dynamic::Middleware::ForwardAuth(settings)
            }
        }
    }
}

/// The settings of a `kind` of authentication, with the users of its Secret.
fn with_users(
    settings: &BasicAuth,
    kind: &str,
    secret: &str,
    secret_at: Position,
    users: impl Fn(&str) -> Result<Vec<String>, String>,
    problems: &mut Vec<Problem>,
) -> BasicAuth {
    let field = format!("spec.{kind}.secret");
    let mut settings = BasicAuth { users: Vec::new(), ..settings.clone() };
    if secret.is_empty() {
        problems.push(Problem::error(field, "auth secret must be set").at(secret_at));
        return settings;
    }
    match users(secret) {
        Ok(users) => settings.users = users,
        Err(reason) => {
            problems.push(Problem::error(field, reason).at(secret_at).about(Cause::Reference));
        }
    }
    settings
}
