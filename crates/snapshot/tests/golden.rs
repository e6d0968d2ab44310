//! Files of the file provider to what becomes of them: `tests/golden/file/<case>/in.{yml,toml}` gives
//! `out.json`. `UPDATE_GOLDEN=1` writes the outputs afresh.
//!
//! Comments of an input set what the static configuration says:
//!
//! - `# entry point NAME [default] [tls[=OPTIONS]] [middlewares=NAME,…]` (none: `web` and `websecure`, default);
//! - `# default rule syntax v2`;
//! - `# no api`, which disables `api@internal` and `dashboard@internal`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use portway_model::{
    InternalService,
    dynamic::{Config, Material, RouterTls, ServersTransport, decode},
    toml, yaml,
};
use portway_rule::Syntax;
use portway_snapshot::{
    EntryPointSettings, Environment, Settings, Snapshot, Table, Target, compile,
};
use portway_testkit::{certificate::Certificate, golden};
use portway_tls::{GeneratedDefault, NativeRoots};
use rustls_pki_types::UnixTime;
use serde_json::{Map, Value, json};

#[test]
fn golden_files_give_the_expected_snapshots() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/file");
    let cases = golden::cases(&root);
    assert!(cases.len() >= 20, "cases are missing from {}", root.display());
    let environment = Environment {
        generated: GeneratedDefault::generate(SystemTime::now()).unwrap(),
        native_roots: NativeRoots::new(vec![
            Certificate::for_names(&["authority"]).certificate_der.into(),
        ]),
    };
    for (_, case) in cases {
        let (config, settings) = read(&case);
        let configs = BTreeMap::from([("file".to_owned(), Arc::new(config))]);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        let snapshot = compile(&configs, &settings, &environment, now, None);
        let text = serde_json::to_string_pretty(&summary(&snapshot, &settings)).unwrap() + "\n";
        golden::check(&case.join("out.json"), &text);
        let again = compile(&configs, &settings, &environment, now, Some(&snapshot));
        assert_eq!(summary(&again, &settings), summary(&snapshot, &settings), "{}", case.display());
    }
}

fn read(case: &Path) -> (Config, Settings) {
    if let Ok(text) = fs::read_to_string(case.join("in.toml")) {
        return (filled(decode::config(&toml::parse(&text).unwrap(), "in.toml")), settings(&text));
    }
    let text = fs::read_to_string(case.join("in.yml")).unwrap();
    let documents = yaml::parse(&text).unwrap();
    let config = documents.first().map(|document| decode::config(&document.node, "in.yml"));
    (filled(config.unwrap_or_default()), settings(&text))
}

/// Key material stands in these files as text; reading other files is the provider's.
fn filled(mut config: Config) -> Config {
    let fill = |material: &mut Material| material.content = material.written.clone().into_bytes();
    for entry in &mut config.tls.certificates {
        fill(&mut entry.spec_mut().cert);
        fill(&mut entry.spec_mut().key);
    }
    let names: Vec<_> = config.tls.options.keys().map(str::to_owned).collect();
    for name in names {
        let entry = config.tls.options.get_mut(&name).unwrap();
        entry.spec_mut().client_auth.authorities.iter_mut().for_each(fill);
    }
    config
}

fn settings(text: &str) -> Settings {
    let comments: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    let lines = comments.iter().filter_map(|line| line.strip_prefix("entry point "));
    let mut entry_points: Vec<_> = lines.map(entry_point).collect();
    if entry_points.is_empty() {
        entry_points = ["web default", "websecure default"].map(entry_point).into();
    }
    let mut internal_services = BTreeSet::from(InternalService::ALL);
    if comments.contains(&"no api") {
        internal_services.remove(&InternalService::Api);
        internal_services.remove(&InternalService::Dashboard);
    }
    Settings {
        entry_points,
        default_rule_syntax: comments.contains(&"default rule syntax v2").then_some(Syntax::V2),
        internal_services,
        servers_transport: ServersTransport::default(),
    }
}

fn entry_point(line: &str) -> EntryPointSettings {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    let mut entry_point = EntryPointSettings { name: name.into(), ..EntryPointSettings::default() };
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("default", _) => entry_point.is_default = true,
            ("tls", options) => {
                let tls = RouterTls { options: options.to_owned(), ..RouterTls::default() };
                entry_point.tls = Some(tls);
            }
            ("middlewares", names) => {
                entry_point.middlewares = names.split(',').map(str::to_owned).collect();
            }
            _ => panic!("unknown word {word}"),
        }
    }
    entry_point
}

fn summary(snapshot: &Snapshot, settings: &Settings) -> Value {
    let runtime = &snapshot.runtime;
    let routers = runtime.routers.iter().map(|(name, info)| {
        let router = &info.router;
        let mut shown = json!({
            "status": info.status, "errors": info.errors, "priority": info.priority,
            "using": info.using, "middlewares": info.middlewares, "service": router.service,
            "ruleSyntax": router.rule_syntax,
        });
        if let Some(tls) = &router.tls {
            shown["tls"] = json!(tls);
        }
        (name, shown)
    });
    let services = runtime.services.iter().filter(|(name, info)| {
        // Internal services are in every case; those that are used tell something.
        !name.ends_with("@internal") || !info.used_by.is_empty()
    });
    let services = services.map(|(name, info)| {
        let shown = json!({
            "status": info.status, "errors": info.errors, "usedBy": info.used_by.keys().collect::<Vec<_>>(),
            "serverStatus": info.server_status().collect::<BTreeMap<_, _>>(),
        });
        (name, shown)
    });
    let middlewares = runtime.middlewares.iter().map(|(name, info)| {
        let shown = json!({
            "status": info.status, "errors": info.errors, "usedBy": info.used_by.keys().collect::<Vec<_>>(),
            "kind": info.middleware.kind(),
        });
        (name, shown)
    });
    let entry_points = settings.entry_points.iter().zip(&snapshot.entry_points);
    let entry_points = entry_points.map(|(settings, entry_point)| {
        let (plain, secure) = (table(&entry_point.plain), table(&entry_point.secure));
        (&settings.name, json!({"plain": plain, "secure": secure}))
    });
    let diagnostics = runtime.diagnostics.iter();
    let diagnostics: Vec<String> = diagnostics
        .map(|diagnostic| format!("{}: {diagnostic}", json!(diagnostic.severity)).replace('"', ""))
        .collect();
    without_empty(json!({
        "routers": objects(routers), "services": objects(services),
        "middlewares": objects(middlewares), "diagnostics": diagnostics,
        "entryPoints": objects(entry_points),
    }))
}

/// Routers in the order in which they are asked, with where they lead.
fn table(table: &Table) -> Vec<String> {
    let routes = table.routes().into_iter();
    routes
        .map(|route| {
            let target = match route.steps.target() {
                Target::Closed => "closed".to_owned(),
                Target::Service(_) => route.service.to_string(),
            };
            match route.tls_options.as_ref() {
                "" => format!("{} -> {target}", route.name),
                options => format!("{} -> {target} over TLS options {options}", route.name),
            }
        })
        .collect()
}

fn objects<N: ToString>(objects: impl Iterator<Item = (N, Value)>) -> Value {
    objects
        .map(|(name, value)| (name.to_string(), without_empty(value)))
        .collect::<Map<_, _>>()
        .into()
}

fn without_empty(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        let empty = [json!([]), json!({}), json!("")];
        fields.retain(|_, field| !empty.contains(field));
    }
    value
}
