//! Malformed requests: who refuses what, with which status. What Go repairs, Portway may refuse.

use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};

const DYNAMIC: &str = r#"
http:
  routers:
    web: {rule: "PathPrefix(`/`)", service: s}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
"#;

/// Heads without the final empty line; each row is one request.
const HEADS: &[&str] = &[
    "GET / HTTP/1.1",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: a",
    "GET / HTTP/1.1\r\nHost: a b",
    "GET / HTTP/1.1\r\nHost: a/b",
    "GET / HTTP/1.1\r\nHost: a@b",
    "GET / HTTP/1.1\r\nHost: a?b",
    "GET / HTTP/1.1\r\nHost: a#b",
    "GET / HTTP/1.1\r\nHost: a\\b",
    "GET / HTTP/1.1\r\nHost: a,b",
    "GET / HTTP/1.1\r\nHost: \u{e9}",
    "GET / HTTP/1.1\r\nHost: a%20b",
    "GET / HTTP/1.1\r\nHost: a:b:c",
    "GET / HTTP/1.1\r\nHost: <a>",
    "GET / HTTP/1.1\r\nHost: [::1",
    "GET / HTTP/1.1\r\nHost:",
    "GET / HTTP/1.1\r\nhost: a",
    "GET / HTTP/2.0\r\nHost: a",
    "GET / HTTP/1.2\r\nHost: a",
    "GET / HTTP/0.9",
    "GET / HTTP/3.0\r\nHost: a",
    "GET / HTTP/1.1.1\r\nHost: a",
    "GET / HTTP/1\r\nHost: a",
    "GET / HTTP/11\r\nHost: a",
    "GET / HTTP/1.10\r\nHost: a",
    "GET / HTTP/01.1\r\nHost: a",
    "GET / http/1.1\r\nHost: a",
    "GET / HTTPS/1.1\r\nHost: a",
    "GET / HTTP/1,1\r\nHost: a",
    "GET /",
    "GET",
    "GET  / HTTP/1.1\r\nHost: a",
    "GET /  HTTP/1.1\r\nHost: a",
    "GET / HTTP/1.1 \r\nHost: a",
    " GET / HTTP/1.1\r\nHost: a",
    "GET\t/ HTTP/1.1\r\nHost: a",
    "GET /a b HTTP/1.1\r\nHost: a",
    "\r\nGET / HTTP/1.1\r\nHost: a",
    "\nGET / HTTP/1.1\r\nHost: a",
    "G<T / HTTP/1.1\r\nHost: a",
    "G\u{e9}T / HTTP/1.1\r\nHost: a",
    "(GET) / HTTP/1.1\r\nHost: a",
    "GET foo HTTP/1.1\r\nHost: a",
    "GET /%zz HTTP/1.1\r\nHost: a",
    "GET /\u{7f} HTTP/1.1\r\nHost: a",
    "GET /\0 HTTP/1.1\r\nHost: a",
    "GET /a#b HTTP/1.1\r\nHost: a",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo : 1",
    "GET / HTTP/1.1\r\nHost: a\r\n Foo: 1",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo\t: 1",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo",
    "GET / HTTP/1.1\r\nHost: a\r\n: 1",
    "GET / HTTP/1.1\r\nHost: a\r\nFo o: 1",
    "GET / HTTP/1.1\r\nHost: a\r\nFo(o: 1",
    "GET / HTTP/1.1\r\nHost: a\r\nFo\u{e9}: 1",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo: a\0b",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo: a\rb",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo: a\u{7f}",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo: a\u{1}b",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo: a\tb",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo: a\r\n b",
    "GET / HTTP/1.1\r\nHost: a\r\nFoo: a\r\n\tb",
    "GET / HTTP/1.1\r\nHost: a\r\n\tFoo: a",
    "GET / HTTP/1.1\r\n Host: a",
    "GET / HTTP/1.1\r\nHost : a",
    "GET / HTTP/1.1\r\nHost: a\nFoo: b",
    "GET / HTTP/1.1\nHost: a",
    "GET / HTTP/1.1\r\nHost: a\r\n\u{b}: 1",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 1",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0 0",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0_0",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x",
    "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 0",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;x",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{b}chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\u{a0}chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\r\n : chunked",
    "GET / HTTP/1.1\r\nHost: a\r\nExpect: foo",
    "CONNECT a:80 HTTP/1.1\r\nHost: a:80",
    "CONNECT / HTTP/1.1\r\nHost: a",
    "OPTIONS * HTTP/1.1\r\nHost: a",
    "OPTIONS * HTTP/1.1",
    "GET * HTTP/1.1\r\nHost: a",
    "OPTIONS *x HTTP/1.1\r\nHost: a",
    "GET http://a HTTP/1.1\r\nHost: b",
    "GET http://a/ HTTP/1.1",
    "GET http://a b/ HTTP/1.1\r\nHost: a",
];

#[test]
fn malformed_heads_are_refused_as_by_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for head in HEADS {
        let case = Case::new(head.escape_debug().to_string(), format!("{head}\r\n\r\n"));
        pair.compare(&case.statuses_only().refusal(Difference::RefusesAmbiguous));
    }
    pair.finish();
}

#[test]
fn heads_larger_than_the_limit_are_refused_as_by_traefik() {
    let setup = Setup::web(DYNAMIC).flag("--entryPoints.web.http.maxHeaderBytes=16384");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for size in [1_000, 15_000, 30_000] {
        let long = "x".repeat(size);
        let mut case = Case::get("a", &format!("/{long}"), "").statuses_only();
        case.rename(&format!("a target of {size} bytes"));
        pair.compare(&case);
        let mut case = Case::get("a", "/", &format!("X-Long: {long}\r\n")).statuses_only();
        case.rename(&format!("a field of {size} bytes"));
        pair.compare(&case);
        let mut case = Case::get("a", "/", &"X-Many: 12345\r\n".repeat(size / 15)).statuses_only();
        case.rename(&format!("many fields, {size} bytes"));
        pair.compare(&case);
    }
    pair.finish();
}
