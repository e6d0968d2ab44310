//! What requests over HTTP/2 mean: fields, targets, bodies, answers of backends, refusals.

use portway_testkit::client::Tls;
use portway_testkit::process::Setup;

use super::pair::{Case, Pair};

const DYNAMIC: &str = r#"
http:
  routers:
    any: {rule: "PathPrefix(`/`)", service: s}
    secure: {rule: "Host(`a.test`) || Host(`b.test`)", service: s, tls: {}}
    modern: {rule: "Host(`modern.test`)", service: s, tls: {options: modern}}
    guarded: {rule: "Host(`guarded.test`)", service: s, middlewares: [auth]}
    query: {rule: "Host(`query.test`) && Query(`a`, `b`)", service: s, middlewares: [mark]}
    field: {rule: "Host(`field.test`) && Header(`X-One`, `1`)", service: s, middlewares: [mark]}
    method: {rule: "Host(`method.test`) && Method(`PUT`)", service: s, middlewares: [mark]}
    strip: {rule: "Host(`strip.test`)", service: s, middlewares: [strip]}
    https: {rule: "Host(`https.test`)", service: s, middlewares: [https]}
    empty: {rule: "Host(`empty.test`)", service: empty}
    dead: {rule: "Host(`dead.test`)", service: dead}
    own: {rule: "Host(`own.test`)", service: own}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    own: {loadBalancer: {passHostHeader: false, servers: [{url: "http://@@backend0@@"}]}}
    empty: {loadBalancer: {servers: []}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
  middlewares:
    mark: {headers: {customRequestHeaders: {X-Mark: "1"}, customResponseHeaders: {X-Mark: "1"}}}
    auth: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    strip: {stripPrefix: {prefixes: [/a]}}
    https: {redirectScheme: {scheme: https}}
tls:
  options:
    modern: {minVersion: VersionTLS13}
"#;

/// Fields that HTTP/2 may carry.
const FIELDS: &[&str] = &[
    "",
    "X-Forwarded-For: 1.1.1.1\r\n",
    "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n",
    "X-Real-Ip: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\n",
    "X_Forwarded_For: 1.1.1.1\r\n",
    "Cookie: a=1\r\nCookie: b=2; c=3\r\nCookie: d\r\n",
    "Cookie:\r\nCookie: b=2\r\n",
    "TE: trailers\r\n",
    "User-Agent: agent\r\n",
    "User-Agent:\r\n",
    "User-Agent: one\r\nUser-Agent: two\r\n",
    "Referer: one\r\nReferer: two\r\n",
    "Accept-Encoding: gzip\r\n",
    "X-Same: 1\r\nX-Other: 2\r\nX-Same: 3\r\n",
    "X-Empty:\r\n",
    "X-Latin: \u{e9}\r\n",
    "Authorization: Bearer x\r\nIf-None-Match: \"x\"\r\nPragma: no-cache\r\n",
    "Authorization: Basic dGVzdDp0ZXN0\r\n",
    "Proxy-Authorization: b\r\nProxy-Authenticate: a\r\n",
    "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n",
    "Max-Forwards: 0\r\nDate: x\r\nServer: y\r\nVia: 1.1 x\r\n",
    "Range: bytes=0-1\r\nExpect:\r\n",
    "Trailer: X-Sum\r\n",
    "X-One: 1\r\n",
    "1: 5\r\n-x: 3\r\nx-: 4\r\n",
];

const TARGETS: &[&str] = &[
    "/",
    "/a/b?c=d",
    "/a/../b",
    "/a/./b//c/",
    "/a/%2e%2e/b",
    "/a%2fb/%41",
    "/a%20b?x=%zz",
    "/%",
    "/%zz",
    "/a;b?c;d=e",
    "/?a=b",
    "/?",
    "/a?b?c",
    "//a//b",
    "/..",
    "/a/%00",
    "/~!$&'()*+,=:@-._",
];

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PURGE"];

const HOSTS: &[&str] = &[
    "a.test",
    "A.Test:8080",
    "guarded.test",
    "query.test",
    "field.test",
    "method.test",
    "strip.test",
    "https.test",
    "empty.test",
    "dead.test",
    "own.test",
    "modern.test",
    "127.0.0.1",
    "[::1]:80",
];

fn start() -> Option<Pair> {
    let setup = Setup::web(DYNAMIC)
        .entry_point("trusting")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true");
    Pair::start(&setup, 1)
}

#[test]
fn requests_over_http2_arrive_as_through_traefik() {
    let Some(mut pair) = start() else { return };
    for fields in FIELDS {
        for entry_point in ["web", "trusting"] {
            pair.compare(&Case::get("a.test", "/x?y", fields).at(entry_point).over_http2());
            let tls = Tls::to("a.test");
            pair.compare(&Case::get("a.test", "/x", fields).at(entry_point).over(tls).over_http2());
        }
        for host in ["guarded.test", "field.test"] {
            pair.compare(&Case::get(host, "/x", fields).over_http2());
        }
    }
    for target in TARGETS {
        pair.compare(&Case::get("a.test", target, "").over_http2());
        pair.compare(&Case::get("strip.test", target, "").over_http2());
    }
    for host in HOSTS {
        for method in METHODS {
            for (target, body) in [("/", ""), ("/a?a=b", ""), ("/a/b", "body")] {
                pair.compare(&Case::request(method, host, target, "", body).over_http2());
            }
        }
    }
    for name in ["a.test", "modern.test", "nobody.test"] {
        for host in ["a.test", "b.test", "modern.test", "nobody.test"] {
            let mut case = Case::get(host, "/", "").over(Tls::to(name)).over_http2();
            case.rename(&format!("SNI {name}, authority {host}"));
            pair.compare(&case);
        }
    }
    pair.finish();
}
