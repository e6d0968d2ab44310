//! Where options come from: flags over environment over one file, merged into one tree.
//!
//! Everything here is a function of its arguments; reading files and the real environment is the binary's.
//!
//! Traefik takes all options from the first of these sources that it finds. Portway merges them, so that one flag
//! does not void a file.

use crate::{
    Diagnostic, Node, Place, Position, Problem, Severity, Value,
    node::Key,
    static_config::{self, StaticConfig, known},
    toml, yaml,
};

mod environment;
mod flags;

pub use environment::from_environment;
pub use flags::from_flags;

/// What one source says.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The options as a tree.
    pub node: Node,
    /// What is wrong with the source; what is wrong with values shows when the sources are merged.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the options stand.
    pub origin: Origin,
}

/// Where options stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The command line.
    Flags,
    /// Environment variables.
    Environment,
    /// A file, by its path.
    File(String),
}

impl Origin {
    /// The object that problems with these options name.
    fn object(&self) -> String {
        match self {
            Self::Flags => "flags".to_owned(),
            Self::Environment => "environment".to_owned(),
            Self::File(path) => format!("file {path}"),
        }
    }
}

impl Source {
    fn empty(origin: Origin) -> Self {
        Self { node: Node::empty_map(), diagnostics: Vec::new(), origin }
    }

    fn report(&mut self, severity: Severity, field: &str, message: String) {
        let (object, field) = (self.origin.object(), field.to_owned());
        self.diagnostics.push(Diagnostic { severity, object, field, message, place: None });
    }

    /// The file of options that this source names: `configFile`.
    pub fn config_file(&self) -> Option<&str> {
        let Value::Map(entries) = &self.node.value else { return None };
        let found = entries.iter().find(|(key, _)| key.text.eq_ignore_ascii_case("configFile"));
        found.and_then(|(_, node)| node.as_text()).filter(|path| !path.is_empty())
    }
}

/// Reads a file of options; its name's ending says whether it is YAML (`.yml`, `.yaml`) or TOML (`.toml`).
///
/// # Errors
/// When the text cannot be parsed, or the name has another ending.
pub fn from_file(name: &str, text: &str) -> Result<Source, Diagnostic> {
    let fault = |at: Position, message: String| Diagnostic {
        severity: Severity::Error,
        object: format!("file {name}"),
        field: String::new(),
        message,
        place: Some(Place { file: name.into(), line: at.line }),
    };
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let node = match ending.as_deref() {
        Some("yml" | "yaml") => {
            let mut documents =
                yaml::parse(text).map_err(|error| fault(error.at, error.message))?.into_iter();
            let first = documents.next().map_or_else(Node::empty_map, |document| document.node);
            if let Some(second) = documents.next() {
                let at = Position { line: second.line, column: 1 };
                let message = "has a second document; options stand in one".to_owned();
                return Err(fault(at, message));
            }
            first
        }
        Some("toml") => toml::parse(text).map_err(|error| fault(error.at, error.message))?,
        _ => {
            let message = "its name ends in none of `.yml`, `.yaml`, `.toml`".to_owned();
            return Err(fault(Position::default(), message));
        }
    };
    Ok(Source { node, diagnostics: Vec::new(), origin: Origin::File(name.to_owned()) })
}

/// Merges the sources, the strongest last, and reads the result.
///
/// With a diagnostic of [`Severity::Error`], Portway must not start.
pub fn assemble(sources: impl IntoIterator<Item = Source>) -> (StaticConfig, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut node = Node::empty_map();
    let mut said = Vec::new();
    for source in sources {
        diagnostics.extend(source.diagnostics);
        said.push((source.origin, source.node.clone()));
        node = merge(node, source.node);
    }
    let mut problems = Vec::new();
    let config = static_config::decode(&node, &mut problems);
    diagnostics.extend(problems.into_iter().map(|problem| diagnose(problem, &said)));
    (config, diagnostics)
}

/// A problem of the merged tree, with the strongest source that says something there.
fn diagnose(problem: Problem, said: &[(Origin, Node)]) -> Diagnostic {
    let path = known::segments(&problem.field);
    let origin = said.iter().rev().find(|(_, node)| !path.is_empty() && has(node, &path));
    let origin = origin.map(|(origin, _)| origin);
    let place = match origin {
        Some(Origin::File(file)) if problem.at.line > 0 => {
            Some(Place { file: file.as_str().into(), line: problem.at.line })
        }
        _ => None,
    };
    let field = match origin {
        Some(Origin::Flags) => format!("--{}", problem.field),
        _ => problem.field,
    };
    let object = origin.map_or_else(|| "options".to_owned(), Origin::object);
    Diagnostic { severity: problem.severity, object, field, message: problem.message, place }
}

