//! Typed values out of a [`Node`] tree, with a problem for each thing that does not fit.

use std::collections::BTreeMap;

use crate::{Node, Period, Position, Problem, Severity, Value, nearest, node::Key};

/// Reads the fields of one mapping, in any letter case.
///
/// Each method names a field that the mapping may have, and so makes it known; [`Fields::close`] reports
/// every field that nobody asked for, with the nearest known name. A value of the wrong type is a problem
/// and reads as absent: the rest of the object is read all the same.
pub struct Fields<'a> {
    entries: &'a [(Key, Node)],
    path: String,
    known: Vec<&'static str>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// Opens `node`, whose place inside the object is `path` (empty for the object itself).
    ///
    /// Nothing (`null`) opens as an empty mapping; anything else than a mapping is a problem and opens
    /// as an empty one too.
    pub fn open(node: &'a Node, path: &str, problems: &'a mut Vec<Problem>) -> Self {
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => {
                let message = format!("expected a mapping of fields, found {}", node.kind());
                problems.push(Problem::error(path, message).at(node.at));
                &[]
            }
        };
        Self { entries, path: path.to_owned(), known: Vec::new(), problems }
    }

    /// The node of a field; `None` when it is absent or null.
    pub fn node(&mut self, name: &'static str) -> Option<&'a Node> {
        self.present(name).filter(|node| node.value != Value::Null)
    }

    /// The node of a field that may be there without a value (`tls:`, `--api`).
    pub fn present(&mut self, name: &'static str) -> Option<&'a Node> {
        self.known.push(name);
        let entries = self.entries;
        entries.iter().find(|(key, _)| key.text.eq_ignore_ascii_case(name)).map(|(_, node)| node)
    }

    /// The field's path inside the object.
    pub fn path(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Reports a problem with a field, placed where the field's value was written.
    pub fn report(
        &mut self,
        name: &str,
        problem: fn(String, String) -> Problem,
        message: impl Into<String>,
    ) {
        let at = self.entries.iter().find(|(key, _)| key.text.eq_ignore_ascii_case(name));
        let at = at.map(|(_, node)| node.at).unwrap_or_default();
        self.problems.push(problem(self.path(name), message.into()).at(at));
    }

    /// Adds a problem as it is.
    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A text; empty when absent.
    pub fn string(&mut self, name: &'static str) -> String {
        self.node(name).and_then(|node| self.text(name, node)).unwrap_or_default()
    }

    /// A boolean as Go reads one: `true`, `True`, `TRUE`, `t`, `T`, `1` and their opposites.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.scalar(name, "a boolean (`true` or `false`)", |text| match text {
            "true" | "True" | "TRUE" | "t" | "T" | "1" => Some(true),
            "false" | "False" | "FALSE" | "f" | "F" | "0" => Some(false),
            _ => None,
        })
    }

    /// A whole number of 64 bits.
    pub fn integer(&mut self, name: &'static str) -> Option<i64> {
        self.scalar(name, "a whole number", |text| text.parse().ok())
    }

    /// A period of time; see [`Period::parse`].
    pub fn period(&mut self, name: &'static str) -> Option<Period> {
        self.scalar(name, "a duration such as `30s`, `250ms` or a number of seconds", |text| {
            Period::parse(text).ok()
        })
    }

    /// A scalar that `parse` accepts; `expected` says what that is.
    pub fn scalar<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let node = self.node(name)?;
        let text = self.text(name, node)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            let message = format!("expected {expected}, found `{text}`");
            self.problems.push(Problem::error(self.path(name), message).at(node.at));
        }
        parsed
    }

    /// A list of texts; one text may stand for a list, with commas between its items.
    pub fn strings(&mut self, name: &'static str) -> Vec<String> {
        match self.node(name) {
            None => Vec::new(),
            Some(node) => strings(node, &self.path(name), self.problems),
        }
    }

    /// A mapping of names to texts.
    pub fn string_map(&mut self, name: &'static str) -> BTreeMap<String, String> {
        self.map(name, |node, path, problems| scalar_text(node, path, problems).unwrap_or_default())
    }

    /// What `decode` makes of a field that is there, with or without a value.
    pub fn object<T>(
        &mut self,
        name: &'static str,
        decode: impl FnOnce(&Node, &str, &mut Vec<Problem>) -> T,
    ) -> Option<T> {
        let node = self.present(name)?;
        Some(decode(node, &join(&self.path, name), self.problems))
    }

    /// A group of fields that may be switched: `None` when it is absent, null or `false`; what `decode` makes
    /// of no fields at all when it is `true`.
    pub fn section<T>(
        &mut self,
        name: &'static str,
        decode: impl FnOnce(&Node, &str, &mut Vec<Problem>) -> T,
    ) -> Option<T> {
        let read = |node: &Node, path: &str, problems: &mut Vec<Problem>| match &node.value {
            Value::Null => None,
            Value::Scalar { text, .. } => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => Some(decode(&Node::empty_map(), path, problems)),
                "false" | "f" | "0" => None,
                _ => {
                    let message = format!("expected fields or a boolean, found `{text}`");
                    problems.push(Problem::error(path, message).at(node.at));
                    None
                }
            },
            _ => Some(decode(node, path, problems)),
        };
        self.object(name, read).flatten()
    }

    /// One of a few words, in any letter case.
    pub fn choice<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let expected = format!("one of {}", quoted(&names));
        self.scalar(name, &expected, |text| {
            words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, value)| *value)
        })
    }

    /// A mapping of names to what `decode` makes of each.
    pub fn map<T>(
        &mut self,
        name: &'static str,
        mut decode: impl FnMut(&Node, &str, &mut Vec<Problem>) -> T,
    ) -> BTreeMap<String, T> {
        let Some(node) = self.node(name) else { return BTreeMap::new() };
        let path = self.path(name);
        let Value::Map(entries) = &node.value else {
            self.mismatch(&path, "a mapping of names", node);
            return BTreeMap::new();
        };
        let mut map = BTreeMap::new();
        for (key, child) in entries {
            map.insert(key.text.clone(), decode(child, &join(&path, &key.text), self.problems));
        }
        map
    }

    /// A list of what `decode` makes of each item.
    pub fn list<T>(
        &mut self,
        name: &'static str,
        mut decode: impl FnMut(&Node, &str, &mut Vec<Problem>) -> T,
    ) -> Vec<T> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let path = self.path(name);
        let Value::List(items) = &node.value else {
            self.mismatch(&path, "a list", node);
            return Vec::new();
        };
        let numbered = items.iter().enumerate();
        numbered.map(|(i, item)| decode(item, &format!("{path}[{i}]"), self.problems)).collect()
    }

    /// A field that Portway knows but does not serve yet: it is kept as JSON to be shown, and a warning says
    /// that it has no effect.
    pub fn unserved(&mut self, name: &'static str) -> Option<Box<serde_json::Value>> {
        let node = self.node(name)?;
        self.problems.push(
            Problem::warning(
                self.path(name),
                "not served by this version of Portway; it has no effect",
            )
            .at(node.at),
        );
        Some(Box::new(node.to_json()))
    }

    /// Reports each field that nobody asked for.
    pub fn close(self) {
        for (key, _) in self.entries {
            if self.known.iter().any(|name| key.text.eq_ignore_ascii_case(name)) {
                continue;
            }
            let problem = unknown(&join(&self.path, &key.text), &key.text, &self.known, key.at);
            self.problems.push(problem);
        }
    }

    /// Like [`Fields::close`] for a source that drops unknown fields (a Kubernetes API server): each is a
    /// warning, unless it reads like a misspelt one of `guards`, which must not be missed in silence.
    pub fn close_dropping(self, guards: &[&str]) {
        for (key, _) in self.entries {
            if self.known.iter().any(|name| key.text.eq_ignore_ascii_case(name)) {
                continue;
            }
            let mut problem = unknown(&join(&self.path, &key.text), &key.text, &self.known, key.at);
            let near = nearest(&key.text, self.known.iter().copied());
            if near.is_none_or(|near| !guards.contains(&near)) {
                problem.severity = Severity::Warning;
            }
            self.problems.push(problem);
        }
    }

    fn text(&mut self, name: &str, node: &Node) -> Option<String> {
        scalar_text(node, &join(&self.path, name), self.problems)
    }

    fn mismatch(&mut self, path: &str, expected: &str, node: &Node) {
        let message = format!("expected {expected}, found {}", node.kind());
        self.problems.push(Problem::error(path, message).at(node.at));
    }
}

