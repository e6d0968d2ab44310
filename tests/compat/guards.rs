//! `headers` with fields for cross-origin sharing and for security.

use portway_testkit::client::Tls;
use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    list: {rule: "Host(`list.test`)", service: s, middlewares: [list]}
    expressions: {rule: "Host(`expressions.test`)", service: s, middlewares: [expressions]}
    any: {rule: "Host(`any.test`)", service: s, middlewares: [any]}
    anycredentials: {rule: "Host(`anycredentials.test`)", service: s, middlewares: [anycredentials]}
    full: {rule: "Host(`full.test`)", service: s, middlewares: [full]}
    age: {rule: "Host(`age.test`)", service: s, middlewares: [age]}
    vary: {rule: "Host(`vary.test`)", service: s, middlewares: [vary]}
    customfirst: {rule: "Host(`customfirst.test`)", service: s, middlewares: [customfirst]}
    guarded: {rule: "Host(`guarded.test`)", service: s, middlewares: [outer, deny, any]}
    behind: {rule: "Host(`behind.test`)", service: s, middlewares: [outer, any, deny]}
    fixed: {rule: "Host(`fixed.test`)", service: s, middlewares: [fixed]}
    custom: {rule: "Host(`custom.test`)", service: s, middlewares: [custom]}
    transport: {rule: "Host(`transport.test`)", service: s, middlewares: [transport]}
    forced: {rule: "Host(`forced.test`)", service: s, middlewares: [forced]}
    proxied: {rule: "Host(`proxied.test`)", service: s, middlewares: [proxied]}
    zero: {rule: "Host(`zero.test`)", service: s, middlewares: [zero]}
    hosts: {rule: "HostRegexp(`^hosts`)", service: s, middlewares: [hosts]}
    hostfields: {rule: "HostRegexp(`^hostfields`)", service: s, middlewares: [hostfields]}
    development: {rule: "Host(`development.test`)", service: s, middlewares: [development]}
    inert: {rule: "Host(`inert.test`)", service: s, middlewares: [inert]}
    both: {rule: "Host(`both.test`)", service: s, middlewares: [both]}
    nested: {rule: "Host(`nested.test`)", service: s, middlewares: [outer, fixed, custom]}
    dead: {rule: "Host(`dead.test`)", service: dead, middlewares: [both]}
    noop: {rule: "Host(`noop.test`)", service: noop@internal, middlewares: [both]}
    secure: {rule: "HostRegexp(`.+`)", service: s, middlewares: [everything], tls: {}}
    none: {rule: "Host(`none.test`)", service: s, middlewares: [none]}
    badexpression: {rule: "Host(`badexpression.test`)", service: s, middlewares: [badexpression]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
  middlewares:
    list: {headers: {accessControlAllowOriginList: ["https://a.test", "https://b.test", "null"]}}
    expressions: {headers: {accessControlAllowOriginListRegex: ["^https://([a-c])\\.test$", "(?i)^HTTP://X"]}}
    any: {headers: {accessControlAllowOriginList: ["https://c.test", "*"], accessControlAllowHeaders: ["*"], accessControlAllowMethods: ["*"], accessControlExposeHeaders: ["*"]}}
    anycredentials: {headers: {accessControlAllowCredentials: true, accessControlAllowOriginList: ["*"], accessControlAllowHeaders: ["X-A", "*"], accessControlAllowMethods: ["*"], accessControlExposeHeaders: ["*"]}}
    full: {headers: {accessControlAllowCredentials: true, accessControlAllowHeaders: [X-A, x-b], accessControlAllowMethods: [GET, put], accessControlAllowOriginList: ["https://a.test"], accessControlAllowOriginListRegex: [".*b.*"], accessControlExposeHeaders: [X-C, X-D], accessControlMaxAge: 100, addVaryHeader: true}}
    age: {headers: {accessControlMaxAge: 0}}
    vary: {headers: {addVaryHeader: true}}
    customfirst: {headers: {accessControlAllowOriginList: ["https://a.test"], customRequestHeaders: {Origin: "https://a.test"}, customResponseHeaders: {Access-Control-Allow-Origin: custom, Vary: custom}, addVaryHeader: true}}
    outer: {headers: {customResponseHeaders: {X-Outer: "1", X-Frame-Options: ""}}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    fixed: {headers: {frameDeny: true, contentTypeNosniff: true, browserXssFilter: true}}
    custom: {headers: {frameDeny: true, customFrameOptionsValue: SAMEORIGIN, browserXssFilter: true, customBrowserXSSValue: "0", contentSecurityPolicy: "default-src 'self'; img-src 100%", contentSecurityPolicyReportOnly: "default-src 'none'", referrerPolicy: same-origin, permissionsPolicy: "camera=()"}}
    transport: {headers: {stsSeconds: 300, stsIncludeSubdomains: true, stsPreload: true, publicKey: pin}}
    forced: {headers: {stsSeconds: 300, forceSTSHeader: true, publicKey: pin}}
    proxied: {headers: {stsSeconds: -5, stsPreload: true, publicKey: pin, sslProxyHeaders: {X-Forwarded-Proto: https, X-Tls: "on"}}}
    zero: {headers: {stsSeconds: 0, stsIncludeSubdomains: true, forceSTSHeader: true}}
    hosts: {headers: {allowedHosts: [hosts.test, "hosts.test:81", hostsß.test], frameDeny: true}}
    hostfields: {headers: {allowedHosts: [hostfields.test], hostsProxyHeaders: [X-Host, X-Forwarded-Host], customResponseHeaders: {X-B: "1"}}}
    development: {headers: {allowedHosts: [other.test], stsSeconds: 300, forceSTSHeader: true, publicKey: pin, frameDeny: true, isDevelopment: true}}
    inert: {headers: {sslRedirect: true, sslTemporaryRedirect: true, sslHost: other.test, sslForceHost: true, featurePolicy: "camera 'none'"}}
    both: {headers: {customResponseHeaders: {X-Frame-Options: mine, X-B: "1"}, frameDeny: true, contentTypeNosniff: true, accessControlAllowOriginList: ["*"]}}
    everything: {headers: {stsSeconds: 300, publicKey: pin, frameDeny: true, accessControlAllowOriginList: ["*"], sslProxyHeaders: {X-Tls: "on"}}}
    none: {headers: {frameDeny: false, allowedHosts: [], sslRedirect: false, sslHost: ""}}
    badexpression: {headers: {accessControlAllowOriginListRegex: ["("]}}
"#;

const HOSTS: &[&str] = &[
    "list.test",
    "expressions.test",
    "any.test",
    "anycredentials.test",
    "full.test",
    "age.test",
    "vary.test",
    "customfirst.test",
    "guarded.test",
    "behind.test",
    "fixed.test",
    "custom.test",
    "transport.test",
    "forced.test",
    "proxied.test",
    "zero.test",
    "hosts.test",
    "hosts.test:81",
    "hosts.test:82",
    "HOSTS.Test",
    "hosts.other",
    "hostfields.test",
    "hostfields.other",
    "development.test",
    "inert.test",
    "both.test",
    "nested.test",
    "dead.test",
    "noop.test",
];

const FIELDS: &[&str] = &[
    "",
    "Origin: https://a.test\r\n",
    "Origin: https://b.test\r\n",
    "Origin: HTTPS://A.TEST\r\n",
    "Origin: https://bb.test\r\n",
    "Origin: http://x\r\n",
    "Origin: null\r\n",
    "Origin:\r\n",
    "Origin: *\r\n",
    "Origin: https://a.test\r\nOrigin: https://b.test\r\n",
    "Origin: https://a.test\r\nAccess-Control-Request-Method: PUT\r\n",
    "Origin: https://a.test\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-a, x-q\r\n",
    "Origin: https://q.test\r\nAccess-Control-Request-Method: DELETE\r\nAccess-Control-Request-Headers: x-q\r\n",
    "Origin: https://a.test\r\nAccess-Control-Request-Method:\r\n",
    "Access-Control-Request-Method: PUT\r\n",
    "X-Tls: on\r\n",
    "X-Tls: ON\r\n",
    "X-Host: hostfields.test\r\n",
    "X-Host: elsewhere.test\r\n",
    "X-Host:\r\nX-Forwarded-Host: hostfields.test\r\n",
];

#[test]
fn guards_are_set_as_traefik_does() {
    let setup = Setup::web(DYNAMIC)
        .entry_point("trusting")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for host in HOSTS {
        for fields in FIELDS {
            for method in ["GET", "OPTIONS"] {
                pair.compare(&Case::request(method, host, "/", fields, ""));
            }
        }
        for target in ["/fields", "/status-404", "/no-content", "/not-modified", "/hints", "/hop"] {
            pair.compare(&Case::get(host, target, "Origin: https://a.test\r\n"));
        }
        for proto in ["https", "http", "wss", "HTTPS"] {
            let fields = format!("X-Forwarded-Proto: {proto}\r\n");
            pair.compare(&Case::get(host, "/", &fields).at("trusting"));
        }
        pair.compare(&Case::request("HEAD", host, "/", "", ""));
        pair.compare(&Case::request("POST", host, "/", FIELDS[1], "body").watched());
        let case = Case::request("OPTIONS", host, "/", FIELDS[10], "body");
        pair.compare(&case.answers(1).watched());
    }
    for fields in FIELDS {
        pair.compare(&Case::get("secure.test", "/", fields).over(Tls::to("secure.test")));
    }
    for host in ["none.test", "badexpression.test"] {
        pair.compare(&Case::get(host, "/", "").differs(Difference::KeepsItsClaim));
    }
    told::compare(&mut pair, &["badexpression"]);
    pair.finish();
}
