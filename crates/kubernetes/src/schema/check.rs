//! A file against the schema.

use portway_model::{
    Node, Position, Problem, Severity, Value,
    decode::{join, quoted, unknown},
    nearest,
};
use serde_json::Value as Json;

use super::{Property, Schema, Shape, definition, pattern::Pattern};
use crate::api::Kind;

/// What an API server would say of an object: an error for each value that it would refuse, a warning for each
/// field that it would drop. Kubernetes' own kinds are not checked.
///
/// Texts and numbers are told apart as in YAML, by their quotes. Fields are found in any letter case, as the
/// readers find them.
pub(crate) fn check(kind: Kind, object: &Node) -> Vec<Problem> {
    let mut check = Check::default();
    if let Some(spec) = definition::spec(kind) {
        check.root(spec, object);
    }
    check.problems
}

#[derive(Default)]
struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn root(&mut self, spec: &Schema, object: &Node) {
        let known = ["apiVersion", "kind", "metadata", "spec", "status"];
        let Value::Map(entries) = &object.value else { return };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            self.dropped(&key.text, &key.text, &known, key.at);
        }
        match object.get("spec").filter(|node| node.value != Value::Null) {
            Some(node) => self.value(spec, node, "spec"),
            None => self.refuse("spec", "required, but not there", object.at),
        }
    }

    fn value(&mut self, schema: &Schema, node: &Node, path: &str) {
        let fits = match &schema.shape {
            Shape::Boolean => {
                self.typed(node, path, "a boolean (`true` or `false`)", |json| json.is_boolean())
            }
            Shape::Integer { least, most, .. } => self.integer(node, path, *least, *most),
            Shape::Text { one_of, pattern, .. } => {
                let fits = self.typed(node, path, "a text", Json::is_string);
                if let Some(text) = node.as_text().filter(|_| fits) {
                    self.word(text, one_of, node, path);
                    self.form(text, *pattern, node, path);
                }
                fits
            }
            Shape::IntegerOrText { pattern } => {
                let expected = "a whole number or a text";
                let fits = self
                    .typed(node, path, expected, |json| json.is_string() || whole(json).is_some());
                if let Some(Json::String(text)) = scalar(node).filter(|_| fits) {
                    self.form(&text, *pattern, node, path);
                }
                fits
            }
            Shape::List(item) => self.list(item, node, path),
            Shape::Map(value) => self.map(value, node, path),
            Shape::Object(properties) => self.object(properties, node, path),
            Shape::Anything => true,
        };
        let rules = schema.rules.iter().filter(|_| fits);
        for message in rules.filter_map(|rule| (rule.broken)(node)) {
            self.refuse(path, message, node.at);
        }
    }

    fn typed(
        &mut self,
        node: &Node,
        path: &str,
        expected: &str,
        fits: impl Fn(&Json) -> bool,
    ) -> bool {
        let json = scalar(node);
        let fits = json.as_ref().is_some_and(fits);
        if !fits {
            let found = match json {
                Some(Json::String(text)) => format!("the text `{text}`"),
                Some(value) => format!("`{value}`, which is no text without quotes"),
                None => node.kind().to_owned(),
            };
            self.refuse(path, format!("expected {expected}, found {found}"), node.at);
        }
        fits
    }

    fn integer(&mut self, node: &Node, path: &str, least: Option<i64>, most: Option<i64>) -> bool {
        let fits = self.typed(node, path, "a whole number", |json| whole(json).is_some());
        let Some(number) = scalar(node).as_ref().and_then(whole) else { return fits };
        if let Some(least) = least.filter(|least| number < *least) {
            let message = format!("{number} is less than the least allowed value {least}");
            self.refuse(path, message, node.at);
        }
        if let Some(most) = most.filter(|most| number > *most) {
            self.refuse(path, format!("{number} is more than {most}, the highest"), node.at);
        }
        fits
    }

    fn word(&mut self, text: &str, words: &[&str], node: &Node, path: &str) {
        if words.is_empty() || words.contains(&text) {
            return;
        }
        let message = match nearest(text, words.iter().copied()) {
            Some(near) => format!("unsupported value `{text}`; did you mean `{near}`?"),
            None => {
                format!("unsupported value `{text}`; supported values are {}", quoted(words))
            }
        };
        self.refuse(path, message, node.at);
    }

    fn form(&mut self, text: &str, pattern: Option<Pattern>, node: &Node, path: &str) {
        if let Some(pattern) = pattern.filter(|pattern| !pattern.matches(text)) {
            let message = format!("expected {}, found `{text}`", pattern.expected());
            self.refuse(path, message, node.at);
        }
    }

    fn list(&mut self, item: &Schema, node: &Node, path: &str) -> bool {
        let Value::List(items) = &node.value else {
            return self.mismatch(path, "a list", node);
        };
        for (i, node) in items.iter().enumerate() {
            self.value(item, node, &format!("{path}[{i}]"));
        }
        true
    }

    fn map(&mut self, value: &Schema, node: &Node, path: &str) -> bool {
        let Value::Map(entries) = &node.value else {
            return self.mismatch(path, "a mapping of names", node);
        };
        // An API server drops names without a value.
        for (key, node) in entries.iter().filter(|(_, node)| node.value != Value::Null) {
            self.value(value, node, &join(path, &key.text));
        }
        true
    }

    fn object(&mut self, properties: &[Property], node: &Node, path: &str) -> bool {
        let Value::Map(entries) = &node.value else {
            return self.mismatch(path, "a mapping of fields", node);
        };
        for property in properties {
            let name = property.name;
            let field = entries.iter().find(|(key, _)| key.text.eq_ignore_ascii_case(name));
            // An API server takes a field without a value for absent.
            match field.filter(|(_, node)| node.value != Value::Null) {
                Some((_, node)) => self.value(&property.schema, node, &join(path, name)),
                None if property.required => {
                    self.refuse(&join(path, name), "required, but not there", node.at);
                }
                None => {}
            }
        }
        let is_known =
            |text: &str| properties.iter().any(|property| property.name.eq_ignore_ascii_case(text));
        for (key, _) in entries.iter().filter(|(key, _)| !is_known(&key.text)) {
            let known: Vec<_> = properties.iter().map(|property| property.name).collect();
            self.dropped(&join(path, &key.text), &key.text, &known, key.at);
        }
        true
    }

    fn mismatch(&mut self, path: &str, expected: &str, node: &Node) -> bool {
        self.refuse(path, format!("expected {expected}, found {}", node.kind()), node.at);
        false
    }

    fn dropped(&mut self, path: &str, written: &str, known: &[&str], at: Position) {
        let problem = unknown(path, written, known, at);
        self.problems.push(Problem { severity: Severity::Warning, ..problem });
    }

    fn refuse(&mut self, path: &str, message: impl Into<String>, at: Position) {
        self.problems.push(Problem::error(path, message).at(at));
    }
}

/// What a scalar is: a boolean, a number or a text.
fn scalar(node: &Node) -> Option<Json> {
    matches!(node.value, Value::Scalar { .. }).then(|| node.to_json())
}

/// A whole number, which JSON may write with a fraction of zero.
fn whole(json: &Json) -> Option<i64> {
    json.as_i64().or_else(|| {
        let number = json.as_f64().filter(|number| number.fract() == 0.0)?;
        format!("{number:.0}").parse().ok()
    })
}