/// Whether a tree has something at a path; a single value has all that may be inside it.
fn has(node: &Node, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    match &node.value {
        Value::Map(entries) => {
            let mut found = entries.iter().filter(|(key, _)| key.text.eq_ignore_ascii_case(first));
            found.any(|(_, child)| has(child, rest))
        }
        Value::List(items) => {
            let item = known::index(first).and_then(|index| items.get(index));
            item.is_some_and(|item| has(item, rest))
        }
        Value::Scalar { .. } => true,
        Value::Null => false,
    }
}

/// `over` laid on `base`: mappings are merged with keys in any letter case, everything else is replaced. A
/// bare `true` enables a group and leaves its options as they are.
pub fn merge(base: Node, over: Node) -> Node {
    match (base.value, over.value) {
        (Value::Map(mut entries), Value::Map(more)) => {
            for (key, node) in more {
                lay(&mut entries, key, node);
            }
            Node { value: Value::Map(entries), at: base.at }
        }
        (value @ Value::Map(_), Value::Scalar { text, .. }) if is_true(&text) => {
            Node { value, at: base.at }
        }
        (_, value) => Node { value, at: over.at },
    }
}

fn lay(entries: &mut Vec<(Key, Node)>, key: Key, node: Node) {
    let known = entries.iter_mut().find(|(known, _)| known.text.eq_ignore_ascii_case(&key.text));
    match known {
        None => entries.push((key, node)),
        Some((_, below)) => {
            let empty = Node { value: Value::Null, at: below.at };
            *below = merge(std::mem::replace(below, empty), node);
        }
    }
}

/// Puts the value of one flag or variable into the tree; `path` is that of a known option.
///
/// A group that was switched off stays off, as in Traefik.
fn insert(node: &mut Node, path: &[&str], value: &str) {
    let Some((first, rest)) = path.split_first() else {
        let keep = matches!(node.value, Value::Map(_)) && is_true(value);
        if !keep {
            *node = Node::text(value);
        }
        return;
    };
    match &node.value {
        Value::Map(_) => {}
        Value::Scalar { text, .. } if is_false(text) => return,
        _ => *node = Node::empty_map(),
    }
    let Value::Map(entries) = &mut node.value else { return };
    let found = entries.iter().position(|(key, _)| key.text.eq_ignore_ascii_case(first));
    let at = found.unwrap_or_else(|| {
        let key = Key { text: (*first).to_owned(), at: Position::default() };
        entries.push((key, Node { value: Value::Null, at: Position::default() }));
        entries.len() - 1
    });
    if let Some((_, child)) = entries.get_mut(at) {
        insert(child, rest, value);
    }
}

/// Turns mappings whose keys are places in a list (`[0]`) into lists.
fn settle(node: &mut Node) {
    let Value::Map(entries) = &mut node.value else { return };
    for (_, child) in entries.iter_mut() {
        settle(child);
    }
    let is_list = !entries.is_empty() && entries.iter().all(|(key, _)| known::is_index(&key.text));
    if is_list {
        entries.sort_by_key(|(key, _)| known::index(&key.text));
        let items = std::mem::take(entries).into_iter().map(|(_, item)| item);
        node.value = Value::List(items.collect());
    }
}

/// A path whose tail of free contents is one part, so that no input makes a tree deep.
fn shorten<'a>(
    path: &[&'a str],
    known: &known::Known,
    joint: &str,
) -> Vec<std::borrow::Cow<'a, str>> {
    let depth = known::segments(known.path).len();
    let (head, tail) = path.split_at_checked(depth).unwrap_or((path, &[]));
    let mut short: Vec<std::borrow::Cow<'a, str>> =
        head.iter().map(|part| (*part).into()).collect();
    match tail {
        [] => {}
        [index] if known::is_index(index) => short.push((*index).into()),
        tail => {
            if let Some(last) = short.last_mut() {
                *last = format!("{last}{joint}{}", tail.join(joint)).into();
            }
        }
    }
    short
}

fn is_true(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "true" | "t" | "1")
}

fn is_false(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "false" | "f" | "0")
}

#[cfg(test)]
mod tests;
