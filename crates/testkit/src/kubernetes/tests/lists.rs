use serde_json::json;

use super::{MIDDLEWARES, get, middleware, names, server, version};

#[test]
fn pages_show_one_state_while_objects_change() {
    let server = server();
    for name in ["a", "b", "c", "d", "e"] {
        server.apply(middleware(name, "blue"));
    }
    let (_, first) = get(&server, &format!("{MIDDLEWARES}?limit=2"));
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    assert!(server.delete(super::TRAEFIK, "Middleware", "default", "c"));
    server.apply(middleware("cc", "blue"));

    let token = first["metadata"]["continue"].as_str().unwrap();
    let (_, second) = get(&server, &format!("{MIDDLEWARES}?limit=9&continue={token}"));
    assert_eq!(names(&second), ["c", "d", "e"]);
    assert_eq!(version(&second), version(&first));
    assert_eq!(second["metadata"].get("continue"), None);
}

#[test]
fn pages_of_a_compacted_revision_are_gone_and_can_be_continued_at_the_present() {
    let server = server();
    for name in ["a", "b", "c"] {
        server.apply(middleware(name, "blue"));
    }
    let (_, first) = get(&server, &format!("{MIDDLEWARES}?limit=1"));
    server.delete(super::TRAEFIK, "Middleware", "default", "b");
    server.compact();
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (status, gone) = get(&server, &format!("{MIDDLEWARES}?limit=1&continue={token}"));
    assert_eq!((status, &gone["reason"]), (410, &json!("Expired")));

    let token = gone["metadata"]["continue"].as_str().unwrap();
    let (status, rest) = get(&server, &format!("{MIDDLEWARES}?limit=5&continue={token}"));
    assert_eq!((status, names(&rest)), (200, vec!["c"]));
}

#[test]
fn an_exact_revision_shows_the_past() {
    let server = server();
    let before = version(&server.apply(middleware("a", "blue"))).to_owned();
    server.apply(middleware("b", "blue"));
    let exact = format!("{MIDDLEWARES}?resourceVersion={before}&resourceVersionMatch=Exact");
    assert_eq!(names(&get(&server, &exact).1), ["a"]);
    let fresh = format!("{MIDDLEWARES}?resourceVersion={before}&resourceVersionMatch=NotOlderThan");
    assert_eq!(names(&get(&server, &fresh).1), ["a", "b"]);
    assert_eq!(names(&get(&server, &format!("{MIDDLEWARES}?resourceVersion=0")).1), ["a", "b"]);
    server.compact();
    assert_eq!(get(&server, &exact).0, 410);
    assert_eq!(get(&server, &fresh).0, 200);
}

#[test]
fn a_revision_to_come_is_too_large() {
    let server = server();
    let asked = server.resource_version() + 1;
    for target in [
        format!("{MIDDLEWARES}?resourceVersion={asked}"),
        format!("{MIDDLEWARES}/a?resourceVersion={asked}"),
    ] {
        let (status, refused) = get(&server, &target);
        assert_eq!(status, 504);
        assert_eq!(refused["reason"], "Timeout");
        assert_eq!(refused["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    }
}

#[test]
fn a_rollback_takes_objects_and_revisions_back() {
    let server = server();
    let before = server.resource_version();
    let lost = version(&server.apply(middleware("a", "blue"))).to_owned();
    server.rollback(before);
    assert_eq!(server.resource_version(), before);
    assert_eq!(names(&get(&server, MIDDLEWARES).1), [""; 0]);
    assert_eq!(get(&server, &format!("{MIDDLEWARES}?resourceVersion={lost}")).0, 504);
    assert_eq!(version(&server.apply(middleware("b", "blue"))), lost);
}

#[test]
fn a_rollback_takes_installed_kinds_back() {
    let server = super::ApiServer::start();
    let before = server.resource_version();
    server.install(super::TRAEFIK, "Middleware", "middlewares", true);
    assert_eq!(get(&server, MIDDLEWARES).0, 200);
    server.rollback(before);
    assert_eq!(get(&server, MIDDLEWARES).0, 404);
}

#[test]
fn lists_are_narrowed_by_namespace_labels_and_fields() {
    let server = server();
    server.apply(middleware("a", "blue"));
    server.apply(middleware("b", "green"));
    let mut elsewhere = middleware("c", "blue");
    elsewhere["metadata"]["namespace"] = json!("shop");
    server.apply(elsewhere);
    let everywhere = "/apis/traefik.io/v1alpha1/middlewares";
    for (target, expected) in [
        (format!("{everywhere}?"), vec!["a", "b", "c"]),
        (format!("{MIDDLEWARES}?"), vec!["a", "b"]),
        (format!("{everywhere}?labelSelector=team%3Dblue"), vec!["a", "c"]),
        (format!("{everywhere}?labelSelector=team+notin+%28blue%29"), vec!["b"]),
        (format!("{everywhere}?fieldSelector=metadata.namespace%3Dshop"), vec!["c"]),
        (format!("{everywhere}?fieldSelector=metadata.name%21%3Da"), vec!["b", "c"]),
    ] {
        assert_eq!(names(&get(&server, &target).1), expected, "{target}");
    }
    let (_, page) = get(&server, &format!("{everywhere}?labelSelector=team&limit=1"));
    assert_eq!(page["metadata"].get("remainingItemCount"), None);
}

#[test]
fn items_of_built_in_kinds_do_not_say_their_kind() {
    let server = server();
    server.apply(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}));
    server.apply(middleware("a", "blue"));
    let (_, services) = get(&server, "/api/v1/services");
    assert_eq!(services["kind"], "ServiceList");
    assert_eq!(services["items"][0].get("kind"), None);
    let (_, middlewares) = get(&server, MIDDLEWARES);
    assert_eq!(middlewares["items"][0]["kind"], "Middleware");
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let server = server();
    for (query, status) in [
        ("resourceVersionMatch=Exact", 422),
        ("resourceVersionMatch=Exact&resourceVersion=0", 422),
        ("resourceVersionMatch=Newest&resourceVersion=1", 422),
        ("sendInitialEvents=true", 422),
        ("watch=1&sendInitialEvents=true", 422),
        ("watch=1&resourceVersionMatch=NotOlderThan", 422),
        ("resourceVersion=new", 400),
        ("limit=few", 400),
        ("continue=abc", 400),
        ("labelSelector=a+in+b", 400),
        ("fieldSelector=spec.x%3D1", 400),
    ] {
        let (answered, refused) = get(&server, &format!("{MIDDLEWARES}?{query}"));
        assert_eq!((answered, &refused["kind"]), (status, &json!("Status")), "{query}");
    }
}
