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

    /// Checks a value and all in it. Rules are asked of values of the right type only, as an API server does.
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
        let is_fit = scalar(node).is_some_and(|json| fits(&json));
        if !is_fit {
            let found = found(node, fits);
            self.refuse(path, format!("expected {expected}, found {found}"), node.at);
        }
        is_fit
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

/// What stands where a value of another type should, and how it would fit.
fn found(node: &Node, fits: impl Fn(&Json) -> bool) -> String {
    let Value::Scalar { text, plain } = &node.value else { return node.kind().to_owned() };
    let otherwise = Value::Scalar { text: text.clone(), plain: !plain };
    let quotes = if *plain { "in" } else { "without" };
    if scalar(&Node { value: otherwise, at: node.at }).is_some_and(|json| fits(&json)) {
        format!("`{text}`; write it {quotes} quotes")
    } else {
        format!("`{text}`")
    }
}

/// A whole number, which JSON may write with a fraction of zero.
fn whole(json: &Json) -> Option<i64> {
    json.as_i64().or_else(|| {
        let number = json.as_f64().filter(|number| number.fract() == 0.0)?;
        format!("{number:.0}").parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use portway_model::yaml;

    use super::check;
    use crate::api::Kind;

    #[track_caller]
    fn says(kind: Kind, text: &str, expected: &[&str]) {
        let documents = yaml::parse(text).unwrap();
        let problems = check(kind, &documents[0].node);
        let shown: Vec<_> =
            problems.iter().map(|p| format!("{:?} {}: {p}", p.severity, p.at.line)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_value_of_another_type_is_told_how_it_would_fit() {
        says(
            Kind::Middleware,
            "spec:\n  redirectScheme:\n    permanent: 'true'\n    port: 443\n    scheme: [https]\n",
            &[
                "Error 3: spec.redirectScheme.permanent: expected a boolean (`true` or `false`), found \
                 `true`; write it without quotes",
                "Error 4: spec.redirectScheme.port: expected a text, found `443`; write it in quotes",
                "Error 5: spec.redirectScheme.scheme: expected a text, found a list",
            ],
        );
    }

    #[test]
    fn a_field_that_would_be_dropped_is_a_warning() {
        says(
            Kind::TlsStore,
            "spec:\n  certificates: [{secretName: a, secrettName: b}]\nspecs: {}\n",
            &[
                "Warning 3: specs: unknown field `specs`; did you mean `spec`?",
                "Warning 2: spec.certificates[0].secrettName: unknown field `secrettName`; did you mean \
                 `secretName`?",
            ],
        );
    }

    #[test]
    fn a_field_without_a_value_is_absent() {
        says(
            Kind::IngressRouteUdp,
            "spec:\n  entryPoints: null\n  routes:\n",
            &["Error 2: spec.routes: required, but not there"],
        );
    }

    #[test]
    fn fields_are_checked_in_any_letter_case() {
        says(
            Kind::MiddlewareTcp,
            "spec: {INFLIGHTCONN: {amount: -1}}\n",
            &["Error 1: spec.inFlightConn.amount: -1 is less than the least allowed value 0"],
        );
    }

    #[test]
    fn kinds_of_kubernetes_are_not_checked() {
        says(Kind::Secret, "data: 3\n", &[]);
    }
}
