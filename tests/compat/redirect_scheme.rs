//! `redirectScheme`: schemes, ports, methods, forwarded protocols.

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};
use super::paths::TARGETS;

const DYNAMIC: &str = r#"
http:
  routers:
    https: {rule: "Host(`https.test`)", service: s, middlewares: [https]}
    permanent: {rule: "Host(`permanent.test`)", service: s, middlewares: [permanent]}
    port: {rule: "Host(`port.test`)", service: s, middlewares: [port]}
    default: {rule: "Host(`default.test`)", service: s, middlewares: [default]}
    http: {rule: "Host(`http.test`)", service: s, middlewares: [http]}
    http81: {rule: "Host(`http81.test`)", service: s, middlewares: [http81]}
    http80: {rule: "Host(`http80.test`)", service: s, middlewares: [http80]}
    upper: {rule: "Host(`upper.test`)", service: s, middlewares: [upper]}
    odd: {rule: "Host(`odd.test`)", service: s, middlewares: [odd]}
    after: {rule: "Host(`after.test`)", service: s, middlewares: [strip, https]}
    before: {rule: "Host(`before.test`)", service: s, middlewares: [https, deny]}
    denied: {rule: "Host(`denied.test`)", service: s, middlewares: [deny, https]}
    any: {rule: "PathPrefix(`/`)", priority: 1, service: s, middlewares: [https]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    https: {redirectScheme: {scheme: https}}
    permanent: {redirectScheme: {scheme: https, permanent: true}}
    port: {redirectScheme: {scheme: https, port: "8443"}}
    default: {redirectScheme: {scheme: https, port: "443"}}
    http: {redirectScheme: {scheme: http}}
    http81: {redirectScheme: {scheme: http, port: "81", permanent: true}}
    http80: {redirectScheme: {scheme: http, port: "80"}}
    upper: {redirectScheme: {scheme: HTTPS}}
    odd: {redirectScheme: {scheme: ws}}
    strip: {stripPrefix: {prefixes: [/a]}}
    deny: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
"#;

const HOSTS: &[&str] = &[
    "https.test",
    "permanent.test",
    "port.test",
    "default.test",
    "http.test",
    "http81.test",
    "http80.test",
    "upper.test",
    "odd.test",
    "after.test",
    "before.test",
    "denied.test",
];

const FORWARDED: &[&str] = &[
    "",
    "X-Forwarded-Proto: https\r\n",
    "X-Forwarded-Proto: http\r\n",
    "X-Forwarded-Proto: HTTPS\r\n",
    "X-Forwarded-Proto: wss\r\n",
    "X-Forwarded-Proto: ws\r\n",
    "X-Forwarded-Port: 8443\r\n",
    "X-Forwarded-Host: evil.test\r\n",
    "X-Forwarded-Prefix: /p\r\n",
    "X-Forwarded-Proto: \r\n",
    "X-Forwarded-Proto: https, http\r\n",
    "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-Proto: wss\r\n",
];

#[test]
fn schemes_are_redirected_as_traefik_does() {
    let setup = Setup::web(DYNAMIC)
        .entry_point("trusting")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for host in HOSTS {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FOO"] {
            pair.compare(&Case::request(method, host, "/a/b?c=d", "", ""));
        }
        for suffix in [":80", ":8080", ":443", "."] {
            pair.compare(&Case::get(&format!("{host}{suffix}"), "/x", ""));
        }
        for fields in FORWARDED {
            pair.compare(&Case::get(host, "/x?y=1", fields).at("trusting"));
            pair.compare(&Case::get(host, "/x?y=1", fields));
        }
    }
    for target in TARGETS {
        pair.compare(&Case::get("https.test", target, ""));
        pair.compare(&Case::get("after.test", target, ""));
    }
    for host in [
        "127.0.0.1",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:8080",
        "",
        "UPPER.Test",
        "xn--9ca.test",
        "a_b.test",
        "-",
    ] {
        pair.compare(&Case::get(host, "/x", ""));
    }
    pair.compare(&Case::get("other.test", "http://absolute.test/x", ""));
    pair.compare(&Case::request("POST", "https.test", "/x", "", "body").watched());
    pair.finish();
}
