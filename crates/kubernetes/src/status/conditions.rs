//! Conditions: what became of an object of Traefik's kinds, for its status.
//!
//! `Accepted` says whether the object can be read, `ResolvedRefs` whether what it names exists and may be used,
//! `Conflicted` whether something else stands in its way, and `Programmed` whether all that it asks for is live. Their
//! meaning is that of the conditions of the Gateway API.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use portway_model::{
    Cause, Entry, InternalService, Problem,
    name::{INTERNAL, provider, qualify},
    runtime::{Runtime, Status},
};
use portway_rule::{Syntax, parse};
use serde::Serialize;

mod shadowed;

use shadowed::shadowed;

use crate::{
    Index, PROVIDER,
    api::{Key, Record},
    translate::{Part, Said, Translated},
};

/// Problems that a message names; how many more there are is said.
const NAMED: usize = 5;

/// A condition. Kubernetes: `metav1.Condition`, without its times.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Its name.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `True` or `False`.
    pub status: &'static str,
    /// The generation of the object that it was told of.
    pub observed_generation: i64,
    /// Why, in one word.
    pub reason: &'static str,
    /// Why, in full; may be empty.
    pub message: String,
}

/// What became of an object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The object.
    pub key: Key,
    /// Its identity, its generation, and the conditions that it has.
    pub record: Record,
    /// What its conditions should be.
    pub conditions: Vec<Condition>,
}

impl Report {
    /// Whether the object's status says something else.
    pub fn is_due(&self) -> bool {
        let mut hasher = DefaultHasher::new();
        for condition in &self.conditions {
            let Condition { kind, status, observed_generation, reason, message } = condition;
            (*kind, *status, *observed_generation, *reason, message.as_str()).hash(&mut hasher);
        }
        hasher.finish() != self.record.conditions
    }
}

/// What became of all objects, where `runtime` is what is live of a translation of `index`.
pub fn reports<'a>(
    index: &'a Index,
    translated: &'a Translated,
    runtime: &'a Runtime,
) -> impl Iterator<Item = Report> + 'a {
    let mut shadowed = shadowed(index, translated, runtime);
    translated.objects.iter().filter_map(move |(key, said)| {
        let record = index.exactly(key)?.record.clone();
        let mut faults = Faults::of(said, translated, runtime);
        faults.conflicts.extend(shadowed.remove(&**key).into_iter().flatten());
        let conditions = faults.conditions(record.generation);
        Some(Report { key: Key::clone(key), record, conditions })
    })
}

/// What is wrong with an object, by what it is about.
#[derive(Default)]
struct Faults {
    values: BTreeSet<String>,
    references: BTreeSet<String>,
    conflicts: BTreeSet<String>,
    unserved: BTreeSet<String>,
    warnings: BTreeSet<String>,
    /// Why something is not live, and the first that is not for this reason.
    closed: BTreeMap<String, String>,
}

impl Faults {
    fn of(said: &Said, translated: &Translated, runtime: &Runtime) -> Self {
        let mut faults = Self::default();
        said.told.iter().for_each(|problem| faults.note(problem));
        let http = &translated.config.http;
        let tls = &translated.config.tls;
        for part in &said.parts {
            match part {
                Part::Router(name) => {
                    faults.entry(http.routers.get(name));
                    faults.router(name, runtime);
                }
                Part::Service(name) => {
                    faults.entry(http.services.get(name));
                    if let Some(info) = runtime.services.get(&qualify(name, PROVIDER)) {
                        faults.live("service", name, info.status, &info.errors);
                    }
                }
                Part::Middleware(name) => {
                    faults.entry(http.middlewares.get(name));
                    if let Some(info) = runtime.middlewares.get(&qualify(name, PROVIDER)) {
                        faults.live("middleware", name, info.status, &info.errors);
                    }
                }
                Part::Transport(name) => faults.entry(http.servers_transports.get(name)),
                Part::Options(name) => faults.entry(tls.options.get(name)),
                Part::Store(name) => faults.entry(tls.stores.get(name)),
            }
        }
        faults
    }

