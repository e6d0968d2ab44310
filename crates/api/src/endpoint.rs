//! `api@internal`: which path asks for what.

use portway_model::{Names, runtime::Status};
use serde_json::{Map, Value, json};

use crate::{
    Answer, RequestView, View,
    answer::encode,
    dashboard,
    list::{self, Listed},
    query::{Query, unescape},
    represent::{Represent, described},
};

mod certificates;

/// Answers a request to `api@internal`: API and, where enabled, dashboard.
pub(crate) fn answer(request: &RequestView<'_>, view: &View<'_>) -> Answer {
    let facts = view.facts;
    let path = if request.path.is_empty() { "/" } else { request.path };
    let Some(endpoint) = Endpoint::find(path, view) else { return Answer::not_found() };
    if request.method != "GET" {
        return Answer::empty(405);
    }
    let query = Query::parse(request.query);
    let runtime = view.runtime;
    match endpoint {
        Endpoint::Root => Answer::redirect(302, dashboard::address(request, facts)),
        Endpoint::Dashboard(file) => dashboard::answer(request, file),
        Endpoint::Version => version(view),
        Endpoint::Overview => Answer::json(&overview(view)),
        Endpoint::RawData => Answer::json(&raw_data(view)),
        Endpoint::Problems => problems(view, &query),
        Endpoint::EntryPoints(None) => entry_points(view, &query),
        Endpoint::EntryPoints(Some(name)) => entry_point(view, name),
        Endpoint::Objects(kind, None) => match kind {
            Kind::Routers => list::objects(&runtime.routers, &query),
            Kind::Services => list::objects(&runtime.services, &query),
            Kind::Middlewares => list::objects(&runtime.middlewares, &query),
        },
        Endpoint::Objects(kind, Some(name)) => match kind {
            Kind::Routers => one(&runtime.routers, kind, name),
            Kind::Services => one(&runtime.services, kind, name),
            Kind::Middlewares => one(&runtime.middlewares, kind, name),
        },
        Endpoint::Streams(_, None) => list::page(&[], &query, Value::clone),
        Endpoint::Streams(kind, Some(name)) => {
            with_name(name, |name| missing(kind.singular(), name))
        }
        Endpoint::Certificates(known, None) => certificates::list(known, &query),
        Endpoint::Certificates(known, Some(name)) => {
            with_name(name, |name| certificates::one(known, name))
        }
    }
}

