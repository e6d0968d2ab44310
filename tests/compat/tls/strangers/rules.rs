//! Rules of routers, and the names that they claim.

use portway_testkit::random::Random;

/// Names that rules and clients speak of. None but the first label stands for a wildcard of the same length: of two
/// rules of one length Traefik takes the one that chance has put first.
pub(super) const NAMES: [&str; 9] = [
    "one.test",
    "two.test",
    "three.test",
    "deep.one.test",
    "inner.wild.test",
    "other.wild.test",
    "deep.inner.wild.test",
    "with-dash.test",
    "only-plain.test",
];

pub(super) const PATHS: [&str; 5] = ["/", "/p", "/a", "/n", "/x"];

/// A rule, and the names in it that TLS options go by.
pub(super) fn rule(random: &mut Random) -> (String, Vec<String>) {
    let one = (*random.pick(&NAMES)).to_owned();
    let two = (*random.pick(&NAMES)).to_owned();
    let path = *random.pick(&PATHS);
    let single = vec![one.clone()];
    let double = vec![one.clone(), two.clone()];
    match random.below(20) {
        0..=5 => (format!("Host(`{one}`)"), single),
        6 | 7 => (format!("Host(`{one}`) || Host(`{two}`)"), double),
        8 | 9 => (format!("Host(`{one}`) && PathPrefix(`{path}`)"), single),
        10 => (format!("Host(`{one}`) && !Host(`{two}`)"), double),
        11 => (format!("(Host(`{one}`) && Path(`{path}`)) || PathPrefix(`/n`)"), single),
        12 => (format!("Host(`{}`)", one.to_uppercase()), single),
        13 => ("Host(`*.wild.test`)".to_owned(), vec!["*.wild.test".to_owned()]),
        14 => ("HostRegexp(`^[a-z.-]+\\\\.wild\\\\.test$`)".to_owned(), vec![]),
        15 => (format!("HostRegexp(`.+`) && PathPrefix(`{path}`)"), vec![]),
        16 => (format!("PathPrefix(`{path}`)"), vec![]),
        17 => (format!("Host(`{one}`) && ClientIP(`192.0.2.0/24`)"), single),
        18 => (format!("Path(`{path}`) && (Host(`{one}`) || Host(`*.wild.test`))"), {
            vec![one, "*.wild.test".to_owned()]
        }),
        _ => (format!("!Host(`{one}`) && PathPrefix(`{path}`)"), single),
    }
}

/// Whether `name` is one that `domain` stands for.
pub(super) fn covers(domain: &str, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match domain.strip_prefix("*.") {
        Some(rest) => name.split_once('.').is_some_and(|(_, parent)| parent == rest),
        None => domain == name,
    }
}
