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
    dynamic::Service,
    name::{INTERNAL, provider},
    nearest,
    runtime::{RouterInfo, Runtime, Status},
};
use portway_rule::{Syntax, parse};
use serde::Serialize;

mod live;
mod parts;
mod shadowed;

use live::Live;
use parts::{of_certificate, of_options, of_store, of_transport};
use shadowed::shadowed;

use crate::{
    Index,
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

/// What became of all objects, where `runtime` is what is live of a translation of `index` by a provider.
pub fn reports<'a>(
    provider: &'static str,
    index: &'a Index,
    translated: &'a Translated,
    runtime: &'a Runtime,
) -> impl Iterator<Item = Report> + 'a {
    let live = Live::new(runtime, provider);
    let mut shadowed = shadowed(index, translated, &live);
    translated.objects.iter().filter_map(move |(key, said)| {
        let record = index.exactly(key)?.record.clone();
        let mut faults = Faults::of(said, translated, &live);
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
    fn of(said: &Said, translated: &Translated, live: &Live<'_>) -> Self {
        let mut faults = Self::default();
        said.told.iter().for_each(|problem| faults.note(problem));
        let http = &translated.config.http;
        let tls = &translated.config.tls;
        for part in &said.parts {
            match part {
                Part::Router(name) => {
                    faults.entry(http.routers.get(name));
                    faults.routers(name, live);
                }
                Part::Service(name) => {
                    faults.entry(http.services.get(name));
                    faults.service(name, live);
                }
                Part::Middleware(name) => {
                    faults.entry(http.middlewares.get(name));
                    if let Some(info) = live.runtime.middlewares.get(&live.qualified(name)) {
                        faults.live("middleware", name, info.status, &info.errors);
                    }
                }
                Part::Transport(name) => {
                    let entry = http.servers_transports.get(name);
                    faults.entry(entry);
                    let found = live.found(|found| &found.transports, name);
                    found.for_each(|problem| faults.note(&of_transport(problem)));
                }
                Part::Options(name) => {
                    faults.entry(tls.options.get(name));
                    let found = live.found(|found| &found.options, name);
                    found.for_each(|problem| faults.note(&of_options(problem)));
                }
                Part::Store(name) => {
                    faults.entry(tls.stores.get(name));
                    let found = live.found(|found| &found.stores, name);
                    found.for_each(|problem| faults.note(&of_store(problem)));
                }
                Part::Certificate(secret) => {
                    let found = live.certificate(secret);
                    found.for_each(|problem| faults.note(&of_certificate(secret, problem)));
                }
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

    /// What became of a router, on all entry points.
    fn routers(&mut self, name: &str, live: &Live<'_>) {
        let mut known = live.routers(name).peekable();
        if known.peek().is_none() {
            self.closed.entry("is not live".to_owned()).or_insert(format!("router {name}"));
        }
        for info in known {
            self.router(name, info, live);
        }
    }

    fn router(&mut self, name: &str, info: &RouterInfo, live: &Live<'_>) {
        let runtime = live.runtime;
        let middlewares =
            info.middlewares.iter().map(|name| (&**name, runtime.middlewares.contains_key(name)));
        let service = live.qualified(&info.router.service);
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
        let Some(problem) = &info.tls else {
            self.live("router", name, info.status, &info.errors);
            return;
        };
        match problem.cause {
            Cause::Conflict => drop(self.conflicts.insert(problem.to_string())),
            Cause::Reference => drop(self.references.insert(problem.to_string())),
            Cause::Value | Cause::Unserved => {}
        }
        match problem.is_error() {
            true => self.live("router", name, info.status, &[problem.to_string()]),
            false => self.live("router", name, info.status, &info.errors),
        }
    }

    fn service(&mut self, name: &str, live: &Live<'_>) {
        let Some(info) = live.runtime.services.get(&live.qualified(name)) else { return };
        let transport = match &*info.service {
            Service::LoadBalancer(balancer) => balancer.servers_transport.as_str(),
            _ => "",
        };
        let is_known = transport.is_empty()
            || provider(transport) == INTERNAL
            || live.runtime.found.transports.contains_key(transport);
        if !is_known {
            let known = live.runtime.found.transports.keys().map(String::as_str);
            let near = nearest(transport, known.filter(|known| !known.is_empty()));
            let hint = near.map(|near| format!("; did you mean \"{near}\"?"));
            let hint = hint.unwrap_or_default();
            self.references.insert(format!("servers transport not found {transport}{hint}"));
        }
        self.live("service", name, info.status, &info.errors);
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
