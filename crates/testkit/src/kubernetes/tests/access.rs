use serde_json::{Value, json};

use super::{ApiServer, MIDDLEWARES, exchange, get, middleware, send, server};

#[test]
fn a_forbidden_verb_is_refused_and_others_are_not() {
    let server = server();
    server.apply(middleware("a", "blue"));
    server.forbid("middlewares", &["list", "watch"]);
    let (status, refused) = get(&server, MIDDLEWARES);
    assert_eq!((status, &refused["reason"]), (403, &json!("Forbidden")));
    assert_eq!(
        refused["message"],
        "middlewares.traefik.io is forbidden: User \"system:serviceaccount:portway:portway\" cannot list \
         resource \"middlewares\" in API group \"traefik.io\" in the namespace \"default\""
    );
    assert_eq!(get(&server, &format!("{MIDDLEWARES}?watch=1")).0, 403);
    assert_eq!(get(&server, &format!("{MIDDLEWARES}/a")).0, 200);
    server.allow("middlewares", &["list", "watch"]);
    assert_eq!(get(&server, MIDDLEWARES).0, 200);
}

#[test]
fn a_resource_can_be_named_with_its_group() {
    let server = server();
    server.forbid("middlewares.other.io", &["list"]);
    assert_eq!(get(&server, MIDDLEWARES).0, 200);
    server.forbid("middlewares.traefik.io", &["list"]);
    assert_eq!(get(&server, MIDDLEWARES).0, 403);
}

#[test]
fn roles_without_a_cluster_role_allow_namespaces_only() {
    let server = server();
    server.forbid_cluster_wide("middlewares", &["*"]);
    assert_eq!(get(&server, "/apis/traefik.io/v1alpha1/middlewares").0, 403);
    assert_eq!(get(&server, MIDDLEWARES).0, 200);
}

#[test]
fn a_rotated_token_replaces_the_old() {
    let server = server();
    let status = |token: &str| {
        let fields = format!("Authorization: Bearer {token}\r\n");
        exchange(&server, "GET", MIDDLEWARES, &fields, "").unwrap().status
    };
    server.require_token(Some("one"));
    assert_eq!((status("one"), status("two"), get(&server, MIDDLEWARES).0), (200, 401, 401));
    server.require_token(Some("two"));
    assert_eq!((status("one"), status("two")), (401, 200));
    server.require_token(None);
    assert_eq!(get(&server, MIDDLEWARES).0, 200);
}

#[test]
fn discovery_shows_what_is_installed() {
    let server = server();
    let (_, groups) = get(&server, "/apis");
    let groups: Vec<_> =
        groups["groups"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert!(groups.contains(&&json!("traefik.io")), "{groups:?}");
    let (_, kinds) = get(&server, "/apis/traefik.io/v1alpha1");
    assert_eq!(kinds["resources"][0]["kind"], "Middleware");
    assert_eq!(kinds["resources"][1]["name"], "middlewares/status");
    assert_eq!(get(&server, "/apis/traefik.io").1["preferredVersion"]["version"], "v1alpha1");
    assert_eq!(get(&server, "/version").1["gitVersion"], "v1.37.2");
    assert_eq!(get(&server, "/readyz").0, 200);
    server.uninstall(super::TRAEFIK, "middlewares");
    assert_eq!(get(&server, "/apis/traefik.io/v1alpha1").0, 404);
    assert_eq!(get(&server, "/apis/traefik.io").0, 404);
}

#[test]
fn a_definition_from_the_client_installs_its_served_versions() {
    let server = ApiServer::start();
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "middlewares.traefik.io"},
        "spec": {
            "group": "traefik.io",
            "scope": "Namespaced",
            "names": {"plural": "middlewares", "kind": "Middleware"},
            "versions": [
                {"name": "v1alpha1", "served": true, "storage": true},
                {"name": "v1", "served": false},
            ],
        },
    });
    let target = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let (status, created) = send(&server, "POST", target, "application/json", &definition);
    assert_eq!(status, 201);
    assert_eq!(created["status"]["conditions"][1]["type"], "Established");
    assert_eq!(get(&server, MIDDLEWARES).0, 200);
    assert_eq!(get(&server, "/apis/traefik.io/v1/middlewares").0, 404);
    server.apply(middleware("a", "blue"));
    assert_eq!(get(&server, &format!("{MIDDLEWARES}/a/status")).0, 404, "no status subresource");
    let one = format!("{target}/middlewares.traefik.io");
    assert_eq!(send(&server, "DELETE", &one, "application/json", &Value::Null).0, 200);
    assert_eq!(get(&server, MIDDLEWARES).0, 404);
}

#[test]
fn unknown_paths_are_not_found() {
    let server = server();
    for target in ["/apis/nope.io/v1/things", "/metrics", "/apis/traefik.io/v1alpha1/things"] {
        let response = exchange(&server, "GET", target, "", "").unwrap();
        assert_eq!((response.status, response.text().as_str()), (404, "404 page not found\n"));
    }
    for target in ["/api/v1/things", "/api/v1/namespaces/default/nodes", "/api/v1/services/a"] {
        let (status, refused) = get(&server, target);
        assert_eq!(status, 404, "{target}");
        assert_eq!(refused["message"], "the server could not find the requested resource");
    }
}

#[test]
fn only_plain_json_is_served() {
    let server = server();
    for (accept, status) in [
        ("application/json", 200),
        ("application/json;as=Table;g=meta.k8s.io;v=v1, application/json", 200),
        ("*/*", 200),
        ("application/vnd.kubernetes.protobuf", 406),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", 406),
    ] {
        let fields = format!("Accept: {accept}\r\n");
        assert_eq!(exchange(&server, "GET", MIDDLEWARES, &fields, "").unwrap().status, status);
    }
}

#[test]
fn requests_are_remembered_in_order() {
    let server = server();
    get(&server, &format!("{MIDDLEWARES}?limit=5&labelSelector=a%3Db"));
    send(&server, "POST", MIDDLEWARES, "application/json", &middleware("a", "blue"));
    let seen = server.requests();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].method.as_str(), seen[0].path.as_str(), seen[0].status),
        ("GET", MIDDLEWARES, 200)
    );
    assert_eq!(seen[0].parameter("labelSelector"), "a=b");
    assert!(!seen[0].is_watch());
    assert_eq!((seen[1].status, &seen[1].body["metadata"]["name"]), (201, &json!("a")));
}
