//! Ways through an object and through its schema.

use portway_model::{Node, Value};
use serde_json::Value as Json;

/// A step from a value into one of its parts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Field(String),
    Item(usize),
}

/// The path of a part as problems name it, such as `spec.routes[0].match`.
pub(crate) fn path(steps: &[Step]) -> String {
    steps.iter().fold("spec".to_owned(), |path, step| match step {
        Step::Field(name) => format!("{path}.{name}"),
        Step::Item(i) => format!("{path}[{i}]"),
    })
}

/// The same path for all items of a list, such as `spec.routes[].match`.
pub(crate) fn pattern(path: &str) -> String {
    let mut pattern = String::new();
    for (i, part) in path.split('[').enumerate() {
        let rest = if i == 0 { Some(part) } else { part.split_once(']').map(|(_, rest)| rest) };
        pattern.push_str(if i == 0 { "" } else { "[]" });
        pattern.push_str(rest.unwrap());
    }
    pattern
}

/// Every part of a value with the schema that it has, the value itself first.
pub(crate) fn parts(schema: &Json, node: &Node) -> Vec<(Vec<Step>, Json)> {
    let mut parts = vec![(Vec::new(), schema.clone())];
    let inner: Vec<(Step, &Node, &Json)> = match &node.value {
        Value::Map(entries) => entries
            .iter()
            .filter_map(|(key, node)| {
                let field = schema["properties"].get(&key.text);
                let schema = field.or(schema.get("additionalProperties"))?;
                Some((Step::Field(key.text.clone()), node, schema))
            })
            .collect(),
        Value::List(items) => items
            .iter()
            .enumerate()
            .filter_map(|(i, node)| Some((Step::Item(i), node, schema.get("items")?)))
            .collect(),
        _ => Vec::new(),
    };
    for (step, node, schema) in inner {
        for (mut steps, schema) in self::parts(schema, node) {
            steps.insert(0, step.clone());
            parts.push((steps, schema));
        }
    }
    parts
}

/// The part of `spec` that steps lead to.
pub(crate) fn part<'a>(object: &'a mut Node, steps: &[Step]) -> &'a mut Node {
    let spec = [Step::Field("spec".to_owned())];
    spec.iter().chain(steps).fold(object, |node, step| match (&mut node.value, step) {
        (Value::Map(entries), Step::Field(name)) => {
            &mut entries.iter_mut().find(|(key, _)| key.text == *name).unwrap().1
        }
        (Value::List(items), Step::Item(i)) => &mut items[*i],
        (value, step) => panic!("{step:?} leads nowhere in {value:?}"),
    })
}
