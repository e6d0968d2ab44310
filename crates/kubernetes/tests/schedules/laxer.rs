//! Objects that the schema refuses, of an API server that has let them in under an older and laxer definition:
//! `tests/kubernetes/crds/invalid`. The schema is not asked again, so that readers and translation must close what
//! could do harm.

use std::{collections::BTreeSet, fs, path::Path};

use portway_kubernetes::{
    Index,
    api::{self, Group, Kind, Object},
};
use portway_model::{Node, Position, Value, dynamic::Config, node::Key, yaml};

use crate::followed::traefik;

/// Fields whose refused values do no harm where they are read, by their last name, and why.
const HARMLESS: &[(&str, &str)] = &[
    ("X-Number", "a number reads as the text that it is"),
    ("amount", "less than nothing lets no request in"),
    ("average", "one below zero is refused where the middleware is built"),
    ("attempts", "less than one is refused where the middleware is built"),
    ("burst", "less than one request at once is one"),
    ("checkPeriod", "a fraction of a second reads as one"),
    (
        "clientAuthType",
        "an unknown one is refused where TLS options are built; an empty one is the default",
    ),
    ("depth", "one below zero means the address of the connection"),
    ("dialTimeout", "a fraction of a second reads as one"),
    ("entryPoints", "one text reads as a list of one"),
    ("entryPoints[1]", "nothing names no entry point"),
    ("idleConnTimeout", "a fraction of a second reads as one"),
    ("initialInterval", "a fraction of a second reads as one"),
    ("insecureSkipVerify", "a text reads as the boolean that it spells"),
    ("kind", "an empty one is the default"),
    ("maxIdleConnsPerHost", "none are kept below zero"),
    (
        "maxRequestBodyBytes",
        "any number below zero means no limit; `bodyLimit` refuses it where it is built",
    ),
    ("failover.errors", "without statuses the service is refused where it is built"),
    ("maintenance.status", "what is no status is refused where the middleware is built"),
    ("minResponseBodyBytes", "one below zero is the default"),
    ("passHostHeader", "a text reads as the boolean that it spells"),
    ("percent", "a text reads as the number that it spells"),
    ("permanent", "a text reads as the boolean that it spells"),
    ("pingTimeout", "a fraction of a second reads as one"),
    ("port", "a number reads as the text that it is"),
    (
        "prefix",
        "an empty one is refused where the middleware is built, which adds a slash to others",
    ),
    ("prefixes", "one text reads as a list of one"),
    (
        "priority",
        "one too high is refused where routers are built; a text reads as the number that it spells",
    ),
    ("readIdleTimeout", "a fraction of a second reads as one"),
    ("readTimeout", "a fraction of a second reads as one"),
    ("recoveryDuration", "a fraction of a second reads as one"),
    ("responseCode", "one that no response can have is refused where the middleware is built"),
    ("responseHeaderTimeout", "a fraction of a second reads as one"),
    ("routes", "no routes route nothing"),
    ("sameSite", "an unknown one is told and left out, as in Traefik"),
    ("secure", "a number reads as the boolean that it spells"),
    ("sniStrict", "a text reads as the boolean that it spells"),
    ("spec", "nothing means the defaults, of routes none"),
    ("status[0]", "what is no code is refused where the middleware is built"),
    ("store.name", "stores of routes have no effect"),
    ("stsSeconds", "a browser keeps nothing for less than no time"),
    ("timeout", "a fraction of a second reads as one"),
    ("traceVerbosity", "an unknown one is told"),
    ("writeTimeout", "a fraction of a second reads as one"),
    ("weight", "what weighs less than nothing gets no request"),
];

#[test]
fn what_a_schema_would_have_refused_is_closed_or_does_no_harm() {
    let mut open = BTreeSet::new();
    for (object, field) in corpus() {
        let index = index(object.clone());
        if !is_told(&object, &traefik(&index)) {
            let known = HARMLESS.iter().find(|(name, _)| field.ends_with(name));
            let (name, _) =
                known.unwrap_or_else(|| panic!("{}: {field} is let through", object.key));
            open.insert(*name);
        }
    }
    let named: BTreeSet<_> = HARMLESS.iter().map(|(name, _)| *name).collect();
    assert_eq!(open, named, "what is closed needs no excuse");
}

