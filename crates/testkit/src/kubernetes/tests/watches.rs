use std::time::{Duration, Instant};

use serde_json::json;

use super::{ApiServer, Lines, MERGE, MIDDLEWARES, Said, middleware, send, server, summary};

const PATIENCE: Duration = Duration::from_secs(5);

#[track_caller]
fn watch(server: &ApiServer, query: &str) -> Lines {
    Lines::open(server, &format!("{MIDDLEWARES}?watch=true&{query}"), PATIENCE).unwrap()
}

#[test]
fn a_watch_says_every_change_after_its_revision() {
    let server = server();
    server.apply(middleware("before", "blue"));
    let mut watch = watch(&server, &format!("resourceVersion={}", server.resource_version()));
    server.apply(middleware("a", "blue"));
    server.apply(middleware("a", "green"));
    server.delete(super::TRAEFIK, "Middleware", "default", "a");
    for expected in ["ADDED a", "MODIFIED a", "DELETED a"] {
        assert_eq!(summary(&watch.next()), expected);
    }
}

#[test]
fn a_watch_without_revision_begins_with_what_there_is() {
    let server = server();
    server.apply(middleware("a", "blue"));
    for query in ["", "resourceVersion=0"] {
        let mut watch = watch(&server, query);
        assert_eq!(summary(&watch.next()), "ADDED a");
    }
}

#[test]
fn objects_enter_and_leave_a_watch_with_their_labels() {
    let server = server();
    server.apply(middleware("a", "blue"));
    let from = server.resource_version();
    let mut watch = watch(&server, &format!("labelSelector=team%3Dgreen&resourceVersion={from}"));
    server.apply(middleware("a", "green"));
    server.apply(middleware("a", "blue"));
    server.apply(middleware("b", "blue"));
    server.apply(middleware("a", "green"));
    server.delete(super::TRAEFIK, "Middleware", "default", "a");
    assert_eq!(summary(&watch.next()), "ADDED a");
    let left = watch.next();
    assert_eq!(summary(&left), "DELETED a");
    let Said::Event(left) = left else { unreachable!() };
    assert_eq!(left["object"]["metadata"]["labels"]["team"], "green", "as it was last seen");
    assert_eq!(left["object"]["metadata"]["resourceVersion"], (from + 2).to_string());
    assert_eq!(summary(&watch.next()), "ADDED a");
    assert_eq!(summary(&watch.next()), "DELETED a");
}

#[test]
fn a_watch_of_one_namespace_is_silent_on_others() {
    let server = server();
    let mut watch = watch(&server, &format!("resourceVersion={}", server.resource_version()));
    let mut elsewhere = middleware("a", "blue");
    elsewhere["metadata"]["namespace"] = json!("shop");
    server.apply(elsewhere);
    server.apply(middleware("b", "blue"));
    assert_eq!(summary(&watch.next()), "ADDED b");
}

#[test]
fn bookmarks_tell_the_revision_and_come_only_when_asked_for() {
    let server = server();
    server.bookmark_every(Duration::from_millis(10));
    let from = server.resource_version();
    let mut asking = watch(&server, &format!("allowWatchBookmarks=true&resourceVersion={from}"));
    let mut other = watch(&server, &format!("resourceVersion={from}"));
    server.apply(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}));
    let reached = (from + 1).to_string();
    loop {
        let Said::Event(event) = asking.next_or_bookmark() else { panic!("the watch ended") };
        assert_eq!(
            (&event["type"], &event["object"]["kind"]),
            (&json!("BOOKMARK"), &json!("Middleware"))
        );
        if event["object"]["metadata"]["resourceVersion"] == reached {
            break;
        }
    }
    other.reader.get_ref().set_read_timeout(Some(Duration::from_millis(60))).unwrap();
    assert_eq!(other.next_or_bookmark(), Said::Silence);
}

#[test]
fn an_initial_list_streams_and_says_where_it_ends() {
    let server = server();
    server.apply(middleware("a", "blue"));
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = watch(&server, query);
    assert_eq!(summary(&watch.next_or_bookmark()), "ADDED a");
    let Said::Event(end) = watch.next_or_bookmark() else { panic!("no end") };
    assert_eq!(end["type"], "BOOKMARK");
    let metadata = &end["object"]["metadata"];
    assert_eq!(metadata["annotations"]["k8s.io/initial-events-end"], "true");
    assert_eq!(metadata["resourceVersion"], server.resource_version().to_string());
    server.apply(middleware("b", "blue"));
    assert_eq!(summary(&watch.next()), "ADDED b");
}

