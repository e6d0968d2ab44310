//! Routers by what their entry points add to them.

use std::{collections::BTreeSet, sync::Arc};

use portway_model::{
    Entry, Problem,
    dynamic::{Observability, Router, TraceVerbosity},
    name::{provider, qualify},
    nearest,
};

use crate::{EntryPointSettings, Settings};

/// What becomes of one router.
pub(crate) struct Split {
    /// By name.
    pub(crate) routers: Vec<Part>,
    /// Whether a copy could not have its name, because another router has it.
    pub(crate) renamed: bool,
}

/// A router as it is on some of its entry points.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) entry: Entry<Router>,
    /// Its choice of records, filled in.
    pub(crate) observability: Observability,
}

/// What becomes of the router `name`, with the rule's syntax and records filled in.
///
/// As in Traefik: on an entry point that adds something of its own the router becomes a copy with that
/// added; when it has several entry points the copy is named `<entry point>-<name>`, and the rest keeps the
/// name. `taken` says which names other routers have: a copy never takes the place of another router.
pub(crate) fn by_entry_point(
    name: &str,
    entry: &Entry<Router>,
    settings: &Settings,
    taken: impl Fn(&str) -> bool,
) -> Split {
    let mut routers: Vec<Part> = Vec::with_capacity(1);
    let mut renamed = false;
    let mut rest = entry.clone();
    if rest.spec.rule_syntax.is_empty()
        && let Some(syntax) = settings.default_rule_syntax
    {
        rest.spec_mut().rule_syntax = syntax.to_string();
    }
    if !entry.spec.parent_refs.is_empty() {
        return Split { routers: vec![child(name, rest)], renamed: false };
    }
    let names = entry_points(entry, settings);
    let mut left = Vec::with_capacity(names.len());
    let several = names.len() > 1;
    let mut seen = BTreeSet::new();
    for entry_point in names {
        let known = settings.entry_points.iter().find(|known| *known.name == *entry_point);
        match known.filter(|known| adds(known, settings)) {
            None => left.push(entry_point),
            Some(_) if !seen.insert(entry_point.clone()) => {}
            Some(model) => {
                let mut copy = Entry { spec: Arc::new(on(model, &rest.spec)), ..rest.clone() };
                let mut copy_name = name.to_owned();
                if several {
                    copy_name = format!("{entry_point}-{name}");
                    let taken =
                        |name: &str| taken(name) || routers.iter().any(|part| part.name == name);
                    if taken(&copy_name) {
                        let free = free(&entry_point, &copy_name, taken);
                        let message = format!(
                            "its copy for entry point \"{entry_point}\" is named {free}: there is \
                             another router {copy_name}"
                        );
                        copy.problems.push(Problem::warning("", message));
                        copy_name = free;
                        renamed = true;
                    }
                }
                let observability = filled(&rest.spec, Some(model));
                routers.push(Part { name: copy_name, entry: copy, observability });
            }
        }
    }
    // Without an entry point there is nothing left of the original, unless there never was one.
    if !left.is_empty() || seen.is_empty() {
        let known =
            settings.entry_points.iter().find(|e| left.iter().any(|name| *e.name == **name));
        let observability = filled(&rest.spec, known);
        // What `asked` gives by itself is not written into every router: there may be very many.
        if asked(&rest.spec, settings) != left {
            rest.spec_mut().entry_points = left;
        }
        routers.push(Part { name: name.to_owned(), entry: rest, observability });
    }
    Split { routers, renamed }
}

/// A router beneath others: it has the entry points of its parents, and none of its own add to it.
fn child(name: &str, mut entry: Entry<Router>) -> Part {
    let observability = match entry.spec.entry_points.is_empty() {
        true => entry.spec.observability.clone().unwrap_or_default(),
        false => filled(&entry.spec, None),
    };
    for parent in &mut entry.spec_mut().parent_refs {
        *parent = qualify(parent, provider(name));
    }
    Part { name: name.to_owned(), entry, observability }
}

/// `name` with the entry point before it as often as it takes until nobody else has that name.
pub(crate) fn free(entry_point: &str, name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut free = name.to_owned();
    while taken(&free) {
        free = format!("{entry_point}-{free}");
    }
    free
}

/// The entry points that a router goes to: those that it asks for, or where they could not be read, all: the
/// router is closed, and its claim must not be missing anywhere.
fn entry_points(entry: &Entry<Router>, settings: &Settings) -> Vec<String> {
    if unread(entry, "entryPoints") {
        return settings.entry_points.iter().map(|e| e.name.to_string()).collect();
    }
    asked(&entry.spec, settings).into_iter().map(str::to_owned).collect()
}

/// The entry points that a router names, or those for routers that name none.
pub(crate) fn asked<'a>(router: &'a Router, settings: &'a Settings) -> Vec<&'a str> {
    match router.entry_points.as_slice() {
        [] => settings.entry_points.iter().filter(|e| e.is_default).map(|e| &*e.name).collect(),
        named => named.iter().map(String::as_str).collect(),
    }
}

/// Whether an error is about the router's field `wanted`, or about a field that reads like it misspelt: what
/// the user meant by it is then unknown.
pub(crate) fn unread(entry: &Entry<Router>, wanted: &str) -> bool {
    const FIELDS: [&str; 9] = [
        "entryPoints",
        "middlewares",
        "service",
        "rule",
        "parentRefs",
        "ruleSyntax",
        "priority",
        "tls",
        "observability",
    ];
    entry.problems.iter().filter(|problem| problem.is_error()).any(|problem| {
        // In a Kubernetes object the router's fields stand in `spec` or in one of its `routes`, or are
        // annotations: `traefik.ingress.kubernetes.io/router.entrypoints`.
        let (_, field) = problem.field.rsplit_once('/').unwrap_or(("", &problem.field));
        let outer = |part: &str| part == "spec" || part == "router" || part.starts_with("routes[");
        let field = field.split('.').find(|part| !outer(part));
        let field = field.and_then(|field| field.split('[').next()).unwrap_or_default();
        nearest(field, FIELDS) == Some(wanted)
    })
}

/// Whether routers on the entry point differ from what their providers wrote.
fn adds(entry_point: &EntryPointSettings, settings: &Settings) -> bool {
    !entry_point.middlewares.is_empty()
        || entry_point.tls.is_some()
        || entry_point.observability.is_some()
        || entry_point.encoded_characters
        || settings.default_rule_syntax.is_some()
}

fn on(entry_point: &EntryPointSettings, router: &Router) -> Router {
    let mut middlewares = entry_point.middlewares.clone();
    middlewares.extend(router.middlewares.iter().cloned());
    Router {
        entry_points: vec![entry_point.name.to_string()],
        middlewares,
        tls: router.tls.clone().or_else(|| entry_point.tls.clone().map(Box::new)),
        ..router.clone()
    }
}

/// The router's choice of records, filled in from its entry point and then from Traefik's defaults.
fn filled(router: &Router, entry_point: Option<&EntryPointSettings>) -> Observability {
    let own = router.observability.clone().unwrap_or_default();
    let default = entry_point.and_then(|e| e.observability.clone()).unwrap_or_default();
    let pick = |own: Option<bool>, default: Option<bool>| Some(own.or(default).unwrap_or(true));
    Observability {
        access_logs: pick(own.access_logs, default.access_logs),
        metrics: pick(own.metrics, default.metrics),
        tracing: pick(own.tracing, default.tracing),
        trace_verbosity: own
            .trace_verbosity
            .or(default.trace_verbosity)
            .or(Some(TraceVerbosity::Minimal)),
        metadata: own.metadata,
    }
}
