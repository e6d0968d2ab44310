//! `compress`: which responses are compressed, and what else of them changes.

use std::time::Duration;

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{self, Case, Pair};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "Host(`all.test`)", service: s, middlewares: [all]}
    default: {rule: "Host(`default.test`)", service: s, middlewares: [default]}
    defaultgzip: {rule: "Host(`defaultgzip.test`)", service: s, middlewares: [defaultgzip]}
    excluding: {rule: "Host(`excluding.test`)", service: s, middlewares: [excluding]}
    including: {rule: "Host(`including.test`)", service: s, middlewares: [including]}
    least: {rule: "Host(`least.test`)", service: s, middlewares: [least]}
    twice: {rule: "Host(`twice.test`)", service: s, middlewares: [all, all]}
    typed: {rule: "Host(`typed.test`)", service: s, middlewares: [detects, all]}
    headers: {rule: "Host(`headers.test`)", service: s, middlewares: [all, headers]}
    outer: {rule: "Host(`outer.test`)", service: s, middlewares: [headers, all]}
    deny: {rule: "Host(`deny.test`)", service: s, middlewares: [least, deny]}
    retry: {rule: "Host(`retry.test`)", service: s, middlewares: [retry, least]}
    dead: {rule: "Host(`dead.test`)", service: dead, middlewares: [least]}
    none: {rule: "Host(`none.test`)", service: none, middlewares: [least]}
    noop: {rule: "Host(`noop.test`)", service: noop@internal, middlewares: [least]}
    both: {rule: "Host(`both.test`)", service: s, middlewares: [both]}
    nothing: {rule: "Host(`nothing.test`)", service: s, middlewares: [nothing]}
    unknown: {rule: "Host(`unknown.test`)", service: s, middlewares: [unknown]}
    foreign: {rule: "Host(`foreign.test`)", service: s, middlewares: [foreign]}
    bad: {rule: "Host(`bad.test`)", service: s, middlewares: [bad]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    none: {loadBalancer: {servers: []}}
  middlewares:
    all: {compress: {}}
    default: {compress: {defaultEncoding: zstd}}
    defaultgzip: {compress: {defaultEncoding: gzip, encodings: [br, gzip]}}
    excluding: {compress: {excludedContentTypes: ["Image/PNG", "text/html; charset=utf-8"]}}
    including: {compress: {includedContentTypes: ["text/html", "application/json; a=b"], encodings: [zstd, br, gzip]}}
    least: {compress: {minResponseBodyBytes: 1}}
    detects: {contentType: {}}
    headers: {headers: {customResponseHeaders: {X-Set: "1", ETag: '"x"'}}}
    deny: {ipAllowList: {sourceRange: [10.0.0.0/8]}}
    retry: {retry: {attempts: 2, status: ["500"]}}
    both: {compress: {excludedContentTypes: [a/b], includedContentTypes: [a/b]}}
    nothing: {compress: {encodings: []}}
    unknown: {compress: {encodings: [gzip, deflate]}}
    foreign: {compress: {encodings: [gzip], defaultEncoding: br}}
    bad: {compress: {excludedContentTypes: ["text/"]}}
"#;

/// What clients say that they take.
const ACCEPTED: &[&str] = &[
    "",
    "Accept-Encoding:\r\n",
    "Accept-Encoding: gzip\r\n",
    "Accept-Encoding: br\r\n",
    "Accept-Encoding: zstd\r\n",
    "Accept-Encoding: gzip, deflate, br, zstd\r\n",
    "Accept-Encoding: br;q=0.5, gzip;q=0.2, zstd;q=0.9\r\n",
    "Accept-Encoding: identity\r\n",
    "Accept-Encoding: identity;q=1, gzip;q=0.5\r\n",
    "Accept-Encoding: *\r\n",
    "Accept-Encoding: *;q=0.5, br\r\n",
    "Accept-Encoding: gzip;q=0\r\n",
    "Accept-Encoding: gzip;q=0, *\r\n",
    "Accept-Encoding: GZIP\r\n",
    "Accept-Encoding: gzip; q = 0.5\r\n",
    "Accept-Encoding: gzip;q=abc\r\n",
    "Accept-Encoding: deflate\r\n",
    "Accept-Encoding: deflate\r\nAccept-Encoding: gzip\r\n",
    "Accept-Encoding: br\r\nAccept-Encoding: zstd;q=0.9\r\n",
    "Accept-Encoding:\r\nAccept-Encoding: zstd\r\n",
];

/// What is said of a body, in the form that [`answer`] reads.
const FIELDS: &[&str] = &[
    "Content-Type=text/plain",
    "Content-Type=text/html",
    "Content-Type=TEXT/html;%20charset=utf-8",
    "Content-Type=text/html;x",
    "Content-Type=image/png",
    "Content-Type=application/json;%20a=c",
    "Content-Type=application/grpc",
    "Content-Type=/",
    "Content-Type=",
    "Content-Encoding=x",
    "Content-Encoding=",
    "Content-Range=bytes%200-1999/5000",
    "Accept-Ranges=bytes",
    "Vary=Origin",
    "Vary=Accept-Encoding",
    "ETag=%22a%22",
    "ETag=W/%22a%22&Last-Modified=x&Cache-Control=no-transform",
    "No-Gzip-Compression=1",
    "Content-Type=text/event-stream",
    "Trailer=X-Sum",
];

#[test]
fn responses_are_compressed_as_by_traefik() {
    let setup = Setup::web(DYNAMIC);
    let Some(mut pair) = Pair::start_with(&setup, || vec![Backend::scripted(answer)]) else {
        return;
    };
    for accepted in ACCEPTED {
        for host in ["all", "default", "defaultgzip", "including"] {
            pair.compare(&Case::get(&format!("{host}.test"), "/length-2000", accepted));
        }
    }
    for host in ["all", "excluding", "including", "least", "typed", "twice"] {
        let host = &format!("{host}.test");
        for encoding in ["gzip", "br", "zstd"] {
            let accepted = &format!("Accept-Encoding: {encoding}\r\n");
            for fields in FIELDS {
                pair.compare(&Case::get(host, &format!("/length-2000?{fields}"), accepted));
                let case = Case::get(host, &format!("/chunked-20?{fields}"), accepted);
                // With `contentType`, chance decides whether Traefik finds a type (35).
                let by_chance = host == "typed.test";
                pair.compare(&if by_chance { case.statuses_only() } else { case });
            }
            for body in [
                "length-0",
                "length-1",
                "length-1023",
                "length-1024",
                "length-300000",
                "chunked-1",
                "chunked-300000",
                "close-10",
                "close-5000",
                "paused-10",
                "html-10",
                "html-2000",
                "htmlchunked-10",
                "no-content",
                "not-modified",
                "status-404",
                "trailers",
                "cut",
                "cut-chunked",
                "reset",
                "http10",
            ] {
                pair.compare(&Case::get(host, &format!("/{body}"), accepted));
            }
            // Traefik says the length of a body that is none.
            for body in ["chunked-0", "close-0"] {
                pair.compare(&Case::get(host, &format!("/{body}"), accepted).statuses_only());
            }
            for method in ["HEAD", "POST", "PUT", "OPTIONS"] {
                let case = Case::request(method, host, "/length-2000", accepted, "hello");
                pair.compare(&case);
            }
            for kind in ["application/grpc", "image/png; a", "text/plain", "IMAGE/png"] {
                let fields = format!("{accepted}Content-Type: {kind}\r\n");
                pair.compare(&Case::request("POST", host, "/length-2000", &fields, "hello"));
            }
            let get = |target| Case::get(host, target, accepted);
            pair.compare(&get("/length-2000").over_http2());
            pair.compare(&get("/chunked-2000").over_http2());
            pair.compare(&get("/length-20").over_http2());
            let old = format!("GET /length-2000 HTTP/1.0\r\nHost: {host}\r\n{accepted}\r\n");
            pair.compare(&Case::new(format!("HTTP/1.0 {host} {encoding}"), old).watched());
        }
    }
    for host in [
        "headers", "outer", "deny", "retry", "dead", "none", "noop", "both", "nothing", "unknown",
        "foreign", "bad",
    ] {
        for encoding in ["gzip", "br", "zstd", "*", "identity"] {
            let accepted = &format!("Accept-Encoding: {encoding}\r\n");
            for target in [
                "/length-2000?Content-Type=text/plain",
                "/chunked-10?Content-Type=text/plain",
                "/status-500",
            ] {
                let case = Case::get(&format!("{host}.test"), target, accepted);
                pair.compare(&case.refusal(Difference::KeepsItsClaim));
            }
        }
    }
    told::compare(&mut pair, &["unknown", "foreign", "bad"]);
    pair.finish();
}

#[test]
fn upgrades_pass_a_compressor() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for encoding in ["gzip", "br", "identity"] {
        let upgrade = format!(
            "GET /tunnel HTTP/1.1\r\nHost: all.test\r\nAccept-Encoding: {encoding}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        pair.compare(&Case::new(format!("upgrade {encoding}"), upgrade));
    }
    pair.finish();
}

/// A body by the path (`length-10`: of ten bytes with a length), with the fields of the query.
fn answer(received: &Received) -> Vec<Step> {
    let (path, query) =
        received.head.part(1).split_once('?').unwrap_or((received.head.part(1), ""));
    let (kind, length) = path.trim_start_matches('/').rsplit_once('-').unwrap_or_default();
    let Ok(length) = length.parse::<usize>() else { return pair::answer(received) };
    if path.starts_with("/status") {
        return pair::answer(received);
    }
    let fields: String = query
        .split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (name, value.replace("%20", " ").replace("%22", "\"")))
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let text = if kind.starts_with("html") { "<html>0123456789" } else { "hello 0123456789" };
    let body: String = text.chars().cycle().take(length).collect();
    let head = |framing: &str| format!("HTTP/1.1 200 OK\r\n{fields}{framing}\r\n");
    let chunk = |body: &str| match body {
        "" => String::new(),
        body => format!("{:x}\r\n{body}\r\n", body.len()),
    };
    let chunked = head("Transfer-Encoding: chunked\r\n");
    let is_head = received.head.part(0) == "HEAD";
    match kind {
        _ if is_head => script::write(&head(&format!("Content-Length: {length}\r\n"))),
        "chunked" | "htmlchunked" => script::write(&format!("{chunked}{}0\r\n\r\n", chunk(&body))),
        "close" => [script::write(&format!("{}{body}", head(""))), vec![Step::Close]].concat(),
        "paused" => {
            let mut steps = script::write(&chunked);
            for _ in 0..2 {
                steps.push(Step::Wait(Duration::from_millis(150)));
                steps.extend(script::write(&chunk(&body)));
            }
            [steps, script::write("0\r\n\r\n")].concat()
        }
        _ => script::write(&format!("{}{body}", head(&format!("Content-Length: {length}\r\n")))),
    }
}