#[test]
fn a_guard_that_lacks_its_name_closes_the_router() {
    for guard in [
        "middlewares: [{}]",
        "middlewares: [null]",
        "middlewares: [{name: ''}]",
        "middlewares: {name: auth}",
        "middlewares: auth",
        "middlewares: [[auth]]",
        "middlewares: [{name: [auth]}]",
    ] {
        check(&format!(
            "routes: [{{match: Path(`/`), services: [{{name: web, port: 80}}], {guard}}}]"
        ));
    }
    for guard in ["options: {}", "options: {namespace: a}", "options: strict", "options: [strict]"]
    {
        check(&format!(
            "routes: [{{match: Path(`/`), services: [{{name: web, port: 80}}]}}]\n  tls: {{{guard}}}"
        ));
    }
}

#[track_caller]
fn check(spec: &str) {
    let text = format!(
        "kind: IngressRoute\nmetadata: {{name: route, namespace: default}}\nspec:\n  {spec}\n"
    );
    let object = read(Kind::IngressRoute, &yaml::parse(&text).unwrap()[0].node);
    let config = traefik(&index(object));
    assert_eq!(config.http.routers.len(), 1, "{spec}: the router keeps its claim");
    assert!(config.http.routers.values().all(|entry| entry.is_disabled()), "{spec}: {config:#?}");
}

/// Whether an object or what is made of it has an error.
fn is_told(object: &Object, config: &Config) -> bool {
    let http = &config.http;
    let name = object.key.to_string();
    let mut diagnostics = config.diagnostics.iter();
    object.is_refused()
        || diagnostics
            .any(|told| told.severity == portway_model::Severity::Error && told.object == name)
        || http.routers.values().any(|entry| entry.is_disabled())
        || http.middlewares.values().any(|entry| entry.is_disabled())
        || http.services.values().any(|entry| entry.is_disabled())
        || config.tls.stores.values().any(|entry| entry.is_disabled())
}

/// The objects of the kinds that are served, and the field for which each is refused.
fn corpus() -> Vec<(Object, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kubernetes/crds/invalid");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for document in yaml::parse(&text).unwrap() {
            let full = api::read(&document.node, "").remove(0).unwrap();
            let mut node = document.node;
            add_ports(&mut node);
            let object = read(full.key.kind, &node);
            if !matches!(object.body, api::Body::Unserved) {
                cases.push((object, full.meta.annotations["refused"].clone()));
            }
        }
    }
    assert!(cases.len() > 100, "{} objects", cases.len());
    cases
}

/// Gives references to the Service `web` the port that they lack, so that nothing but the refused value is wrong.
fn add_ports(node: &mut Node) {
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(add_ports),
        Value::Map(entries) => {
            entries.iter_mut().for_each(|(_, node)| add_ports(node));
            let to_web =
                |(key, node): &(Key, Node)| key.text == "name" && node.as_text() == Some("web");
            if entries.iter().any(to_web) && !entries.iter().any(|(key, _)| key.text == "port") {
                let key = Key { text: "port".to_owned(), at: Position::default() };
                entries.push((key, Node::text("80")));
            }
        }
        _ => {}
    }
}

fn read(kind: Kind, node: &Node) -> Object {
    api::read_as(kind, Group::TraefikIo, node).unwrap()
}

/// The object beside what it may refer to.
fn index(object: Object) -> Index {
    let mut index = Index::default();
    index.apply(object);
    for name in ["a", "b", "copy", "web"] {
        let text = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n\
             spec: {{clusterIP: 10.43.0.1, ports: [{{port: 80}}, {{port: 81}}]}}\n"
        );
        let document = yaml::parse(&text).unwrap().remove(0);
        index.apply(api::read(&document.node, "").remove(0).unwrap());
    }
    index
}
