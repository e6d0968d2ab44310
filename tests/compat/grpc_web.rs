//! `grpcWeb`: what servers of gRPC and pages see of one another.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::process::Setup;

use super::pair::{self, Case, Pair};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    any: {rule: "Host(`any.test`)", service: s, middlewares: [any]}
    some: {rule: "Host(`some.test`)", service: s, middlewares: [some]}
    nobody: {rule: "Host(`nobody.test`)", service: s, middlewares: [nobody]}
    dead: {rule: "Host(`dead.test`)", service: dead, middlewares: [any]}
    empty: {rule: "Host(`empty.test`)", service: empty, middlewares: [any]}
    outer: {rule: "Host(`outer.test`)", service: s, middlewares: [headers, any]}
    inner: {rule: "Host(`inner.test`)", service: s, middlewares: [any, headers]}
    compressed: {rule: "Host(`compressed.test`)", service: s, middlewares: [compress, any]}
    denied: {rule: "Host(`denied.test`)", service: s, middlewares: [any, deny]}
    asked: {rule: "Host(`asked.test`)", service: s, middlewares: [any, ask]}
    again: {rule: "Host(`again.test`)", service: s, middlewares: [any, again]}
    twice: {rule: "Host(`twice.test`)", service: s, middlewares: [any, some]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    empty: {loadBalancer: {servers: []}}
  middlewares:
    any: {grpcWeb: {allowOrigins: ["*"]}}
    some: {grpcWeb: {allowOrigins: ["http://a.test", "http://b.test"]}}
    nobody: {grpcWeb: {allowOrigins: ["x"]}}
    headers: {headers: {customResponseHeaders: {X-Set: "1"}, customRequestHeaders: {X-Sent: "1"}}}
    compress: {compress: {minResponseBodyBytes: 1}}
    deny: {ipAllowList: {sourceRange: [10.0.0.0/8]}}
    ask: {forwardAuth: {address: "http://@@backend1@@/ok", forwardBody: true}}
    again: {retry: {attempts: 2, status: ["500"], retryNonIdempotentMethod: true}}
"#;

/// Fields of every request: Go would add others, and Portway adds the last one (39).
const BARE: &str = "User-Agent: test\r\nAccept-Encoding: identity\r\nTE: trailers\r\n";

#[test]
fn pages_are_answered_as_by_traefik() {
    let setup = Setup::web(DYNAMIC);
    let backends = || vec![Backend::scripted(answer), Backend::scripted(pair::answer)];
    let Some(mut pair) = Pair::start_with(&setup, backends) else { return };
    for host in ["any", "some", "nobody", "outer", "inner", "dead", "twice"] {
        let host = &format!("{host}.test");
        for origin in ["", "Origin: http://a.test\r\n", "Origin: HTTP://A.test\r\n"] {
            for method in ["", "POST", "post", "PUT", "OPTIONS"] {
                for names in
                    ["", "x-grpc-web", "Content-Type,X-GRPC-Web, x-user-agent,,a_b.c", "x-user"]
                {
                    let mut fields = format!("{BARE}{origin}");
                    if !method.is_empty() {
                        fields.push_str(&format!("Access-Control-Request-Method: {method}\r\n"));
                    }
                    if !names.is_empty() {
                        fields.push_str(&format!("Access-Control-Request-Headers: {names}\r\n"));
                    }
                    let case = Case::request("OPTIONS", host, "/a.B/C", &fields, "");
                    pair.compare(&case.without_framing());
                }
            }
        }
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}

#[test]
fn calls_are_translated_as_by_traefik() {
    let setup = Setup::web(DYNAMIC);
    let backends = || vec![Backend::scripted(answer), Backend::scripted(pair::answer)];
    let Some(mut pair) = Pair::start_with(&setup, backends) else { return };
    let message = "\0\0\0\0\u{5}hello";
    let text = STANDARD.encode(message);
    let kinds = [
        ("application/grpc-web", message),
        ("application/grpc-web+proto", message),
        ("application/grpc-web-text", text.as_str()),
        ("application/grpc-web-text+proto; charset=utf-8", text.as_str()),
        ("application/grpc", message),
        ("APPLICATION/grpc-web", message),
        ("text/plain", message),
    ];
    let hosts = [
        "any",
        "some",
        "nobody",
        "dead",
        "empty",
        "outer",
        "inner",
        "compressed",
        "denied",
        "asked",
        "again",
        "twice",
    ];
    for host in hosts {
        let host = &format!("{host}.test");
        for (kind, body) in kinds {
            let fields =
                format!("{BARE}Content-Type: {kind}\r\nOrigin: http://a.test\r\nX-Grpc-Web: 1\r\n");
            for path in [
                "grpc",
                "announced",
                "only",
                "plain",
                "long",
                "nothing",
                "no-content",
                "status-500",
            ] {
                // Traefik cuts texts off that say their length.
                let sized = matches!(path, "plain" | "status-500");
                if sized && kind.starts_with("application/grpc-web-text") {
                    continue;
                }
                let target = format!("/{path}");
                let case = Case::request("POST", host, &target, &fields, body);
                pair.compare(&case.without_framing());
            }
            pair.compare(&Case::request("PUT", host, "/grpc", &fields, body).without_framing());
            // Over HTTP/2 errors are told to clients of gRPC in their own words (31).
            if kind != "application/grpc" {
                for path in ["/grpc", "/announced"] {
                    let case = Case::request("POST", host, path, &fields, body);
                    pair.compare(&case.over_http2().without_framing());
                }
            }
            let compressed = fields.replace("identity", "br");
            pair.compare(
                &Case::request("POST", host, "/long", &compressed, body).without_framing(),
            );
            let (head, rest) = body.split_at(5);
            let chunked = format!(
                "POST /grpc HTTP/1.1\r\nHost: {host}\r\n{fields}Transfer-Encoding: chunked\r\n\r\n\
                 5\r\n{head}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n",
                rest.len()
            );
            let case = Case::new(format!("chunked {host} {kind}"), chunked);
            pair.compare(&case.without_framing());
            let lines: String = body.chars().map(|c| format!("{c}\r\n")).collect();
            if kind.contains("text+") {
                pair.compare(
                    &Case::request("POST", host, "/grpc", &fields, &lines).without_framing(),
                );
            }
        }
    }
    pair.finish();
}

/// What a server of gRPC answers, with trailers.
fn answer(received: &Received) -> Vec<Step> {
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let message = b"\0\0\0\0\x07goodbye";
    let head = |fields: &str| {
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/grpc+proto\r\n{fields}Transfer-Encoding: chunked\r\n\r\n")
            .into_bytes()
    };
    let end =
        b"0\r\nGrpc-Status: 0\r\nGrpc-Message: all  well\r\nX-Custom: 2\r\nX-Custom: 1\r\n\r\n"
            .to_vec();
    let write = |parts: &[&[u8]]| vec![Step::Write(parts.concat())];
    match received.path() {
        "/grpc" => write(&[&head("X-Custom-A: 1\r\n"), &chunk(message), &chunk(message), &end]),
        "/announced" => {
            let fields = "Trailer: Grpc-Status, Grpc-Message, X-Custom\r\n";
            write(&[&head(fields), &chunk(message), &end])
        }
        "/only" => script::write(
            "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nGrpc-Status: 5\r\nGrpc-Message: no\r\n\
             Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        "/plain" => {
            vec![Step::Write(script::response("200 OK", "Content-Type: text/plain\r\n", "hi"))]
        }
        "/long" => write(&[&head(""), &chunk(&[b'x'; 3000]), &end]),
        "/nothing" => write(&[&head(""), &end]),
        _ => pair::answer(received),
    }
}
