//! `X-Forwarded-*` and its kin, hop-by-hop fields, Connection tokens, odd names.

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};

const DYNAMIC: &str = r#"
http:
  routers:
    web: {rule: "PathPrefix(`/`)", service: s}
    keep: {rule: "Host(`backend-host.test`)", service: other}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    other: {loadBalancer: {passHostHeader: false, servers: [{url: "http://@@backend0@@"}]}}
"#;

/// Fields as a client or a proxy in front may send them.
pub(crate) const FIELDS: &[&str] = &[
    "",
    "X-Forwarded-For: 1.1.1.1\r\n",
    "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX-Forwarded-For: 3.3.3.3\r\n",
    "X-Forwarded-For:\r\n",
    "X-Forwarded-For: unknown\r\n",
    "x-forwarded-for: 1.1.1.1\r\nX-FORWARDED-PROTO: https\r\n",
    "X-Real-Ip: 9.9.9.9\r\n",
    "X-Real-Ip: 9.9.9.9\r\nX-Real-Ip: 8.8.8.8\r\n",
    "X-Forwarded-Proto: https\r\n",
    "X-Forwarded-Proto: wss\r\n",
    "X-Forwarded-Proto: odd\r\n",
    "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n",
    "X-Forwarded-Port: 1234\r\n",
    "X-Forwarded-Port: 1\r\nX-Forwarded-Proto: https\r\n",
    "X-Forwarded-Host: evil.test\r\n",
    "X-Forwarded-Host: a.test\r\nX-Forwarded-Host: b.test\r\n",
    "X-Forwarded-Server: evil\r\n",
    "X-Forwarded-Uri: /evil\r\nX-Forwarded-Method: EVIL\r\nX-Forwarded-Prefix: /evil\r\n",
    "X-Forwarded-Tls-Client-Cert: c\r\nX-Forwarded-Tls-Client-Cert-Info: i\r\n",
    "X-Forwarded-Scheme: https\r\nX-Scheme: https\r\n",
    "X-Forwarded-Other: kept\r\nX-Forwarded: kept\r\nForwarded: for=1.1.1.1\r\nVia: 1.1 x\r\n",
    "X-Request-Id: 1\r\nX-Original-Url: /evil\r\nX-Rewrite-Url: /evil\r\nClient-Ip: 1.1.1.1\r\n",
    "X_Forwarded_For: 1.1.1.1\r\nX_Real_Ip: 1\r\nX-Forwarded_Proto: https\r\nX_forwarded-host: x\r\n",
    "X.Forwarded.For: 1.1.1.1\r\nX Forwarded For: 1\r\n",
    "X.Forwarded.For: 1.1.1.1\r\nX~Real~Ip: 1\r\nX!Forwarded!Proto: https\r\n",
    "Connection: X-Forwarded-For\r\nX-Forwarded-For: 1.1.1.1\r\n",
    "Connection: X-Forwarded-For, X-Real-Ip, X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Server\r\n",
    "Connection: close, X-One\r\nX-One: 1\r\nX-Two: 2\r\n",
    "Connection: X-One\r\nConnection: x-two\r\nX-One: 1\r\nX-Two: 2\r\nX-Keep: 3\r\n",
    "Connection: x-one,,  ,x-two\r\nx-ONE: 1\r\nX-Two: 2\r\n",
    "Connection: X-Keep\r\nX-Keep: 1\r\n",
    "Connection: Host, Cookie, Authorization, Content-Length\r\nCookie: a\r\nAuthorization: b\r\n",
    "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n",
    "Connection: Keep-Alive, Foo\r\nFoo: 1\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\n",
    "Proxy-Authenticate: a\r\nProxy-Authorization: b\r\nProxy-Connection: c\r\nKeep-Alive: d\r\n",
    "TE: trailers\r\n",
    "TE: trailers, deflate\r\n",
    "TE: deflate\r\n",
    "TE: gzip;q=0.5\r\nTE: trailers\r\n",
    "Connection: TE\r\nTE: trailers\r\n",
    "Trailer: X-Sum\r\n",
    "Upgrade: h2c\r\n",
    "Connection: Upgrade\r\n",
    "Connection: Upgrade\r\nUpgrade: foo\r\n",
    "Connection: upgrade, x-one\r\nUpgrade: WebSocket\r\nX-One: 1\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nsec-websocket-key: k\r\nSEC-WEBSOCKET-VERSION: 13\r\nSec-Websocket-Protocol: p\r\nsec-websocket-extensions: e\r\n",
    "Upgrade: websocket\r\nsec-websocket-key: k\r\n",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    "User-Agent: agent\r\n",
    "User-Agent:\r\n",
    "User-Agent: one\r\nUser-Agent: two\r\n",
    "Referer: one\r\nReferer: two\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n",
    "Accept-Encoding: gzip\r\n",
    "Accept-Encoding: identity\r\n",
    "Accept-Encoding:\r\n",
    "Range: bytes=0-1\r\n",
    "Cookie: a=1\r\nCookie: b=2; c=3\r\ncookie: d\r\n",
    "x-LOWER-mIxEd: 1\r\nX--Two: 2\r\n-X: 3\r\nX-: 4\r\n1: 5\r\n",
    "X-Same: 1\r\nx-same: 2\r\nX-SAME: 3\r\n",
    "X-Empty:\r\nX-Space:    \r\nX-Tab:\t\ta\t\r\n",
    "X-Latin: \u{e9}\r\n",
    "Authorization: Bearer x\r\nIf-None-Match: \"x\"\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n",
    "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n",
    "Max-Forwards: 0\r\nDate: x\r\nServer: y\r\nHTTP2-Settings: z\r\n",
];

