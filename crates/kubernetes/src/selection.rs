//! Which objects an index holds at all: those of the chosen namespaces and those that belong to none, and of
//! Traefik's own kinds and Ingresses those whose labels satisfy the selector.
//!
//! A cluster's API server does the same for its watches; a folder of manifests does it here.

use portway_model::static_config::KubernetesObjects;

use crate::api::{Group, Kind, Object};

/// Which objects an index holds at all. Traefik: `namespaces` and `labelSelector`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    namespaces: Vec<String>,
    requirements: Vec<Requirement>,
}

/// A label selector that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "invalid label selector `{selector}`: `{part}` is none of `key`, `!key`, `key=value`, `key!=value`, \
     `key in (a, b)` and `key notin (a, b)`"
)]
pub struct InvalidSelector {
    selector: String,
    part: String,
}

/// One condition of a selector.
#[derive(Clone, Debug, PartialEq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Selection {
    /// Reads what the static configuration says.
    ///
    /// # Errors
    /// When `labelSelector` is no label selector of Kubernetes.
    pub fn new(objects: &KubernetesObjects) -> Result<Self, InvalidSelector> {
        let selector = objects.label_selector.as_str();
        let invalid = |part: &str| InvalidSelector {
            selector: selector.to_owned(),
            part: part.trim().to_owned(),
        };
        let parts = split(selector).into_iter().filter(|_| !selector.trim().is_empty());
        let requirements = parts
            .map(|part| requirement(part).ok_or_else(|| invalid(part)))
            .collect::<Result<_, _>>()?;
        Ok(Self { namespaces: objects.namespaces.clone(), requirements })
    }

    /// Whether an index holds the object.
    pub fn accepts(&self, object: &Object) -> bool {
        let key = &object.key;
        let here = self.namespaces.is_empty()
            || key.kind.is_cluster_scoped()
            || self.namespaces.contains(&key.namespace);
        let selectable = key.group != Group::Kubernetes || key.kind == Kind::Ingress;
        let labels = &object.meta.labels;
        let holds = |requirement: &Requirement| {
            let value = labels.get(&requirement.key);
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            }
        };
        here && (!selectable || self.requirements.iter().all(holds))
    }
}

/// The parts of a selector, at commas outside of parentheses.
fn split(selector: &str) -> Vec<&str> {
    let mut open = false;
    selector
        .split(move |c| {
            open = (open || c == '(') && c != ')';
            c == ',' && !open
        })
        .collect()
}

fn requirement(part: &str) -> Option<Requirement> {
    let part = part.trim();
    if let Some(key) = part.strip_prefix('!') {
        return make(key, Test::Absent);
    }
    for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = part.split_once(operator) {
            let values = vec![word(value).filter(|value| !value.contains('='))?.to_owned()];
            return make(key, if equal { Test::In(values) } else { Test::NotIn(values) });
        }
    }
    let Some((head, list)) = part.split_once('(') else { return make(part, Test::Exists) };
    let values: Option<Vec<_>> =
        list.strip_suffix(')')?.split(',').map(|value| word(value).map(str::to_owned)).collect();
    let (key, operator) = head.trim().split_once(char::is_whitespace)?;
    match operator.trim() {
        "in" => make(key, Test::In(values?)),
        "notin" => make(key, Test::NotIn(values?)),
        _ => None,
    }
}

fn make(key: &str, test: Test) -> Option<Requirement> {
    let key = word(key).filter(|key| !key.is_empty())?.to_owned();
    Some(Requirement { key, test })
}

/// A trimmed text without white space or signs of the selector language inside.
fn word(text: &str) -> Option<&str> {
    let text = text.trim();
    let strange = |c: char| c.is_whitespace() || "()!,".contains(c);
    (!text.contains(strange)).then_some(text)
}

#[cfg(test)]
mod tests {
    use portway_model::{static_config::KubernetesObjects, yaml};

    use super::Selection;
    use crate::api;

    #[track_caller]
    fn check(selector: &str, labels: &str, accepted: bool) {
        let label_selector = selector.to_owned();
        let objects = KubernetesObjects { label_selector, ..KubernetesObjects::default() };
        let text = format!(
            "apiVersion: traefik.io/v1alpha1\nkind: Middleware\n\
             metadata: {{name: m, labels: {{{labels}}}}}\nspec: {{}}\n"
        );
        let documents = yaml::parse(&text).unwrap();
        let object = api::read(&documents[0].node, "").remove(0).unwrap();
        assert_eq!(Selection::new(&objects).unwrap().accepts(&object), accepted, "{selector}");
    }

    #[test]
    fn selectors_select_as_in_kubernetes() {
        check("", "", true);
        check("a", "a: b", true);
        check("a", "b: a", false);
        check("!a", "b: a", true);
        check("a=b", "a: b", true);
        check("a == b , c!=d", "a: b", true);
        check("a=b,c!=d", "a: b, c: d", false);
        check("a in (x, b)", "a: b", true);
        check("a in (x, b),c", "a: b", false);
        check("a notin (x,b)", "a: b", false);
        check("a notin (x,b)", "", true);
    }

    #[test]
    fn a_selector_that_cannot_be_read_is_named() {
        for selector in ["a=b=c", "a b", "a within (b)", "a in (b", ",", "=x", "a in b)"] {
            let label_selector = selector.to_owned();
            let objects = KubernetesObjects { label_selector, ..KubernetesObjects::default() };
            let error = Selection::new(&objects).unwrap_err().to_string();
            assert!(error.contains(&format!("`{selector}`")), "{error}");
        }
    }

    #[test]
    fn only_chosen_namespaces_are_accepted() {
        let namespaces = vec!["apps".to_owned()];
        let objects = KubernetesObjects { namespaces, ..KubernetesObjects::default() };
        let selection = Selection::new(&objects).unwrap();
        let documents =
            yaml::parse("apiVersion: v1\nkind: Service\nmetadata: {name: s}\n").unwrap();
        let mut object = api::read(&documents[0].node, "").remove(0).unwrap();
        assert!(!selection.accepts(&object));
        object.key.namespace = "apps".to_owned();
        assert!(selection.accepts(&object));
    }

    #[test]
    fn what_belongs_to_no_namespace_is_accepted_whatever_the_namespaces() {
        let namespaces = vec!["apps".to_owned()];
        let label_selector = "a=b".to_owned();
        let objects =
            KubernetesObjects { namespaces, label_selector, ..KubernetesObjects::default() };
        let selection = Selection::new(&objects).unwrap();
        for (head, accepted) in [
            ("apiVersion: v1\nkind: Node\nmetadata: {name: x}\n", true),
            ("apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: x}\n", true),
            (
                "apiVersion: networking.k8s.io/v1\nkind: Ingress\n\
                 metadata: {name: x, namespace: apps, labels: {a: b}}\n",
                true,
            ),
            (
                "apiVersion: networking.k8s.io/v1\nkind: Ingress\n\
                 metadata: {name: x, namespace: apps}\n",
                false,
            ),
        ] {
            let documents = yaml::parse(head).unwrap();
            let object = api::read(&documents[0].node, "").remove(0).unwrap();
            assert_eq!(selection.accepts(&object), accepted, "{head}");
        }
    }
}
