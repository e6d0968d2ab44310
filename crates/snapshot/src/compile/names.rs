//! The first pass: every object under its qualified name.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{
    Cause, Diagnostic, Entry, InternalService, Names, Place, Problem,
    dynamic::{
        Certificate, Config, Middleware, ServersTransport, Service, Sticky, TlsOptions, TlsStore,
        WeightedService,
    },
    name::{INTERNAL, base, provider, qualify},
    nearest,
    runtime::{MiddlewareInfo, Runtime, ServiceInfo, Status},
};

use portway_upstream::cookie_name;

use crate::{Settings, compile::Configs};

/// Every object but routers under its qualified name.
#[derive(Debug, Default)]
pub(crate) struct Objects<'a> {
    pub(crate) services: BTreeMap<String, &'a Arc<Entry<Service>>>,
    pub(crate) middlewares: BTreeMap<String, &'a Arc<Entry<Middleware>>>,
    pub(crate) transports: BTreeMap<String, &'a Entry<ServersTransport>>,
    pub(crate) certificates: Vec<Entry<Certificate>>,
    pub(crate) tls_options: BTreeMap<String, Entry<TlsOptions>>,
    pub(crate) tls_stores: BTreeMap<String, Entry<TlsStore>>,
}

/// Qualifies all names, and lists every service and middleware.
pub(crate) fn resolve<'a>(
    configs: &'a Configs,
    settings: &Settings,
    runtime: &mut Runtime,
) -> Objects<'a> {
    let mut objects = Objects::default();
    for (provider, config) in configs {
        // A name is never taken for qualified: no provider may define another one's objects.
        let qualified = |name: &str| format!("{name}@{provider}");
        let http = &config.http;
        objects.services.extend(http.services.iter().map(|(n, entry)| (qualified(n), entry)));
        let middlewares = http.middlewares.iter();
        objects.middlewares.extend(middlewares.map(|(n, entry)| (qualified(n), entry)));
    }
    rest(&mut objects, configs, runtime);
    list(&objects, settings, runtime);
    objects
}

/// Adds what is few: transports, certificates, TLS options and stores; and what sources complain of.
pub(crate) fn rest<'a>(objects: &mut Objects<'a>, configs: &'a Configs, runtime: &mut Runtime) {
    let mut default_options: Vec<(&String, &Entry<TlsOptions>)> = Vec::new();
    let mut default_stores: Vec<(&String, &Entry<TlsStore>)> = Vec::new();
    for (provider, config) in configs {
        let qualified = |name: &str| format!("{name}@{provider}");
        let http = &config.http;
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
}

/// The object of a qualified name.
pub(crate) fn find<'a, T>(
    name: &str,
    configs: &'a Configs,
    objects: impl Fn(&'a Config) -> &'a Names<Entry<T>>,
) -> Option<&'a Arc<Entry<T>>> {
    objects(configs.get(provider(name))?).get(base(name))
}

/// The one object named `default`; disabled where there are several.
fn settle<T: Clone>(defined: &[(&String, &Entry<T>)]) -> Option<(String, Entry<T>)> {
    let (_, first) = defined.first()?;
    let mut chosen = (*first).clone();
    if defined.len() > 1 {
        let providers: Vec<_> = defined.iter().map(|(provider, _)| provider.as_str()).collect();
        let message =
            format!("is defined by {}; only one provider may define it", providers.join(" and "));
        chosen.problems.push(Problem::error("", message).about(Cause::Conflict));
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
        runtime.services.insert(name.as_str(), listed_service(name, entry));
    }
    for (name, entry) in &objects.middlewares {
        runtime.middlewares.insert(name.as_str(), listed_middleware(entry));
    }
}

/// A service with its own problems.
pub(crate) fn listed_service(name: &str, entry: &Entry<Service>) -> ServiceInfo {
    let mut info = ServiceInfo { service: Arc::clone(&entry.spec), ..ServiceInfo::default() };
    fill(name, &mut info.service);
    note(&mut info.errors, &mut info.status, entry);
    info
}

/// A middleware with its own problems.
pub(crate) fn listed_middleware(entry: &Entry<Middleware>) -> MiddlewareInfo {
    let mut info =
        MiddlewareInfo { middleware: Arc::clone(&entry.spec), ..MiddlewareInfo::default() };
    note(&mut info.errors, &mut info.status, entry);
    info
}

/// Fills in what the API shows: shares that nobody wrote, the transport's qualified name, and the cookie's name.
fn fill(name: &str, service: &mut Arc<Service>) {
    let shows_more = match &**service {
        Service::Weighted(_) | Service::HighestRandomWeight(_) => true,
        Service::LoadBalancer(balancer) => {
            !balancer.servers_transport.is_empty() || balancer.sticky.is_some()
        }
        _ => false,
    };
    if !shows_more {
        return;
    }
    let fill_sticky = |sticky: &mut Option<Box<Sticky>>| {
        if let Some(cookie) = sticky.as_mut().and_then(|sticky| sticky.cookie.as_mut()) {
            cookie.name = cookie_name(cookie, name);
        }
    };
    let fill_weights = |children: &mut Vec<WeightedService>| {
        for child in children {
            child.weight.get_or_insert(1);
        }
    };
    match Arc::make_mut(service) {
        Service::Weighted(weighted) => {
            fill_weights(&mut weighted.services);
            fill_sticky(&mut weighted.sticky);
        }
        Service::HighestRandomWeight(hrw) => fill_weights(&mut hrw.services),
        Service::LoadBalancer(balancer) => {
            if !balancer.servers_transport.is_empty() {
                balancer.servers_transport = qualify(&balancer.servers_transport, provider(name));
            }
            fill_sticky(&mut balancer.sticky);
        }
        _ => {}
    }
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
    known: impl Iterator<Item = &'a str>,
) -> String {
    // The search is for typing errors; where thousands of names are missing it must not hold up the rest.
    const MOST: usize = 1000;
    let of = provider(wanted);
    let fellows = known.filter(|name| provider(name) == of).map(base).take(MOST);
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
