//! What the compiler promises, on configurations written as users write them.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use portway_model::{
    InternalService,
    dynamic::{Config, ServersTransport, decode},
    yaml,
};
use portway_rule::Subject;
use portway_testkit::certificate::Certificate;
use portway_tls::{GeneratedDefault, NativeRoots};
use rustls_pki_types::UnixTime;

use super::{Environment, compile};
use crate::{EntryPointSettings, Route, Settings, Snapshot, Target};

mod amended;
mod carried;
mod closed;
mod determinism;
mod entry_points;
mod health;
mod priorities;
mod properties;
mod told;

/// What a provider says.
fn config(text: &str) -> Config {
    let documents = yaml::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    decode::config(&documents[0].node, "in.yml")
}

/// What the provider `file` alone says.
fn file(text: &str) -> BTreeMap<String, Arc<Config>> {
    BTreeMap::from([("file".to_owned(), Arc::new(config(text)))])
}

/// Two entry points, `web` and `secure`, both of them default.
fn settings() -> Settings {
    let named = |name: &str| EntryPointSettings {
        name: name.into(),
        is_default: true,
        ..EntryPointSettings::default()
    };
    Settings {
        entry_points: vec![named("web"), named("secure")],
        default_rule_syntax: None,
        internal_services: InternalService::ALL.into(),
        servers_transport: ServersTransport::default(),
    }
}

fn environment() -> &'static Environment {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| Environment {
        generated: GeneratedDefault::generate(SystemTime::now()).unwrap(),
        native_roots: NativeRoots::new(vec![
            Certificate::for_names(&["authority"]).certificate_der.into(),
        ]),
    })
}

fn run(
    configs: &BTreeMap<String, Arc<Config>>,
    settings: &Settings,
    before: Option<&Snapshot>,
) -> Snapshot {
    compile(configs, settings, environment(), now(), before)
}

fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
}

fn compiled(text: &str) -> Snapshot {
    run(&file(text), &settings(), None)
}

fn compiled_after(text: &str, before: &Snapshot) -> Snapshot {
    run(&file(text), &settings(), Some(before))
}

/// A GET of `host/path`.
struct Get<'a>(&'a str);

impl Subject for Get<'_> {
    fn host(&self) -> &str {
        self.0.split('/').next().unwrap()
    }

    fn path(&self) -> &[u8] {
        self.0.find('/').map_or(b"/", |slash| &self.0.as_bytes()[slash..])
    }

    fn method(&self) -> &[u8] {
        b"GET"
    }

    fn any_header(&self, _: &str, _: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        false
    }

    fn query(&self) -> &[u8] {
        b""
    }

    fn client_ip(&self) -> Option<IpAddr> {
        None
    }
}

/// Who takes a plaintext request on `web`.
fn plain<'a>(snapshot: &'a Snapshot, target: &str) -> Option<&'a Route> {
    snapshot.entry_points[0].plain.find(&Get(target)).map(|route| &**route)
}

/// Who takes a request over TLS on `secure`.
fn secure<'a>(snapshot: &'a Snapshot, target: &str) -> Option<&'a Route> {
    snapshot.entry_points[1].secure.find(&Get(target)).map(|route| &**route)
}

fn is_closed(route: &Route) -> bool {
    matches!(route.steps.target(), Target::Closed)
}

/// `name`, or `name closed`, of who takes a plaintext request; empty for nobody.
fn taker(route: Option<&Route>) -> String {
    route.map_or_else(String::new, |route| {
        format!("{}{}", route.name, if is_closed(route) { " closed" } else { "" })
    })
}

fn errors<'a>(snapshot: &'a Snapshot, router: &str) -> Vec<&'a str> {
    snapshot.runtime.routers[router].errors.iter().map(String::as_str).collect()
}
