//! Configurations that follow one another: which routes there are, where they lead, what is on the way.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portway_testkit::random::Random;

use super::origin::{Origin, Role, Speech};

/// Routes that are never removed, and whose servers never fail: of plain requests, calls and WebSockets.
pub(super) const STEADY: [&str; 3] = ["plain0", "plain1", "plain2"];
/// Calls of gRPC.
pub(super) const CALLS: &str = "calls";
/// WebSockets.
pub(super) const TALKS: &str = "talks";
/// Routes whose servers fail.
pub(super) const FLAKY: [&str; 2] = ["flaky0", "flaky1"];
/// Routes that come and go.
pub(super) const PASSING: [&str; 3] = ["passing0", "passing1", "passing2"];

/// How many certificates the names are shown with.
pub(super) const CERTIFICATES: usize = 4;

/// What is on the way of a route.
#[derive(Clone, Debug)]
struct Route {
    servers: Vec<String>,
    /// Those that get copies of its requests.
    mirrors: Vec<String>,
    middlewares: Vec<&'static str>,
    /// How its service divides.
    shape: usize,
    /// Its service is called after the generation.
    renamed: bool,
}

/// One configuration.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    pub(super) number: u64,
    routes: BTreeMap<String, Route>,
    /// Which certificate is shown.
    pub(super) certificate: usize,
    /// How the TLS options of each name are set.
    tls: [usize; 2],
}

impl Generation {
    /// A random one.
    pub(super) fn new(number: u64, random: &mut Random, origins: &[Origin]) -> Self {
        let of = |speeches: &[Speech], role: Role| -> Vec<String> {
            let fits = |origin: &&Origin| speeches.contains(&origin.speech) && origin.role == role;
            origins.iter().filter(fits).map(|origin| origin.name.clone()).collect()
        };
        let all = [Speech::Http1, Speech::H2c, Speech::Http2Tls];
        let mut routes = BTreeMap::new();
        for name in STEADY {
            routes.insert(name.to_owned(), Route::new(random, &of(&all, Role::Steady), EVERYTHING));
        }
        let calls = of(&[Speech::H2c, Speech::Http2Tls], Role::Steady);
        routes.insert(CALLS.to_owned(), Route::new(random, &calls, STREAMING));
        let talks = of(&[Speech::Http1], Role::Steady);
        routes.insert(TALKS.to_owned(), Route::new(random, &talks, STREAMING));
        for name in FLAKY {
            routes.insert(name.to_owned(), Route::new(random, &of(&all, Role::Flaky), EVERYTHING));
        }
        for name in PASSING {
            if !random.once_in(3) {
                routes.insert(
                    name.to_owned(),
                    Route::new(random, &of(&all, Role::Steady), EVERYTHING),
                );
            }
        }
        // A failover that looks at statuses holds requests until they are whole.
        for name in [CALLS, TALKS] {
            if let Some(route) = routes.get_mut(name) {
                route.shape = [0, 2, 3, 0, 2][route.shape];
            }
        }
        for name in STEADY {
            if let Some(route) = routes.get_mut(name)
                && random.once_in(3)
            {
                route.mirrors = of(&all, Role::Mirror);
            }
        }
        let tls = [random.below(TLS.len()), random.below(TLS.len())];
        Self { number, routes, certificate: random.below(CERTIFICATES), tls }
    }

    /// Whether a route's answers may come from a server.
    pub(super) fn leads(&self, route: &str, server: &str) -> bool {
        self.routes.get(route).is_some_and(|route| route.servers.iter().any(|one| one == server))
    }

    /// Whether a server may get copies of a route's requests.
    pub(super) fn mirrors(&self, route: &str, server: &str) -> bool {
        self.routes.get(route).is_some_and(|route| route.mirrors.iter().any(|one| one == server))
    }

    pub(super) fn has(&self, route: &str) -> bool {
        self.routes.contains_key(route)
    }

    /// Whether a middleware is on a route's way.
    pub(super) fn has_middleware(&self, route: &str, middleware: &str) -> bool {
        self.routes.get(route).is_some_and(|route| route.middlewares.contains(&middleware))
    }

