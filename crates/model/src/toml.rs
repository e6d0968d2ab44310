//! TOML text to a [`Node`] tree.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{Node, Position, Value, node::Key, yaml::SyntaxError};

/// Parses a text.
///
/// # Errors
/// At the first fault, which makes the whole text unreadable.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        SyntaxError { at: lines.position(offset), message: error.message().to_owned() }
    })?;
    Ok(Node { value: map(&lines, table.get_ref()), at: lines.position(table.span().start) })
}

fn map(lines: &Lines, table: &DeTable<'_>) -> Value {
    let entries = table.iter().map(|(key, value)| {
        let at = lines.position(key.span().start);
        (Key { text: key.get_ref().to_string(), at }, node(lines, value))
    });
    Value::Map(entries.collect())
}

fn node(lines: &Lines, value: &Spanned<DeValue<'_>>) -> Node {
    let plain = |text: String| Value::Scalar { text, plain: true };
    let content = match value.get_ref() {
        DeValue::String(string) => Value::Scalar { text: string.to_string(), plain: false },
        DeValue::Integer(integer) => plain(integer.to_string()),
        DeValue::Float(float) => plain(float.to_string()),
        DeValue::Boolean(boolean) => plain(boolean.to_string()),
        DeValue::Datetime(datetime) => plain(datetime.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(lines, item)).collect()),
        DeValue::Table(table) => map(lines, table),
    };
    Node { value: content, at: lines.position(value.span().start) }
}

/// Where the lines of a text begin, so that a place costs a binary search and not a scan.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { starts: std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect() }
    }

    /// The line and column of a byte offset; columns count bytes.
    fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position { line: number(line), column: number(offset.saturating_sub(start) + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn tables_and_places_are_kept() {
        let node = parse("[http.routers.a]\nrule = \"x\"\npriority = 5\n").unwrap();
        let router = node.get("http").unwrap().get("routers").unwrap().get("a").unwrap();
        assert_eq!(router.to_json(), serde_json::json!({"rule": "x", "priority": 5}));
        assert_eq!(router.get("priority").unwrap().at.line, 3);
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(parse("a = 1\nb = \n").unwrap_err().at.line, 2);
    }
}
