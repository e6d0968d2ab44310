//! Reading and changing objects as JSON.

use serde_json::{Map, Value, json};

/// The text at a JSON pointer, or `""`.
pub(super) fn text<'object>(object: &'object Value, pointer: &str) -> &'object str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The value of label `name`.
pub(super) fn label<'object>(object: &'object Value, name: &str) -> Option<&'object str> {
    object.pointer("/metadata/labels")?.get(name)?.as_str()
}

/// Sets or, with `null`, removes a field of the metadata.
pub(super) fn set_metadata(object: &mut Value, name: &str, value: Value) {
    let Some(fields) = object.as_object_mut() else { return };
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    set(metadata, name, value);
}

/// Sets or, with `null`, removes a field.
pub(super) fn set(object: &mut Value, name: &str, value: Value) {
    let Some(fields) = object.as_object_mut() else { return };
    if value.is_null() {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value);
    }
}

/// Applies a JSON merge patch (RFC 7396).
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.as_str()).or_insert(Value::Null), value);
        }
    }
}

/// True when the objects differ in something that a user asks for: not in metadata, not in `status`
/// where that is a part of its own.
pub(super) fn wants_differ(left: &Value, right: &Value, with_status: bool) -> bool {
    let wanted = |object: &Value| {
        let mut object = object.clone();
        set(&mut object, "metadata", Value::Null);
        if !with_status {
            set(&mut object, "status", Value::Null);
        }
        object
    };
    wanted(left) != wanted(right)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn merge_patches_follow_the_rfc() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, expected, "{target} with {patch}");
        }
    }
}
