//! `grpcWeb` in front of gRPC's own server, and what comes of bodies that are none.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portway_testkit::backend::{Backend, script};
use portway_testkit::client::Client;
use portway_testkit::process::{Process, Setup};

use super::{Site, python::Server};

const PROGRAM: &str = "tests/wire/grpc/grpc_cases.py";

const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s, entryPoints: [web], middlewares: [pages]}
  middlewares:
    pages: {grpcWeb: {allowOrigins: ["*"]}}
  services:
    s: {loadBalancer: {servers: [{url: "@@url@@"}]}}
"#;

/// A message of gRPC.
fn message(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[0], &length[..], text.as_bytes()].concat()
}

/// The messages of a body, those with trailers as `[trailers]`.
fn messages(mut body: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    while let [kind, a, b, c, d, rest @ ..] = body {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some((text, after)) = rest.split_at_checked(length) else { break };
        let text = String::from_utf8_lossy(text).replace("\r\n", "|");
        texts.push(if *kind == 0x80 { format!("[{text}]") } else { text });
        body = after;
    }
    texts
}

fn call(method: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /a.Service/{method} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nX-Grpc-Web: 1\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[track_caller]
fn check(client: &mut Client, method: &str, asked: &str, expected: &[&str]) {
    let binary = client.ask(call(method, "application/grpc-web+proto", &message(asked))).unwrap();
    assert_eq!(binary.status, 200);
    assert_eq!(messages(&binary.body), expected, "{method}");
    let text = STANDARD.encode(message(asked));
    let text = client.ask(call(method, "application/grpc-web-text", text.as_bytes())).unwrap();
    assert_eq!(text.headers.value("Content-Type"), Some("application/grpc-web-text"));
    let decoded = text.body.chunks(4).flat_map(|quad| STANDARD.decode(quad).unwrap());
    assert_eq!(messages(&decoded.collect::<Vec<_>>()), expected, "{method} in text");
}

#[test]
fn pages_call_a_server_of_grpc() {
    let Some(server) = Server::start(PROGRAM, "grpc") else { return };
    let url = format!("h2c://127.0.0.1:{}", server.port);
    let process = Process::start(&crate::portway(), &Setup::web(&DYNAMIC.replace("@@url@@", &url)));
    let mut client = Client::connect(process.address("web")).unwrap();
    let ended = "[grpc-message: |grpc-status: 0|]";
    let large = "large ".repeat(50_000);
    let echoed = "[grpc-message: |grpc-status: 0|x-last: 2|x-last-bin: AP8|]";
    check(&mut client, "Echo", "hello", &["hello", echoed]);
    check(&mut client, "Echo", &large, &[&large, echoed]);
    check(&mut client, "Count", "3", &["0", "1", "2", ended]);
    // Whatever the server tells in fields is told there.
    check(&mut client, "Count", "0", &["[]"]);
    let lost = "[grpc-message: lost|grpc-status: 15|]";
    check(&mut client, "Break", "", &["one", lost]);
    let unknown = client.ask(call("Nothing", "application/grpc-web", &message(""))).unwrap();
    assert_eq!(unknown.headers.value("Grpc-Status"), Some("12"));
    assert_eq!(messages(&unknown.body), ["[]"]);
}

#[test]
fn messages_come_as_the_server_sends_them() {
    let Some(server) = Server::start(PROGRAM, "grpc") else { return };
    let url = format!("h2c://127.0.0.1:{}", server.port);
    let process = Process::start(&crate::portway(), &Setup::web(&DYNAMIC.replace("@@url@@", &url)));
    for (kind, first) in [
        ("application/grpc-web", "\0\0\0\0\u{3}one"),
        ("application/grpc-web-text", "AAAAAANvbmU="),
    ] {
        let body = [message("2.0")].concat();
        let body = if kind.ends_with("text") { STANDARD.encode(&body).into_bytes() } else { body };
        let mut client = Client::connect(process.address("web")).unwrap();
        let start = Instant::now();
        client.send(call("Pause", kind, &body)).unwrap();
        assert_eq!(client.head().unwrap().part(1), "200");
        let (seen, _) = client.until_end(Duration::from_millis(800));
        let seen = portway_testkit::message::latin1(&seen);
        // Without the sizes of chunks, which stand on lines of their own.
        let seen: String = seen.split("\r\n").skip(1).step_by(2).collect();
        assert!(seen.contains(first), "{kind}: {seen}");
        assert!(start.elapsed() < Duration::from_millis(1900), "{kind}");
    }
}

#[test]
fn text_that_is_no_base64_is_refused() {
    let backend = Backend::scripted(|received| {
        vec![portway_testkit::backend::Step::Write(script::response(
            "200 OK",
            "",
            &received.body.len().to_string(),
        ))]
    });
    let setup = Setup::web(&DYNAMIC.replace("@@url@@", "http://@@backend@@"));
    let site = Site::with(backend, &setup, &[]);
    for bad in ["!!!!", "AAAA!", "AAA", "AA=A", "AAAAA"] {
        let answer = site.client().ask(call("Echo", "application/grpc-web-text", bad.as_bytes()));
        assert_eq!(answer.unwrap().status, 400, "{bad}");
    }
    assert!(site.backend.take().iter().all(|received| !received.complete));
    let mut client = site.client();
    let long = STANDARD.encode(vec![7; 1_000_000]);
    for _ in 0..3 {
        let answer =
            client.ask(call("Echo", "application/grpc-web-text", long.as_bytes())).unwrap();
        let decoded: Vec<u8> =
            answer.body.chunks(4).flat_map(|quad| STANDARD.decode(quad).unwrap()).collect();
        assert!(decoded.starts_with(b"1000000"), "{}", answer.text());
    }
}
