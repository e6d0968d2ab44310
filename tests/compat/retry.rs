//! `retry`: which requests are sent again, how often, and what the servers and the client see of it.

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    dead: {rule: "Host(`dead.test`)", service: dead, middlewares: [network]}
    onedead: {rule: "Host(`onedead.test`)", service: onedead, middlewares: [network]}
    live: {rule: "Host(`live.test`)", service: live, middlewares: [network]}
    none: {rule: "Host(`none.test`)", service: none, middlewares: [network]}
    once: {rule: "Host(`once.test`)", service: live, middlewares: [once]}
    status: {rule: "Host(`status.test`)", service: live, middlewares: [status]}
    deadstatus: {rule: "Host(`deadstatus.test`)", service: dead, middlewares: [status]}
    every: {rule: "Host(`every.test`)", service: live, middlewares: [every]}
    small: {rule: "Host(`small.test`)", service: live, middlewares: [small]}
    unlimited: {rule: "Host(`unlimited.test`)", service: live, middlewares: [unlimited]}
    only: {rule: "Host(`only.test`)", service: live, middlewares: [only]}
    onlydead: {rule: "Host(`onlydead.test`)", service: dead, middlewares: [only]}
    paused: {rule: "Host(`paused.test`)", service: live, middlewares: [paused]}
    timed: {rule: "Host(`timed.test`)", service: live, middlewares: [timed]}
    outer: {rule: "Host(`outer.test`)", service: live, middlewares: [outer, status]}
    inner: {rule: "Host(`inner.test`)", service: live, middlewares: [status, outer]}
    auth: {rule: "Host(`auth.test`)", service: live, middlewares: [refused, deny]}
    netauth: {rule: "Host(`netauth.test`)", service: live, middlewares: [network, deny]}
    nested: {rule: "Host(`nested.test`)", service: live, middlewares: [twice, status]}
    reversed: {rule: "Host(`reversed.test`)", service: live, middlewares: [reversed]}
    nothing: {rule: "Host(`nothing.test`)", service: live, middlewares: [nothing]}
    negative: {rule: "Host(`negative.test`)", service: live, middlewares: [negative]}
    senseless: {rule: "Host(`senseless.test`)", service: live, middlewares: [senseless]}
  services:
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    onedead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}, {url: "http://@@backend0@@"}]}}
    live: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    none: {loadBalancer: {servers: []}}
  middlewares:
    network: {retry: {attempts: 3}}
    once: {retry: {attempts: 1, status: ["500-599"]}}
    status: {retry: {attempts: 3, status: ["500-502", "404"]}}
    every: {retry: {attempts: 2, status: ["500-599"], retryNonIdempotentMethod: true}}
    small: {retry: {attempts: 2, status: ["500-599"], maxRequestBodyBytes: 4}}
    unlimited: {retry: {attempts: 2, status: ["500-599"], maxRequestBodyBytes: -1}}
    only: {retry: {attempts: 2, status: ["500-599"], disableRetryOnNetworkError: true}}
    paused: {retry: {attempts: 2, status: ["500-599"], initialInterval: 20ms}}
    timed: {retry: {attempts: 4, status: ["500-599"], timeout: 1ns}}
    refused: {retry: {attempts: 3, status: ["401"]}}
    twice: {retry: {attempts: 2, status: ["500"]}}
    reversed: {retry: {attempts: 2, status: ["599-500"]}}
    outer: {headers: {customResponseHeaders: {X-Outer: "1"}, customRequestHeaders: {X-Sent: "1"}}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    nothing: {retry: {attempts: 0}}
    negative: {retry: {attempts: -2}}
    senseless: {retry: {attempts: 2, disableRetryOnNetworkError: true}}
"#;

#[test]
fn requests_are_sent_again_as_by_traefik() {
    let setup = Setup::web(DYNAMIC);
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for host in [
        "dead",
        "onedead",
        "live",
        "none",
        "once",
        "status",
        "deadstatus",
        "every",
        "small",
        "unlimited",
        "only",
        "onlydead",
        "paused",
        "timed",
        "outer",
        "inner",
        "auth",
        "netauth",
        "nested",
        "reversed",
    ] {
        let host = &format!("{host}.test");
        for path in ["/", "/status-500", "/status-404", "/status-503"] {
            pair.compare(&Case::get(host, path, ""));
        }
        for (method, body) in
            [("POST", "hello"), ("POST", ""), ("PUT", "hello"), ("PATCH", "hi"), ("HEAD", "")]
        {
            pair.compare(&Case::request(method, host, "/status-500", "", body));
        }
        let chunked = format!(
            "PUT /status-500 HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
        );
        pair.compare(&Case::new(format!("chunked {host}"), chunked));
        pair.compare(&Case::request("PUT", host, "/status-500", "", "hello").over_http2());
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}
