//! Middlewares, and chains of them by name.

use std::sync::Arc;

use portway_middleware::{Middleware, Origin};
use portway_model::{
    Entry, Names, Problem,
    dynamic::{self, Chain},
    name::{provider, qualify},
    runtime::{MiddlewareInfo, Runtime, Status},
};

use crate::{
    Service,
    compile::{
        Carried, Configs, Environment, auth_server,
        names::{Objects, disabled, find, report, with_nearest},
    },
};

/// A middleware other than a chain: what it was made of, what it runs or why it cannot, and what it survived.
#[derive(Debug)]
pub(crate) struct Made {
    entry: Arc<Entry<dynamic::Middleware>>,
    pub(crate) result: Result<Arc<Middleware>, String>,
    /// The server of its own that it asks.
    server: Option<Arc<Service>>,
    warnings: Vec<Problem>,
}

/// What middlewares with servers of their own are made with.
#[derive(Clone, Copy)]
pub(crate) struct Outside<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) upstream: &'a portway_upstream::Carried,
}

/// Every middleware by its qualified name.
pub(crate) struct Middlewares<'a> {
    pub(crate) configs: &'a Configs,
    pub(crate) made: &'a Names<Made>,
    /// All names, those of chains too.
    pub(crate) listed: &'a Names<MiddlewareInfo>,
}

/// Compiles every middleware. Errors are noted with the middleware; what it survives is told as a
/// diagnostic, since it works.
pub(crate) fn compile(
    objects: &Objects<'_>,
    configs: &Configs,
    environment: &Environment,
    before: &Carried,
    carried: &mut Carried,
    runtime: &mut Runtime,
) {
    let mut made = Names::default();
    let outside = Outside { environment, upstream: &carried.upstream };
    let parts = Arc::make_mut(&mut carried.ties.parts);
    for (name, &entry) in &objects.middlewares {
        match &*entry.spec {
            dynamic::Middleware::Chain(chain) => {
                let members = chain.middlewares.iter();
                parts.extend(members.map(|member| qualify(member, provider(name))));
                continue;
            }
            dynamic::Middleware::Errors(errors) => {
                parts.insert(qualify(&errors.service, provider(name)));
            }
            _ => {}
        }
        let one = make(name, entry, before.middlewares.get(name), outside);
        if let (Err(reason), Some(info)) = (&one.result, runtime.middlewares.get_mut(name)) {
            tell(info, entry, reason);
        }
        insert(name, one, &mut made, &mut carried.ties.warned);
    }
    let middlewares = Middlewares { configs, made: &made, listed: &runtime.middlewares };
    let chains = objects.middlewares.iter().filter(|(name, _)| !made.contains_key(name));
    let broken = chains.filter_map(|(name, entry)| {
        let expanded = Walk::default().expand(&middlewares, name);
        expanded.err().map(|reason| (name, *entry, reason))
    });
    let broken: Vec<_> = broken.collect();
    carried.ties.broken |= !broken.is_empty();
    for (name, entry, reason) in broken {
        if let Some(info) = runtime.middlewares.get_mut(name) {
            tell(info, entry, &reason);
        }
    }
    carried.middlewares = made;
    tell_warnings(carried, runtime);
}

/// Whether a middleware refers to other objects.
pub(crate) fn refers(middleware: &dynamic::Middleware) -> bool {
    matches!(middleware, dynamic::Middleware::Chain(_) | dynamic::Middleware::Errors(_))
}

/// Puts a middleware under its name.
pub(crate) fn insert(name: &str, one: Made, made: &mut Names<Made>, warned: &mut Names<()>) {
    match one.warnings.is_empty() {
        true => drop(warned.remove(name)),
        false => warned.add(name),
    }
    made.insert(name, one);
}

/// Notes with a middleware why it cannot run. Its own problems are noted already.
pub(crate) fn tell(info: &mut MiddlewareInfo, entry: &Entry<dynamic::Middleware>, reason: &str) {
    if entry.is_disabled() {
        return;
    }
    if !info.errors.iter().any(|known| known == reason) {
        info.errors.push(reason.to_owned());
    }
    info.status = Status::Disabled;
}

/// Tells what middlewares survived.
pub(crate) fn tell_warnings(carried: &Carried, runtime: &mut Runtime) {
    for name in carried.ties.warned.keys() {
        let Some(one) = carried.middlewares.get(name) else { continue };
        report(runtime, &format!("middleware {name}"), &one.entry, &one.warnings);
    }
}

/// Makes a middleware, or takes over the one that was made of the same settings.
pub(crate) fn make(
    name: &str,
    entry: &Arc<Entry<dynamic::Middleware>>,
    before: Option<&Arc<Made>>,
    outside: Outside<'_>,
) -> Made {
    let entry = Arc::clone(entry);
    if let Some(reason) = disabled("middleware", name, &entry) {
        return Made { entry, result: Err(reason), server: None, warnings: Vec::new() };
    }
    if let Some(before) = before
        && let Ok(middleware) = &before.result
        && before.entry.spec == entry.spec
    {
        let (result, server) = (Ok(Arc::clone(middleware)), before.server.clone());
        return Made { entry, result, server, warnings: before.warnings.clone() };
    }
    let mut problems = Vec::new();
    let Outside { environment, upstream } = outside;
    let origin = Origin { name, authorities: &environment.native_roots };
    let mut compiled = Middleware::compile(&entry.spec, &origin, &mut problems);
    let mut server = None;
    if let dynamic::Middleware::ForwardAuth(config) = &*entry.spec
        && let Some(Middleware::ForwardAuth(auth)) = &compiled
    {
        server = auth_server::compile(name, config, auth, environment, upstream, &mut problems);
        compiled = compiled.filter(|_| server.is_some());
    }
    let result = compiled.map(Arc::new).ok_or_else(|| Problem::errors(&problems));
    problems.retain(|problem| !problem.is_error());
    Made { entry, result, server, warnings: problems }
}

