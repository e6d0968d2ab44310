//! Health of servers: who heeds it, what of it outlives an edit, and who is asked.

use std::sync::Arc;

use portway_model::runtime::Status;
use portway_upstream::Check;

use super::{compiled, compiled_after, plain};
use crate::{Service, Snapshot, Target};

const SITE: &str = "http:
  routers:
    outer: {rule: 'Host(`outer`)', service: outer}
    one: {rule: 'Host(`one`)', service: one}
  services:
    outer: {weighted: {healthCheck: {}, services: [{name: inner}, {name: three}]}}
    inner: {highestRandomWeight: {healthCheck: {}, services: [{name: one}, {name: two, weight: 2}]}}
    one: {loadBalancer: {healthCheck: {path: /h}, servers: [{url: 'http://a:1'}, {url: 'http://a:2'}]}}
    two: {loadBalancer: {strategy: p2c, healthCheck: {}, servers: [{url: 'http://b:1'}]}}
    three: {loadBalancer: {strategy: leasttime, healthCheck: {}, servers: [{url: 'http://c:1'}]}}
    unused: {loadBalancer: {healthCheck: {}, servers: [{url: 'http://d:1'}]}}
";

fn service<'a>(snapshot: &'a Snapshot, host: &str) -> &'a Service {
    match plain(snapshot, host).map(|route| route.steps.target()) {
        Some(Target::Service(service)) => service,
        other => panic!("{host}: {other:?}"),
    }
}

/// Who is asked from nothing on, by service.
fn checks(snapshot: &Snapshot) -> Vec<(String, Arc<Check>)> {
    let news = snapshot.checks_since(&Snapshot::default());
    news.into_iter().filter_map(|(name, check)| Some((name.to_string(), check?))).collect()
}

fn tell(snapshot: &Snapshot, url: &str, up: bool) {
    let checks = checks(snapshot);
    let mut targets = checks.iter().flat_map(|(_, check)| &check.targets);
    targets.find(|target| target.server.url == url).expect("a target").standing.set_up(up);
}

fn error(text: &str, service: &str) -> Vec<String> {
    let snapshot = compiled(text);
    let info = &snapshot.runtime.services[service];
    assert_eq!(info.status, Status::Disabled);
    info.errors.clone()
}

#[test]
fn health_is_told_upwards() {
    let snapshot = compiled(SITE);
    let outer = service(&snapshot, "outer/");
    for (url, up) in
        [("http://a:1", true), ("http://c:1", true), ("http://a:2", true), ("http://b:1", false)]
    {
        tell(&snapshot, url, false);
        assert_eq!(outer.is_up(), up, "{url}");
    }
    tell(&snapshot, "http://a:2", true);
    assert!(outer.is_up());
    let status: Vec<_> = snapshot.runtime.services["one@file"].server_status().collect();
    assert_eq!(status, [("http://a:1", "DOWN"), ("http://a:2", "UP")]);
}

/// Seen in Traefik 3.7's source for each strategy.
#[test]
fn a_part_that_does_not_tell_closes_the_service() {
    for (strategy, kind) in
        [("wrr", "WRR"), ("p2c", "P2C"), ("hrw", "HRW"), ("leasttime", "LeastTime")]
    {
        let text = SITE.replace(
            "one: {loadBalancer: {healthCheck: {path: /h}, ",
            &format!("one: {{loadBalancer: {{strategy: {strategy}, passiveHealthCheck: {{}}, "),
        );
        let reason = format!(
            "cannot register one as updater for inner@file: healthCheck not enabled in config for this {kind} \
             service"
        );
        assert_eq!(error(&text, "inner@file"), [reason]);
    }
    let text = SITE.replace("highestRandomWeight: {healthCheck: {}, ", "highestRandomWeight: {");
    let reason = "cannot register inner as updater for outer@file: healthCheck not enabled in config for this HRW \
                  service";
    assert_eq!(error(&text, "outer@file"), [reason]);
}

#[test]
fn what_does_not_heed_is_always_up() {
    let snapshot = compiled(&SITE.replace("weighted: {healthCheck: {}, ", "weighted: {"));
    for url in ["http://a:1", "http://a:2", "http://b:1", "http://c:1"] {
        tell(&snapshot, url, false);
    }
    assert!(service(&snapshot, "outer/").is_up());
    assert!(!service(&snapshot, "one/").is_up());
}

#[test]
fn servers_that_no_router_reaches_are_not_asked() {
    let snapshot = compiled(SITE);
    let names: Vec<String> = checks(&snapshot).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["one@file", "three@file", "two@file"]);
    let fewer = SITE.replace("    outer: {rule: 'Host(`outer`)', service: outer}\n", "");
    let fewer = compiled_after(&fewer, &snapshot);
    let news = fewer.checks_since(&snapshot);
    let gone: Vec<&str> =
        news.iter().filter(|(_, check)| check.is_none()).map(|(name, _)| &**name).collect();
    assert_eq!(gone, ["three@file", "two@file"]);
}

#[test]
fn an_edit_elsewhere_is_no_news_and_forgets_nothing() {
    let first = compiled(SITE);
    tell(&first, "http://a:1", false);
    let elsewhere = SITE.replace("d:1", "d:2");
    let second = compiled_after(&elsewhere, &first);
    let same = |name: &str, check: &Option<Arc<Check>>| {
        let before = checks(&first).into_iter().find(|(known, _)| known == name);
        before.map(|(_, before)| before.config.clone())
            == check.as_ref().map(|now| now.config.clone())
    };
    assert!(second.checks_since(&first).iter().all(|(name, check)| same(name, check)));
    let more =
        SITE.replace("[{url: 'http://a:1'}, ", "[{url: 'http://a:3'}, {url: 'http://a:1'}, ");
    let third = compiled_after(&more, &second);
    let down: Vec<_> = third.runtime.services["one@file"].server_status().collect();
    assert_eq!(down, [("http://a:3", "UP"), ("http://a:1", "DOWN"), ("http://a:2", "UP")]);
    let other = compiled_after(&more.replace("path: /h", "path: /i"), &third);
    assert!(other.runtime.services["one@file"].server_status().all(|(_, status)| status == "UP"));
}
