//! Chains of certificates made at random, sound and not: which clients are served, and which servers are spoken to.
//!
//! `COMPAT_SEED` and `COMPAT_CHAINS` make long runs.

use std::fmt::Write as _;

use portway_testkit::backend::Backend;
use portway_testkit::certificate::Certificate;
use portway_testkit::chain::{Extension, Link, Says, Time, Usage};
use portway_testkit::client::{Client, Tls};
use portway_testkit::process::Setup;
use portway_testkit::random::{Random, number_from_environment};

use super::super::pair::{Pair, Side};

/// What is shown, and whom the other side trusts.
struct Chain {
    what: String,
    shown: Certificate,
    trusted: String,
}

impl Chain {
    fn new(what: &str, shown: &Link, between: &[&Link], trusted: &[&Link]) -> Self {
        let pem = |link: &&Link| link.certificate.certificate_pem.clone();
        let shown = shown.certificate.clone();
        let shown = between.iter().fold(shown, |shown, link| shown.followed_by(&link.certificate));
        Self { what: what.to_owned(), shown, trusted: trusted.iter().map(pem).collect() }
    }

    /// One to three authorities above the last certificate.
    fn random(random: &mut Random) -> Self {
        // Portway takes the word of authorities with constraints only for what webpki takes by itself (difference 79).
        let is_constrained = random.once_in(4);
        let narrow = |says: Says| match is_constrained {
            true => {
                let usage = says.usage.filter(|usage| !matches!(usage, Usage::Any));
                Says { usage, policies: false, ..says }
            }
            false => Says { permits: None, ..says },
        };
        let mut what = String::new();
        let mut links: Vec<Link> = Vec::new();
        for level in 0..=random.below(3) {
            let says = narrow(Says::authority(random));
            let name = format!("authority{level}");
            let _ = write!(what, "{says:?} ");
            let link = match links.last() {
                None => Link::root(&[&name], says),
                Some(above) => above.sign(&[&name], says),
            };
            links.push(link);
        }
        let mut says = narrow(Says::end(random));
        if is_constrained && says.authority == Some(true) {
            says.authority = None;
        }
        let _ = write!(what, "{says:?}");
        let end = links.last().expect("an authority").sign(&["leaf.test"], says);
        let mut between: Vec<&Link> = links.iter().skip(1).collect();
        if random.once_in(2) {
            between.reverse();
        }
        Self::new(&what, &end, &between, &[&links[0]])
    }
}

/// Extensions that are not in use, or not as they should be.
const EXTENSIONS: &[(&str, &[Extension])] = &[
    ("unknown", &[UNKNOWN]),
    ("unknown, critical", &[Extension { critical: true, ..UNKNOWN }]),
    ("twice", &[UNKNOWN, UNKNOWN]),
    ("other name", &[OTHER_NAME]),
    ("other name, critical", &[Extension { critical: true, ..OTHER_NAME }]),
    ("explicit policies", &[EXPLICIT]),
    ("explicit policies, critical", &[Extension { critical: true, ..EXPLICIT }]),
    ("explicit policies that are named", &[EXPLICIT, POLICY]),
    ("explicit policies that are mapped", &[EXPLICIT, POLICY, MAPPED]),
    (
        "inhibited policies",
        &[Extension { number: &[2, 5, 29, 54], content: &[2, 1, 0], critical: true }],
    ),
    ("names of a directory", &[DIRECTORY]),
    ("names of a directory, critical", &[Extension { critical: true, ..DIRECTORY }]),
    ("numbered names", &[NUMBERED]),
    ("numbered names, critical", &[Extension { critical: true, ..NUMBERED }]),
    ("where lists are", &[Extension { number: &[2, 5, 29, 31], content: LISTS, critical: true }]),
    ("no usages", &[Extension { number: &[2, 5, 29, 37], content: &[0x30, 0], critical: false }]),
    (
        "damaged usages",
        &[Extension { number: &[2, 5, 29, 37], content: &[0x30, 1], critical: false }],
    ),
    ("damaged usage", &[Extension { number: &[2, 5, 29, 15], content: &[3, 0], critical: false }]),
];

