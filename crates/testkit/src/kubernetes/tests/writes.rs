use serde_json::{Value, json};

use super::{MERGE, MIDDLEWARES, get, middleware, send, server, version};

const JSON: &str = "application/json";
const APPLY: &str = "application/apply-patch+yaml";

fn item(name: &str) -> String {
    format!("{MIDDLEWARES}/{name}")
}

#[test]
fn creation_sets_what_the_server_decides() {
    let server = server();
    let mut sent = middleware("a", "blue");
    sent["status"] = json!({"mine": true});
    sent["metadata"]["uid"] = json!("mine");
    let (status, created) = send(&server, "POST", MIDDLEWARES, JSON, &sent);
    assert_eq!(status, 201);
    assert_eq!(created.get("status"), None, "the status is written by itself");
    let metadata = &created["metadata"];
    assert_ne!(metadata["uid"], "mine");
    assert_eq!(metadata["generation"], 1);
    assert_eq!(metadata["resourceVersion"], server.resource_version().to_string());
    assert!(metadata["creationTimestamp"].as_str().unwrap().ends_with('Z'));
    let (status, refused) = send(&server, "POST", MIDDLEWARES, JSON, &sent);
    assert_eq!((status, &refused["reason"]), (409, &json!("AlreadyExists")));
    assert_eq!(refused["message"], "middlewares.traefik.io \"a\" already exists");
}

#[test]
fn names_can_be_generated() {
    let server = server();
    let event = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "portway."},
        "involvedObject": {"kind": "Middleware", "name": "a"},
    });
    let target = "/api/v1/namespaces/default/events";
    let (_, first) = send(&server, "POST", target, JSON, &event);
    let (_, second) = send(&server, "POST", target, JSON, &event);
    assert!(first["metadata"]["name"].as_str().unwrap().starts_with("portway."));
    assert_ne!(first["metadata"]["name"], second["metadata"]["name"]);
}

#[test]
fn an_update_of_an_old_version_conflicts() {
    let server = server();
    let old = server.apply(middleware("a", "blue"));
    server.apply(middleware("a", "green"));
    let (status, refused) = send(&server, "PUT", &item("a"), JSON, &old);
    assert_eq!((status, &refused["reason"]), (409, &json!("Conflict")));
    let patch = json!({"metadata": {"resourceVersion": version(&old)}, "spec": {"x": 1}});
    assert_eq!(send(&server, "PATCH", &item("a"), MERGE, &patch).0, 409);
    let (status, _) = send(&server, "PUT", &item("a"), JSON, &middleware("a", "red"));
    assert_eq!(status, 422, "a custom resource must say its version");
}

#[test]
fn generations_count_what_is_asked_for() {
    let server = server();
    server.apply(middleware("a", "blue"));
    for (target, patch, generation) in [
        (item("a"), json!({"metadata": {"labels": {"team": "green"}}}), 1),
        (format!("{}/status", item("a")), json!({"status": {"seen": true}}), 1),
        (item("a"), json!({"spec": {"x": 1}}), 2),
    ] {
        let (status, patched) = send(&server, "PATCH", &target, MERGE, &patch);
        assert_eq!((status, &patched["metadata"]["generation"]), (200, &json!(generation)));
    }
}

#[test]
fn status_and_the_rest_are_written_apart() {
    let server = server();
    server.apply(middleware("a", "blue"));
    let both = json!({"spec": {"x": 1}, "status": {"y": 2}});
    let target = format!("{}/status", item("a"));
    let (_, patched) = send(&server, "PATCH", &target, MERGE, &both);
    assert_eq!((patched["spec"].get("x"), &patched["status"]), (None, &json!({"y": 2})));
    let both = json!({"spec": {"x": 3}, "status": {"y": 4}});
    let (_, patched) = send(&server, "PATCH", &item("a"), MERGE, &both);
    assert_eq!((&patched["spec"]["x"], &patched["status"]), (&json!(3), &json!({"y": 2})));
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}});
    server.apply(secret);
    let target = "/api/v1/namespaces/default/secrets/s/status";
    assert_eq!(get(&server, target).0, 404, "Secrets have no status");
}

#[test]
fn a_write_that_changes_nothing_makes_no_version() {
    let server = server();
    let applied = server.apply(middleware("a", "blue"));
    assert_eq!(server.apply(middleware("a", "blue")), applied);
    let (_, patched) = send(&server, "PATCH", &item("a"), MERGE, &json!({}));
    assert_eq!(version(&patched), version(&applied));
    assert_eq!(server.resource_version().to_string(), version(&applied));
}

