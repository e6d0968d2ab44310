//! Every limit of the schema has an object that breaks it.

use std::collections::BTreeSet;

use portway_kubernetes::api::{Group, Kind};
use serde_json::Value as Json;

use super::{corpus, expected_field, read, schema, steps::pattern};

/// A limit: the kind, the field, and the keyword of the schema.
type Limit = (Kind, String, &'static str);

#[test]
fn every_limit_has_an_object_that_breaks_it() {
    let mut unbroken: BTreeSet<Limit> =
        Kind::TRAEFIK.into_iter().flat_map(|kind| limits(kind, &schema(kind), "spec")).collect();
    assert!(unbroken.len() > 100, "{}", unbroken.len());
    for case in corpus("invalid", Group::TraefikIo) {
        let field = expected_field(&read(&case.node));
        let pointer = field.replace("].", "/").replace(['.', '['], "/").replace(']', "");
        let value = case.node.to_json().pointer(&format!("/{pointer}")).cloned();
        let at = pattern(&field);
        unbroken.retain(|(kind, path, keyword)| {
            let here = *kind == case.kind && *path == at;
            !(here && breaks(value.as_ref(), keyword, schema_at(&schema(*kind), path)))
        });
    }
    assert_eq!(unbroken, BTreeSet::new());
}

/// Each limit below a part of the schema.
fn limits(kind: Kind, schema: &Json, at: &str) -> Vec<Limit> {
    let keywords = ["enum", "pattern", "minimum", "maximum", "x-kubernetes-validations"];
    let own = keywords.into_iter().filter(|keyword| schema.get(*keyword).is_some());
    let mut found: Vec<_> = own.map(|keyword| (kind, at.to_owned(), keyword)).collect();
    for name in schema["required"].as_array().into_iter().flatten() {
        found.push((kind, format!("{at}.{}", name.as_str().unwrap()), "required"));
    }
    if let Some(items) = schema.get("items") {
        found.extend(limits(kind, items, &format!("{at}[]")));
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        found.extend(limits(kind, field, &format!("{at}.{name}")));
    }
    found
}

/// Whether a value that is refused breaks this limit and no type.
fn breaks(value: Option<&Json>, keyword: &str, schema: &Json) -> bool {
    let number = |keyword: &str| schema[keyword].as_i64().unwrap();
    match (keyword, value) {
        ("required", value) => value.is_none(),
        ("enum" | "pattern", Some(value)) => value.is_string(),
        ("minimum", Some(value)) => value.as_i64().is_some_and(|value| value < number("minimum")),
        ("maximum", Some(value)) => value.as_i64().is_some_and(|value| value > number("maximum")),
        ("x-kubernetes-validations", Some(value)) => value.is_string() || value.is_object(),
        _ => false,
    }
}

/// The part of a schema at a path such as `spec.routes[].match`.
fn schema_at<'a>(schema: &'a Json, path: &str) -> &'a Json {
    path.split('.').skip(1).fold(schema, |schema, step| {
        let items = step.matches("[]").count();
        let field = &schema["properties"][step.trim_end_matches("[]")];
        (0..items).fold(field, |schema, _| &schema["items"])
    })
}