const UNKNOWN: Extension =
    Extension { number: &[1, 3, 6, 1, 4, 1, 1], content: &[5, 0], critical: false };

const OTHER_NAME: Extension = Extension {
    number: &[2, 5, 29, 17],
    content: &[0x30, 0x0a, 0xa0, 0x08, 0x06, 0x02, 0x2a, 0x03, 0xa0, 0x02, 0x05, 0x00],
    critical: false,
};

/// requireExplicitPolicy 0.
const EXPLICIT: Extension =
    Extension { number: &[2, 5, 29, 36], content: &[0x30, 3, 0x80, 1, 0], critical: false };

/// The policy 1.2.3.
const POLICY: Extension = Extension {
    number: &[2, 5, 29, 32],
    content: &[0x30, 6, 0x30, 4, 6, 2, 0x2a, 3],
    critical: false,
};

/// The policy 1.2.3 is called 1.2.4 below.
const MAPPED: Extension = Extension {
    number: &[2, 5, 29, 33],
    content: &[0x30, 10, 0x30, 8, 6, 2, 0x2a, 3, 6, 2, 0x2a, 4],
    critical: false,
};

/// Excludes the name of nobody.
const DIRECTORY: Extension = Extension {
    number: &[2, 5, 29, 30],
    content: &[0x30, 8, 0xa1, 6, 0x30, 4, 0xa4, 2, 0x30, 0],
    critical: false,
};

/// Excludes a registeredID.
const NUMBERED: Extension = Extension {
    number: &[2, 5, 29, 30],
    content: &[0x30, 8, 0xa1, 6, 0x30, 4, 0x88, 2, 0x2a, 3],
    critical: false,
};

/// A list of revoked certificates at `a:`.
const LISTS: &[u8] = &[0x30, 10, 0x30, 8, 0xa0, 6, 0xa0, 4, 0x86, 2, b'a', b':'];

