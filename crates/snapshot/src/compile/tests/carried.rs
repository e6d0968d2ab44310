//! What the next snapshot adopts: state survives unrelated edits, and not edits of its own settings.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Instant,
};

use portway_http::{Headers, Request};
use portway_middleware::{Context, PasswordPool};
use portway_model::{Entry, dynamic};
use portway_testkit::certificate::Certificate;
use portway_upstream::{Asking, Random, Server};

use super::{compiled, compiled_after, config, plain, run, settings};
use crate::{Service, Snapshot, Taker, Target, compile::tls};

const SITE: &str = "http:
  routers:
    a: {rule: 'Host(`a`)', service: s, middlewares: [auth]}
    w: {rule: 'Host(`w`)', service: w}
  services:
    s: {loadBalancer: {serversTransport: t, servers: [{url: 'http://127.0.0.1:1'}, {url: 'http://127.0.0.1:2'}]}}
    w: {weighted: {services: [{name: s}, {name: one}]}}
    one: {loadBalancer: {servers: [{url: 'http://127.0.0.1:3'}]}}
  middlewares: {auth: {basicAuth: {users: ['u:h']}}}
  serversTransports: {t: {insecureSkipVerify: true}}
";

/// An edit that concerns nothing above.
fn elsewhere() -> String {
    SITE.replace("  routers:\n", "  routers:\n    new: {rule: 'Host(`n`)', service: one}\n")
}

fn pick(snapshot: &Snapshot, host: &str) -> Arc<Server> {
    let Some(route) = plain(snapshot, host) else { panic!("no router for {host}") };
    let Target::Service(service) = route.steps.target() else { panic!("no service for {host}") };
    let (headers, random) = (Headers::new(), Random::default());
    let client = Ipv4Addr::LOCALHOST.into();
    let choice = service.pick(&Asking { headers: &headers, client, random: &random });
    let Some(Taker::Server(picked)) = choice.taker else { panic!("no server for {host}") };
    Arc::clone(picked.server)
}

/// What tells the server's pooled connections from all others.
fn identity(server: &Server) -> String {
    let shown = format!("{server:?}");
    shown[shown.find("ServerId").expect("an identity")..].to_owned()
}

#[test]
fn balancers_go_on_where_they_were() {
    let first = compiled(SITE);
    assert_eq!(pick(&first, "a/").url, "http://127.0.0.1:1");
    let second = compiled_after(&elsewhere(), &first);
    assert_eq!(pick(&second, "a/").url, "http://127.0.0.1:2");
    // One position for both snapshots: requests in flight may still run on the old one.
    assert_eq!(pick(&first, "a/").url, "http://127.0.0.1:1");
    assert_eq!(pick(&second, "a/").url, "http://127.0.0.1:2");
    pick(&second, "w/");
    let third = compiled_after(SITE, &second);
    assert_eq!(pick(&third, "w/").url, "http://127.0.0.1:3", "the weighted one goes on as well");
}

#[test]
fn a_change_of_servers_gives_nobody_a_second_turn() {
    let first = compiled(SITE);
    assert_eq!(pick(&first, "a/").url, "http://127.0.0.1:1");
    let edited = SITE.replace("127.0.0.1:2", "127.0.0.1:4");
    let second = compiled_after(&edited, &first);
    assert_eq!(
        pick(&second, "a/").url,
        "http://127.0.0.1:1",
        "both wait, and this one is the first"
    );
    let grown = SITE.replace(
        "{url: 'http://127.0.0.1:2'}",
        "{url: 'http://127.0.0.1:4'}, {url: 'http://127.0.0.1:5'}",
    );
    let third = compiled_after(&grown, &second);
    let next: Vec<_> = (0..3).map(|_| pick(&third, "a/").port).collect();
    assert_eq!(next, [4, 1, 5]);
}

#[test]
fn servers_keep_their_identity_while_address_and_transport_stay() {
    let first = compiled(SITE);
    let one = pick(&first, "a/");
    pick(&first, "a/");
    // Another balancer, the same server.
    let edited = SITE.replace("127.0.0.1:2", "127.0.0.1:4");
    let second = compiled_after(&edited, &first);
    assert_eq!(identity(&pick(&second, "a/")), identity(&one));
    let other_transport = SITE.replace("insecureSkipVerify: true", "insecureSkipVerify: false");
    let third = compiled_after(&other_transport, &first);
    let moved = pick(&third, "a/");
    assert_eq!(moved.url, one.url);
    assert_ne!(
        identity(&moved),
        identity(&one),
        "connections of other settings must not be reused"
    );
}