/// A middleware that a router or a service runs.
pub(crate) struct Member {
    pub(crate) middleware: Arc<Middleware>,
    pub(crate) aside: Option<Aside>,
}

/// What a middleware asks besides what follows it.
pub(crate) enum Aside {
    /// A service, by its qualified name.
    Named(String),
    /// A server of its own.
    Own(Arc<Service>),
}

impl Member {
    /// The qualified name of the service that it asks besides what follows it.
    pub(crate) fn named_aside(&self) -> Option<&str> {
        match &self.aside {
            Some(Aside::Named(service)) => Some(service),
            _ => None,
        }
    }
}

impl Middlewares<'_> {
    /// The middlewares that the router or service `of` runs for the names it lists; `kind` tells the state that it has
    /// in them from that of others of its name.
    ///
    /// # Errors
    /// With the reason of the first that is missing or broken.
    pub(crate) fn chain(
        &self,
        names: &[String],
        of: &str,
        kind: &str,
    ) -> Result<Vec<Member>, String> {
        let mut walk = Walk { user: Some(format!("{kind}{of}")), ..Walk::default() };
        for name in names {
            walk.expand(self, &qualify(name, provider(of)))?;
        }
        Ok(walk.chain)
    }
}

/// Middlewares that one router runs at most, chains expanded; chains of chains grow without bound.
const MAX_STEPS: usize = 1000;
/// Wrappers that one router runs at most: each is inside those before it.
const MAX_WRAPPERS: usize = 32;
/// Chains inside one another at most.
const MAX_DEPTH: usize = 32;

/// The expansion of names into the middlewares that run.
#[derive(Default)]
struct Walk {
    /// Who is to run them, and has a state of its own in some.
    user: Option<String>,
    /// Those of which it has one.
    shared: Vec<Arc<Middleware>>,
    /// The names being expanded, outermost first.
    path: Vec<String>,
    steps: usize,
    wrappers: usize,
    chain: Vec<Member>,
}

impl Walk {
    fn expand(&mut self, middlewares: &Middlewares<'_>, name: &str) -> Result<(), String> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(format!("more than {MAX_STEPS} middlewares after expanding chains"));
        }
        if let Some(made) = middlewares.made.get(name) {
            return self.push(name, made);
        }
        let entry = find(name, middlewares.configs, |config| &config.http.middlewares);
        let Some(entry) = entry else {
            let text = format!("middleware \"{name}\" does not exist");
            return Err(with_nearest(text, name, middlewares.listed.keys()));
        };
        if let Some(reason) = disabled("middleware", name, entry) {
            return Err(reason);
        }
        match &*entry.spec {
            dynamic::Middleware::Chain(chain) => self.expand_members(middlewares, name, chain),
            _ => Err(format!("middleware \"{name}\" was not built")),
        }
    }

    fn push(&mut self, name: &str, made: &Made) -> Result<(), String> {
        let middleware = made.result.clone()?;
        self.wrappers += usize::from(middleware.is_wrapper());
        if self.wrappers > MAX_WRAPPERS {
            let kind = middleware.kind();
            return Err(format!(
                "more than {MAX_WRAPPERS} middlewares such as `{kind}` around one another"
            ));
        }
        let same = |other: &&Arc<Middleware>| Arc::ptr_eq(other, &middleware);
        let number = self.shared.iter().filter(same).count();
        let named = middleware.aside().map(|service| qualify(service, provider(name)));
        let aside = named.map(Aside::Named).or_else(|| made.server.clone().map(Aside::Own));
        let user = self.user.as_deref();
        let middleware = match user.and_then(|user| middleware.of_router(user, number)) {
            Some(own) => {
                self.shared.push(middleware);
                Arc::new(own)
            }
            None => middleware,
        };
        self.chain.push(Member { middleware, aside });
        Ok(())
    }

    fn expand_members(
        &mut self,
        middlewares: &Middlewares<'_>,
        name: &str,
        chain: &Chain,
    ) -> Result<(), String> {
        let recursive = self.path.iter().any(|open| open == name);
        self.path.push(name.to_owned());
        if recursive {
            let circle: Vec<_> = self.path.iter().map(|n| format!("middleware:{n}")).collect();
            return Err(format!(
                "could not instantiate middleware {name}: recursion detected in {}",
                circle.join("->")
            ));
        }
        if self.path.len() > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} chains are inside one another"));
        }
        for member in &chain.middlewares {
            self.expand(middlewares, &qualify(member, provider(name)))?;
        }
        self.path.pop();
        Ok(())
    }
}