/// The problem of a field `written` that is none of `known`.
pub fn unknown(path: &str, written: &str, known: &[&str], at: Position) -> Problem {
    let message = match nearest(written, known.iter().copied()) {
        Some(near) => format!("unknown field `{written}`; did you mean `{near}`?"),
        None => format!("unknown field `{written}`; known fields are {}", quoted(known)),
    };
    Problem::error(path, message).at(at)
}

/// Names in back-quotes with commas between them.
pub fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// `path.name`, or `name` alone at the top.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A text out of a scalar.
fn scalar_text(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Option<String> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text.clone()),
        Value::Null => Some(String::new()),
        _ => {
            let message = format!("expected a single value, found {}", node.kind());
            problems.push(Problem::error(path, message).at(node.at));
            None
        }
    }
}

/// A list of texts; one text may stand for a list, with commas between its items.
pub fn strings(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Vec<String> {
    let mut strings = match &node.value {
        Value::Null => Vec::new(),
        Value::Scalar { text, .. } => text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect(),
        Value::List(items) => {
            let numbered = items.iter().enumerate();
            numbered
                .filter_map(|(i, item)| scalar_text(item, &format!("{path}[{i}]"), problems))
                .collect()
        }
        Value::Map(_) => {
            let message = "expected a list of texts, found a mapping";
            problems.push(Problem::error(path, message).at(node.at));
            Vec::new()
        }
    };
    // Most lists have one item, and a hundred thousand routers may have several such lists each.
    strings.shrink_to_fit();
    strings
}

#[cfg(test)]
mod tests {
    use crate::{Fields, Severity, yaml};

    #[test]
    fn a_bad_field_is_reported_with_its_place_and_costs_no_other() {
        let documents = yaml::parse("entryPoint: web\npriority: high\nRULE: x\n").unwrap();
        let mut problems = Vec::new();
        let mut fields = Fields::open(&documents[0].node, "", &mut problems);
        assert_eq!(fields.string("rule"), "x");
        assert_eq!(fields.integer("priority"), None);
        assert!(fields.strings("entryPoints").is_empty());
        fields.close();
        let shown: Vec<_> =
            problems.iter().map(|p| (p.at.line, p.severity, p.to_string())).collect();
        assert_eq!(
            shown,
            [
                (2, Severity::Error, "priority: expected a whole number, found `high`".to_owned()),
                (
                    1,
                    Severity::Error,
                    "entryPoint: unknown field `entryPoint`; did you mean `entryPoints`?"
                        .to_owned()
                ),
            ]
        );
    }
}
