//! The API's JSON, field by field, for a configuration with everything in it, good and bad.

use std::fmt::Write as _;

use portway_testkit::client::Client;
use portway_testkit::process::Setup;
use portway_testkit::random::{Random, number_from_environment};
use serde_json::Value;

use super::combinations;
use super::pair::{Pair, Side};

const ROUTERS: &str = include_str!("api/routers.yml");

const PATHS: &[&str] = &[
    "/api/overview",
    "/api/entrypoints",
    "/api/entrypoints/web",
    "/api/entrypoints/nope",
    "/api/entrypoints?page=2&per_page=1",
    "/api/rawdata",
    "/api/http/routers",
    "/api/http/routers?per_page=1000",
    "/api/http/routers?per_page=1",
    "/api/http/routers?per_page=3&page=2",
    "/api/http/routers?per_page=1&page=1000",
    "/api/http/routers?page=0",
    "/api/http/routers?page=x",
    "/api/http/routers?page=-1",
    "/api/http/routers?page=",
    "/api/http/routers?per_page=0",
    "/api/http/routers?per_page=x",
    "/api/http/routers?search=prio",
    "/api/http/routers?search=PATHprefix(%60/n",
    "/api/http/routers?search=no-such-thing",
    "/api/http/routers?status=warning",
    "/api/http/routers?status=DISABLED",
    "/api/http/routers?status=nope",
    "/api/http/routers?serviceName=wsvc@file",
    "/api/http/routers?serviceName=wsvc",
    "/api/http/routers?serviceName=api@internal",
    "/api/http/routers?middlewareName=ch@file",
    "/api/http/routers?middlewareName=ch",
    "/api/http/routers?sortBy=nope&per_page=2",
    "/api/http/routers?sortBy=name&direction=nope",
    "/api/http/routers?search=p&status=enabled&sortBy=rule&direction=desc",
    "/api/http/routers/plain@file",
    "/api/http/routers/plain%40file",
    "/api/http/routers/plain",
    "/api/http/routers/nope@file",
    "/api/http/routers/",
    "/api/http/services?per_page=1000",
    "/api/http/services?search=WS",
    "/api/http/services?status=disabled",
    "/api/http/services/two@file",
    "/api/http/services/one",
    "/api/http/services/api@internal",
    "/api/http/middlewares?per_page=1000",
    "/api/http/middlewares?status=disabled",
    "/api/http/middlewares/ch@file",
    "/api/http/middlewares/nope",
    "/api/http/middlewares/redirect-redir-to-websecure@internal",
    "/api/http",
    "/api/",
    "/api",
    "/api/nope",
    "/api/tcp/routers",
    "/api/tcp/services",
    "/api/tcp/middlewares",
    "/api/udp/routers",
    "/api/udp/services",
    "/apifoo",
];

const SORTS: &[(&str, &[&str])] = &[
    (
        "routers",
        &["name", "provider", "priority", "status", "rule", "service", "entryPoints", "RULE"],
    ),
    ("services", &["name", "type", "servers", "provider", "status"]),
    ("middlewares", &["name", "type", "provider", "status"]),
];

#[test]
fn the_api_answers_as_traefik_does() {
    let Some(mut pair) = start() else { return };
    for path in PATHS {
        let texts = pair.sides.each_ref().map(|side| answer(side, path));
        pair.compare_texts(path, texts);
    }
    pair.finish();
}

#[test]
fn every_object_has_the_fields_that_traefik_gives_it() {
    let Some(mut pair) = start() else { return };
    compare_objects(&mut pair, answer);
    pair.finish();
}

/// `COMPAT_SEED` repeats a run.
#[test]
fn random_objects_are_shown_as_by_traefik() {
    let seed = number_from_environment("COMPAT_SEED", 0xA91);
    println!("COMPAT_SEED={seed}");
    let (configuration, _) = combinations::configuration(&mut Random::new(seed));
    let setup = Setup::web(&configuration).flag("--log.level=ERROR");
    let Some(mut pair) = Pair::start(&setup, 3) else { return };
    compare_objects(&mut pair, |side, path| {
        let text = answer(side, path);
        let lines = text.split_inclusive('\n').map(|line| match line.starts_with(".chain") {
            // Whether members of chains within chains are shown with their provider differs.
            true => line.replace("@file", ""),
            false => line.to_owned(),
        });
        lines.collect()
    });
    pair.finish();
}

fn compare_objects(pair: &mut Pair, answer: impl Fn(&Side, &str) -> String) {
    for kind in ["routers", "services", "middlewares"] {
        let (_, list) = pair.sides[1].api(&format!("/api/http/{kind}?per_page=1000"));
        for object in list.as_array().expect("a list") {
            let name = object["name"].as_str().expect("a name");
            let path = format!("/api/http/{kind}/{name}");
            let texts = pair.sides.each_ref().map(|side| answer(side, &path));
            pair.compare_texts(&path, texts);
        }
    }
}