#[test]
fn a_watch_from_a_compacted_revision_says_so_and_ends() {
    let server = server();
    let from = server.resource_version();
    server.apply(middleware("a", "blue"));
    server.compact();
    let mut watch = watch(&server, &format!("resourceVersion={from}"));
    let Said::Event(event) = watch.next() else { panic!("no event") };
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(event["object"]["reason"], "Expired");
    assert_eq!(watch.next(), Said::Over);
}

#[test]
fn a_watch_ends_when_its_time_is_over() {
    let server = server();
    let start = Instant::now();
    let query = format!("timeoutSeconds=1&resourceVersion={}", server.resource_version());
    assert_eq!(watch(&server, &query).next(), Said::Over);
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_watch_from_a_revision_to_come_is_silent_until_then() {
    let server = server();
    server.bookmark_every(Duration::from_millis(10));
    let from = server.resource_version() + 1;
    let target = format!("{MIDDLEWARES}?watch=1&allowWatchBookmarks=true&resourceVersion={from}");
    let mut watch = Lines::open(&server, &target, Duration::from_millis(60)).unwrap();
    assert_eq!(watch.next_or_bookmark(), Said::Silence);
    server.apply(middleware("a", "blue"));
    server.apply(middleware("b", "blue"));
    assert_eq!(summary(&watch.next()), "ADDED b");
}

#[test]
fn a_watch_from_a_revision_to_come_can_be_refused() {
    let server = server();
    server.refuse_future_watches();
    let from = server.resource_version() + 1;
    let mut watch = watch(&server, &format!("resourceVersion={from}"));
    let Said::Event(event) = watch.next() else { panic!("no event") };
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(504)));
    assert_eq!(watch.next(), Said::Over);
}

#[test]
fn a_rollback_ends_watches() {
    let server = server();
    let before = server.resource_version();
    server.apply(middleware("a", "blue"));
    let mut watch = watch(&server, &format!("resourceVersion={}", server.resource_version()));
    server.rollback(before);
    assert_eq!(watch.next(), Said::Over);
}

#[test]
fn uninstalling_a_kind_deletes_its_objects_and_ends_its_watches() {
    let server = server();
    server.apply(middleware("a", "blue"));
    let mut watch = watch(&server, &format!("resourceVersion={}", server.resource_version()));
    server.uninstall(super::TRAEFIK, "middlewares");
    assert_eq!(summary(&watch.next()), "DELETED a");
    assert_eq!(watch.next(), Said::Over);
    assert_eq!(super::get(&server, MIDDLEWARES).0, 404);
    server.install(super::TRAEFIK, "Middleware", "middlewares", true);
    assert_eq!(super::names(&super::get(&server, MIDDLEWARES).1), [""; 0]);
}

#[test]
fn stopping_breaks_connections_and_restarting_keeps_port_and_objects() {
    let server = server();
    server.apply(middleware("a", "blue"));
    let url = server.url();
    let mut watch = watch(&server, &format!("resourceVersion={}", server.resource_version()));
    server.stop();
    assert_eq!(watch.next(), Said::Broken);
    assert!(super::exchange(&server, "GET", MIDDLEWARES, "", "").is_err());
    server.restart();
    assert_eq!(server.url(), url);
    assert_eq!(super::names(&super::get(&server, MIDDLEWARES).1), ["a"]);
}

#[test]
fn a_watch_is_forgotten_when_its_client_leaves() {
    let server = server();
    let watch = watch(&server, "");
    assert_eq!(server.open_watches(), 1);
    drop(watch);
    let start = Instant::now();
    while server.open_watches() > 0 {
        assert!(start.elapsed() < PATIENCE, "the watch is still open");
        std::thread::yield_now();
    }
}

#[test]
fn writes_over_http_reach_watches() {
    let server = server();
    server.apply(middleware("a", "blue"));
    let mut watch = watch(&server, &format!("resourceVersion={}", server.resource_version()));
    let patch = json!({"metadata": {"labels": {"team": "green"}}});
    assert_eq!(send(&server, "PATCH", &format!("{MIDDLEWARES}/a"), MERGE, &patch).0, 200);
    assert_eq!(summary(&watch.next()), "MODIFIED a");
}
