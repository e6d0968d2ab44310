//! Objects that an API server accepts and refuses: `tests/kubernetes/crds/{valid,invalid}`. Files with them are
//! accepted and refused alike, and between them the objects touch every field and every limit of the schema.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{collections::BTreeSet, fs, path::Path};

use portway_kubernetes::{
    api::{self, Group, Kind, Object},
    schema::definition,
};
use portway_model::{Node, Problem, Value, yaml};
use serde_json::Value as Json;

#[path = "corpus/fields.rs"]
mod fields;
#[path = "corpus/limits.rs"]
mod limits;
#[path = "corpus/steps.rs"]
mod steps;

/// An object of the corpus.
struct Case {
    /// Where it stands, for messages.
    name: String,
    kind: Kind,
    node: Node,
}

#[test]
fn what_an_api_server_accepts_is_accepted() {
    for group in [Group::TraefikIo, Group::TraefikContainous] {
        for case in corpus("valid", group) {
            let object = read(&case.node);
            let problems: Vec<_> = object.all_problems().collect();
            let unknown = problems.iter().find(|problem| problem.message.contains("unknown field"));
            assert_eq!(unknown, None, "{}", case.name);
            assert_eq!(refused(&object), BTreeSet::new(), "{}: {problems:#?}", case.name);
        }
    }
}

#[test]
fn what_an_api_server_refuses_is_refused_for_the_same_field() {
    for group in [Group::TraefikIo, Group::TraefikContainous] {
        for case in corpus("invalid", group) {
            let object = read(&case.node);
            let expected = BTreeSet::from([expected_field(&object)]);
            assert_eq!(refused(&object), expected, "{}", case.name);
            assert!(object.is_refused(), "{}", case.name);
        }
    }
}

/// The field for which an object says itself that it is refused.
fn expected_field(object: &Object) -> String {
    object.meta.annotations["refused"].clone()
}

/// The objects of a folder of the corpus, in one of Traefik's groups.
fn corpus(folder: &str, group: Group) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/kubernetes/crds");
    let mut cases = Vec::new();
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("traefik.io/", &format!("{}/", group.traefik().unwrap()));
        for document in yaml::parse(&text).unwrap() {
            let key = read(&document.node).key;
            assert_eq!(key.group, group, "{}", path.display());
            let name = format!("{folder} {key}");
            cases.push(Case { name, kind: key.kind, node: document.node });
        }
    }
    let kinds: BTreeSet<_> = cases.iter().map(|case| case.kind).collect();
    assert_eq!(kinds, BTreeSet::from(Kind::TRAEFIK), "objects are missing from {folder}");
    cases
}

fn read(node: &Node) -> Object {
    let mut objects = api::read(node, "corpus.yaml");
    assert_eq!(objects.len(), 1);
    objects.remove(0).unwrap()
}

/// The fields for which an object is refused; that a valid setting is not served yet is no such reason.
fn refused(object: &Object) -> BTreeSet<String> {
    let is_served = |problem: &&Problem| !problem.message.contains("not served by this version");
    let errors = object.all_problems().filter(|problem| problem.is_error()).filter(is_served);
    errors.map(|problem| problem.field.clone()).collect()
}

/// The schema of a kind's `spec`, as an API server gets it.
fn schema(kind: Kind) -> Json {
    let definition = definition(kind, Group::TraefikIo).unwrap();
    let root = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
    definition.pointer(root).unwrap().clone()
}

/// A text or number as it stands in a file without quotes.
fn plain(text: &str) -> Value {
    Value::Scalar { text: text.to_owned(), plain: true }
}
