//! A schema in the form that a CustomResourceDefinition has: OpenAPI 3 with Kubernetes' extensions.

use serde_json::{Map, Value, json};

use super::{Property, Schema, Shape};

impl Schema {
    pub(super) fn to_json(&self) -> Value {
        let mut json = self.shape.to_json();
        if !self.description.is_empty() {
            json.insert("description".to_owned(), self.description.into());
        }
        if !self.rules.is_empty() {
            let rules =
                self.rules.iter().map(|rule| json!({"message": rule.message, "rule": rule.cel}));
            json.insert("x-kubernetes-validations".to_owned(), rules.collect());
        }
        json.into()
    }
}

impl Shape {
    fn to_json(&self) -> Map<String, Value> {
        match self {
            Self::Boolean => fields([("type", "boolean".into())]),
            Self::Integer { wide, least, most } => fields([
                ("type", "integer".into()),
                ("format", wide.then_some("int64").into()),
                ("minimum", (*least).into()),
                ("maximum", (*most).into()),
            ]),
            Self::Text { one_of, pattern, default } => fields([
                ("type", "string".into()),
                ("enum", (!one_of.is_empty()).then(|| json!(one_of)).into()),
                ("pattern", pattern.map(|pattern| pattern.expression()).into()),
                ("default", (*default).into()),
            ]),
            Self::IntegerOrText { pattern } => fields([
                ("anyOf", json!([{"type": "integer"}, {"type": "string"}])),
                ("pattern", pattern.map(|pattern| pattern.expression()).into()),
                ("x-kubernetes-int-or-string", true.into()),
            ]),
            Self::List(item) => fields([("type", "array".into()), ("items", item.to_json())]),
            Self::Map(value) => {
                fields([("type", "object".into()), ("additionalProperties", value.to_json())])
            }
            Self::Object(properties) => fields([
                ("type", "object".into()),
                ("properties", all(properties)),
                ("required", required(properties)),
            ]),
            Self::Anything => fields([("x-kubernetes-preserve-unknown-fields", true.into())]),
        }
    }
}

/// Keywords with their values, without those that have none.
fn fields<const N: usize>(keywords: [(&str, Value); N]) -> Map<String, Value> {
    let present = keywords.into_iter().filter(|(_, value)| !value.is_null());
    present.map(|(keyword, value)| (keyword.to_owned(), value)).collect()
}

fn all(properties: &[Property]) -> Value {
    let properties = properties.iter();
    let named = properties.map(|property| (property.name.to_owned(), property.schema.to_json()));
    named.collect::<Map<_, _>>().into()
}

fn required(properties: &[Property]) -> Value {
    let required = properties.iter().filter(|property| property.required);
    let names: Vec<_> = required.map(|property| property.name).collect();
    if names.is_empty() { Value::Null } else { json!(names) }
}
