//! Label and field selectors of lists and watches.

use serde_json::Value;

use super::failure::Failure;
use super::kind::Kind;
use super::object::{label, text};

/// Which objects a client wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    /// JSON pointer, whether the values must be equal, value.
    fields: Vec<(String, bool, String)>,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    /// Also holds when the label is absent.
    NotIn(String, Vec<String>),
}

impl Selector {
    /// Reads both selectors; an empty text selects everything.
    pub(super) fn parse(kind: &Kind, labels: &str, fields: &str) -> Result<Self, Failure> {
        let labels = outside_parentheses(labels)
            .into_iter()
            .map(|part| {
                requirement(part).ok_or_else(|| {
                    Failure::bad_request(format!("unable to parse requirement: {part}"))
                })
            })
            .collect::<Result<_, _>>()?;
        let fields = fields
            .split(',')
            .filter(|part| !part.is_empty())
            .map(|part| field(kind, part))
            .collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = self.labels.iter().all(|requirement| requirement.holds(object));
        labels
            && self
                .fields
                .iter()
                .all(|(pointer, equal, value)| (text(object, pointer) == value) == *equal)
    }
}

impl Requirement {
    fn holds(&self, object: &Value) -> bool {
        match self {
            Self::Exists(name) => label(object, name).is_some(),
            Self::Absent(name) => label(object, name).is_none(),
            Self::In(name, values) => {
                label(object, name).is_some_and(|value| values.iter().any(|one| one == value))
            }
            Self::NotIn(name, values) => {
                label(object, name).is_none_or(|value| values.iter().all(|one| one != value))
            }
        }
    }
}

/// Splits at the commas that are not inside a set of values.
fn outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    text.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
    .collect()
}

fn requirement(text: &str) -> Option<Requirement> {
    if let Some(name) = text.strip_prefix('!') {
        return name_of_label(name).map(Requirement::Absent);
    }
    if let Some((name, value)) = text.split_once("!=") {
        return Some(Requirement::NotIn(name_of_label(name)?, vec![value.trim().to_owned()]));
    }
    if let Some((name, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Requirement::In(name_of_label(name)?, vec![value.trim().to_owned()]));
    }
    let Some((name, rest)) = text.split_once(char::is_whitespace) else {
        return name_of_label(text).map(Requirement::Exists);
    };
    let name = name_of_label(name)?;
    let rest = rest.trim();
    let (negated, set) = match rest.strip_prefix("notin") {
        Some(set) => (true, set),
        None => (false, rest.strip_prefix("in")?),
    };
    let set = set.trim().strip_prefix('(')?.strip_suffix(')')?;
    let values = set.split(',').map(|value| value.trim().to_owned()).collect();
    Some(if negated { Requirement::NotIn(name, values) } else { Requirement::In(name, values) })
}

fn name_of_label(text: &str) -> Option<String> {
    let name = text.trim();
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_./".contains(character);
    (!name.is_empty() && name.chars().all(allowed)).then(|| name.to_owned())
}

fn field(kind: &Kind, text: &str) -> Result<(String, bool, String), Failure> {
    let parts = text
        .split_once("!=")
        .map(|(name, value)| (name, false, value))
        .or_else(|| text.split_once("==").map(|(name, value)| (name, true, value)))
        .or_else(|| text.split_once('=').map(|(name, value)| (name, true, value)));
    let Some((name, equal, value)) = parts else {
        return Err(Failure::bad_request(format!(
            "invalid selector: '{text}'; can't understand '{text}'"
        )));
    };
    let name = name.trim();
    let of_kind = SELECTABLE.iter().find(|(plural, _)| *plural == kind.plural && !kind.custom);
    let known = ["metadata.name", "metadata.namespace"].contains(&name)
        || of_kind.is_some_and(|(_, names)| names.contains(&name));
    if !known {
        return Err(Failure::bad_request(format!("field label not supported: {name}")));
    }
    Ok((format!("/{}", name.replace('.', "/")), equal, value.trim().to_owned()))
}

/// The fields beside name and namespace that lists can be narrowed by, as far as they hold texts.
const SELECTABLE: [(&str, &[&str]); 4] = [
    (
        "events",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "type",
        ],
    ),
    ("namespaces", &["status.phase"]),
    ("secrets", &["type"]),
    ("services", &["spec.clusterIP", "spec.type"]),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Selector;
    use crate::kubernetes::kind::Kind;

    fn kind() -> Kind {
        Kind::custom("traefik.io/v1alpha1", "Middleware", "middlewares", true)
    }

    #[track_caller]
    fn check(selector: &str, expected: [bool; 3]) {
        let objects = [
            json!({"metadata": {"labels": {"app": "web", "tier": "front"}}}),
            json!({"metadata": {"labels": {"app": "shop"}}}),
            json!({"metadata": {}}),
        ];
        let selector = Selector::parse(&kind(), selector, "").unwrap();
        assert_eq!(objects.map(|object| selector.matches(&object)), expected);
    }

    #[test]
    fn labels_are_selected_by_equality() {
        check("app=web", [true, false, false]);
        check("app == web", [true, false, false]);
        check("app!=web", [false, true, true]);
        check("app=web,tier=front", [true, false, false]);
        check("app=web,tier=back", [false, false, false]);
    }

    #[test]
    fn labels_are_selected_by_sets() {
        check("app in (web, shop)", [true, true, false]);
        check("app notin (web),tier", [false, false, false]);
        check("app notin (web)", [false, true, true]);
        check("tier", [true, false, false]);
        check("!tier", [false, true, true]);
        check("", [true, true, true]);
    }

    #[test]
    fn fields_are_selected_by_name_and_namespace() {
        let object = json!({"metadata": {"name": "auth", "namespace": "shop"}});
        for (fields, expected) in [
            ("metadata.name=auth", true),
            ("metadata.name!=auth", false),
            ("metadata.name==auth,metadata.namespace=shop", true),
            ("metadata.namespace=other", false),
        ] {
            let selector = Selector::parse(&kind(), "", fields).unwrap();
            assert_eq!(selector.matches(&object), expected, "{fields}");
        }
    }

    #[test]
    fn unreadable_selectors_are_refused() {
        for (labels, fields) in
            [("app in web", ""), ("=x", ""), ("a b", ""), ("", "spec.entryPoints=web")]
        {
            assert_eq!(Selector::parse(&kind(), labels, fields).unwrap_err().code, 400);
        }
    }
}
