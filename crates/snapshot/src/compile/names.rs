//! The first pass: every object under its qualified name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portway_model::{
    Diagnostic, Entry, InternalService, Place, Problem,
    dynamic::{
        Certificate, Config, Middleware, Router, ServersTransport, Service, TlsOptions, TlsStore,
    },
    name::{INTERNAL, base, provider, qualify},
    nearest,
    runtime::{MiddlewareInfo, Runtime, ServiceInfo, Status},
};

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
    let mut default_stores: Vec<(&String, &Entry<TlsStore>)> = Vec::new();
    // A name is never taken for qualified: no provider may define another one's objects.
    let all = configs.iter().flat_map(|(provider, config)| {
        config.http.routers.keys().map(move |name| format!("{name}@{provider}"))
    });
    let written: BTreeSet<String> = all.collect();
    for (provider, config) in configs {
        let qualified = |name: &str| format!("{name}@{provider}");
        let http = &config.http;
        let routers = &mut objects.routers;
        for (name, entry) in &http.routers {
            split::by_entry_point(&qualified(name), entry, settings, &written, routers);
        }
        objects.services.extend(http.services.iter().map(|(n, entry)| (qualified(n), &**entry)));
        objects
            .middlewares
            .extend(http.middlewares.iter().map(|(n, entry)| (qualified(n), &**entry)));
        objects
            .transports
            .extend(http.servers_transports.iter().map(|(n, entry)| (qualified(n), &**entry)));
        objects.certificates.extend(config.tls.certificates.iter().cloned());
        for (name, entry) in &config.tls.options {
            if **name == *DEFAULT {
                default_options.push((provider, entry));
            } else {
                objects.tls_options.insert(qualified(name), (**entry).clone());
            }
        }
        for (name, entry) in &config.tls.stores {
            if **name == *DEFAULT {
                default_stores.push((provider, entry));
            } else {
                objects.tls_stores.insert(qualified(name), (**entry).clone());
            }
        }
        runtime.diagnostics.extend(config.diagnostics.iter().cloned());
    }
    // What is named `default` applies wherever nothing is named, whoever defines it; where several providers
    // do, none is used, as in Traefik, and nothing else stands in for it.
    objects.tls_options.extend(settle(&default_options));
    objects.tls_stores.extend(settle(&default_stores));
    list(&objects, settings, runtime);
    objects
}

/// The one object named `default`; disabled where there are several.
fn settle<T: Clone>(defined: &[(&String, &Entry<T>)]) -> Option<(String, Entry<T>)> {
    let (_, first) = defined.first()?;
    let mut chosen = (*first).clone();
    if defined.len() > 1 {
        let providers: Vec<_> = defined.iter().map(|(provider, _)| provider.as_str()).collect();
        let message =
            format!("is defined by {}; only one provider may define it", providers.join(" and "));
        chosen.problems.push(Problem::error("", message));
    }
    Some((DEFAULT.to_owned(), chosen))
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
        errors.push(located(problem, entry));
        let reached = if problem.is_error() { Status::Disabled } else { Status::Warning };
        *status = (*status).max(reached);
    }
}

/// Tells problems that no error of the API can carry.
pub(crate) fn report<'a, T>(
    runtime: &mut Runtime,
    object: &str,
    entry: &Entry<T>,
    problems: impl IntoIterator<Item = &'a Problem>,
) {
    runtime.diagnostics.extend(problems.into_iter().map(|problem| Diagnostic {
        severity: problem.severity,
        object: object.to_owned(),
        field: problem.field.clone(),
        message: problem.message.clone(),
        place: entry.place.clone(),
    }));
}

/// The problem, and the line where it was written where that is known.
fn located<T>(problem: &Problem, entry: &Entry<T>) -> String {
    let Some(place) = &entry.place else { return problem.to_string() };
    let line = if problem.at.line > 0 { problem.at.line } else { place.line };
    format!("{problem} ({})", Place { file: place.file.clone(), line })
}

/// Why what refers to a disabled object is closed; `None` where the object is not disabled. The object's own
/// errors say the same without its name.
pub(crate) fn disabled<T>(kind: &str, name: &str, entry: &Entry<T>) -> Option<String> {
    let problem = entry.first_error()?;
    Some(format!("{kind} \"{name}\": {}", located(problem, entry)))
}

/// `text` with the nearest of `known` names of the same provider, where one is near.
pub(crate) fn with_nearest<'a>(
    text: String,
    wanted: &str,
    known: impl Iterator<Item = &'a String>,
) -> String {
    // The search is for typing errors; where thousands of names are missing it must not hold up the rest.
    const MOST: usize = 1000;
    let of = provider(wanted);
    let fellows = known.filter(|name| provider(name) == of).map(|name| base(name)).take(MOST);
    match nearest(base(wanted), fellows) {
        Some(near) if of.is_empty() => format!("{text}; did you mean \"{near}\"?"),
        Some(near) => format!("{text}; did you mean \"{near}@{of}\"?"),
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
