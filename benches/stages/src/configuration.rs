//! The configuration's way: compile and publish. Also the configurations that other stages run on.

use std::{
    collections::{BTreeMap, BTreeSet},
    hint::black_box,
    sync::Arc,
    time::{Duration, SystemTime},
};

use portway_model::{
    Entry,
    dynamic::{
        AddPrefix, BodyLimit, ClientCertificateInfo, Config, EncodedCharacters, Headers,
        InFlightReq, IpAllowList, IpDenyList, LoadBalancer, Middleware, PassTlsClientCert,
        RateLimit, RedirectScheme, Router, Server, ServersTransport, Service, StripPrefix,
    },
};
use portway_snapshot::{EntryPointSettings, Environment, Publisher, Settings, Snapshot, compile};
use portway_testkit::certificate::Certificate;
use portway_tls::{GeneratedDefault, NativeRoots};
use rustls_pki_types::UnixTime;

use crate::counted_part;

/// What all providers say, by their names.
pub type Configs = BTreeMap<String, Arc<Config>>;

/// The name of the one entry point.
pub const ENTRY_POINT: &str = "web";

/// Compiles configurations as the control plane does.
#[derive(Debug)]
pub struct Compiler {
    settings: Settings,
    environment: Environment,
}

impl Compiler {
    /// A compiler for one entry point.
    pub fn new() -> Self {
        let entry_point = EntryPointSettings {
            name: ENTRY_POINT.into(),
            is_default: true,
            ..EntryPointSettings::default()
        };
        let authority = Certificate::for_names(&["authority"]).certificate_der;
        Self {
            settings: Settings {
                entry_points: vec![entry_point],
                default_rule_syntax: None,
                internal_services: BTreeSet::new(),
                servers_transport: ServersTransport::default(),
            },
            environment: Environment {
                generated: GeneratedDefault::generate(SystemTime::now()).unwrap(),
                native_roots: NativeRoots::new(vec![authority.into()]),
            },
        }
    }

    /// The snapshot of what all providers say.
    pub fn compile(&self, configs: &Configs, before: Option<&Snapshot>) -> Arc<Snapshot> {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        Arc::new(compile(configs, &self.settings, &self.environment, now, before))
    }
}

impl Default for Compiler {
    fn default() -> Self {
        Self::new()
    }
}

/// What the provider `file` alone says.
pub fn file(config: Config) -> Configs {
    BTreeMap::from([("file".to_owned(), Arc::new(config))])
}

/// `count` routers, each with a host, a path, a service of two servers and, every other one, a middleware.
pub fn routers(count: u32) -> Config {
    let mut config = Config::default();
    config.http.middlewares.insert("headers".to_owned(), Entry::new(response_headers()));
    for number in 0..count {
        let first = format!("http://10.{}.{}.1:8080", number / 256 % 256, number % 256);
        let second = format!("http://10.{}.{}.2:8080", number / 256 % 256, number % 256);
        let name = format!("app-{number}");
        let middlewares: &[&str] = if number % 2 == 0 { &["headers"] } else { &[] };
        config.http.routers.insert(name.clone(), Entry::new(router(number, middlewares)));
        config.http.services.insert(name, Entry::new(servers(&[&first, &second])));
    }
    config
}

/// The router of host `app-<number>.example.com`, which leads to service `app-<number>`.
pub fn router(number: u32, middlewares: &[&str]) -> Router {
    Router {
        rule: format!("Host(`app-{number}.example.com`) && PathPrefix(`/api`)"),
        service: format!("app-{number}"),
        middlewares: middlewares.iter().map(|&name| name.to_owned()).collect(),
        ..Router::default()
    }
}

/// A service with these servers.
pub fn servers(urls: &[&str]) -> Service {
    let server = |url: &&str| Server { url: (*url).to_owned(), ..Server::default() };
    let servers = urls.iter().map(server).collect();
    Service::LoadBalancer(LoadBalancer { servers, ..LoadBalancer::default() })
}

/// The names in [`five_middlewares`], in the order in which routers name them.
pub const FIVE: &[&str] = &["scheme", "strip", "add", "request-headers", "response-headers"];