/// Those that people have.
fn known() -> Vec<Chain> {
    let leaf = Says::default();
    let (sound, end) = (Says::AUTHORITY, &["leaf.test"]);
    let root = Link::root(&["root"], sound);
    let old = Link::root(&["old"], Says { time: Time::Past, ..sound });
    let renewed = old.again(&["old"], sound);
    let pinned = Link::root(end, Says { authority: Some(false), ..leaf });
    let constrained = Link::root(&["old"], Says { permits: Some("other.test"), ..sound });
    let freed = constrained.again(&["old"], Says { time: Time::Past, ..sound });
    let mut long = vec![root.sign(&["0"], sound)];
    for name in 1..9 {
        let next = long[name - 1].sign(&[&name.to_string()], sound);
        long.push(next);
    }
    let short = Link::root(&["root"], Says { length: Some(0), ..sound });
    let below = short.sign(&["below"], sound);
    let stranger = Link::root(&["root"], sound);
    let old_client = Link::root(&["old-client"], sound);
    let mut chains = vec![
        Chain::new("sound", &root.sign(end, leaf), &[], &[&root]),
        Chain::new("a stranger", &stranger.sign(end, leaf), &[], &[&root]),
        Chain::new("a namesake beside", &stranger.sign(end, leaf), &[], &[&root, &stranger]),
        Chain::new("CA:TRUE", &root.sign(end, sound), &[], &[&root]),
        Chain::new("policies", &root.sign(end, Says { policies: true, ..leaf }), &[], &[&root]),
        Chain::new("expired authority", &old.sign(end, leaf), &[], &[&old]),
        Chain::new("renewed authority", &renewed.sign(end, leaf), &[], &[&old, &renewed]),
        Chain::new("renewed, not trusted", &renewed.sign(end, leaf), &[&renewed], &[&old]),
        Chain::new("pinned", &pinned, &[], &[&pinned]),
        Chain::new("signed by a pinned one", &pinned.sign(&["x"], leaf), &[], &[&pinned]),
        Chain::new("constraints", &constrained.sign(end, leaf), &[], &[&constrained]),
        Chain::new("constraints, CA:TRUE", &constrained.sign(end, sound), &[], &[&constrained]),
        Chain::new("shed constraints", &constrained.sign(end, leaf), &[], &[&freed, &constrained]),
        Chain::new("its own authority", &root.again(&["root"], sound), &[], &[&root]),
        Chain::new("too long", &below.sign(end, leaf), &[&below], &[&short]),
        Chain::new("long", &long[8].sign(end, leaf), &long.iter().collect::<Vec<_>>(), &[&root]),
        Chain::new("incomplete", &long[8].sign(end, leaf), &[&long[8], &long[0]], &[&root]),
    ];
    for (what, extensions) in EXTENSIONS {
        let odd = root.sign(end, Says { extensions, ..leaf });
        chains.push(Chain::new(what, &odd, &[], &[&root]));
        let odd = root.sign(end, Says { extensions, ..sound });
        chains.push(Chain::new(&format!("{what}, CA:TRUE"), &odd, &[], &[&root]));
        let odd = root.sign(&["between"], Says { extensions, ..sound });
        let below = odd.sign(end, leaf);
        chains.push(Chain::new(&format!("{what}, between"), &below, &[&odd], &[&root]));
        // Portway takes nobody's word who is constrained to names of a directory, as webpki does.
        if *what == "names of a directory" {
            chains.truncate(chains.len() - 1);
            continue;
        }
        let odd = Link::root(&["odd"], Says { extensions, ..sound });
        let below = odd.sign(end, leaf);
        chains.push(Chain::new(&format!("{what}, authority"), &below, &[], &[&odd]));
    }
    let file = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/tls/src/tests/keys");
        std::fs::read_to_string(format!("{folder}/{name}")).expect("a file of the repository")
    };
    let version_1 =
        Certificate::of_files(&file("version-1-client.crt"), &file("version-1-client.key"));
    for (what, trusted) in [
        ("version 1", file("version-1-authority.crt")),
        ("version 1, pinned", version_1.certificate_pem.clone()),
        ("version 1, a stranger", old_client.certificate.certificate_pem.clone()),
    ] {
        chains.push(Chain { what: what.to_owned(), shown: version_1.clone(), trusted });
    }
    chains
}

fn chains(known: Vec<Chain>) -> (u64, Vec<Chain>) {
    let seed = number_from_environment("COMPAT_SEED", 7);
    let count = usize::try_from(number_from_environment("COMPAT_CHAINS", 80)).expect("a count");
    let mut random = Random::new(seed);
    let made = (0..count).map(|_| Chain::random(&mut random));
    (seed, known.into_iter().chain(made).collect())
}

fn status(side: &Side, host: &str, identity: Option<Certificate>) -> String {
    let tls = Tls { identity, ..Tls::to(host) };
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    // With TLS 1.3 a client hears of its refusal only after the handshake.
    let asked = Client::connect_tls(side.process.address("web"), &tls)
        .and_then(|mut client| client.ask(request));
    asked.map_or_else(|_| "refused\n".to_owned(), |response| format!("{}\n", response.status))
}

/// Compares all chains, and that there are good and bad ones.
fn compare(pair: &mut Pair, seed: u64, chains: &[Chain], ask: impl Fn(&Side, usize) -> String) {
    let mut served = 0;
    for (number, chain) in chains.iter().enumerate() {
        let texts = pair.sides.each_ref().map(|side| ask(side, number));
        served += usize::from(texts[1] == "200\n");
        pair.compare_texts(&format!("seed {seed}, chain {number}: {}", chain.what), texts);
    }
    assert!(served * 5 > chains.len() && served * 5 < chains.len() * 4, "{served} are served");
}