    /// The file that says so.
    pub(super) fn text(&self, origins: &[Origin], folder: &str, auth: &str) -> String {
        let number = self.number;
        let (mut routers, mut services) = (String::new(), String::new());
        for (name, route) in &self.routes {
            let service = match route.renamed {
                true => format!("{name}-{number}"),
                false => name.clone(),
            };
            let middlewares = route.middlewares.join(", ");
            let common = format!(
                "rule: 'Host(`{name}.test`) && PathPrefix(`/{name}/`)', service: {service}, middlewares: [{middlewares}]"
            );
            // Always the same name: requests on connections that were opened by others are misdirected.
            let tls = match PASSING.contains(&name.as_str()) {
                true => "{}".to_owned(),
                false => format!("{{options: o{}}}", name.len() % 2),
            };
            let _ = write!(
                routers,
                "    {name}: {{{common}, entryPoints: [web]}}\n    \
                 {name}-tls: {{{common}, entryPoints: [secure], tls: {tls}}}\n"
            );
            services.push_str(&route.service(&service, origins));
        }
        let mut tls = String::new();
        for (place, choice) in self.tls.iter().enumerate() {
            let _ = writeln!(tls, "    o{place}: {{{}}}", TLS[*choice]);
        }
        let certificate = self.certificate;
        format!(
            "http:
  routers:
    marker: {{rule: 'Path(`/storm-{number}`)', entryPoints: [ready], service: noop@internal}}
{routers}  services:
{services}    pages: {{loadBalancer: {{servers: [{{url: 'http://{auth}'}}]}}}}
  serversTransports:
    trusting: {{insecureSkipVerify: true}}
  middlewares:
    stamp: {{headers: {{customRequestHeaders: {{X-Generation: '{number}'}}, customResponseHeaders: {{X-Generation: '{number}'}}}}}}
    other: {{headers: {{customRequestHeaders: {{X-Other: 'of {number}'}}, browserXssFilter: true}}}}
    compress: {{compress: {{}}}}
    buffering: {{buffering: {{memRequestBodyBytes: 50000, memResponseBodyBytes: 50000}}}}
    retry: {{retry: {{attempts: 3, initialInterval: 5ms}}}}
    rate: {{rateLimit: {{average: 1000000, burst: 1000000}}}}
    flight: {{inFlightReq: {{amount: 100000}}}}
    local: {{ipAllowList: {{sourceRange: [127.0.0.1/32]}}}}
    chained: {{chain: {{middlewares: [local, rate]}}}}
    held: {{retry: {{attempts: 2, status: ['599']}}}}
    pages: {{errors: {{status: ['599'], service: pages, query: /}}}}
    auth: {{forwardAuth: {{address: 'http://{auth}/'}}}}
    breaker: {{circuitBreaker: {{expression: 'NetworkErrorRatio() > 2.0'}}}}
tls:
  options:
{tls}  certificates:
    - {{certFile: {folder}/certificate{certificate}.pem, keyFile: {folder}/key{certificate}.pem}}
"
        )
    }
}

/// What may be on the way of a plain request.
const EVERYTHING: &[&str] = &[
    "other",
    "compress",
    "buffering",
    "retry",
    "rate",
    "flight",
    "breaker",
    "local",
    "chained",
    "held",
    "pages",
    "auth",
];
/// The same where bodies go both ways at once.
const STREAMING: &[&str] =
    &["other", "retry", "rate", "flight", "breaker", "local", "chained", "pages", "auth"];

/// TLS options that every client here can agree to.
const TLS: [&str; 4] = [
    "minVersion: VersionTLS12",
    "minVersion: VersionTLS13",
    "maxVersion: VersionTLS12, alpnProtocols: [h2, http/1.1]",
    "minVersion: VersionTLS12, curvePreferences: [X25519], sniStrict: true",
];

impl Route {
    fn new(random: &mut Random, servers: &[String], middlewares: &[&'static str]) -> Self {
        let mut chosen: Vec<String> =
            servers.iter().filter(|_| random.once_in(2)).cloned().collect();
        if chosen.is_empty() {
            chosen.push(random.pick(servers).clone());
        }
        let mut on_the_way: Vec<&'static str> =
            middlewares.iter().filter(|_| random.once_in(4)).copied().collect();
        if !random.once_in(4) {
            on_the_way.insert(random.below(on_the_way.len() + 1), "stamp");
        }
        Self {
            servers: chosen,
            mirrors: Vec::new(),
            middlewares: on_the_way,
            shape: random.below(5),
            renamed: random.once_in(2),
        }
    }

    fn service(&self, name: &str, origins: &[Origin]) -> String {
        let balancer = |name: &str, servers: &[String]| {
            let urls = origins.iter().filter(|origin| servers.contains(&origin.name));
            let urls: Vec<_> = urls.map(|origin| format!("{{url: '{}'}}", origin.url())).collect();
            let urls = urls.join(", ");
            format!(
                "    {name}: {{loadBalancer: {{serversTransport: trusting, servers: [{urls}]}}}}\n"
            )
        };
        let (one, other) = self.servers.split_at(self.servers.len() / 2);
        let (a, b) = (format!("{name}-a"), format!("{name}-b"));
        if !self.mirrors.is_empty() {
            let mirroring = format!(
                "    {name}: {{mirroring: {{service: {a}, mirrors: [{{name: {b}, percent: 50}}]}}}}\n"
            );
            return [balancer(&a, &self.servers), balancer(&b, &self.mirrors), mirroring].concat();
        }
        if self.shape == 0 && !one.is_empty() {
            let weighted = format!(
                "    {name}: {{weighted: {{services: [{{name: {a}, weight: 2}}, {{name: {b}, weight: 1}}]}}}}\n"
            );
            return [balancer(&a, one), balancer(&b, other), weighted].concat();
        }
        if self.shape == 1 && !one.is_empty() {
            let failover = format!(
                "    {name}: {{failover: {{service: {a}, fallback: {b}, errors: {{status: ['599']}}}}}}\n"
            );
            let (a, b) = (balancer(&a, one), balancer(&b, other));
            return [a, b, failover].concat();
        }
        if self.shape == 2 {
            let plain = balancer(name, &self.servers);
            return plain.replace("loadBalancer: {", "loadBalancer: {sticky: {cookie: {}}, ");
        }
        balancer(name, &self.servers)
    }
}
