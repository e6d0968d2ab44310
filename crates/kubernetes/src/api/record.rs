//! What an API server keeps about an object.

use std::hash::{DefaultHasher, Hash, Hasher};

use portway_model::{Node, Value};

use super::Record;

pub(super) fn read(node: &Node) -> Record {
    let metadata = node.get("metadata");
    let text = |name| metadata.and_then(|node| node.get(name)).and_then(Node::as_text);
    let conditions = node.get("status").and_then(|status| status.get("conditions"));
    Record {
        uid: text("uid").unwrap_or_default().to_owned(),
        generation: text("generation").and_then(|text| text.parse().ok()).unwrap_or_default(),
        conditions: conditions.map(hash).unwrap_or_default(),
    }
}

/// A hash of conditions, without their times. See [`crate::Report::is_due`], which hashes the same.
fn hash(conditions: &Node) -> u64 {
    let mut hasher = DefaultHasher::new();
    let Value::List(conditions) = &conditions.value else { return 0 };
    for condition in conditions {
        let text = |name| condition.get(name).and_then(Node::as_text).unwrap_or_default();
        let generation: i64 = text("observedGeneration").parse().unwrap_or_default();
        (text("type"), text("status"), generation, text("reason"), text("message"))
            .hash(&mut hasher);
    }
    hasher.finish()
}