/// What a path asks for.
enum Endpoint<'a> {
    /// The root, from where browsers are sent to the dashboard.
    Root,
    /// A file of the dashboard.
    Dashboard(&'a str),
    Version,
    Overview,
    RawData,
    Problems,
    EntryPoints(Option<&'a str>),
    /// HTTP objects.
    Objects(Kind, Option<&'a str>),
    /// TCP and UDP objects, of which there are none.
    Streams(Kind, Option<&'a str>),
    Certificates(&'a [Value], Option<&'a str>),
}

/// A kind of object.
#[derive(Clone, Copy)]
enum Kind {
    Routers,
    Services,
    Middlewares,
}

impl Kind {
    fn singular(self) -> &'static str {
        match self {
            Self::Routers => "router",
            Self::Services => "service",
            Self::Middlewares => "middleware",
        }
    }

    fn plural(name: &str) -> Option<Self> {
        match name {
            "routers" => Some(Self::Routers),
            "services" => Some(Self::Services),
            "middlewares" => Some(Self::Middlewares),
            _ => None,
        }
    }
}

impl<'a> Endpoint<'a> {
    /// What a path asks for; `None` when it means nothing.
    fn find(path: &'a str, view: &View<'a>) -> Option<Self> {
        let base = view.facts.base();
        if view.facts.dashboard {
            if path == if view.facts.base_path.is_empty() { "/" } else { &view.facts.base_path } {
                return Some(Self::Root);
            }
            if let Some(file) = path.strip_prefix(base)?.strip_prefix("/dashboard/") {
                return Some(Self::Dashboard(file));
            }
        }
        let rest = path.strip_prefix(base)?.strip_prefix("/api/")?;
        let mut segments = rest.split('/');
        let words = (segments.next(), segments.next(), segments.next(), segments.next());
        // A name of no letters is no name: `/api/http/routers/` means nothing.
        match words {
            (_, _, _, Some(_)) | (_, Some(""), _, _) | (_, _, Some(""), _) => None,
            (Some("version"), None, ..) => Some(Self::Version),
            (Some("overview"), None, ..) => Some(Self::Overview),
            (Some("rawdata"), None, ..) => Some(Self::RawData),
            (Some("problems"), None, ..) => Some(Self::Problems),
            (Some("entrypoints"), name, None, _) => Some(Self::EntryPoints(name)),
            (Some("certificates"), name, None, _) => {
                view.certificates.map(|known| Self::Certificates(known, name))
            }
            (Some("http"), Some(kind), name, _) => Some(Self::Objects(Kind::plural(kind)?, name)),
            (Some("tcp"), Some(kind), name, _) => Some(Self::Streams(Kind::plural(kind)?, name)),
            (Some("udp"), Some(kind), name, _) if kind != "middlewares" => {
                Some(Self::Streams(Kind::plural(kind)?, name))
            }
            _ => None,
        }
    }
}

/// Decodes a name out of a path.
fn with_name(name: &str, answer: impl FnOnce(&str) -> Answer) -> Answer {
    match unescape(name) {
        Some(name) => answer(&name),
        None => Answer::error(400, "unable to decode the name: broken percent escape"),
    }
}

fn missing(kind: &str, name: &str) -> Answer {
    Answer::error(404, format!("{kind} not found: {name}"))
}

fn one<T: Listed>(all: &Names<T>, kind: Kind, name: &str) -> Answer {
    with_name(name, |name| match all.get(name) {
        Some(object) => Answer::json(&described(name, &**object)),
        None => missing(kind.singular(), name),
    })
}

fn version(view: &View<'_>) -> Answer {
    let facts = view.facts;
    let mut fields = Map::new();
    fields.insert("Version".to_owned(), facts.version.as_str().into());
    fields.insert("Codename".to_owned(), facts.codename.as_str().into());
    fields.insert("startDate".to_owned(), facts.start_date.as_str().into());
    if let Some(uuid) = &facts.uuid {
        fields.insert("uuid".to_owned(), uuid.as_str().into());
    }
    if facts.disable_dashboard_ad {
        fields.insert("disableDashboardAd".to_owned(), true.into());
    }
    if !facts.dashboard_name.is_empty() {
        fields.insert("dashboardName".to_owned(), facts.dashboard_name.as_str().into());
    }
    // Traefik answers this one without a final newline and with a charset.
    let text = encode(&Value::Object(fields));
    Answer::body("application/json; charset=UTF-8", text.into_bytes())
}

fn overview(view: &View<'_>) -> Value {
    let runtime = view.runtime;
    let none = || json!({"total": 0, "warnings": 0, "errors": 0});
    let certificates = view.certificates.unwrap_or_default();
    json!({
        "http": {
            "routers": count(runtime.routers.values().map(|object| object.status())),
            "services": count(runtime.services.values().map(|object| object.status())),
            "middlewares": count(runtime.middlewares.values().map(|object| object.status())),
        },
        "tcp": {"routers": none(), "services": none(), "middlewares": none()},
        "udp": {"routers": none(), "services": none()},
        "certificates": count(certificates.iter().map(certificates::status)),
        "features": {
            "tracing": view.facts.features.tracing,
            "metrics": view.facts.features.metrics,
            "accessLog": view.facts.features.access_log,
        },
        "providers": view.facts.providers,
    })
}

fn count(statuses: impl Iterator<Item = Status>) -> Value {
    let (mut total, mut warnings, mut errors) = (0_u64, 0_u64, 0_u64);
    for status in statuses {
        total += 1;
        match status {
            Status::Enabled => {}
            Status::Warning => warnings += 1,
            Status::Disabled => errors += 1,
        }
    }
    json!({"total": total, "warnings": warnings, "errors": errors})
}

fn raw_data(view: &View<'_>) -> Value {
    fn all<T: Represent>(objects: &Names<T>) -> Map<String, Value> {
        objects.iter().map(|(name, object)| (name.to_string(), object.raw().into())).collect()
    }
    let runtime = view.runtime;
    let maps = [
        ("routers", all(&runtime.routers)),
        ("middlewares", all(&runtime.middlewares)),
        ("services", all(&runtime.services)),
    ];
    let filled = maps.into_iter().filter(|(_, map)| !map.is_empty());
    filled.map(|(kind, map)| (kind.to_owned(), Value::Object(map))).collect::<Map<_, _>>().into()
}

/// Portway's own: what is wrong with sources and carried by no object.
///
/// Each is `{severity: "warning"|"error", object, field, message, place?: {file, line}}`; paged as the
/// other lists are, `search` looks into object, message and file.
fn problems(view: &View<'_>, query: &Query<'_>) -> Answer {
    let search = query.value("search").to_lowercase();
    let kept: Vec<_> = view
        .runtime
        .diagnostics
        .iter()
        .filter(|problem| {
            let file = problem.place.as_ref().map_or("", |place| &place.file);
            list::contains(&[&problem.object, &problem.message, file], &search)
        })
        .collect();
    list::page(&kept, query, |problem| json!(problem))
}

fn entry_points(view: &View<'_>, query: &Query<'_>) -> Answer {
    let all: Vec<_> = view.entry_points.iter().collect();
    list::page(&all, query, |(name, entry_point)| with_its_name(name, entry_point))
}

fn entry_point(view: &View<'_>, name: &str) -> Answer {
    with_name(name, |name| match view.entry_points.get(name) {
        Some(entry_point) => Answer::json(&with_its_name(name, entry_point)),
        None => missing("entry point", name),
    })
}

fn with_its_name(name: &str, entry_point: &Value) -> Value {
    let mut shown = entry_point.clone();
    if let Value::Object(fields) = &mut shown {
        fields.insert("name".to_owned(), name.into());
    }
    shown
}
