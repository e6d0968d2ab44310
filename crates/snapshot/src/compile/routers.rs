//! Routers: rules, chains and targets.

use std::sync::Arc;

use portway_model::{
    Entry, Names, Problem,
    dynamic::Router,
    name::{INTERNAL, provider, qualify},
    runtime::{RouterInfo, Runtime, Status},
};
use portway_rule::{Rule, Syntax, default_priority, parse};

use crate::{
    Route, Settings, Snapshot, Steps, Target, Timeouts,
    compile::{
        Carried, Configs,
        middlewares::Middlewares,
        names::{DEFAULT, find, note, report, with_nearest},
        services::{self, Built},
        split::{self, Part, asked, unread},
        users::refer,
    },
    snapshot::Order,
};

/// The highest priority that users may give. Traefik keeps the rest for its internal routers.
const MAX_USER_PRIORITY: i64 = i64::MAX - 1000;

/// What earlier passes produced.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) services: &'a Names<Built>,
    pub(crate) middlewares: &'a Middlewares<'a>,
}

/// A router whose rule could be read: it has a claim, whatever else is wrong with it.
pub(crate) struct Claim {
    pub(crate) order: Order,
    pub(crate) rule: Arc<Rule>,
    /// The numbers of its entry points.
    pub(crate) using: Box<[usize]>,
    /// What it runs; `None` closes it.
    pub(crate) run: Option<Steps>,
    /// The qualified name of its service.
    pub(crate) service: Arc<str>,
    pub(crate) access_log: bool,
    pub(crate) timeouts: Timeouts,
    /// The qualified name of its TLS options, where it has TLS.
    pub(crate) tls: Option<String>,
    /// Its TLS settings could not be read: it claims requests of both kinds.
    pub(crate) tls_unread: bool,
    /// Its provider made it closed, so that it has no say in the choice of TLS options: what is broken must not weigh
    /// on what works. Traefik has no such router.
    pub(crate) is_silent: bool,
}

/// What a router came from, and its place in the tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placed {
    /// The qualified name that the router was written under; copies for entry points have names of their own.
    pub(crate) written: Arc<str>,
    pub(crate) rule: Option<Arc<Rule>>,
    pub(crate) using: Box<[usize]>,
    pub(crate) plain: Option<Arc<Route>>,
    pub(crate) secure: Option<Arc<Route>>,
}

/// Compiles every router and notes errors.
pub(crate) fn compile(
    configs: &Configs,
    settings: &Settings,
    before: &Snapshot,
    carried: &mut Carried,
    runtime: &mut Runtime,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (provider, config) in configs {
        for (name, entry) in &config.http.routers {
            let written: Arc<str> = format!("{name}@{provider}").into();
            note_resolver(&written, entry, carried);
            let taken =
                |name: &str| is_written(name, configs) || runtime.routers.contains_key(name);
            let split = split::by_entry_point(&written, entry, settings, taken);
            carried.ties.entangled |= split.renamed;
            for part in split.routers {
                claims.extend(one(&written, part, settings, before, carried, runtime));
            }
        }
    }
    claims
}

/// Whether a router of this qualified name was written.
pub(crate) fn is_written(name: &str, configs: &Configs) -> bool {
    find(name, configs, |config| &config.http.routers).is_some()
}

/// Notes that a router asks a resolver for certificates.
pub(crate) fn note_resolver(written: &Arc<str>, entry: &Entry<Router>, carried: &mut Carried) {
    if resolver(&entry.spec).is_some() {
        carried.ties.resolving.add(Arc::clone(written));
    }
}

/// Tells of resolvers that are asked for certificates: there are none. Not an error of the router, as in Traefik.
pub(crate) fn tell_resolvers(carried: &Carried, runtime: &mut Runtime) {
    for name in carried.ties.resolving.keys() {
        let entry = find(name, &carried.configs, |config| &config.http.routers);
        let Some((entry, resolver)) = entry.and_then(|e| Some((e, resolver(&e.spec)?))) else {
            continue;
        };
        let message = format!(
            "nonexistent certificate resolver \"{resolver}\": ACME is not served here; certificates \
             come from tls.certificates, tls.stores and Secrets"
        );
        let problem = Problem::warning("tls.certResolver", message);
        report(runtime, &format!("router {name}"), entry, [&problem]);
    }
}