    fn note(&mut self, problem: &Problem) {
        let set = match problem.cause {
            Cause::Conflict => &mut self.conflicts,
            _ if !problem.is_error() => &mut self.warnings,
            Cause::Value => &mut self.values,
            Cause::Reference => &mut self.references,
            Cause::Unserved => &mut self.unserved,
        };
        set.insert(problem.to_string());
    }

    fn entry<T>(&mut self, entry: Option<&Arc<Entry<T>>>) {
        entry.into_iter().flat_map(|entry| &entry.problems).for_each(|problem| self.note(problem));
    }

    fn router(&mut self, name: &str, runtime: &Runtime) {
        let Some(info) = runtime.routers.get(&qualify(name, PROVIDER)) else {
            self.closed.entry("is not live".to_owned()).or_insert(format!("router {name}"));
            return;
        };
        let middlewares =
            info.middlewares.iter().map(|name| (&**name, runtime.middlewares.contains_key(name)));
        let service = qualify(&info.router.service, PROVIDER);
        let known = match provider(&service) {
            INTERNAL => service.parse::<InternalService>().is_ok(),
            _ => runtime.services.contains_key(&service) || info.router.service.is_empty(),
        };
        for (name, known) in middlewares.chain([(service.as_str(), known)]) {
            if !known {
                let quoted = format!("\"{name}\"");
                let told = info.errors.iter().find(|error| error.contains(&quoted));
                let told = told.cloned().unwrap_or_else(|| format!("{quoted} does not exist"));
                self.references.insert(told);
            }
        }
        if info.status == Status::Disabled
            && let Err(error) =
                parse(&info.router.rule, Syntax::of_router(&info.router.rule_syntax))
        {
            self.values.insert(format!("match: {error}"));
        }
        self.live("router", name, info.status, &info.errors);
    }

    fn live(&mut self, kind: &str, name: &str, status: Status, errors: &[String]) {
        if status == Status::Disabled {
            let reason = errors.first().cloned().unwrap_or_default();
            self.closed.entry(reason).or_insert_with(|| format!("{kind} {name}"));
        }
    }

    fn conditions(&self, observed_generation: i64) -> Vec<Condition> {
        let condition = |kind, (holds, reason, message): (bool, &'static str, String)| Condition {
            kind,
            status: if holds { "True" } else { "False" },
            observed_generation,
            reason,
            message,
        };
        vec![
            condition("Accepted", self.accepted()),
            condition("ResolvedRefs", self.resolved()),
            condition("Conflicted", self.conflicted()),
            condition("Programmed", self.programmed()),
        ]
    }

    fn accepted(&self) -> (bool, &'static str, String) {
        if !self.values.is_empty() {
            (false, "Invalid", message(&self.values))
        } else if !self.unserved.is_empty() {
            (false, "Unsupported", message(&self.unserved))
        } else {
            (true, "Accepted", message(&self.warnings))
        }
    }

    fn resolved(&self) -> (bool, &'static str, String) {
        match self.references.is_empty() {
            true => (true, "ResolvedRefs", String::new()),
            false => (false, "InvalidReference", message(&self.references)),
        }
    }

    fn conflicted(&self) -> (bool, &'static str, String) {
        match self.conflicts.is_empty() {
            true => (false, "NoConflicts", String::new()),
            false => (true, "Conflict", message(&self.conflicts)),
        }
    }

    fn programmed(&self) -> (bool, &'static str, String) {
        let unready = [&self.values, &self.unserved, &self.references];
        if !self.closed.is_empty() {
            let closed = self.closed.iter().map(|(reason, what)| format!("{what}: {reason}"));
            (false, "Closed", message(&closed.collect()))
        } else if let Some(reasons) = unready.into_iter().find(|reasons| !reasons.is_empty()) {
            (false, "Incomplete", message(reasons))
        } else {
            (true, "Programmed", String::new())
        }
    }
}

/// The first of several reasons, and how many more there are.
fn message(reasons: &BTreeSet<String>) -> String {
    let named: Vec<_> = reasons.iter().take(NAMED).map(String::as_str).collect();
    let more = reasons.len().saturating_sub(NAMED);
    let named = named.join("; ");
    if more > 0 { format!("{named}; and {more} more") } else { named }
}
