//! A configuration of TLS, and what is known of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use portway_testkit::certificate::{Certificate, Key, Made};
use portway_testkit::process::Setup;
use portway_testkit::random::Random;

use super::keys::Identities;
use super::rules::{self, covers};

mod options;

/// The name that is served from the first moment on, with options of its own.
pub(super) const SETTLED: &str = "settled.test";

/// The entry points: one as it is, one with TLS for all routers, one behind the PROXY protocol.
pub(super) const ENTRY_POINTS: [&str; 3] = ["web", "second", "proxied"];

/// What a certificate is called that is none of the configuration's.
pub(super) const GENERATED: &str = "generated";

/// How many options there are besides `default`.
const OPTIONS: usize = 6;

const ROUTERS: usize = 14;

/// Names in certificates.
const CERTIFIED: [&str; 12] = [
    "one.test",
    "one.test",
    "two.test",
    "three.test",
    "deep.one.test",
    "inner.wild.test",
    "*.wild.test",
    "*.test",
    "*.one.test",
    "with-dash.test",
    "127.0.0.1",
    "unasked.test",
];

/// A configuration, and what is known of it.
pub(super) struct World {
    pub(super) setup: Setup,
    /// The certificates by the name of their file.
    pub(super) certificates: Vec<(String, Certificate)>,
    /// The certificate of [`SETTLED`].
    pub(super) settled: Certificate,
    routers: Vec<Router>,
    /// Options that verify clients, and those that cannot be used.
    risky: BTreeSet<String>,
}

struct Router {
    rule: String,
    hosts: Vec<String>,
    entry_points: Vec<&'static str>,
    /// The options that are written; `None` without TLS.
    options: Option<String>,
}

impl World {
    pub(super) fn make(random: &mut Random, identities: &Identities) -> Self {
        let (options_text, risky) = options::make(random, OPTIONS);
        let of_second = match random.below(4) {
            0 => "default".to_owned(),
            1 => format!("o{}@file", random.below(OPTIONS)),
            _ => String::new(),
        };
        let routers: Vec<Router> = (0..ROUTERS).map(|_| router(random)).collect();
        let mut world = Self {
            setup: Setup::web(""),
            certificates: Vec::new(),
            settled: Certificate::for_names(&[SETTLED]),
            routers,
            risky,
        };
        let mut text = world.routers_text();
        let _ = writeln!(text, "tls:\n  options:\n    settled: {{}}\n{options_text}");
        world.certify(random, &mut text);
        world.setup.files[0].1 = text;
        for (name, content) in &identities.files {
            world.setup.files.push(((*name).to_owned(), content.clone()));
        }
        let all = "--entryPoints.second.http.tls";
        world.setup = world
            .setup
            .entry_point("second")
            .entry_point("proxied")
            .flag("--entryPoints.web.asDefault=true")
            .flag("--entryPoints.proxied.asDefault=true")
            .flag("--entryPoints.proxied.proxyProtocol.trustedIPs=127.0.0.1/32")
            .flag("--api.insecure=true")
            .flag(&match of_second.as_str() {
                "" => format!("{all}=true"),
                named => format!("{all}.options={named}"),
            });
        for router in &mut world.routers {
            if router.entry_points == ["second"] && router.options.is_none() {
                router.options = Some(of_second.clone());
            }
        }
        world
    }

    /// What a certificate chain is called.
    pub(super) fn name(&self, chain: &[Vec<u8>]) -> &str {
        let known = self
            .certificates
            .iter()
            .find(|(_, one)| chain.first().is_some_and(|der| one.certificate_der == *der));
        known.map_or(GENERATED, |(name, _)| name)
    }

    /// The configuration as it is written.
    pub(super) fn text(&self) -> String {
        format!("{}\n{}", self.setup.files[0].1, self.setup.flags.join(" "))
    }

    fn routers_text(&self) -> String {
        let mut text = format!(
            "http:\n  routers:\n    settled: {{rule: \"Host(`{SETTLED}`)\", service: s, tls: {{options: settled}}}}\n"
        );
        let mut middlewares = String::new();
        for (number, router) in self.routers.iter().enumerate() {
            let tls = match router.options.as_deref() {
                None => String::new(),
                Some("") if number % 5 == 0 => {
                    format!(", tls: {{domains: [{{main: \"{}\"}}]}}", rules::NAMES[number % 4])
                }
                Some("") => ", tls: {}".to_owned(),
                Some(options) => format!(", tls: {{options: \"{options}\"}}"),
            };
            let _ = writeln!(
                text,
                "    r{number}: {{rule: \"{}\", service: s, priority: {}, entryPoints: [{}], middlewares: [m{number}]{tls}}}",
                router.rule,
                number + 10,
                router.entry_points.join(", "),
            );
            let _ = writeln!(
                middlewares,
                "    m{number}: {{headers: {{customResponseHeaders: {{X-Router: r{number}}}}}}}"
            );
        }
        format!(
            "{text}  middlewares:\n{middlewares}  services:\n    s: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n"
        )
    }

