//! `errors`: which answers are replaced, by which page, and what the page's server sees.

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    plain: {rule: "Host(`plain.test`)", service: s, middlewares: [plain]}
    rewritten: {rule: "Host(`rewritten.test`)", service: s, middlewares: [rewritten]}
    root: {rule: "Host(`root.test`)", service: s, middlewares: [root]}
    url: {rule: "Host(`url.test`)", service: s, middlewares: [url]}
    some: {rule: "Host(`some.test`)", service: s, middlewares: [some]}
    nofields: {rule: "Host(`nofields.test`)", service: s, middlewares: [nofields]}
    good: {rule: "Host(`good.test`)", service: s, middlewares: [good]}
    outer: {rule: "Host(`outer.test`)", service: s, middlewares: [mark, plain]}
    inner: {rule: "Host(`inner.test`)", service: s, middlewares: [plain, mark]}
    stripped: {rule: "Host(`stripped.test`)", service: s, middlewares: [url, strip]}
    dead: {rule: "Host(`dead.test`)", service: dead, middlewares: [plain]}
    empty: {rule: "Host(`empty.test`)", service: none, middlewares: [plain]}
    deadpage: {rule: "Host(`deadpage.test`)", service: s, middlewares: [deadpage]}
    emptypage: {rule: "Host(`emptypage.test`)", service: s, middlewares: [emptypage]}
    auth: {rule: "Host(`auth.test`)", service: s, middlewares: [all, deny]}
    nested: {rule: "Host(`nested.test`)", service: s, middlewares: [plain, inpage]}
    again: {rule: "Host(`again.test`)", service: s, middlewares: [plain, again]}
    againout: {rule: "Host(`againout.test`)", service: s, middlewares: [again, plain]}
    odd: {rule: "Host(`odd.test`)", service: s, middlewares: [odd]}
    hostless: {rule: "Host(`hostless.test`)", service: s, middlewares: [hostless]}
    weighted: {rule: "Host(`weighted.test`)", service: s, middlewares: [weighted]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    pages: {loadBalancer: {servers: [{url: "http://@@backend1@@"}]}}
    bare: {loadBalancer: {passHostHeader: false, servers: [{url: "http://@@backend1@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    none: {loadBalancer: {servers: []}}
    two: {weighted: {services: [{name: pages}]}}
  middlewares:
    plain: {errors: {status: ["500-599", "404"], service: pages, query: "/{status}.html"}}
    rewritten: {errors: {status: ["400-599"], statusRewrites: {"500-502": 418, "404": 200}, service: pages, query: "/{originalStatus}/{status}?a={status}"}}
    root: {errors: {status: ["500-599"], service: pages}}
    url: {errors: {status: ["500-599"], service: pages, query: "x?u={url}&s={status}"}}
    some: {errors: {status: ["500-599"], service: pages, query: "/p", errorRequestHeaders: [x-a, Cookie, X-None]}}
    nofields: {errors: {status: ["500-599"], service: pages, query: "/p", errorRequestHeaders: []}}
    good: {errors: {status: ["200-299"], service: pages, query: "/p"}}
    all: {errors: {status: ["400-599"], service: pages, query: "/p"}}
    deadpage: {errors: {status: ["500-599"], service: dead, query: "/p"}}
    emptypage: {errors: {status: ["500-599"], service: none, query: "/p"}}
    inpage: {errors: {status: ["500"], statusRewrites: {"500": 503}, service: pages, query: "/inner"}}
    odd: {errors: {status: ["500-599"], service: pages, query: "/a b/%zz"}}
    hostless: {errors: {status: ["500-599"], service: bare, query: "/p"}}
    weighted: {errors: {status: ["500-599"], service: two, query: "/p"}}
    mark: {headers: {customResponseHeaders: {X-Mark: "1"}, customRequestHeaders: {X-Sent: "1"}}}
    strip: {stripPrefix: {prefixes: ["/status-500"]}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    again: {retry: {attempts: 2, status: ["500-599"]}}
"#;

const HOSTS: &[&str] = &[
    "plain",
    "rewritten",
    "root",
    "url",
    "some",
    "nofields",
    "good",
    "outer",
    "inner",
    "stripped",
    "dead",
    "empty",
    "deadpage",
    "emptypage",
    "auth",
    "nested",
    "again",
    "againout",
    "odd",
    "hostless",
    "weighted",
];

#[test]
fn errors_are_replaced_as_by_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 2) else { return };
    let fields = "X-A: 1\r\nX-A: 2\r\ncookie: a=b\r\nAccept: text/html\r\nX-B: 3\r\n";
    for host in HOSTS {
        let host = &format!("{host}.test");
        for path in
            ["/", "/status-500", "/status-404?q=%20x&y", "/status-503", "/chunked", "/no-content"]
        {
            // Traefik breaks off a page without a place for its body.
            if (host.as_str(), path) != ("good.test", "/no-content") {
                pair.compare(&Case::get(host, path, ""));
                pair.compare(&Case::get(host, path, fields));
            }
        }
        pair.compare(&Case::request("HEAD", host, "/status-500", "", ""));
        pair.compare(&Case::request("POST", host, "/status-500", "", "hello"));
        pair.compare(&Case::request("PUT", host, "/status-404", fields, "hello").over_http2());
        pair.compare(&Case::get(host, "/status-500/x/status-500", "X-Forwarded-For: 1.2.3.4\r\n"));
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}
