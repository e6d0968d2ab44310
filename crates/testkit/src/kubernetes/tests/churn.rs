use std::collections::BTreeSet;

use serde_json::Value;

use crate::kubernetes::{ApiServer, Change, Churn};

/// The objects after the steps, without times, and how many steps did what.
fn run(seed: u64, steps: usize) -> (Vec<Value>, [usize; 3]) {
    let server = ApiServer::start();
    Churn::install(&server);
    let mut churn = Churn::seeded(seed);
    let mut counts = [0; 3];
    for _ in 0..steps {
        counts[match churn.step(&server) {
            Change::Applied(_) => 0,
            Change::Deleted(_) => 1,
            Change::Nothing => 2,
        }] += 1;
    }
    let mut objects = server.objects();
    objects.retain(|object| object["kind"] != "CustomResourceDefinition");
    for object in &mut objects {
        object["metadata"].as_object_mut().unwrap().remove("creationTimestamp");
    }
    (objects, counts)
}

#[test]
fn a_seed_names_one_churn() {
    assert_eq!(run(3, 200), run(3, 200));
    assert_ne!(run(3, 200), run(4, 200));
}

#[test]
fn churn_creates_edits_and_deletes_objects_of_all_kinds() {
    let (objects, [applied, deleted, _]) = run(1, 400);
    assert!(applied > 200 && deleted > 20, "{applied} applied, {deleted} deleted");
    let kinds: BTreeSet<_> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    let expected = ["EndpointSlice", "IngressRoute", "Middleware", "Secret", "Service"];
    assert_eq!(kinds, BTreeSet::from(expected));
}

#[test]
fn churn_refers_to_what_there_is_and_to_what_there_is_not() {
    let (objects, _) = run(1, 400);
    let exists = |namespace: &Value, name: &Value| {
        objects.iter().any(|object| {
            object["kind"] == "Service"
                && object["metadata"]["namespace"] == *namespace
                && object["metadata"]["name"] == *name
        })
    };
    let found: BTreeSet<bool> = objects
        .iter()
        .filter(|object| object["kind"] == "IngressRoute")
        .map(|route| {
            let service = &route["spec"]["routes"][0]["services"][0]["name"];
            exists(&route["metadata"]["namespace"], service)
        })
        .collect();
    assert_eq!(found, BTreeSet::from([false, true]));
}

#[test]
fn churn_goes_on_without_its_kinds() {
    let server = ApiServer::start();
    let mut churn = Churn::seeded(1);
    churn.steps(&server, 50);
    assert!(server.objects().iter().all(|object| object["kind"] != "Middleware"));
    assert!(server.objects().iter().any(|object| object["kind"] == "Service"));
}
