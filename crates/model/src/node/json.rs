//! A tree out of JSON, without places: what an API server sends.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::{Key, Node, Position, Value};

/// How deep lists and mappings can be inside each other; what is deeper reads as nothing.
///
/// An object may be deeper (settings of plugins may be anything), and must not make a list of thousands unreadable:
/// `serde_json` gives up at 128. Nothing that is read is as deep.
const DEPTH: usize = 64;

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Tree { depth: 0 }.deserialize(deserializer)
    }
}

/// A tree inside so many others.
struct Tree {
    depth: usize,
}

impl Tree {
    fn inside(&self) -> Self {
        Self { depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        if self.depth > DEPTH {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| node(Value::Null));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(node(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(plain(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(plain(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(plain(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(plain(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(node(Value::Scalar { text, plain: false }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.inside())? {
            list.push(item);
        }
        Ok(node(Value::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(text) = entries.next_key()? {
            let value = entries.next_value_seed(self.inside())?;
            map.push((Key { text, at: Position::default() }, value));
        }
        Ok(node(Value::Map(map)))
    }
}

fn node(value: Value) -> Node {
    Node { value, at: Position::default() }
}

fn plain(value: impl ToString) -> Node {
    Node::text(value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Node;

    #[test]
    fn what_is_too_deep_reads_as_nothing_and_spoils_nothing_else() {
        for depth in [60, 100, 100_000] {
            let deep = format!("{}7{}", "[".repeat(depth), "]".repeat(depth));
            let text = format!(r#"{{"first": 1, "deep": {{"a": {deep}}}, "last": 2}}"#);
            let node: Node = serde_json::from_str(&text).unwrap();
            assert_eq!(node.get("last"), Some(&Node::text("2")));
            assert_eq!(node.to_json().to_string().contains('7'), depth == 60);
        }
    }

    #[test]
    fn a_tree_gives_back_the_json_that_it_was_read_from() {
        let json = json!({"a": [1, -2, 1.5, true, null, "true", "7", ""], "b": {"c": {}, "d": []}});
        let node: Node = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(node.to_json(), json);
        let node: Node = serde_json::from_str(&json.to_string()).unwrap();
        assert_eq!(node.to_json(), json);
    }
}