    /// Makes certificates and stores.
    fn certify(&mut self, random: &mut Random, text: &mut String) {
        let pair = |text: &mut String, certificate: &str, key: &str, stores: &str| {
            let _ = writeln!(
                text,
                "    - {{certFile: \"@@folder@@/dynamic/{certificate}.pem\", keyFile: \"@@folder@@/dynamic/{key}.key\"{stores}}}"
            );
        };
        text.push_str("  certificates:\n");
        self.add("settled", self.settled.clone());
        pair(text, "settled", "settled", "");
        for number in 0..4 + random.below(8) {
            let name = format!("c{number}");
            self.describe(random, &name, text);
            let stores = match random.below(12) {
                0 => ", stores: [other]",
                1 => ", stores: [other, default]",
                2 => ", stores: [default]",
                3 => ", stores: [acme-tls/1]",
                _ => "",
            };
            let key = match random.below(16) {
                0 => "settled",
                1 => "missing",
                _ => name.as_str(),
            };
            pair(text, &name, key, stores);
        }
        if random.once_in(2) {
            self.describe(random, "fallback", text);
            let key = if random.once_in(6) { "settled" } else { "fallback" };
            let _ = writeln!(
                text,
                "  stores:\n    default: {{defaultCertificate: {{certFile: \"@@folder@@/dynamic/fallback.pem\", keyFile: \"@@folder@@/dynamic/{key}.key\"}}}}"
            );
            if random.once_in(2) {
                text.push_str("    other: {}\n");
            }
        }
    }

    /// Makes a certificate, and writes what it says beside the others.
    fn describe(&mut self, random: &mut Random, name: &str, text: &mut String) {
        let (certificate, description) = certificate(random);
        let _ = writeln!(text, "    # {name}: {description}");
        self.add(name, certificate);
    }

    fn add(&mut self, name: &str, certificate: Certificate) {
        self.setup.files.push((format!("{name}.pem"), certificate.certificate_pem.clone()));
        self.setup.files.push((format!("{name}.key"), certificate.key_pem.clone()));
        self.certificates.push((name.to_owned(), certificate));
    }

    /// Whether Portway may close a router that Traefik does without or lowers (1, 15): `visit` holds the names.
    pub(super) fn may_close(&self, visit: &str) -> bool {
        let words = || visit.split([' ', ':']);
        self.routers.iter().any(|router| {
            let claims = router.hosts.is_empty()
                || router.rule.contains('!')
                || router.rule.contains("||")
                || router
                    .hosts
                    .iter()
                    .any(|host| words().any(|word| covers(host, word.trim_end_matches('.'))));
            self.is_risky(router) && claims
        })
    }

    /// The same of the router with a number.
    pub(super) fn may_close_router(&self, number: usize) -> bool {
        self.routers.get(number).is_some_and(|router| self.is_risky(router))
    }

    fn is_risky(&self, router: &Router) -> bool {
        let options = router.options.as_deref();
        options.is_some_and(|name| self.risky.contains(name.strip_suffix("@file").unwrap_or(name)))
    }

    /// Names whose options are left to chance by Traefik: of routers that claim them one has given up its own
    /// because of another name, and one has not.
    pub(super) fn by_chance(&self, entry_point: &str) -> BTreeSet<String> {
        let here = || {
            let all = self.routers.iter().filter(|r| r.entry_points.contains(&entry_point));
            all.filter_map(|router| Some((router, qualified(router.options.as_ref()?))))
        };
        let mut asked: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (router, options) in here() {
            for host in &router.hosts {
                asked.entry(host).or_default().insert(options.clone());
            }
        }
        let mut given: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (router, options) in here() {
            let conflicted = router.hosts.iter().any(|host| asked[host.as_str()].len() > 1);
            let options = if conflicted { "default".to_owned() } else { options };
            for host in &router.hosts {
                given.entry(host).or_default().insert(options.clone());
            }
        }
        let several = given.into_iter().filter(|(_, options)| options.len() > 1);
        several.map(|(host, _)| host.to_owned()).collect()
    }
}

fn qualified(options: &str) -> String {
    match options {
        "" | "default" => "default".to_owned(),
        named if named.contains('@') => named.to_owned(),
        named => format!("{named}@file"),
    }
}

fn router(random: &mut Random) -> Router {
    let (rule, mut hosts) = rules::rule(random);
    hosts.dedup();
    let entry_points = match random.below(6) {
        0 => vec!["second"],
        1 => vec!["proxied"],
        2 => vec!["web", "proxied"],
        _ => vec!["web"],
    };
    // Names have options that go with them, mostly: otherwise all are in conflict.
    let usual: usize = hosts.first().map_or(1, String::len) % OPTIONS;
    let options = match random.below(16) {
        0 | 1 => None,
        2..=7 => Some(String::new()),
        8..=12 => Some(format!("o{usual}")),
        13 => Some(format!("o{}@file", random.below(OPTIONS))),
        14 => Some("default".to_owned()),
        _ if random.once_in(4) => Some("nope".to_owned()),
        _ => Some(format!("o{}", random.below(OPTIONS))),
    };
    Router { rule, hosts, entry_points, options }
}

fn certificate(random: &mut Random) -> (Certificate, String) {
    let mut names: Vec<&str> = (0..1 + random.below(3)).map(|_| *random.pick(&CERTIFIED)).collect();
    if random.once_in(10) {
        names = vec!["one.test"];
    }
    let common_name = match random.below(6) {
        0 => "",
        1 => *random.pick(&CERTIFIED),
        2 => "ONE.test",
        3 => "A name of nobody, and more",
        _ => names[0],
    };
    let key = *random.pick(&[Key::P256, Key::P256, Key::Rsa, Key::Rsa, Key::P384, Key::Ed25519]);
    let made = Made { common_name, names: &names, key, expired: random.once_in(10) };
    (Certificate::made(&made), format!("{made:?}"))
}