/// The resolver that a router asks for certificates.
fn resolver(router: &Router) -> Option<&str> {
    let resolver = router.tls.as_ref()?.cert_resolver.as_str();
    (!resolver.is_empty()).then_some(resolver)
}

/// Compiles one router, lists it, and notes that it came from the router `written`.
pub(crate) fn one(
    written: &Arc<str>,
    part: Part,
    settings: &Settings,
    before: &Snapshot,
    carried: &mut Carried,
    runtime: &mut Runtime,
) -> Option<Claim> {
    let Part { name, entry, observability } = part;
    let name: Arc<str> = if *name == **written { Arc::clone(written) } else { name.into() };
    let middlewares = entry.spec.middlewares.iter();
    let middlewares = middlewares.map(|middleware| middleware_name(middleware, &name, runtime));
    let mut info = RouterInfo {
        written: Arc::clone(written),
        router: Arc::clone(&entry.spec),
        middlewares: middlewares.collect(),
        observability,
        ..RouterInfo::default()
    };
    note(&mut info.errors, &mut info.status, &entry);
    let (made, listed) = (&carried.middlewares, &runtime.middlewares);
    let configs = &carried.configs;
    let middlewares = Middlewares { configs, made, listed };
    let parts = Parts { settings, services: &carried.services, middlewares: &middlewares };
    let known = known_rule(&name, &entry.spec, before);
    let claim = Builder { name: &name, entry: &entry, parts, info: &mut info }.claim(known);
    if info.status == Status::Disabled {
        carried.ties.closed.add(Arc::clone(&name));
    }
    let rule = claim.as_ref().map(|claim| Arc::clone(&claim.rule));
    let written = Arc::clone(written);
    carried.routers.insert(Arc::clone(&name), Placed { written, rule, ..Placed::default() });
    runtime.routers.insert(Arc::clone(&name), info.clone());
    refer(&name, &info, runtime);
    claim
}

/// The rule that the router had before, where it reads the same.
fn known_rule(name: &str, router: &Router, before: &Snapshot) -> Option<Arc<Rule>> {
    let info = before.runtime.routers.get(name)?;
    let same = info.router.rule == router.rule && info.router.rule_syntax == router.rule_syntax;
    before.carried.routers.get(name)?.rule.clone().filter(|_| same)
}

/// The qualified name of a middleware of the router `of`, as it is kept already where the middleware exists.
fn middleware_name(written: &str, of: &str, runtime: &Runtime) -> Arc<str> {
    let qualified = qualify(written, provider(of));
    let known = runtime.middlewares.get_key_value(&qualified);
    known.map_or_else(|| qualified.into(), |(name, _)| Arc::clone(name))
}

struct Builder<'a> {
    name: &'a Arc<str>,
    entry: &'a Entry<Router>,
    parts: Parts<'a>,
    info: &'a mut RouterInfo,
}

