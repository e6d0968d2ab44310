//! Which router goes first.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::dynamic::Config;

use super::{config, plain, run, secure, settings, taker};

/// A provider with routers of one rule: name, priority, time of creation.
type Said<'a> = (&'a str, &'a [(&'a str, i64, Option<&'a str>)]);

fn first(providers: &[Said<'_>]) -> String {
    let configs = providers.iter().map(|(provider, routers)| {
        let mut config = config(
            "http: {services: {s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}}}",
        );
        for (name, priority, created) in *routers {
            let mut entry = portway_model::Entry::new(portway_model::dynamic::Router {
                rule: "Host(`a`)".to_owned(),
                service: "s".to_owned(),
                priority: *priority,
                ..Default::default()
            });
            entry.created = created.map(str::to_owned);
            config.http.routers.insert((*name).to_owned(), entry);
        }
        ((*provider).to_owned(), Arc::new(config))
    });
    let configs: BTreeMap<String, Arc<Config>> = configs.collect();
    taker(plain(&run(&configs, &settings(), None), "a/"))
}

#[test]
fn the_higher_priority_goes_first() {
    assert_eq!(first(&[("file", &[("a", 5, None), ("b", 6, None)])]), "b@file");
    assert_eq!(first(&[("file", &[("a", -5, None), ("b", 1, None)])]), "b@file");
}

#[test]
fn no_priority_is_the_length_of_the_rule() {
    assert_eq!(first(&[("file", &[("a", 9, None), ("b", 0, None)])]), "a@file");
    assert_eq!(first(&[("file", &[("a", 8, None), ("b", 0, None)])]), "b@file");
    let rules = "http:
  routers:
    short: {rule: 'PathPrefix(`/a`)', service: noop@internal}
    long: {rule: 'PathPrefix(`/a`) ', service: noop@internal}";
    assert_eq!(taker(plain(&super::compiled(rules), "x/a")), "long@file");
}

#[test]
fn ties_go_by_provider_then_age_then_name() {
    let crd: Said<'_> = ("kubernetescrd", &[("z", 7, Some("2026-01-02T00:00:00Z"))]);
    assert_eq!(first(&[("file", &[("a", 7, None)]), crd]), "z@kubernetescrd");
    assert_eq!(first(&[("file", &[("a", 7, None)]), ("other", &[("a", 7, None)])]), "a@file");
    let (old, young) = (Some("2025-01-01T00:00:00Z"), Some("2026-01-01T00:00:00Z"));
    let by_age: &[_] = &[("a", 7, young), ("b", 7, old), ("c", 7, None)];
    assert_eq!(first(&[("kubernetescrd", by_age)]), "b@kubernetescrd");
    let by_name: &[_] = &[("b", 7, old), ("a", 7, old)];
    assert_eq!(first(&[("kubernetescrd", by_name)]), "a@kubernetescrd");
}

#[test]
fn of_two_api_groups_the_older_one_yields_whatever_the_age() {
    let mut config = config(
        "http: {routers: {
            a: {rule: Host(`a`), service: noop@internal, tls: {}},
            b: {rule: Host(`a`), service: noop@internal, tls: {}}}}",
    );
    let routers = &mut config.http.routers;
    let mut created = |name: &str, time: &str| {
        routers.get_mut(name).unwrap().created = Some(time.to_owned());
    };
    created("a", "2020-01-01T00:00:00Z");
    created("b", "2026-01-01T00:00:00Z");
    let compiled = |config: &Config| {
        let configs = BTreeMap::from([("kubernetescrd".to_owned(), Arc::new(config.clone()))]);
        run(&configs, &settings(), None)
    };
    assert_eq!(taker(secure(&compiled(&config), "a/")), "a@kubernetescrd");
    config.http.routers.get_mut("a").unwrap().yields = true;
    assert_eq!(taker(secure(&compiled(&config), "a/")), "b@kubernetescrd");
}