#[test]
fn lists_are_sorted_as_traefik_sorts_them() {
    let Some(mut pair) = start() else { return };
    for (kind, keys) in SORTS {
        for key in *keys {
            for direction in ["asc", "desc"] {
                let path =
                    format!("/api/http/{kind}?per_page=1000&sortBy={key}&direction={direction}");
                let texts = pair.sides.each_ref().map(|side| {
                    let (_, list) = side.api(&path);
                    let names = list.as_array().into_iter().flatten();
                    names.map(|object| format!("{}\n", object["name"])).collect()
                });
                pair.compare_texts(&path, texts);
            }
        }
    }
    pair.finish();
}

#[test]
fn the_version_has_the_keys_of_traefik() {
    let Some(mut pair) = start() else { return };
    let texts = pair.sides.each_ref().map(|side| {
        let (response, value) = side.api("/api/version");
        let keys: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
        format!("{} {:?} {keys:?}\n", response.status, response.headers.value("Content-Type"))
    });
    pair.compare_texts("/api/version", texts);
    pair.finish();
}

#[test]
fn other_methods_are_refused_as_by_traefik() {
    let Some(mut pair) = start() else { return };
    for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FOO"] {
        for path in [
            "/api/version",
            "/api/overview",
            "/api/http/routers",
            "/api/rawdata",
            "/api/nope",
            "/ping",
        ] {
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n");
            let texts = pair.sides.each_ref().map(|side| {
                let address = side.process.address("traefik");
                let response = Client::connect(address).and_then(|mut client| client.ask(&request));
                let response = response.expect("an answer");
                let mut fields = response.headers.sorted();
                fields.retain(|(name, _)| name != "date");
                format!("{}\n{fields:?}\n{}\n", response.status, response.text())
            });
            pair.compare_texts(&format!("{method} {path}"), texts);
        }
    }
    pair.finish();
}

fn start() -> Option<Pair> {
    let setup = Setup::web(ROUTERS)
        .entry_point("websecure")
        .entry_point("mw")
        .entry_point("redir")
        .flag("--entryPoints.mw.http.middlewares=hd@file")
        .flag("--entryPoints.redir.http.redirections.entryPoint.to=websecure")
        .flag("--log.level=ERROR")
        .flag("--accessLog=true")
        .flag("--accessLog.filePath=@@folder@@/access.log");
    Pair::start(&setup, 2)
}

/// Status, the fields that matter, and the JSON as one line for each leaf.
fn answer(side: &Side, path: &str) -> String {
    let (response, value) = side.api(path);
    let mut text = format!("{}\n", response.status);
    for name in ["Content-Type", "X-Next-Page", "X-Content-Type-Options"] {
        let _ = writeln!(text, "{name}: {:?}", response.headers.value(name));
    }
    if value.is_null() {
        text.push_str(&response.text());
    } else {
        leaves(&mut text, "", &value);
    }
    text.push('\n');
    side.anonymous(&text)
}

/// Where secrets are.
const SECRETS: &[&str] =
    &[".redis.username", ".redis.password", "Headers.Authorization", "Headers.Cookie"];

/// One line for each leaf. What an error says is each program's own, that there is one is not;
/// hashes of passwords are shown by Traefik alone.
pub(crate) fn leaves(text: &mut String, path: &str, value: &Value) {
    match value {
        Value::Array(_)
            if path.ends_with(".error")
                || path.ends_with(".basicAuth.users")
                || path.ends_with(".digestAuth.users") =>
        {
            let _ = writeln!(text, "{path}: present");
        }
        Value::Array(items) if !items.is_empty() => {
            let mut items = items.clone();
            if path.ends_with(".usedBy") {
                // A router that names a middleware twice stands twice with Traefik.
                items.dedup();
            }
            for (index, item) in items.iter().enumerate() {
                leaves(text, &format!("{path}[{index}]"), item);
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            let unused = fields.contains_key("status")
                && !fields.contains_key("usedBy")
                && !fields.contains_key("using");
            for (name, field) in fields {
                // Traefik does not look at what nobody uses, so it finds no fault in it either.
                if !(unused && ["status", "error"].contains(&name.as_str())) {
                    leaves(text, &format!("{path}.{name}"), field);
                }
            }
        }
        // Secrets are shown by Traefik alone (11).
        Value::String(_) if SECRETS.iter().any(|end| path.ends_with(end)) => {}
        other => {
            let _ = writeln!(text, "{path}: {other}");
        }
    }
}
