//! Middlewares, and chains of them by name.

use std::{collections::BTreeMap, sync::Arc};

use portway_middleware::Middleware;
use portway_model::{
    dynamic,
    name::{provider, qualify},
    runtime::{Runtime, Status},
};

use crate::compile::{
    Carried,
    names::{Objects, with_nearest},
};

/// Every middleware by its qualified name: what it runs, or why it cannot.
pub(crate) struct Middlewares<'a> {
    objects: &'a Objects<'a>,
    built: BTreeMap<String, Result<Arc<Middleware>, String>>,
}

/// Compiles every middleware and notes errors.
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
        let result = if let Some(problem) = entry.first_error() {
            Err(problem.to_string())
        } else {
            build(name, &entry.spec, before, carried)
        };
        built.insert(name.clone(), result);
    }
    let middlewares = Middlewares { objects, built };
    for (name, info) in &mut runtime.middlewares {
        if let Err(reason) = Walk::default().expand(&middlewares, name) {
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
    spec: &dynamic::Middleware,
    before: &Carried,
    carried: &mut Carried,
) -> Result<Arc<Middleware>, String> {
    let unchanged = before.middlewares.get(name).filter(|(known, _)| known == spec);
    let middleware = match unchanged {
        Some((_, middleware)) => Arc::clone(middleware),
        None => {
            let mut problems = Vec::new();
            let compiled = Middleware::compile(spec, &mut problems);
            let text = || problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            Arc::new(compiled.ok_or_else(text)?)
        }
    };
    carried.middlewares.insert(name.to_owned(), (spec.clone(), Arc::clone(&middleware)));
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
        let recursive = self.path.iter().any(|open| open == name);
        self.path.push(name.to_owned());
        if recursive {
            let cycle: Vec<_> = self.path.iter().map(|n| format!("middleware:{n}")).collect();
            return Err(format!(
                "could not instantiate middleware {name}: recursion detected in {}",
                cycle.join("->")
            ));
        }
        match &entry.spec {
            dynamic::Middleware::Chain(members) => {
                if let Some(problem) = entry.first_error() {
                    return Err(problem.to_string());
                }
                for member in &members.middlewares {
                    self.expand(middlewares, &qualify(member, provider(name)))?;
                }
            }
            _ => match middlewares.built.get(name) {
                Some(Ok(middleware)) => self.chain.push(Arc::clone(middleware)),
                Some(Err(reason)) => return Err(reason.clone()),
                None => return Err(format!("middleware \"{name}\" was not built")),
            },
        }
        self.path.pop();
        Ok(())
    }
}
