//! The fields of the schema and those that readers know are the same.

use std::collections::BTreeSet;

use portway_kubernetes::api::{Group, Kind};
use portway_model::{Node, Position, Value, node::Key};
use serde_json::Value as Json;

use super::{
    corpus, plain, read, refused, schema,
    steps::{Step, part, parts, path, pattern},
};

/// Like no field that there is, so that the message about it lists those that there are.
const NO_FIELD: &str = "qqqqqqqqqqqqqqqqqqqqqqqq";

#[test]
fn every_field_of_the_schema_has_a_valid_object() {
    let mut missing: BTreeSet<_> =
        Kind::TRAEFIK.into_iter().flat_map(|kind| fields(kind, &schema(kind), "spec")).collect();
    assert!(missing.len() > 600, "{}", missing.len());
    for case in corpus("valid", Group::TraefikIo) {
        let spec = case.node.get("spec").unwrap();
        for (steps, _) in parts(&schema(case.kind), spec) {
            missing.remove(&(case.kind, pattern(&path(&steps))));
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

/// Each field below a part of the schema, with its kind.
fn fields(kind: Kind, schema: &Json, at: &str) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    if let Some(items) = schema.get("items") {
        found.extend(fields(kind, items, &format!("{at}[]")));
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{at}.{name}");
        found.extend(fields(kind, field, &path));
        found.push((kind, path));
    }
    found
}

#[test]
fn readers_ask_for_the_fields_of_the_schema_and_no_others() {
    let mut asked = 0;
    for case in corpus("valid", Group::TraefikIo) {
        let schema = schema(case.kind);
        for (steps, schema) in parts(&schema, case.node.get("spec").unwrap()) {
            let Some(properties) = schema["properties"].as_object() else { continue };
            let mut node = case.node.clone();
            let Value::Map(entries) = &mut part(&mut node, &steps).value else { continue };
            entries.push((
                Key { text: NO_FIELD.to_owned(), at: Position::default() },
                Node::empty_map(),
            ));
            let expected: BTreeSet<_> = properties.keys().cloned().collect();
            let place = format!("{} {}", case.name, path(&steps));
            assert_eq!(known_fields(&node, &path(&steps)), expected, "{place}");
            asked += 1;
        }
    }
    assert!(asked > 200, "{asked}");
}

/// The fields that are known at a path, which what is said about [`NO_FIELD`] lists.
fn known_fields(node: &Node, path: &str) -> BTreeSet<String> {
    let object = read(node);
    let field = format!("{path}.{NO_FIELD}");
    let about: Vec<_> = object.all_problems().filter(|problem| problem.field == field).collect();
    let [problem] = about.as_slice() else { panic!("{path}: {about:?}") };
    let (_, list) = problem.message.split_once("known fields are ").unwrap();
    list.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}

#[test]
fn every_field_refuses_values_of_another_type() {
    for case in corpus("valid", Group::TraefikIo) {
        for (steps, schema) in parts(&schema(case.kind), case.node.get("spec").unwrap()) {
            let Some(other) = another_type(&schema) else { continue };
            if Value::Null == part(&mut case.node.clone(), &steps).value {
                continue;
            }
            let mut node = case.node.clone();
            part(&mut node, &steps).value = other;
            let found = refused(&read(&node));
            assert!(found.contains(&path(&steps)), "{} {}: {found:?}", case.name, path(&steps));
        }
    }
}

/// A value that is not of the schema's type; `None` where there is none.
fn another_type(schema: &Json) -> Option<Value> {
    let quoted = |text: &str| Value::Scalar { text: text.to_owned(), plain: false };
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return Some(plain("true"));
    }
    match schema.get("type")?.as_str()? {
        "string" => Some(plain("1")),
        "integer" => Some(quoted("1")),
        "boolean" => Some(quoted("true")),
        "array" => Some(quoted("")),
        "object" => Some(Value::List(Vec::new())),
        other => panic!("{other} is no type of ours"),
    }
}

#[test]
fn paths_of_all_items_are_patterns() {
    let steps = [Step::Field("routes".to_owned()), Step::Item(3), Step::Field("match".to_owned())];
    assert_eq!(path(&steps), "spec.routes[3].match");
    assert_eq!(pattern(&path(&steps)), "spec.routes[].match");
}