/// Five middlewares that change what passes and answer nothing themselves.
pub fn five_middlewares() -> BTreeMap<String, Entry<Middleware>> {
    let scheme = RedirectScheme { scheme: "http".to_owned(), ..RedirectScheme::default() };
    let strip = StripPrefix { prefixes: vec!["/api".to_owned()], ..StripPrefix::default() };
    let add = AddPrefix { prefix: "/v2".to_owned() };
    let set = [("X-Tenant", "blue"), ("X-Internal", ""), ("X-Forwarded-Prefix", "/api")];
    let custom_request_headers = pairs(&set);
    let request = Headers { custom_request_headers, ..Headers::default() };
    let all = [
        Middleware::RedirectScheme(scheme),
        Middleware::StripPrefix(strip),
        Middleware::AddPrefix(add),
        Middleware::Headers(request.into()),
        response_headers(),
    ];
    FIVE.iter().zip(all).map(|(name, one)| ((*name).to_owned(), Entry::new(one))).collect()
}

/// The names in [`eight_middlewares`], in the order in which routers name them.
pub const EIGHT: &[&str] =
    &["keep-out", "let-in", "rate", "at-once", "body", "characters", "certificate", "headers"];

/// Eight middlewares of different kinds that decide whether a request passes, and let it.
pub fn eight_middlewares() -> BTreeMap<String, Entry<Middleware>> {
    let ranges = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let keep_out = IpDenyList {
        source_range: ranges(&["192.0.2.0/24", "10.0.0.0/8"]),
        ..IpDenyList::default()
    };
    let let_in = IpAllowList {
        source_range: ranges(&["2001:db8::/32", "203.0.113.0/24"]),
        ..IpAllowList::default()
    };
    let rate = RateLimit { average: 1, burst: 1_000_000, ..RateLimit::default() };
    let at_once = InFlightReq { amount: 10, ..InFlightReq::default() };
    let certificate = PassTlsClientCert { pem: true, info: Some(ClientCertificateInfo::default()) };
    let all = [
        Middleware::IpDenyList(keep_out),
        Middleware::IpAllowList(let_in),
        Middleware::RateLimit(rate),
        Middleware::InFlightReq(at_once),
        Middleware::BodyLimit(BodyLimit { max_request_body_bytes: 1 << 20 }),
        Middleware::EncodedCharacters(EncodedCharacters::default()),
        Middleware::PassTlsClientCert(certificate),
        response_headers(),
    ];
    EIGHT.iter().zip(all).map(|(name, one)| ((*name).to_owned(), Entry::new(one))).collect()
}

fn response_headers() -> Middleware {
    let set = [("Server", ""), ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY")];
    let custom_response_headers = pairs(&set);
    Middleware::Headers(Headers { custom_response_headers, ..Headers::default() }.into())
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Compiles 10,000 routers from nothing and publishes them to a worker.
pub fn compile_and_publish(times: u32) {
    let compiler = Compiler::new();
    let configs = file(routers(10_000));
    let nothing = compiler.compile(&Configs::new(), None);
    let publisher = Publisher::new(Arc::clone(&nothing));
    let reader = publisher.subscribe().reader();
    for _ in 0..times {
        counted_part(&mut || {
            publisher.publish(compiler.compile(&configs, None));
            assert_eq!(reader.load().runtime.routers.len(), 10_000);
        });
        publisher.publish(Arc::clone(&nothing));
    }
}

/// Compiles 100,000 routers one of which has changed, and publishes them.
pub fn one_change(times: u32) {
    let compiler = Compiler::new();
    let first = routers(100_000);
    // As providers do, the second shares what did not change.
    let mut second = first.clone();
    second.http.routers.insert("app-77777".to_owned(), Entry::new(router(77_777, &["headers"])));
    let (first, second) = (file(first), file(second));
    let publisher = Publisher::new(compiler.compile(&first, None));
    let reader = publisher.subscribe().reader();
    for turn in 0..times {
        let configs = if turn % 2 == 0 { &second } else { &first };
        let before = publisher.current();
        counted_part(&mut || {
            publisher.publish(compiler.compile(configs, Some(&before)));
            black_box(reader.load());
        });
    }
}
