//! Entry points: redirections, middlewares, TLS and defaults of their own; ping and the dashboard.

use portway_testkit::client::Tls;
use portway_testkit::process::Setup;

use super::pair::{Case, Pair};

const DYNAMIC: &str = r#"
http:
  routers:
    everywhere: {rule: "Host(`everywhere.test`)", service: s}
    web: {rule: "Host(`web.test`)", service: s, entryPoints: [web]}
    stripped: {rule: "Host(`marked.test`)", service: s, entryPoints: [marked], middlewares: [strip]}
    secured: {rule: "Host(`secured.test`)", service: s, entryPoints: [secured]}
    redirected: {rule: "Host(`redirected.test`)", service: s, entryPoints: [redirecting, low], priority: 1000}
    both: {rule: "Host(`both.test`)", service: s, entryPoints: [web, secured]}
    traefik: {rule: "Host(`traefik.test`)", service: s, entryPoints: [traefik]}
    api: {rule: "Host(`api.test`)", service: api@internal, entryPoints: [web], middlewares: [deny]}
    dashboard: {rule: "Host(`dashboard.test`) && (PathPrefix(`/api`) || PathPrefix(`/dashboard`))", service: api@internal, entryPoints: [web]}
    ping: {rule: "Host(`ping.test`)", service: ping@internal, entryPoints: [web]}
    noop: {rule: "Host(`noop.test`)", service: noop@internal, entryPoints: [web]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    mark: {headers: {customRequestHeaders: {X-Mark: "1"}, customResponseHeaders: {X-Mark: "1"}}}
    add: {addPrefix: {prefix: /pre}}
    strip: {stripPrefix: {prefixes: [/pre/a]}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
"#;

const HOSTS: &[&str] = &[
    "everywhere.test",
    "web.test",
    "marked.test",
    "secured.test",
    "redirected.test",
    "both.test",
    "traefik.test",
    "ping.test",
    "noop.test",
    "nobody.test",
];

fn setup() -> Setup {
    Setup::web(DYNAMIC)
        .entry_point("marked")
        .entry_point("secured")
        .entry_point("redirecting")
        .entry_point("temporary")
        .entry_point("low")
        .flag("--entryPoints.marked.http.middlewares=mark@file,add@file")
        .flag("--entryPoints.secured.http.tls=true")
        .flag("--entryPoints.redirecting.http.redirections.entryPoint.to=secured")
        .flag("--entryPoints.temporary.http.redirections.entryPoint.to=:1234")
        .flag("--entryPoints.temporary.http.redirections.entryPoint.scheme=http")
        .flag("--entryPoints.temporary.http.redirections.entryPoint.permanent=false")
        .flag("--entryPoints.low.http.redirections.entryPoint.to=secured")
        .flag("--entryPoints.low.http.redirections.entryPoint.priority=10")
}

#[test]
fn entry_points_act_as_in_traefik() {
    let Some(mut pair) = Pair::start(&setup(), 1) else { return };
    for host in HOSTS {
        for entry_point in ["web", "marked", "redirecting", "temporary", "low", "secured"] {
            pair.compare(&Case::get(host, "/a/x?y", "").at(entry_point));
            pair.compare(&Case::get(&format!("{host}:99"), "/", "").at(entry_point));
        }
        pair.compare(&Case::get(host, "/a/x?y", "").at("secured").over(Tls::to(host)));
        pair.compare(&Case::get(host, "/a/x?y", "").at("web").over(Tls::to(host)));
    }
    for method in ["HEAD", "POST"] {
        pair.compare(&Case::request(method, "nobody.test", "/x", "", "").at("redirecting"));
        pair.compare(&Case::request(method, "nobody.test", "/x", "", "").at("temporary"));
    }
    pair.compare(&Case::get("", "/x", "").at("redirecting"));
    pair.compare(&Case::get("x", "/x", "X-Forwarded-Proto: https\r\n").at("redirecting"));
    pair.finish();
}

#[test]
fn default_entry_points_are_those_of_traefik() {
    let setup = setup().flag("--entryPoints.marked.asDefault=true");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for entry_point in ["web", "marked", "low"] {
        pair.compare(&Case::get("everywhere.test", "/", "").at(entry_point));
        pair.compare(&Case::get("web.test", "/", "").at(entry_point));
    }
    pair.finish();
}

#[test]
fn internal_services_answer_as_in_traefik() {
    let Some(mut pair) = Pair::start(&setup(), 1) else { return };
    for target in [
        "/ping",
        "/ping/",
        "/pingx",
        "/ping?x",
        "/",
        "/?x",
        "/x",
        "/dashboard/nope.js",
        "/favicon.x",
        "/debug/vars",
        "/api/nope",
    ] {
        for method in ["GET", "POST"] {
            pair.compare(&Case::request(method, "x", target, "", "").at("traefik").statuses_only());
        }
    }
    pair.compare(&Case::request("HEAD", "x", "/ping", "", "").at("traefik"));
    pair.compare(&Case::request("GET", "x", "/ping", "", "").at("traefik"));
    for host in ["x", "x:80", "[::1]:80"] {
        pair.compare(&Case::get(host, "/", "").at("traefik"));
    }
    let authorized = "Authorization: Basic dGVzdDp0ZXN0\r\n";
    for target in [
        "/",
        "/dashboard",
        "/dashboard/",
        "/api",
        "/api/",
        "/api/nope",
        "/nope",
        "/dashboard/nope.js",
    ] {
        pair.compare(&Case::get("api.test", target, ""));
        pair.compare(&Case::get("api.test", target, authorized).statuses_only());
        pair.compare(&Case::get("dashboard.test", target, "").statuses_only());
    }
    pair.compare(&Case::get("api.test", "/", authorized));
    pair.compare(&Case::get(
        "api.test",
        "/",
        &format!("{authorized}X-Forwarded-Prefix: /evil\r\n"),
    ));
    pair.finish();
}

#[test]
fn ping_can_live_on_another_entry_point() {
    let setup = setup().flag("--ping.entryPoint=web");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for entry_point in ["web", "traefik", "marked"] {
        pair.compare(&Case::get("web.test", "/ping", "").at(entry_point).statuses_only());
        pair.compare(&Case::get("web.test", "/pingpong", "").at(entry_point).statuses_only());
    }
    pair.finish();
}
