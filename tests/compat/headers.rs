//! `headers` with custom request and response headers.

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};

const DYNAMIC: &str = r#"
http:
  routers:
    set: {rule: "Host(`set.test`)", service: s, middlewares: [set]}
    host: {rule: "Host(`host.test`)", service: s, middlewares: [host]}
    lower: {rule: "Host(`lower.test`)", service: s, middlewares: [lower]}
    forwarded: {rule: "Host(`forwarded.test`)", service: s, middlewares: [forwarded]}
    nofor: {rule: "Host(`nofor.test`)", service: s, middlewares: [nofor]}
    hop: {rule: "Host(`hop.test`)", service: s, middlewares: [hop]}
    response: {rule: "Host(`response.test`)", service: s, middlewares: [response]}
    framing: {rule: "Host(`framing.test`)", service: s, middlewares: [framing]}
    onerror: {rule: "Host(`onerror.test`)", service: dead, middlewares: [response]}
    onempty: {rule: "Host(`onempty.test`)", service: empty, middlewares: [response]}
    before: {rule: "Host(`before.test`)", service: s, middlewares: [response, deny]}
    after: {rule: "Host(`after.test`)", service: s, middlewares: [deny, response]}
    nested: {rule: "Host(`nested.test`)", service: s, middlewares: [first, second]}
    noop: {rule: "Host(`noop.test`)", service: noop@internal, middlewares: [response]}
    hostback: {rule: "Host(`hostback.test`)", service: backhost, middlewares: [host]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    backhost: {loadBalancer: {passHostHeader: false, servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    empty: {loadBalancer: {servers: []}}
  middlewares:
    set: {headers: {customRequestHeaders: {X-Set: value, X-Gone: "", X-Empty: "", Accept: "text/x", User-Agent: ours}}}
    host: {headers: {customRequestHeaders: {Host: changed.test, X-A: "1"}}}
    lower: {headers: {customRequestHeaders: {x-lower-name: v, COOKIE: "c=1"}, customResponseHeaders: {x-lower-answer: v}}}
    forwarded: {headers: {customRequestHeaders: {X-Forwarded-Proto: https, X-Forwarded-For: 9.9.9.9, X-Real-Ip: 8.8.8.8, X-Forwarded-Host: h, X-Forwarded-Server: s}}}
    nofor: {headers: {customRequestHeaders: {X-Forwarded-For: "", X-Forwarded-Host: "", X-Real-Ip: "", X-Forwarded-Server: ""}}}
    hop: {headers: {customRequestHeaders: {Te: trailers, Keep-Alive: "5", Proxy-Authorization: p, Upgrade: u, Connection: x-a}}}
    response: {headers: {customResponseHeaders: {X-Answer: "1", Server: "", X-Backend: "", Set-Cookie: "m=1", X-Two: changed, Lower-Case: "", Content-Type: text/changed}}}
    framing: {headers: {customResponseHeaders: {Date: "Thu, 01 Jan 1970 00:00:00 GMT", Keep-Alive: k}}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    first: {headers: {customRequestHeaders: {X-Order: first, X-One: "1"}, customResponseHeaders: {X-Order: first, X-First: "1"}}}
    second: {headers: {customRequestHeaders: {X-Order: second, X-One: ""}, customResponseHeaders: {X-Order: second, X-First: ""}}}
"#;

const HOSTS: &[&str] = &[
    "set.test",
    "host.test",
    "lower.test",
    "forwarded.test",
    "nofor.test",
    "hop.test",
    "response.test",
    "framing.test",
    "onerror.test",
    "onempty.test",
    "before.test",
    "after.test",
    "nested.test",
    "noop.test",
    "hostback.test",
];

const FIELDS: &[&str] = &[
    "",
    "X-Set: client\r\nX-Set: again\r\nx-gone: 1\r\nX-GONE: 2\r\nX-Empty:\r\n",
    "User-Agent: theirs\r\nAccept: */*\r\nCookie: a=b\r\nCookie: c=d\r\n",
    "X-Order: client\r\nX-One: client\r\nX_Order: under\r\n",
    "Authorization: Basic dGVzdDp0ZXN0\r\n",
];

#[test]
fn headers_are_set_and_removed_as_traefik_does() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for host in HOSTS {
        for fields in FIELDS {
            pair.compare(&Case::get(host, "/", fields));
        }
        for target in [
            "/fields",
            "/hop",
            "/status-404",
            "/status-500",
            "/no-content",
            "/not-modified",
            "/hints",
        ] {
            pair.compare(&Case::get(host, target, ""));
        }
        pair.compare(&Case::request("HEAD", host, "/", "", ""));
        pair.compare(&Case::request("POST", host, "/", "", "body"));
    }
    pair.finish();
}
