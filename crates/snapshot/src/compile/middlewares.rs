//! Middlewares, and chains of them by name.

use std::{collections::BTreeMap, sync::Arc};

use portway_middleware::Middleware;
use portway_model::{
    Entry, Problem,
    dynamic::{self, Chain},
    name::{provider, qualify},
    runtime::{Runtime, Status},
};

use crate::compile::{
    Carried, Kept,
    names::{Objects, disabled, report, with_nearest},
};

/// Every middleware by its qualified name: what it runs, or why it cannot.
pub(crate) struct Middlewares<'a> {
    objects: &'a Objects<'a>,
    built: BTreeMap<String, Result<Arc<Middleware>, String>>,
}

/// Compiles every middleware. Errors are noted with the middleware; what it survives is told as a
/// diagnostic, since it works.
pub(crate) fn compile<'a>(
    objects: &'a Objects<'a>,
    before: &Carried,
    carried: &mut Carried,
    runtime: &mut Runtime,
) -> Middlewares<'a> {
    let mut built = BTreeMap::new();
    for (name, entry) in &objects.middlewares {
        if matches!(entry.spec, dynamic::Middleware::Chain(_)) {
            continue;
        }
        let mut warnings = Vec::new();
        let result = build(name, entry, before, carried, &mut warnings);
        report(runtime, &format!("middleware {name}"), entry, &warnings);
        built.insert(name.clone(), result);
    }
    let middlewares = Middlewares { objects, built };
    for (name, info) in &mut runtime.middlewares {
        let is_disabled = objects.middlewares.get(name).is_some_and(|entry| entry.is_disabled());
        if !is_disabled && let Err(reason) = Walk::default().expand(&middlewares, name) {
            if !info.errors.contains(&reason) {
                info.errors.push(reason);
            }
            info.status = Status::Disabled;
        }
    }
    middlewares
}

fn build(
    name: &str,
    entry: &Entry<dynamic::Middleware>,
    before: &Carried,
    carried: &mut Carried,
    warnings: &mut Vec<Problem>,
) -> Result<Arc<Middleware>, String> {
    if let Some(reason) = disabled("middleware", name, entry) {
        return Err(reason);
    }
    let config = &entry.spec;
    let kept = match before.middlewares.get(name).filter(|kept| kept.config == *config) {
        Some(kept) => kept.clone(),
        None => {
            let mut problems = Vec::new();
            let compiled = Middleware::compile(config, &mut problems);
            let reason = Problem::errors(&problems);
            problems.retain(|problem| !problem.is_error());
            let Some(compiled) = compiled else {
                warnings.extend(problems);
                return Err(reason);
            };
            Kept { config: config.clone(), compiled: Arc::new(compiled), warnings: problems }
        }
    };
    warnings.extend(kept.warnings.iter().cloned());
    let middleware = Arc::clone(&kept.compiled);
    carried.middlewares.insert(name.to_owned(), kept);
    Ok(middleware)
}

impl Middlewares<'_> {
    /// The middlewares that the router `of` runs for the names it lists.
    ///
    /// # Errors
    /// With the reason of the first that is missing or broken.
    pub(crate) fn chain(&self, names: &[String], of: &str) -> Result<Vec<Arc<Middleware>>, String> {
        let mut walk = Walk::default();
        for name in names {
            walk.expand(self, &qualify(name, provider(of)))?;
        }
        Ok(walk.chain)
    }
}

/// Middlewares that one router runs at most, chains expanded; chains of chains grow without bound.
const MAX_STEPS: usize = 1000;
/// Chains inside one another at most.
const MAX_DEPTH: usize = 32;

/// The expansion of names into the middlewares that run.
#[derive(Default)]
struct Walk {
    /// The names being expanded, outermost first.
    path: Vec<String>,
    steps: usize,
    chain: Vec<Arc<Middleware>>,
}

impl Walk {
    fn expand(&mut self, middlewares: &Middlewares<'_>, name: &str) -> Result<(), String> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(format!("more than {MAX_STEPS} middlewares after expanding chains"));
        }
        let Some(entry) = middlewares.objects.middlewares.get(name) else {
            let text = format!("middleware \"{name}\" does not exist");
            return Err(with_nearest(text, name, middlewares.objects.middlewares.keys()));
        };
        match (&entry.spec, middlewares.built.get(name)) {
            (dynamic::Middleware::Chain(chain), _) => {
                if let Some(reason) = disabled("middleware", name, entry) {
                    return Err(reason);
                }
                self.expand_members(middlewares, name, chain)
            }
            (_, Some(Ok(middleware))) => {
                self.chain.push(Arc::clone(middleware));
                Ok(())
            }
            (_, Some(Err(reason))) => Err(reason.clone()),
            (_, None) => Err(format!("middleware \"{name}\" was not built")),
        }
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
