//! `contentType`: responses without a type, and what their beginning looks like.

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::process::Setup;

use super::pair::{self, Case, Pair};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    plain: {rule: "Host(`plain.test`)", service: s}
    detects: {rule: "Host(`detects.test`)", service: s, middlewares: [detects]}
    on: {rule: "Host(`on.test`)", service: s, middlewares: [on]}
    off: {rule: "Host(`off.test`)", service: s, middlewares: [off]}
    before: {rule: "Host(`before.test`)", service: s, middlewares: [detects, deny]}
    after: {rule: "Host(`after.test`)", service: s, middlewares: [deny, detects]}
    redirected: {rule: "Host(`redirected.test`)", service: s, middlewares: [detects, redirect]}
    typed: {rule: "Host(`typed.test`)", service: s, middlewares: [typed, detects]}
    untyped: {rule: "Host(`untyped.test`)", service: s, middlewares: [detects, untyped]}
    encoded: {rule: "Host(`encoded.test`)", service: s, middlewares: [encoded, detects]}
    dead: {rule: "Host(`dead.test`)", service: dead, middlewares: [detects]}
    empty: {rule: "Host(`empty.test`)", service: empty, middlewares: [detects]}
    noop: {rule: "Host(`noop.test`)", service: noop@internal, middlewares: [detects]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    empty: {loadBalancer: {servers: []}}
  middlewares:
    detects: {contentType: {}}
    on: {contentType: {autoDetect: true}}
    off: {contentType: {autoDetect: false}}
    deny: {ipAllowList: {sourceRange: [10.0.0.0/8]}}
    redirect: {redirectScheme: {scheme: https}}
    typed: {headers: {customResponseHeaders: {Content-Type: text/x}}}
    untyped: {headers: {customResponseHeaders: {Content-Type: ""}}}
    encoded: {headers: {customResponseHeaders: {Content-Encoding: x}}}
"#;

/// Bodies of each type, and others that nearly are.
const BODIES: &[&str] = &[
    "hello",
    " \n<!DOCTYPE html><p>",
    "<html>",
    "<!-- x",
    "<!--x",
    "<a>",
    "<abbr>",
    "  <?xml version=\"1.0\"?>",
    "%PDF-1.4 and more",
    "%!PS-Adobe-3",
    "GIF87a.....",
    "GIF88a.....",
    "RIFF....WEBPVP8 ",
    "RIFF....AVI ",
    "FORM....AIFF",
    "ID3\u{3}",
    "OggS\0",
    "MThd\0\0\0\u{6}",
    "\0\0\0\u{18}ftypmp42\0\0\0\0isommp42",
    "\0\0\0\u{14}ftypisom\0\0\0\0mp41",
    "\0\0\0\u{10}ftypisommp41",
    "BM\0",
    "OTTO",
    "wOF2",
    "PK\u{3}\u{4}",
    "Rar!\u{1a}\u{7}\0",
    "\0asm",
    "\0\u{1}\0\0",
    "{\"json\": true}",
    "\u{1}binary",
    "é",
];

#[test]
fn types_are_detected_as_by_traefik() {
    let backends = || vec![Backend::scripted(answer)];
    let Some(mut pair) = Pair::start_with(&Setup::web(DYNAMIC), backends) else { return };
    for body in BODIES {
        for host in ["detects.test", "plain.test"] {
            pair.compare(&Case::request("POST", host, "/same", "", body));
        }
    }
    for host in [
        "plain.test",
        "detects.test",
        "on.test",
        "off.test",
        "before.test",
        "after.test",
        "redirected.test",
        "typed.test",
        "untyped.test",
        "encoded.test",
        "dead.test",
        "empty.test",
        "noop.test",
    ] {
        for target in [
            "/",
            "/status-200",
            "/status-404",
            "/status-500",
            "/no-content",
            "/not-modified",
            "/chunked",
            "/trailers",
            "/until-close",
            "/hints",
            "/fields",
            "/large",
        ] {
            for method in ["GET", "HEAD"] {
                let unframed = method == "HEAD" && ["/trailers", "/large"].contains(&target);
                // In Traefik a timer and the body race for the head (35).
                let unframed =
                    unframed || ["/chunked", "/trailers", "/until-close"].contains(&target);
                let case = Case::request(method, host, target, "", "");
                pair.compare(&if unframed { case.statuses_only() } else { case });
            }
        }
        // The same race; a timer seldom loses this one.
        pair.compare_again(&Case::get(host, "/slow", ""));
    }
    for target in ["/", "/status-200", "/no-content"] {
        pair.compare(&Case::get("detects.test", target, "").over_http2());
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}

/// `/same` gives back the body that came, without a type.
fn answer(received: &Received) -> Vec<Step> {
    match received.head.part(1) {
        "/same" => {
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", received.body.len());
            vec![Step::Write([head.as_bytes(), &received.body].concat())]
        }
        _ => script::by_path(received).unwrap_or_else(|| pair::answer(received)),
    }
}
