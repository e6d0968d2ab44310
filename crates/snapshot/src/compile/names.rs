//! The first pass: every object under its qualified name.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{
    Diagnostic, Entry, InternalService, Problem, Severity,
    dynamic::{
        Certificate, Config, Middleware, Router, ServersTransport, Service, TlsOptions, TlsStore,
    },
    name::{INTERNAL, provider, qualify},
    nearest,
    runtime::{MiddlewareInfo, Runtime, ServiceInfo, Status},
};
use sha2::{Digest, Sha256};

use crate::{Settings, compile::split};

/// Every object under its qualified name.
#[derive(Debug, Default)]
pub(crate) struct Objects<'a> {
    pub(crate) routers: BTreeMap<String, Entry<Router>>,
    pub(crate) services: BTreeMap<String, &'a Entry<Service>>,
    pub(crate) middlewares: BTreeMap<String, &'a Entry<Middleware>>,
    pub(crate) transports: BTreeMap<String, &'a Entry<ServersTransport>>,
    pub(crate) certificates: Vec<Entry<Certificate>>,
    pub(crate) tls_options: BTreeMap<String, Entry<TlsOptions>>,
    pub(crate) tls_stores: BTreeMap<String, Entry<TlsStore>>,
}

/// Qualifies all names, splits routers by their entry points' settings, and lists every object.
pub(crate) fn resolve<'a>(
    configs: &'a BTreeMap<String, Arc<Config>>,
    settings: &Settings,
    runtime: &mut Runtime,
) -> Objects<'a> {
    let mut objects = Objects::default();
    let mut default_options: Vec<(&String, &Entry<TlsOptions>)> = Vec::new();
    for (provider, config) in configs {
        let qualified = |name: &String| qualify(name, provider);
        let http = &config.http;
        for (name, entry) in &http.routers {
            split::by_entry_point(&qualified(name), entry, settings, &mut objects.routers);
        }
        objects.services.extend(http.services.iter().map(|(n, entry)| (qualified(n), entry)));
        objects.middlewares.extend(http.middlewares.iter().map(|(n, entry)| (qualified(n), entry)));
        objects
            .transports
            .extend(http.servers_transports.iter().map(|(n, entry)| (qualified(n), entry)));
        objects.certificates.extend(config.tls.certificates.iter().cloned());
        for (name, entry) in &config.tls.options {
            if name == DEFAULT {
                default_options.push((provider, entry));
            } else {
                objects.tls_options.insert(qualified(name), entry.clone());
            }
        }
        // Only the store `default` has a meaning, whoever defines it.
        objects.tls_stores.extend(config.tls.stores.iter().map(|(n, e)| (n.clone(), e.clone())));
        runtime.diagnostics.extend(config.diagnostics.iter().cloned());
    }
    settle_default_options(&default_options, &mut objects, runtime);
    list(&objects, settings, runtime);
    objects
}

/// Options named `default` apply to every router that names none, whoever defines them; where several
/// providers do, none is used, as in Traefik, and no other options stand in for them.
fn settle_default_options(
    defined: &[(&String, &Entry<TlsOptions>)],
    objects: &mut Objects<'_>,
    runtime: &mut Runtime,
) {
    let mut chosen = match defined {
        [] => return,
        [(_, entry), ..] => (*entry).clone(),
    };
    if defined.len() > 1 {
        let providers: Vec<_> = defined.iter().map(|(provider, _)| provider.as_str()).collect();
        let message = format!("`default` TLS options are defined by {}", providers.join(" and "));
        runtime.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            object: "TLS options default".to_owned(),
            field: String::new(),
            message: message.clone(),
            place: None,
        });
        chosen.problems.push(Problem::error("", message));
    }
    objects.tls_options.insert(DEFAULT.to_owned(), chosen);
}

/// The name of the TLS options and of the store that apply where none is named.
pub(crate) const DEFAULT: &str = "default";

fn list(objects: &Objects<'_>, settings: &Settings, runtime: &mut Runtime) {
    // Portway's own service is listed where a router uses it, so that Traefik's lists stay what they are.
    let listed = settings.internal_services.iter().filter(|s| **s != InternalService::Whoami);
    for service in listed {
        runtime.services.insert(service.to_string(), ServiceInfo::default());
    }
    for (name, entry) in &objects.services {
        let service = filled(name, &entry.spec);
        let mut info = ServiceInfo { service, ..ServiceInfo::default() };
        note(&mut info.errors, &mut info.status, entry);
        runtime.services.insert(name.clone(), info);
    }
    for (name, entry) in &objects.middlewares {
        let mut info =
            MiddlewareInfo { middleware: entry.spec.clone(), ..MiddlewareInfo::default() };
        note(&mut info.errors, &mut info.status, entry);
        runtime.middlewares.insert(name.clone(), info);
    }
}

/// The service as the API shows it: shares that nobody wrote, and the transport's qualified name.
fn filled(name: &str, service: &Service) -> Service {
    let mut service = service.clone();
    match &mut service {
        Service::Weighted(weighted) => {
            for child in &mut weighted.services {
                child.weight.get_or_insert(1);
            }
        }
        Service::LoadBalancer(balancer) if !balancer.servers_transport.is_empty() => {
            balancer.servers_transport = qualify(&balancer.servers_transport, provider(name));
        }
        _ => {}
    }
    service
}

/// Takes an entry's problems over into an object's errors and status.
pub(crate) fn note<T>(errors: &mut Vec<String>, status: &mut Status, entry: &Entry<T>) {
    for problem in &entry.problems {
        errors.push(problem.to_string());
        let reached = match problem.severity {
            portway_model::Severity::Error => Status::Disabled,
            portway_model::Severity::Warning => Status::Warning,
        };
        *status = (*status).max(reached);
    }
}

/// `text` with the nearest of `known` names, where one is near.
pub(crate) fn with_nearest<'a>(
    text: String,
    wanted: &str,
    known: impl Iterator<Item = &'a String>,
) -> String {
    match nearest(wanted, known.map(String::as_str)) {
        Some(near) => format!("{text}; did you mean \"{near}\"?"),
        None => text,
    }
}

/// Where a provider's routers stand among those of equal priority. Traefik: `providers.precedence`.
pub(crate) fn precedence(name: &str) -> usize {
    const BEST_FIRST: [&str; 6] = [
        "kubernetesgateway",
        "kubernetescrd",
        "kubernetes",
        "kubernetesingressnginx",
        "file",
        INTERNAL,
    ];
    let provider = provider(name);
    BEST_FIRST.iter().position(|known| *known == provider).unwrap_or(BEST_FIRST.len())
}

/// A hash of everything that providers say; secrets only ever enter it as input.
pub(crate) fn hash(configs: &BTreeMap<String, Arc<Config>>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(format!("{configs:?}"));
    for config in configs.values() {
        for certificate in &config.tls.certificates {
            hasher.update(&certificate.spec.cert.content);
            hasher.update(&certificate.spec.key.content);
        }
        for entry in config.http.middlewares.values() {
            if let Middleware::BasicAuth(auth) = &entry.spec {
                hasher.update(auth.users.join("\n"));
                hasher.update(auth.users_of_file.join("\n"));
            }
        }
    }
    hasher.finalize().into()
}