#[test]
fn forwarded_headers_follow_the_trust_of_the_entry_point() {
    let setup = Setup::web(DYNAMIC)
        .entry_point("trusting")
        .entry_point("listed")
        .entry_point("keeping")
        .entry_point("quiet")
        .flag("--entryPoints.trusting.forwardedHeaders.insecure=true")
        .flag("--entryPoints.listed.forwardedHeaders.trustedIPs=127.0.0.2/32,10.0.0.0/8")
        .flag("--entryPoints.keeping.forwardedHeaders.insecure=true")
        .flag("--entryPoints.keeping.forwardedHeaders.connection=X-Keep,x-one")
        .flag("--entryPoints.quiet.forwardedHeaders.insecure=true")
        .flag("--entryPoints.quiet.forwardedHeaders.notAppendXForwardedFor=true");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for fields in FIELDS {
        for entry_point in ["web", "trusting", "listed", "keeping", "quiet"] {
            pair.compare(&Case::get("web.test", "/x?y", fields).at(entry_point));
        }
        pair.compare(&Case::get("web.test", "/x", fields).at("listed").from("127.0.0.2"));
    }
    for host in [
        "web.test:81",
        "web.test:443",
        "web.test:",
        "[::1]",
        "[::1]:82",
        "WEB.test",
        "",
        "web.test:x",
        "::1",
        "a:1:2",
    ] {
        for fields in ["", "X-Forwarded-Proto: https\r\n"] {
            pair.compare(&Case::get(host, "/", fields));
            pair.compare(&Case::get(host, "/", fields).at("trusting"));
        }
    }
    for fields in FIELDS.iter().take(8) {
        pair.compare(&Case::get("backend-host.test", "/", fields));
    }
    pair.finish();
}

#[test]
fn names_that_alias_others_follow_the_strategy_of_the_entry_point() {
    let setup = Setup::web(DYNAMIC)
        .entry_point("deleting")
        .entry_point("rejecting")
        .entry_point("sweeping")
        .entry_point("strict")
        .flag("--entryPoints.deleting.http.aliasHeadersStrategy=delete")
        .flag("--entryPoints.rejecting.http.aliasHeadersStrategy=reject")
        .flag("--entryPoints.sweeping.http.underscoreHeadersStrategy=delete")
        .flag("--entryPoints.strict.http.underscoreHeadersStrategy=reject");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    let names = ["X_A: 1\r\n", "X.A: 1\r\n", "X+A: 1\r\nX!A: 2\r\n", "X+_A: 1\r\n"];
    for fields in FIELDS.iter().chain(&names) {
        for entry_point in ["deleting", "rejecting", "sweeping", "strict"] {
            pair.compare(&Case::get("web.test", "/x?y", fields).at(entry_point));
        }
    }
    pair.finish();
}
