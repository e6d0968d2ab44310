//! What the schemas of several kinds have in common.

use portway_model::{Fields, Node, Position, Problem, Value, nearest};

/// A text of the mapping `node`, opened as `fields`, that must be there and must not be empty.
pub(super) fn required(fields: &mut Fields<'_>, node: &Node, name: &'static str) -> String {
    let text = fields.string(name);
    let reason = match (&node.value, fields.node(name).map(|node| &node.value)) {
        (Value::Map(_) | Value::Null, None) => "required, but not there",
        (_, Some(Value::Scalar { .. })) if text.is_empty() => "required, but empty",
        // That the one is no mapping or the other no text has been said.
        _ => return text,
    };
    fields.report(name, Problem::error, reason);
    text
}

/// A text that is empty or one of `allowed`; another is a problem and reads as written.
pub(super) fn one_of(fields: &mut Fields<'_>, name: &'static str, allowed: &[&str]) -> String {
    let text = fields.string(name);
    if !text.is_empty() && !allowed.contains(&text.as_str()) {
        let message = format!("unsupported value `{text}`; {}", suggestion(&text, allowed));
        fields.report(name, Problem::error, message);
    }
    text
}

/// What to write in place of a value that is none of those `allowed`.
pub(super) fn suggestion(text: &str, allowed: &[&str]) -> String {
    match nearest(text, allowed.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("supported values are {}", portway_model::decode::quoted(allowed)),
    }
}

/// A whole number that fits its type; out of range reads as zero.
pub(super) fn port_number(fields: &mut Fields<'_>, name: &'static str) -> u16 {
    fields.scalar(name, "a port number", |text| text.parse().ok()).unwrap_or_default()
}

/// Where a field's value was written; the mapping's own place when the field is absent.
pub(super) fn place(node: &Node, name: &str) -> Position {
    node.get(name).map_or(node.at, |child| child.at)
}

/// The number of the item that `field` is or is in, of the list at `list`.
pub(super) fn item(field: &str, list: &str) -> Option<usize> {
    let (number, _) = field.strip_prefix(list)?.strip_prefix('[')?.split_once(']')?;
    number.parse().ok()
}
