//! Facts about random tables.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use portway_model::{
    Entry,
    dynamic::{Config, Router},
};
use portway_rule::{Syntax, default_priority, parse};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{Get, run, settings};

const RULES: [&str; 12] = [
    "Host(`a`)",
    "Host(`b`)",
    "Host(`*.b`)",
    "HostRegexp(`^a`)",
    "PathPrefix(`/`)",
    "PathPrefix(`/x`)",
    "Path(`/x/y`)",
    "Host(`a`) && PathPrefix(`/x`)",
    "Host(`a`) || Host(`b`)",
    "!Host(`a`)",
    "Host(`c.b`) && !PathPrefix(`/x`)",
    "Hots(`a`)",
];
/// As Traefik's `providers.precedence` has them, the best first.
const PROVIDERS: [&str; 3] = ["kubernetescrd", "file", "other"];
const TIMES: [&str; 2] = ["2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"];

#[derive(Clone, Debug)]
struct Drawn {
    provider: usize,
    rule: &'static str,
    priority: i64,
    created: Option<&'static str>,
    tls: bool,
    broken: bool,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let provider = 0..PROVIDERS.len();
    let priority = select(vec![0, 0, 0, 1, 9, 9, 20, -1, i64::MAX - 1000]);
    (
        provider,
        select(&RULES[..]),
        priority,
        option::of(select(&TIMES[..])),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(provider, rule, priority, created, tls, broken)| Drawn {
            provider,
            rule,
            priority,
            created,
            tls,
            broken,
        })
}

fn configs(routers: &[Drawn]) -> BTreeMap<String, Arc<Config>> {
    let mut configs: BTreeMap<String, Config> = BTreeMap::new();
    for (number, drawn) in routers.iter().enumerate() {
        let router = Router {
            rule: drawn.rule.to_owned(),
            service: if drawn.broken { "nope" } else { "noop@internal" }.to_owned(),
            priority: drawn.priority,
            tls: drawn.tls.then(Default::default),
            ..Router::default()
        };
        let entry = Entry { created: drawn.created.map(str::to_owned), ..Entry::new(router) };
        let config = configs.entry(PROVIDERS[drawn.provider].to_owned()).or_default();
        config.http.routers.insert(format!("r{number:02}"), entry);
    }
    configs.into_iter().map(|(name, config)| (name, Arc::new(config))).collect()
}

/// The name of the first by priority, provider, age and name whose rule matches.
fn naive(routers: &[Drawn], tls: bool, request: &Get<'_>) -> Option<String> {
    let matches = |drawn: &Drawn| {
        drawn.tls == tls && parse(drawn.rule, Syntax::V3).is_ok_and(|rule| rule.matches(request))
    };
    let numbered = routers.iter().enumerate().filter(|(_, drawn)| matches(drawn));
    let keyed = numbered.map(|(number, drawn)| {
        let priority = match drawn.priority {
            0 => default_priority(drawn.rule),
            priority => priority,
        };
        let name = format!("r{number:02}@{}", PROVIDERS[drawn.provider]);
        (Reverse(priority), drawn.provider, drawn.created.is_none(), drawn.created, name)
    });
    keyed.min().map(|(.., name)| name)
}

proptest! {
    #[test]
    fn a_table_finds_what_trying_every_rule_in_order_finds(routers in vec(drawn(), 0..24)) {
        let snapshot = run(&configs(&routers), &settings(), None);
        for host in ["a", "b", "c.b", "aa", "d"] {
            for path in ["/", "/x", "/x/y", "/xy"] {
                let target = format!("{host}{path}");
                let request = Get(&target);
                for (tls, entry_point) in [(false, 0), (true, 0), (false, 1), (true, 1)] {
                    let tables = &snapshot.entry_points[entry_point];
                    let table = if tls { &tables.secure } else { &tables.plain };
                    let found = table.find(&request).map(|route| route.name.to_string());
                    prop_assert_eq!(found, naive(&routers, tls, &request), "{} tls {}", target, tls);
                }
            }
        }
        for route in snapshot.entry_points[0].plain.routes() {
            let number: usize = route.name[1..3].parse().unwrap();
            prop_assert_eq!(super::is_closed(route), routers[number].broken);
        }
    }
}
