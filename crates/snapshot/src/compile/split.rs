//! Routers by what their entry points add to them.

use std::collections::BTreeMap;

use portway_model::{
    Entry,
    dynamic::{Observability, Router},
};
use portway_rule::Syntax;

use crate::{EntryPointSettings, Settings};

/// Adds the router `name` to `routers`, with entry points, rule syntax and records filled in.
///
/// As in Traefik: on an entry point with middlewares or TLS of its own the router becomes a copy with these
/// added; when it has several entry points the copy is named `<entry point>-<name>`, and the rest keeps the
/// name.
pub(crate) fn by_entry_point(
    name: &str,
    entry: &Entry<Router>,
    settings: &Settings,
    routers: &mut BTreeMap<String, Entry<Router>>,
) {
    let mut rest = entry.clone();
    let router = &mut rest.spec;
    if router.rule_syntax.is_empty()
        && let Some(syntax) = settings.default_rule_syntax
    {
        router.rule_syntax = if syntax == Syntax::V2 { "v2" } else { "v3" }.to_owned();
    }
    let names = match router.entry_points.as_slice() {
        [] => {
            settings.entry_points.iter().filter(|e| e.is_default).map(|e| e.name.clone()).collect()
        }
        _ => std::mem::take(&mut router.entry_points),
    };
    let several = names.len() > 1;
    for entry_point in names {
        let known = settings.entry_points.iter().find(|known| known.name == entry_point);
        match known.filter(|known| known.has_model()) {
            None => rest.spec.entry_points.push(entry_point),
            Some(model) => {
                let copy = Entry { spec: on(model, &rest.spec), ..rest.clone() };
                let name = if several { format!("{entry_point}-{name}") } else { name.to_owned() };
                routers.insert(name, copy);
            }
        }
    }
    // Without an entry point there is nothing left of the original, unless there never was one.
    if !rest.spec.entry_points.is_empty() || (!several && !routers.contains_key(name)) {
        let known = settings.entry_points.iter().find(|e| rest.spec.entry_points.contains(&e.name));
        rest.spec.observability = Some(filled(&rest.spec, known));
        routers.insert(name.to_owned(), rest);
    }
}

fn on(entry_point: &EntryPointSettings, router: &Router) -> Router {
    let mut middlewares = entry_point.middlewares.clone();
    middlewares.extend(router.middlewares.iter().cloned());
    Router {
        entry_points: vec![entry_point.name.clone()],
        middlewares,
        tls: router.tls.clone().or_else(|| entry_point.tls.clone()),
        observability: Some(filled(router, Some(entry_point))),
        ..router.clone()
    }
}

/// The router's choice of records, filled in from its entry point and then from Traefik's defaults.
fn filled(router: &Router, entry_point: Option<&EntryPointSettings>) -> Observability {
    let own = router.observability.clone().unwrap_or_default();
    let default = entry_point.map(|e| e.observability.clone()).unwrap_or_default();
    let pick = |own: Option<bool>, default: Option<bool>| Some(own.or(default).unwrap_or(true));
    let verbosity = [own.trace_verbosity, default.trace_verbosity, "minimal".to_owned()];
    Observability {
        access_logs: pick(own.access_logs, default.access_logs),
        metrics: pick(own.metrics, default.metrics),
        tracing: pick(own.tracing, default.tracing),
        trace_verbosity: verbosity.into_iter().find(|v| !v.is_empty()).unwrap_or_default(),
    }
}
