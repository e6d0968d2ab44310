//! Routers: rules, chains and targets.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portway_middleware::Chain;
use portway_model::{
    Entry, InternalService,
    dynamic::{Middleware, Router},
    internal::UNSERVED_INTERNAL_SERVICES,
    name::{INTERNAL, base, provider, qualify},
    runtime::{MiddlewareInfo, RouterInfo, Runtime, Status},
};
use portway_rule::{Rule, Syntax, default_priority, parse};

use crate::{
    Settings, Target,
    compile::{
        Carried,
        middlewares::Middlewares,
        names::{DEFAULT, Objects, note, with_nearest},
        services::Built,
        split::unread,
    },
};

/// The highest priority that users may give. Traefik keeps the rest for its internal routers.
const MAX_USER_PRIORITY: i64 = i64::MAX - 1000;

/// What earlier passes produced.
pub(crate) struct Parts<'a> {
    pub(crate) services: &'a BTreeMap<String, Built>,
    pub(crate) middlewares: &'a Middlewares<'a>,
}

/// A router whose rule could be read: it has a claim, whatever else is wrong with it.
pub(crate) struct Claim {
    pub(crate) name: Arc<str>,
    pub(crate) created: Option<String>,
    pub(crate) priority: i64,
    pub(crate) rule: Arc<Rule>,
    pub(crate) router: Router,
    pub(crate) using: Vec<String>,
    /// What it runs; `None` closes it.
    pub(crate) run: Option<(Chain, Target)>,
    /// Its TLS settings could not be read: it claims requests of both kinds and has no say in the choice of
    /// options.
    pub(crate) tls_unread: bool,
}

/// Compiles every router and notes errors.
pub(crate) fn compile(
    objects: &Objects<'_>,
    settings: &Settings,
    parts: &Parts<'_>,
    before: &Carried,
    carried: &mut Carried,
    runtime: &mut Runtime,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (name, entry) in &objects.routers {
        let mut info = RouterInfo { router: shown(name, &entry.spec), ..RouterInfo::default() };
        refer(name, &info.router, runtime);
        note(&mut info.errors, &mut info.status, entry);
        let mut builder = Builder { name, entry, settings, parts, info: &mut info };
        claims.extend(builder.claim(before, carried));
        runtime.routers.insert(name.clone(), info);
    }
    claims
}

/// The router as the API shows it.
fn shown(name: &str, router: &Router) -> Router {
    let mut router = router.clone();
    for middleware in &mut router.middlewares {
        *middleware = qualify(middleware, provider(name));
    }
    router
}

/// Notes in services and middlewares that the router refers to them.
fn refer(name: &str, router: &Router, runtime: &mut Runtime) {
    let service = qualify(&router.service, provider(name));
    if service == InternalService::Whoami.name() {
        runtime.services.entry(service.clone()).or_default();
    }
    if let Some(info) = runtime.services.get_mut(&service) {
        info.used_by.push(name.to_owned());
    }
    let distinct: BTreeSet<_> = router.middlewares.iter().collect();
    for middleware in distinct {
        if let Some(info) = runtime.middlewares.get_mut(middleware) {
            info.used_by.push(name.to_owned());
            show_members(middleware, info);
        }
    }
}

/// A chain that a router uses shows its members' qualified names, as in Traefik.
fn show_members(name: &str, info: &mut MiddlewareInfo) {
    if let Middleware::Chain(chain) = &mut info.middleware {
        for member in &mut chain.middlewares {
            *member = qualify(member, provider(name));
        }
    }
}

struct Builder<'a> {
    name: &'a str,
    entry: &'a Entry<Router>,
    settings: &'a Settings,
    parts: &'a Parts<'a>,
    info: &'a mut RouterInfo,
}