#[test]
fn an_object_applied_by_a_test_keeps_the_status_that_it_has() {
    let server = server();
    let mut object = middleware("a", "blue");
    object["status"] = json!({"y": 1});
    object["metadata"]["creationTimestamp"] = json!("2020-01-01T00:00:00Z");
    server.apply(object);
    let again = server.apply(middleware("a", "green"));
    assert_eq!(again["status"], json!({"y": 1}));
    assert_eq!(again["metadata"]["creationTimestamp"], "2020-01-01T00:00:00Z");
}

#[test]
fn a_dry_run_stores_nothing() {
    let server = server();
    let target = format!("{MIDDLEWARES}?dryRun=All");
    assert_eq!(send(&server, "POST", &target, JSON, &middleware("a", "blue")).0, 201);
    assert_eq!(get(&server, &item("a")).0, 404);
    server.apply(middleware("a", "blue"));
    assert_eq!(
        send(&server, "DELETE", &format!("{}?dryRun=All", item("a")), JSON, &Value::Null).0,
        200
    );
    assert_eq!(get(&server, &item("a")).0, 200);
}

#[test]
fn server_side_apply_creates_and_merges() {
    let server = server();
    let target = format!("{}?fieldManager=portway", item("a"));
    assert_eq!(send(&server, "PATCH", &item("a"), APPLY, &middleware("a", "blue")).0, 422);
    assert_eq!(send(&server, "PATCH", &target, APPLY, &middleware("a", "blue")).0, 201);
    let part = json!({"apiVersion": super::TRAEFIK, "kind": "Middleware", "spec": {"x": 1}});
    let (status, merged) = send(&server, "PATCH", &target, APPLY, &part);
    assert_eq!((status, &merged["spec"]["x"]), (200, &json!(1)));
    assert_eq!(merged["metadata"]["labels"]["team"], "blue");
}

#[test]
fn a_deletion_keeps_to_its_preconditions() {
    let server = server();
    let old = server.apply(middleware("a", "blue"));
    server.apply(middleware("a", "green"));
    let options = json!({"preconditions": {"resourceVersion": version(&old)}});
    assert_eq!(send(&server, "DELETE", &item("a"), JSON, &options).0, 409);
    let options = json!({"preconditions": {"uid": old["metadata"]["uid"]}});
    let (status, done) = send(&server, "DELETE", &item("a"), JSON, &options);
    assert_eq!((status, &done["status"]), (200, &json!("Success")));
    assert_eq!(send(&server, "DELETE", &item("a"), JSON, &Value::Null).0, 404);
}

#[test]
fn two_candidates_cannot_both_take_a_lease() {
    let server = server();
    let target = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    let lease = |holder: &str| {
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "portway"},
            "spec": {"holderIdentity": holder},
        })
    };
    let (_, mut first) = send(&server, "POST", target, JSON, &lease("first"));
    let mut second = first.clone();
    first["spec"]["holderIdentity"] = json!("first");
    first["spec"]["leaseTransitions"] = json!(1);
    second["spec"]["holderIdentity"] = json!("second");
    let target = format!("{target}/portway");
    assert_eq!(send(&server, "PUT", &target, JSON, &first).0, 200);
    assert_eq!(send(&server, "PUT", &target, JSON, &second).0, 409);
    assert_eq!(get(&server, &target).1["spec"]["holderIdentity"], "first");
}

#[test]
fn what_contradicts_its_path_is_refused() {
    let server = server();
    server.apply(middleware("a", "blue"));
    let mut elsewhere = middleware("b", "blue");
    elsewhere["metadata"]["namespace"] = json!("shop");
    let mut foreign = middleware("b", "blue");
    foreign["kind"] = json!("IngressRoute");
    for (method, target, body, status) in [
        ("POST", MIDDLEWARES.to_owned(), elsewhere, 400),
        ("POST", MIDDLEWARES.to_owned(), foreign, 400),
        ("POST", MIDDLEWARES.to_owned(), json!({"metadata": {"name": "b"}}), 400),
        ("POST", MIDDLEWARES.to_owned(), json!([]), 400),
        ("PUT", item("a"), middleware("b", "blue"), 400),
        ("PUT", item("b"), middleware("b", "blue"), 404),
        ("POST", item("a"), middleware("a", "blue"), 405),
        ("DELETE", MIDDLEWARES.to_owned(), Value::Null, 405),
    ] {
        assert_eq!(
            send(&server, method, &target, JSON, &body).0,
            status,
            "{method} {target} {body}"
        );
    }
    assert_eq!(send(&server, "PATCH", &item("a"), JSON, &json!({})).0, 415);
}
