//! The tree that every text source becomes before it is read.

mod json;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What was written.
    pub value: Value,
    /// Where it begins.
    pub at: Position,
}

/// A line and a column, both from 1; line 0 for sources without places (flags, environment).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A text, number, date or boolean: the type is decided by who reads it.
    Scalar {
        /// The text, unquoted.
        text: String,
        /// Written without quotes, so that it may be a number or a boolean.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written; keys are unique.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The text of the key.
    pub text: String,
    /// Where it was written.
    pub at: Position,
}

impl Node {
    /// A text without a place.
    pub fn text(text: impl Into<String>) -> Self {
        Self { value: Value::Scalar { text: text.into(), plain: true }, at: Position::default() }
    }

    /// An empty mapping without a place.
    pub fn empty_map() -> Self {
        Self { value: Value::Map(Vec::new()), at: Position::default() }
    }

    /// Whether this is the word `true`.
    pub fn is_true(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, .. } if text.eq_ignore_ascii_case("true"))
    }

    /// The child under `key`, compared to the letter.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => {
                entries.iter().find(|(k, _)| k.text == key).map(|(_, node)| node)
            }
            _ => None,
        }
    }

    /// The text of a scalar.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Takes the blanks around the items of lists away, as Traefik does where it reads files.
    pub fn trim_items(&mut self) {
        match &mut self.value {
            Value::List(items) => {
                for item in items {
                    match &mut item.value {
                        Value::Scalar { text, .. } if text.trim().len() < text.len() => {
                            *text = text.trim().to_owned();
                        }
                        _ => item.trim_items(),
                    }
                }
            }
            Value::Map(entries) => entries.iter_mut().for_each(|(_, node)| node.trim_items()),
            Value::Null | Value::Scalar { .. } => {}
        }
    }

    /// What the node is, for error messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The tree as JSON: plain scalars become booleans and numbers as in YAML's core schema.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Scalar { text, plain: false } => text.clone().into(),
            Value::Scalar { text, plain: true } => plain_json(text),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.text.clone(), node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

fn plain_json(text: &str) -> serde_json::Value {
    match text {
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    match text.parse::<f64>() {
        Ok(number) if digits && number.is_finite() => number.into(),
        _ => text.into(),
    }
}