fn middleware(snapshot: &Snapshot) -> &Arc<portway_middleware::Middleware> {
    snapshot.carried.middlewares["auth@file"].result.as_ref().expect("a middleware")
}

#[test]
fn middlewares_keep_what_they_remember() {
    let first = compiled(SITE);
    let second = compiled_after(&elsewhere(), &first);
    assert!(Arc::ptr_eq(middleware(&first), middleware(&second)));
    let edited = compiled_after(&SITE.replace("'u:h'", "'u:other'"), &second);
    assert!(!Arc::ptr_eq(middleware(&second), middleware(&edited)));
}

#[tokio::test]
async fn routers_count_apart_and_go_on_where_they_were() {
    let site = |rest: &str| {
        format!(
            "http:
  routers:
    a: {{rule: 'Host(`a`)', service: noop@internal, middlewares: [one, one]}}
    b: {{rule: 'Host(`b`)', service: noop@internal, middlewares: [chained]}}
{rest}  middlewares:
    one: {{rateLimit: {{average: 1, period: 1h, burst: 2}}}}
    chained: {{chain: {{middlewares: [one]}}}}
"
        )
    };
    let passwords = PasswordPool::new(1, 2).unwrap();
    let passes = async |snapshot: &Snapshot, host: &str| {
        let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut context = Context::new(false, client, Instant::now(), &passwords);
        let chain = &plain(snapshot, host).unwrap().steps.filters;
        chain.on_request(&mut Request::new(), &mut context).await.is_ok()
    };
    let first = compiled(&site(""));
    assert!(passes(&first, "a/").await && passes(&first, "a/").await);
    assert!(!passes(&first, "a/").await);
    assert!(passes(&first, "b/").await, "another router has its own");
    let second =
        compiled_after(&site("    c: {rule: 'Host(`c`)', service: noop@internal}\n"), &first);
    assert!(!passes(&second, "a/").await);
    assert!(passes(&second, "b/").await && !passes(&second, "b/").await);
    let edited = compiled_after(&site("").replace("burst: 2", "burst: 1"), &second);
    assert!(passes(&edited, "a/").await, "other settings start afresh");
}

#[test]
fn transports_and_rules_are_taken_over() {
    let first = compiled(SITE);
    let second = compiled_after(&elsewhere(), &first);
    for name in ["", "t@file"] {
        let compiled =
            |snapshot: &Snapshot| Arc::clone(&snapshot.carried.transports[name].compiled);
        assert!(Arc::ptr_eq(&compiled(&first), &compiled(&second)), "transport {name:?}");
    }
    let rule = |snapshot: &Snapshot| Arc::clone(&plain(snapshot, "a/").unwrap().rule);
    assert!(Arc::ptr_eq(&rule(&first), &rule(&second)));
    let without = compiled_after("http: {}", &second);
    assert!(without.carried.routers.is_empty(), "what nobody uses is gone");
    assert!(without.carried.middlewares.is_empty());
}

#[test]
fn certificates_and_tls_options_are_taken_over() {
    let certificate = Certificate::for_names(&["a.test"]);
    let mut with = config("http: {}\ntls: {options: {o: {minVersion: VersionTLS13}}}");
    with.tls.certificates.push(Entry::new(dynamic::Certificate {
        cert: dynamic::Material::inline(certificate.certificate_pem),
        key: dynamic::Material::inline(certificate.key_pem),
        stores: Vec::new(),
    }));
    let configs = BTreeMap::from([("file".to_owned(), Arc::new(with))]);
    let first = run(&configs, &settings(), None);
    let second = run(&configs, &settings(), Some(&first));
    let found = |tls: &tls::Carried| {
        let certificates = tls.certificates.as_ref().expect("certificates");
        Arc::clone(certificates.find("a.test").expect("a certificate"))
    };
    assert!(Arc::ptr_eq(&found(&first.carried.tls), &found(&second.carried.tls)));
    let options = second.carried.tls.options.as_ref().expect("options");
    assert!(options.get("o@file").is_some());
}

#[test]
fn a_service_that_two_routers_use_is_one() {
    let text = SITE.replace("service: w}", "service: s}");
    let snapshot = compiled(&text);
    let service = |host: &str| match plain(&snapshot, host).unwrap().steps.target() {
        Target::Service(service) => Arc::clone(service),
        other => panic!("{other:?}"),
    };
    let (one, other): (Arc<Service>, Arc<Service>) = (service("a/"), service("w/"));
    assert!(Arc::ptr_eq(&one, &other));
}
