//! What installs Portway in a cluster: the Helm chart, its values and the file for k3s.

mod admission;
mod arguments;
mod chart;
mod helm;
mod k3s;
mod values;

use std::fs;
use std::path::{Path, PathBuf};

use portway_model::yaml;
use serde_json::Value;

/// A file or folder of the repository.
fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[track_caller]
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(place(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a YAML text that say something.
#[track_caller]
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let documents = yaml::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let documents = documents.iter().map(|document| document.node.to_json());
    documents.filter(|document| !document.is_null()).collect()
}

/// The values files that must render: the chart's own ones and those of the tests, sorted.
fn values_files() -> Vec<PathBuf> {
    let folders = ["deploy/variants", "tests/deploy/values"].map(place);
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.push(place("deploy/k3s/values.yaml"));
    files.sort();
    files
}

/// The one object of a kind whose name ends so.
#[track_caller]
fn object<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let fits = |object: &&Value| {
        let named = object["metadata"]["name"].as_str().is_some_and(|own| own.ends_with(name));
        object["kind"] == kind && named
    };
    let found: Vec<&Value> = objects.iter().filter(fits).collect();
    assert_eq!(found.len(), 1, "{kind} {name}: {found:#?}");
    found[0]
}

/// The pod of the Deployment or DaemonSet.
#[track_caller]
pub(crate) fn pod(objects: &[Value]) -> &Value {
    let is_workload =
        |object: &&Value| object["kind"] == "Deployment" || object["kind"] == "DaemonSet";
    &objects.iter().find(is_workload).expect("a workload")["spec"]["template"]["spec"]
}

/// The texts of a JSON list.
pub(crate) fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Each right of a role, as `verb group/resource`.
pub(crate) fn rights(role: &Value) -> Vec<String> {
    let mut rights = Vec::new();
    for rule in role["rules"].as_array().expect("rules") {
        for verb in texts(&rule["verbs"]) {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    rights.push(format!("{verb} {group}/{resource}"));
                }
            }
        }
    }
    rights.sort();
    rights
}