impl Builder<'_> {
    /// What the router claims; `None` where it has no entry point or its rule cannot be read.
    fn claim(&mut self, known: Option<Arc<Rule>>) -> Option<Claim> {
        let router = &self.entry.spec;
        if !router.parent_refs.is_empty() {
            // A child sees only what its parent lets through; alone it would claim too much.
            self.priority();
            if !router.entry_points.is_empty() {
                self.entry_points();
                self.close("non-root router cannot have Entrypoints configuration".to_owned());
            }
            self.close("parentRefs: not served by this version of Portway yet".to_owned());
            return None;
        }
        self.entry_points();
        if self.info.using.is_empty() {
            return None;
        }
        let priority = self.priority();
        let rule = self.rule(known)?;
        let disabled = self.info.status == Status::Disabled;
        let target = self.target();
        let is_closed = disabled || target.is_none();
        let chain = self.parts.middlewares.chain(&router.middlewares, self.name, "");
        let target = target.unwrap_or_default();
        let steps = chain.and_then(|chain| Steps::new(chain, target, |service| self.find(service)));
        let steps = steps.map_err(|reason| self.close(reason)).ok();
        let run = steps.filter(|_| !is_closed);
        let numbers = self.parts.settings.entry_points.iter().enumerate();
        let using = numbers.filter(|(_, e)| self.info.using.contains(&e.name)).map(|(n, _)| n);
        Some(Claim {
            order: Order::new(self.name, priority, self.entry),
            rule,
            using: using.collect(),
            run,
            service: self.service(),
            access_log: self.info.observability.access_logs.unwrap_or(true),
            timeouts: Timeouts::of(router.timeouts.as_deref()),
            tls: router.tls.as_ref().map(|tls| options_name(&tls.options, self.name)),
            tls_unread: unread(self.entry, "tls"),
            is_silent: self.entry.is_disabled(),
        })
    }

    /// The qualified name of the service, empty where there is none.
    fn service(&self) -> Arc<str> {
        let written = &self.entry.spec.service;
        if written.is_empty() {
            return Arc::default();
        }
        let qualified = qualify(written, provider(self.name));
        let known = self.parts.services.get_key_value(&qualified);
        known.map_or_else(|| qualified.into(), |(name, _)| Arc::clone(name))
    }

    fn close(&mut self, reason: String) {
        self.info.status = Status::Disabled;
        // What a service says of itself the router may have said already.
        if !self.info.errors.iter().any(|known| reason.ends_with(known.as_str())) {
            self.info.errors.push(reason);
        }
    }

    fn entry_points(&mut self) {
        let names = asked(&self.entry.spec, self.parts.settings);
        let mut using = Vec::with_capacity(names.len());
        for name in names {
            let all = self.parts.settings.entry_points.iter();
            if let Some(known) = all.clone().find(|known| *known.name == *name) {
                using.push(Arc::clone(&known.name));
            } else {
                let known = all.map(|known| &*known.name);
                let text = format!("entryPoint \"{name}\" doesn't exist");
                self.info.errors.push(with_nearest(text, name, known));
                self.info.status = self.info.status.max(Status::Warning);
            }
        }
        using.sort();
        using.dedup();
        self.info.using = using.into();
        if self.info.using.is_empty() {
            self.info.stopped = true;
            self.close("no valid entryPoint for this router".to_owned());
        }
    }

    fn priority(&mut self) -> i64 {
        let written = self.entry.spec.priority;
        let priority = if written == 0 { default_priority(&self.entry.spec.rule) } else { written };
        self.info.priority = priority;
        if unread(self.entry, "priority") {
            // It may have been meant to go first: nothing less guarded may take its requests.
            return MAX_USER_PRIORITY;
        }
        if priority > MAX_USER_PRIORITY && provider(self.name) != INTERNAL {
            self.info.stopped = true;
            self.close(format!(
                "the router priority {priority} exceeds the max user-defined priority \
                 {MAX_USER_PRIORITY}"
            ));
            return MAX_USER_PRIORITY;
        }
        priority
    }

    fn rule(&mut self, known: Option<Arc<Rule>>) -> Option<Arc<Rule>> {
        if known.is_some() {
            return known;
        }
        let router = &self.entry.spec;
        if router.rule.is_empty() && self.entry.is_disabled() {
            // What could not be read has been said.
            return None;
        }
        match parse(&router.rule, Syntax::of_router(&router.rule_syntax)) {
            Ok(rule) => Some(Arc::new(rule)),
            Err(error) => {
                self.close(format!("error while parsing rule {}: {error}", router.rule));
                None
            }
        }
    }

    fn target(&mut self) -> Option<Target> {
        let service = &self.entry.spec.service;
        if service.is_empty() && unread(self.entry, "service") {
            return None;
        }
        if service.is_empty() {
            // Traefik's words, all of them.
            self.close("router has no service and no child routers".to_owned());
            self.close("router must have either a service or child routers".to_owned());
            return None;
        }
        let found = self.find(&qualify(service, provider(self.name)));
        found.map_err(|reason| self.close(reason)).ok()
    }

    /// A service by its qualified name, or why there is none.
    fn find(&self, qualified: &str) -> Result<Target, String> {
        if provider(qualified) == INTERNAL {
            return services::internal(qualified, self.parts.settings).map(Target::Service);
        }
        match self.parts.services.get(qualified).map(|built| &**built) {
            Some(Ok(service)) => Ok(Target::Service(Arc::clone(service))),
            Some(Err(reason)) => Err(reason.clone()),
            None => {
                let text = format!("the service \"{qualified}\" does not exist");
                Err(with_nearest(text, qualified, self.parts.services.keys()))
            }
        }
    }
}

/// The qualified name of the TLS options that the router `of` asks for.
pub(crate) fn options_name(written: &str, of: &str) -> String {
    match written {
        "" | DEFAULT => DEFAULT.to_owned(),
        name => qualify(name, provider(of)),
    }
}
