//! Invariant 6: same input, same snapshot.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::dynamic::{
    Certificate, Config, Material, Middleware, ServersTransport, TlsStore,
};
use portway_testkit::random::Random;

use super::{config, file, run, settings};
use crate::Snapshot;

/// Lines of objects whose order must not matter.
const ROUTERS: [&str; 6] = [
    "    a: {rule: 'Host(`a`)', service: s, priority: 9}",
    "    b: {rule: 'Host(`a`)', service: w, priority: 9}",
    "    c: {rule: 'Host(`c`)', service: loop1, tls: {options: o}}",
    "    d: {rule: 'Host(`c`)', service: s, tls: {}}",
    "    e: {rule: 'Host(`e`)', service: s, middlewares: [nope, auth]}",
    "    f: {rule: 'Hots(`e`)', service: s}",
];
const SERVICES: [&str; 5] = [
    "    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}",
    "    w: {weighted: {services: [{name: s}, {name: nope}]}}",
    "    loop1: {weighted: {services: [{name: loop2}]}}",
    "    loop2: {weighted: {services: [{name: loop3}]}}",
    "    loop3: {weighted: {services: [{name: loop1}]}}",
];

fn site(routers: &[&str], services: &[&str]) -> String {
    format!(
        "http:\n  routers:\n{}\n  services:\n{}\n  middlewares: {{auth: {{basicAuth: {{users: ['u:h']}}}}}}\n\
         tls: {{options: {{o: {{minVersion: VersionTLS13}}}}}}\n",
        routers.join("\n"),
        services.join("\n")
    )
}

/// Everything but lines, which do move.
pub(super) fn shown(snapshot: &Snapshot) -> String {
    let mut runtime = snapshot.runtime.clone();
    runtime.diagnostics.iter_mut().for_each(|diagnostic| diagnostic.place = None);
    let tables = snapshot.entry_points.iter().flat_map(|e| [&e.plain, &e.secure]);
    let routes: Vec<String> = tables
        .map(|table| {
            let shown = table
                .routes()
                .into_iter()
                .map(|r| format!("{} {}", super::taker(Some(r)), r.tls_options));
            shown.collect::<Vec<_>>().join(", ")
        })
        .collect();
    format!("{runtime:#?}\n{routes:#?}\n{:?}", snapshot.hash)
}

#[test]
fn the_order_of_objects_changes_nothing() {
    let first = run(&file(&site(&ROUTERS, &SERVICES)), &settings(), None);
    let mut random = Random::new(7);
    for _ in 0..50 {
        let (mut routers, mut services) = (ROUTERS, SERVICES);
        shuffle(&mut routers, &mut random);
        shuffle(&mut services, &mut random);
        let again = run(&file(&site(&routers, &services)), &settings(), None);
        assert_eq!(shown(&again), shown(&first));
    }
}

fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last + 1));
    }
}

#[test]
fn what_was_before_changes_nothing() {
    let text = site(&ROUTERS, &SERVICES);
    let first = run(&file(&text), &settings(), None);
    let other = run(&file("http: {}"), &settings(), Some(&first));
    let again = run(&file(&text), &settings(), Some(&other));
    assert_eq!(shown(&again), shown(&first));
    let at_once = run(&file(&text), &settings(), Some(&first));
    assert_eq!(shown(&at_once), shown(&first));
}

fn hash(config: &Config) -> [u8; 32] {
    let configs = BTreeMap::from([("file".to_owned(), Arc::new(config.clone()))]);
    run(&configs, &settings(), None).hash
}

#[test]
fn places_do_not_enter_the_hash_and_settings_do() {
    let text = site(&ROUTERS, &SERVICES);
    let one = run(&file(&text), &settings(), None).hash;
    let moved = run(&file(&format!("# moved\n{text}")), &settings(), None).hash;
    assert_eq!(one, moved);
    let mut settings = settings();
    settings.entry_points[0].is_default = false;
    assert_ne!(one, run(&file(&text), &settings, None).hash);
}

/// `Debug` hides these, so that they cannot reach a log; the hash must see them.
#[test]
fn secrets_enter_the_hash() {
    let material = |text: &str| Material::inline(text);
    let certificate = |cert: &str, key: &str| Certificate {
        cert: material(cert),
        key: material(key),
        stores: Vec::new(),
    };
    let mut base = config(
        "http: {middlewares: {m: {basicAuth: {users: ['u:1']}}}, serversTransports: {t: {}}}\n\
         tls: {options: {o: {}}}",
    );
    base.tls.certificates.push(portway_model::Entry::new(certificate("a", "b")));
    let store = TlsStore { default_certificate: Some(certificate("c", "d")) };
    base.tls.stores.insert("default".to_owned(), portway_model::Entry::new(store));
    let transport = ServersTransport {
        root_cas: vec![material("e")],
        certificates: vec![certificate("f", "g")],
        ..ServersTransport::default()
    };
    base.http.servers_transports.get_mut("t").unwrap().spec = Arc::new(transport);
    let authorities =
        &mut base.tls.options.get_mut("o").unwrap().spec_mut().client_auth.authorities;
    authorities.push(material("h"));

    type Edit = fn(&mut Config);
    fn auth(config: &mut Config) -> &mut portway_model::dynamic::BasicAuth {
        let Middleware::BasicAuth(auth) = config.http.middlewares.get_mut("m").unwrap().spec_mut()
        else {
            panic!("no basicAuth")
        };
        auth
    }
    fn transport_of(config: &mut Config) -> &mut ServersTransport {
        config.http.servers_transports.get_mut("t").unwrap().spec_mut()
    }
    let edits: [Edit; 10] = [
        |config| auth(config).users[0] = "u:2".to_owned(),
        |config| auth(config).users_of_file.push("u:1".to_owned()),
        |config| config.tls.certificates[0].spec_mut().cert.content[0] = b'X',
        |config| config.tls.certificates[0].spec_mut().key.content[0] = b'X',
        |config| {
            let store = config.tls.stores.get_mut("default").unwrap();
            store.spec_mut().default_certificate.as_mut().unwrap().key.content[0] = b'X';
        },
        |config| transport_of(config).root_cas[0].content[0] = b'X',
        |config| transport_of(config).certificates[0].cert.content[0] = b'X',
        |config| transport_of(config).certificates[0].key.content[0] = b'X',
        |config| {
            let options = config.tls.options.get_mut("o").unwrap();
            options.spec_mut().client_auth.authorities[0].content[0] = b'X';
        },
        |config| {
            // The same bytes, cut elsewhere.
            config.tls.certificates[0].spec_mut().cert.content = b"ab".to_vec();
            config.tls.certificates[0].spec_mut().key.content = Vec::new();
        },
    ];
    let mut seen = std::collections::BTreeSet::from([hash(&base)]);
    assert!(!seen.insert(hash(&base.clone())), "the hash is not stable");
    for (number, edit) in edits.iter().enumerate() {
        let mut config = base.clone();
        edit(&mut config);
        assert!(seen.insert(hash(&config)), "edit {number} does not change the hash");
    }
}