fn add(setup: &mut Setup, own: &Certificate, chains: &[Chain]) {
    setup.files.push(("own.pem".to_owned(), own.certificate_pem.clone()));
    setup.files.push(("own.key".to_owned(), own.key_pem.clone()));
    for (number, chain) in chains.iter().enumerate() {
        setup.files.push((format!("trusted{number}.pem"), chain.trusted.clone()));
    }
}

const OWN: &str = "tls:\n  certificates:\n    - {certFile: \"@@folder@@/dynamic/own.pem\", \
                   keyFile: \"@@folder@@/dynamic/own.key\"}\n";

#[test]
fn clients_with_the_chains_that_traefik_takes_are_served() {
    let (seed, chains) = chains(known());
    let (mut routers, mut options) = (String::new(), String::new());
    for number in 0..chains.len() {
        let _ = writeln!(
            routers,
            "    r{number}: {{rule: \"Host(`c{number}.test`)\", service: s, tls: {{options: o{number}}}}}"
        );
        let _ = writeln!(
            options,
            "    o{number}: {{clientAuth: {{caFiles: [\"@@folder@@/dynamic/trusted{number}.pem\"], \
             clientAuthType: RequireAndVerifyClientCert}}}}"
        );
    }
    let mut setup = Setup::web(&format!(
        "http:\n  routers:\n    settled: {{rule: \"Host(`settled.test`)\", service: s, tls: {{}}}}\n{routers}\
         \x20 services:\n    s: {{loadBalancer: {{servers: [{{url: \"http://@@backend0@@\"}}]}}}}\n\
         {OWN}  options:\n{options}"
    ));
    let own = Certificate::for_names(&["*.test"]);
    add(&mut setup, &own, &chains);
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    super::settle(&pair, "settled.test", &own);
    compare(&mut pair, seed, &chains, |side, number| {
        status(side, &format!("c{number}.test"), Some(chains[number].shown.clone()))
    });
    pair.finish();
}

#[test]
fn servers_with_the_chains_that_traefik_takes_are_spoken_to() {
    // What these servers cannot show: version 1, and what they do not understand themselves.
    let can_be_shown = |chain: &Chain| {
        let is_odd = EXTENSIONS.iter().any(|(what, _)| chain.what.starts_with(what));
        !is_odd && !chain.what.contains("version 1") && chain.what != "policies"
    };
    let known = known().into_iter().filter(can_be_shown).collect();
    let (seed, mut chains) = chains(known);
    chains.retain(|chain| !chain.what.contains("policies: true"));
    let (mut routers, mut services, mut transports) = (String::new(), String::new(), String::new());
    let mut backends = Vec::new();
    for (number, chain) in chains.iter().enumerate() {
        let backend = Backend::start_tls(chain.shown.server());
        let _ = writeln!(
            routers,
            "    r{number}: {{rule: \"Host(`c{number}.test`)\", service: s{number}, tls: {{}}}}"
        );
        let _ = writeln!(
            services,
            "    s{number}: {{loadBalancer: {{serversTransport: t{number}, servers: [{{url: \"https://{}\"}}]}}}}",
            backend.address()
        );
        let _ = writeln!(
            transports,
            "    t{number}: {{serverName: leaf.test, rootCAs: [\"@@folder@@/dynamic/trusted{number}.pem\"]}}"
        );
        backends.push(backend);
    }
    let mut setup = Setup::web(&format!(
        "http:\n  routers:\n{routers}  services:\n{services}  serversTransports:\n{transports}{OWN}"
    ));
    let own = Certificate::for_names(&["*.test"]);
    add(&mut setup, &own, &chains);
    let Some(mut pair) = Pair::start(&setup, 0) else { return };
    super::settle(&pair, "c0.test", &own);
    compare(&mut pair, seed, &chains, |side, number| {
        status(side, &format!("c{number}.test"), None)
    });
    pair.finish();
}