impl Builder<'_> {
    /// What the router claims; `None` where it has no entry point or its rule cannot be read.
    fn claim(&mut self, before: &Carried, carried: &mut Carried) -> Option<Claim> {
        self.entry_points();
        if self.info.using.is_empty() {
            return None;
        }
        let router = &self.entry.spec;
        let priority = self.priority();
        let rule = self.rule(before, carried)?;
        let disabled = self.info.status == Status::Disabled;
        let target = self.target();
        let chain = self.parts.middlewares.chain(&router.middlewares, self.name);
        let chain = chain.map_err(|reason| self.close(reason)).ok();
        let run = match (disabled, target, chain) {
            (false, Some(target), Some(chain)) => Some((Chain::new(chain), target)),
            _ => None,
        };
        if !router.parent_refs.is_empty() {
            // A child sees only what its parent lets through; alone it would claim too much.
            self.close("parentRefs: not served by this version of Portway yet".to_owned());
            return None;
        }
        Some(Claim {
            name: self.name.into(),
            created: self.entry.created.clone(),
            priority,
            rule,
            router: self.info.router.clone(),
            using: self.info.using.clone(),
            run,
            tls_unread: unread(self.entry, "tls"),
        })
    }

    fn close(&mut self, reason: String) {
        self.info.status = Status::Disabled;
        // What a service says of itself the router may have said already.
        if !self.info.errors.iter().any(|known| reason.ends_with(known.as_str())) {
            self.info.errors.push(reason);
        }
    }

    fn entry_points(&mut self) {
        for name in &self.entry.spec.entry_points {
            if self.settings.entry_points.iter().any(|known| known.name == *name) {
                self.info.using.push(name.clone());
            } else {
                let known = self.settings.entry_points.iter().map(|known| &known.name);
                let text = format!("entryPoint \"{name}\" doesn't exist");
                self.info.errors.push(with_nearest(text, name, known));
                self.info.status = self.info.status.max(Status::Warning);
            }
        }
        self.info.using.sort();
        self.info.using.dedup();
        if self.info.using.is_empty() {
            self.close("no valid entryPoint for this router".to_owned());
        }
    }

    fn priority(&mut self) -> i64 {
        let written = self.entry.spec.priority;
        let priority = if written == 0 { default_priority(&self.entry.spec.rule) } else { written };
        self.info.router.priority = priority;
        if unread(self.entry, "priority") {
            // It may have been meant to go first: nothing less guarded may take its requests.
            return MAX_USER_PRIORITY;
        }
        if priority > MAX_USER_PRIORITY && provider(self.name) != INTERNAL {
            self.close(format!(
                "the router priority {priority} exceeds the max user-defined priority \
                 {MAX_USER_PRIORITY}"
            ));
            return MAX_USER_PRIORITY;
        }
        priority
    }

    fn rule(&mut self, before: &Carried, carried: &mut Carried) -> Option<Arc<Rule>> {
        let router = &self.entry.spec;
        let syntax = Syntax::of_router(&router.rule_syntax);
        let key = (syntax, router.rule.clone());
        if let Some(rule) = carried.rules.get(&key).or_else(|| before.rules.get(&key)) {
            let rule = Arc::clone(rule);
            carried.rules.insert(key, Arc::clone(&rule));
            return Some(rule);
        }
        if router.rule.is_empty() && self.entry.is_disabled() {
            // What could not be read has been said.
            return None;
        }
        match parse(&router.rule, syntax) {
            Ok(rule) => {
                let rule = Arc::new(rule);
                carried.rules.insert(key, Arc::clone(&rule));
                Some(rule)
            }
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
        let qualified = qualify(service, provider(self.name));
        if provider(&qualified) == INTERNAL {
            return self.internal(&qualified);
        }
        match self.parts.services.get(&qualified) {
            Some(Ok(service)) => Some(Target::Service(Arc::clone(service))),
            Some(Err(reason)) => {
                self.close(reason.clone());
                None
            }
            None => {
                let text = format!("the service \"{qualified}\" does not exist");
                let known = self.parts.services.keys();
                self.close(with_nearest(text, &qualified, known));
                None
            }
        }
    }

    fn internal(&mut self, qualified: &str) -> Option<Target> {
        let service = qualified.parse::<InternalService>();
        if let Ok(service) = service
            && self.settings.internal_services.contains(&service)
        {
            return Some(Target::Internal(service));
        }
        let known = service.is_ok() || UNSERVED_INTERNAL_SERVICES.contains(&qualified);
        self.close(match known {
            true => format!("{} is not enabled", base(qualified)),
            false => format!("unknown internal service {qualified}"),
        });
        None
    }
}

/// The qualified name of the TLS options that the router `of` asks for.
pub(crate) fn options_name(written: &str, of: &str) -> String {
    match written {
        "" | DEFAULT => DEFAULT.to_owned(),
        name => qualify(name, provider(of)),
    }
}
