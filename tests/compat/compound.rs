//! Services that are made of other objects: failover, mirroring, services behind middlewares of their own, internal
//! services as parts.

use std::time::Duration;

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};
use super::told;

const FAILOVER: &str = r#"
http:
  routers:
    errors: {rule: "Host(`errors.test`)", service: errors}
    small: {rule: "Host(`small.test`)", service: small}
    deadmain: {rule: "Host(`deadmain.test`)", service: deadmain}
    deadboth: {rule: "Host(`deadboth.test`)", service: deadboth}
    nested: {rule: "Host(`nested.test`)", service: nested}
    within: {rule: "Host(`within.test`)", service: within}
    page: {rule: "Host(`page.test`)", service: errors, middlewares: [page]}
    again: {rule: "Host(`again.test`)", service: errors, middlewares: [again]}
    sticky: {rule: "Host(`sticky.test`)", service: sticky}
    empty: {rule: "Host(`empty.test`)", service: empty}
  services:
    main: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    other: {loadBalancer: {servers: [{url: "http://@@backend1@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    nothing: {loadBalancer: {servers: []}}
    errors: {failover: {service: main, fallback: other, errors: {status: ["500-599", "404"]}}}
    small: {failover: {service: main, fallback: other, errors: {status: ["500"], maxRequestBodyBytes: 4}}}
    deadmain: {failover: {service: dead, fallback: other, errors: {status: ["502"]}}}
    deadboth: {failover: {service: dead, fallback: dead, errors: {status: ["502"]}}}
    nested: {failover: {service: errors, fallback: main, errors: {status: ["200", "503"]}}}
    within: {weighted: {services: [{name: errors}]}}
    sticky: {failover: {service: stuck, fallback: other, errors: {status: ["500"]}}}
    stuck: {loadBalancer: {sticky: {cookie: {name: c}}, servers: [{url: "http://@@backend0@@"}]}}
    empty: {failover: {service: nothing, fallback: other, errors: {status: ["503"]}}}
  middlewares:
    page: {errors: {status: ["400-599"], service: other, query: "/page"}}
    again: {retry: {attempts: 2, status: ["500"]}}
"#;

#[test]
fn services_stand_in_for_one_another_as_in_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(FAILOVER), 2) else { return };
    for host in
        ["errors", "small", "deadmain", "deadboth", "nested", "within", "page", "again", "empty"]
    {
        let host = &format!("{host}.test");
        for path in ["/", "/status-500", "/status-404", "/status-503", "/status-204"] {
            pair.compare(&Case::get(host, path, ""));
        }
        for (method, body) in [("POST", "hello"), ("PUT", "hi"), ("HEAD", ""), ("DELETE", "")] {
            for path in ["/", "/status-500"] {
                pair.compare(&Case::request(method, host, path, "X-A: 1\r\n", body));
            }
        }
        let chunked = format!(
            "PUT /status-500 HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
        );
        pair.compare(&Case::new(format!("chunked {host}"), chunked));
        pair.compare(&Case::request("PUT", host, "/status-500", "", "hi").over_http2());
    }
    // A cookie of a reply that was given up is not set.
    pair.compare(&Case::get("sticky.test", "/status-500", ""));
    pair.finish();
}

const MIRRORING: &str = r#"
http:
  routers:
    all: {rule: "Host(`all.test`)", service: all}
    changed: {rule: "Host(`changed.test`)", service: all, middlewares: [prefix, fields]}
    two: {rule: "Host(`two.test`)", service: two}
    half: {rule: "Host(`half.test`)", service: half}
    nobody: {rule: "Host(`nobody.test`)", service: nobody}
    small: {rule: "Host(`small.test`)", service: small}
    deadmain: {rule: "Host(`deadmain.test`)", service: deadmain}
    deadmirror: {rule: "Host(`deadmirror.test`)", service: deadmirror}
    tree: {rule: "Host(`tree.test`)", service: tree}
    guarded: {rule: "Host(`guarded.test`)", service: guarded}
    again: {rule: "Host(`again.test`)", service: all, middlewares: [again]}
    page: {rule: "Host(`page.test`)", service: all, middlewares: [page]}
    inner: {rule: "Host(`inner.test`)", service: inner}
    nested: {rule: "Host(`nested.test`)", service: nested}
    hosts: {rule: "Host(`hosts.test`)", service: hosts}
  services:
    main: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    one: {loadBalancer: {servers: [{url: "http://@@backend1@@"}]}}
    other: {loadBalancer: {servers: [{url: "http://@@backend2@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    all: {mirroring: {service: main, mirrors: [{name: one, percent: 100}]}}
    two: {mirroring: {service: main, mirrors: [{name: one, percent: 100}, {name: other, percent: 100}]}}
    half: {mirroring: {service: main, mirrors: [{name: one, percent: 50}, {name: other, percent: 30}]}}
    nobody: {mirroring: {service: main, mirrorBody: false, mirrors: [{name: one, percent: 100}]}}
    small: {mirroring: {service: main, maxBodySize: 4, mirrors: [{name: one, percent: 100}]}}
    deadmain: {mirroring: {service: dead, mirrors: [{name: one, percent: 100}]}}
    deadmirror: {mirroring: {service: main, mirrors: [{name: dead, percent: 100}, {name: one, percent: 100}]}}
    tree: {mirroring: {service: pair, mirrors: [{name: single, percent: 100}]}}
    pair: {weighted: {services: [{name: main, weight: 1}]}}
    single: {weighted: {services: [{name: one, weight: 1}]}}
    guarded: {mirroring: {service: main, mirrors: [{name: behind, percent: 100}]}}
    behind: {middlewares: [prefix], loadBalancer: {servers: [{url: "http://@@backend1@@"}]}}
    inner: {mirroring: {service: retried, mirrors: [{name: one, percent: 100}]}}
    retried: {middlewares: [again], loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    nested: {mirroring: {service: all, mirrors: [{name: other, percent: 100}]}}
    hosts: {mirroring: {service: main, mirrors: [{name: ownhost, percent: 100}]}}
    ownhost: {loadBalancer: {passHostHeader: false, servers: [{url: "http://@@backend1@@"}]}}
  middlewares:
    prefix: {addPrefix: {prefix: /behind}}
    fields: {headers: {customRequestHeaders: {X-Set: "1"}}}
    again: {retry: {attempts: 2, status: ["500"]}}
    page: {errors: {status: ["500"], service: other, query: "/page"}}
"#;

/// How long copies may take to come.
const SETTLES: Duration = Duration::from_millis(80);

#[test]
fn mirrors_get_what_they_get_from_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(MIRRORING), 3) else { return };
    for host in [
        "all",
        "changed",
        "two",
        "small",
        "deadmain",
        "deadmirror",
        "tree",
        "guarded",
        "again",
        "page",
        "inner",
        "nested",
        "hosts",
    ] {
        let host = &format!("{host}.test");
        for path in ["/a?b=c", "/status-500", "/status-204"] {
            pair.compare(&Case::get(host, path, "Cookie: a=b\r\n").settled(SETTLES));
        }
        for (method, body) in [("POST", "hello"), ("PUT", "four"), ("HEAD", ""), ("POST", "")] {
            pair.compare(&Case::request(method, host, "/x", "X-A: 1\r\n", body).settled(SETTLES));
        }
        let chunked = format!(
            "PUT /x HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
        );
        pair.compare(&Case::new(format!("chunked {host}"), chunked).settled(SETTLES));
        pair.compare(&Case::request("PUT", host, "/x", "", "hi").over_http2().settled(SETTLES));
        // Copies follow the end of the tunnel.
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n";
        pair.compare(&Case::get(host, "/tunnel", upgrade).settled(SETTLES));
    }
    for number in 0..20 {
        let path = format!("/{number}");
        pair.compare(&Case::get("half.test", &path, "").settled(SETTLES));
    }
    for (method, body) in [("GET", ""), ("DELETE", "")] {
        pair.compare(&Case::request(method, "nobody.test", "/x", "", body).settled(SETTLES));
    }
    pair.finish();
}

const GUARDED: &str = r#"
http:
  routers:
    fields: {rule: "Host(`fields.test`)", service: fields}
    both: {rule: "Host(`both.test`)", service: fields, middlewares: [outer]}
    auth: {rule: "Host(`auth.test`)", service: auth}
    chained: {rule: "Host(`chained.test`)", service: chained}
    again: {rule: "Host(`again.test`)", service: again}
    page: {rule: "Host(`page.test`)", service: page}
    weighted: {rule: "Host(`weighted.test`)", service: weighted}
    deep: {rule: "Host(`deep.test`)", service: deep}
    failover: {rule: "Host(`failover.test`)", service: failover}
    redirect: {rule: "Host(`redirect.test`)", service: redirect}
    noop: {rule: "Host(`noop.test`)", service: noop}
    ping: {rule: "Host(`ping.test`)", service: pinged}
    once: {rule: "Host(`once.test`)", service: once}
    twice: {rule: "Host(`twice.test`)", service: once}
    split: {rule: "Host(`split.test`)", service: split}
  services:
    main: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    other: {loadBalancer: {servers: [{url: "http://@@backend1@@"}]}}
    fields: {middlewares: [inner], loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    auth: {middlewares: [users, inner], loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    chained: {middlewares: [chain], loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    again: {middlewares: [retry], loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    page: {middlewares: [errors], loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    weighted: {middlewares: [prefix], weighted: {services: [{name: fields, weight: 1}]}}
    deep: {middlewares: [prefix], weighted: {services: [{name: weighted, weight: 1}]}}
    failover: {middlewares: [prefix], failover: {service: auth, fallback: page, errors: {status: ["401", "500"]}}}
    redirect: {middlewares: [moved], loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    noop: {weighted: {services: [{name: noop@internal, weight: 1}]}}
    pinged: {middlewares: [outer], weighted: {services: [{name: ping@internal, weight: 1}]}}
    once: {middlewares: [rate], loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    split: {weighted: {services: [{name: fields, weight: 1}, {name: redirect, weight: 1}]}}
  middlewares:
    inner: {headers: {customRequestHeaders: {X-In: inner}, customResponseHeaders: {X-Out: inner}}}
    outer: {headers: {customRequestHeaders: {X-In: outer, X-Only: "1"}, customResponseHeaders: {X-Out: outer, X-Last: "1"}}}
    users: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    prefix: {addPrefix: {prefix: /p}}
    chain: {chain: {middlewares: [prefix, inner, prefix]}}
    retry: {retry: {attempts: 3, status: ["500"]}}
    errors: {errors: {status: ["500-599"], service: other, query: "/page/{status}"}}
    moved: {redirectRegex: {regex: "^(.*)$", replacement: "https://moved.test/?was=$1"}}
    rate: {rateLimit: {average: 1, period: 1h, burst: 3}}
"#;

#[test]
fn services_stand_behind_middlewares_as_in_traefik() {
    let mut setup = Setup::web(GUARDED);
    setup.flags.push("--ping=true".to_owned());
    setup.flags.push("--ping.manualrouting=true".to_owned());
    let Some(mut pair) = Pair::start(&setup, 2) else { return };
    for host in [
        "fields", "both", "auth", "chained", "again", "page", "weighted", "deep", "failover",
        "redirect", "noop", "ping",
    ] {
        let host = &format!("{host}.test");
        for path in ["/", "/x?y=z", "/status-500", "/status-404"] {
            pair.compare(&Case::get(host, path, ""));
            let known = "Authorization: Basic dGVzdDp0ZXN0\r\n";
            pair.compare(&Case::get(host, path, known));
        }
        pair.compare(&Case::request("POST", host, "/status-500", "", "hello"));
        pair.compare(&Case::request("HEAD", host, "/", "", ""));
        pair.compare(&Case::request("PUT", host, "/x", "", "hi").over_http2());
    }
    // One state for all routers that lead to the service.
    for host in ["once.test", "twice.test", "once.test", "twice.test", "once.test"] {
        pair.compare(&Case::get(host, "/", "").statuses_only());
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}
