//! A real API server takes and refuses what the definitions say, and shows their columns.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use portway_testkit::control_plane::{ADMIN, ControlPlane, Session};
use serde_json::{Value, json};

use crate::deploy::documents;

pub(super) const GROUPS: [&str; 2] = ["traefik.io", "traefik.containo.us"];

/// What a table of a kind shows before its age.
const CONDITIONS: [&str; 3] = ["ACCEPTED", "RESOLVEDREFS", "PROGRAMMED"];

/// The objects of a folder of the corpus, as objects of `group`.
fn corpus(folder: &str, group: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubernetes/crds").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder of objects")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let objects = files.iter().flat_map(|file| {
        let text = fs::read_to_string(file).expect("a file of objects");
        documents(&text.replace("traefik.io/v1alpha1", &format!("{group}/v1alpha1")))
    });
    objects.collect()
}

/// The first valid object of each kind.
pub(super) fn one_of_each_kind(group: &str) -> Vec<Value> {
    let mut kinds = BTreeSet::new();
    let mut objects = corpus("valid", group);
    objects.retain(|object| kinds.insert(object["kind"].to_string()));
    assert_eq!(objects.len(), 10, "{kinds:?}");
    objects
}

/// The path of an object's resource.
fn resource(object: &Value) -> String {
    let text = |field: &str| object[field].as_str().expect("a text");
    let plural = format!("{}s", text("kind").to_lowercase());
    format!("/apis/{}/namespaces/default/{plural}", text("apiVersion"))
}

/// What the API server says of an object, as if it were made: strict, as kubectl asks it to be.
fn judge(session: &mut Session, object: &Value) -> (u16, Value) {
    let path = format!("{}?dryRun=All&fieldValidation=Strict", resource(object));
    let answer = session.send("POST", &path, "application/json", &object.to_string());
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

#[test]
fn the_api_server_judges_the_corpus_as_written() {
    let Some(plane) = ControlPlane::start() else { return };
    super::define(&plane);
    let mut session = plane.session(ADMIN);
    let mut wrong = Vec::new();
    for group in GROUPS {
        let (valid, invalid) = (corpus("valid", group), corpus("invalid", group));
        assert!(valid.len() > 60 && invalid.len() > 150, "{} {}", valid.len(), invalid.len());
        for object in &valid {
            let (status, answer) = judge(&mut session, object);
            if status != 201 {
                wrong.push(format!(
                    "{group} {}: refused: {}",
                    object["metadata"], answer["message"]
                ));
            }
        }
        for object in &invalid {
            let field = object["metadata"]["annotations"]["refused"].as_str().expect("a field");
            let (status, answer) = judge(&mut session, object);
            let causes = answer["details"]["causes"].as_array().into_iter().flatten();
            let fields: BTreeSet<&str> = causes
                .filter_map(|cause| cause["field"].as_str())
                .filter(|field| *field != "<nil>")
                .collect();
            if status != 422 || fields != BTreeSet::from([field]) {
                wrong.push(format!("{group} {}: {status} {fields:?}", object["metadata"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    tables_show_conditions(&plane, &mut session);
}

/// Every kind of both groups shows its conditions; what is written into the status is what is shown.
fn tables_show_conditions(plane: &ControlPlane, session: &mut Session) {
    for group in GROUPS {
        for object in one_of_each_kind(group) {
            session.create(&resource(&object), &object);
            let name = object["metadata"]["name"].as_str().expect("a name");
            let condition = |(kind, status): (&str, &str)| {
                json!({
                    "type": kind, "status": status, "reason": "Shown", "message": "",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                })
            };
            let conditions =
                [("Accepted", "True"), ("ResolvedRefs", "False"), ("Programmed", "Unknown")];
            let path = format!("{}/{name}/status", resource(&object));
            let status = json!({"status": {"conditions": conditions.map(condition)}});
            session.merge(&path, &status);
        }
    }
    let shown = plane.run(&["get", "traefik"], "");
    let tables: Vec<_> = shown.trim().split("\n\n").collect();
    assert_eq!(tables.len(), 20, "{shown}");
    for table in tables {
        let (head, row) = table.split_once('\n').expect("a head and an object");
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let (head, row) = (words(head), words(row));
        let before_age = |words: &[String]| words[words.len() - 4..words.len() - 1].to_vec();
        assert_eq!(before_age(&head), CONDITIONS, "{table}");
        assert_eq!(before_age(&row), ["True", "False", "Unknown"], "{table}");
        assert_eq!(head[1] == "ENTRYPOINTS", row[0].contains("ingressroute"), "{table}");
    }
}
