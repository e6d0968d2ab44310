//! HTTP/2 to clients and to servers, in every pairing with HTTP/1.1: bodies, trailers, interim and early answers,
//! ends of all kinds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use portway_testkit::backend::Backend;
use portway_testkit::client::{Client, Response};
use portway_testkit::http2::{Exchange, Http2Client};
use portway_testkit::message::{Head, Headers};
use portway_testkit::process::Setup;

use super::Site;

/// From `web` to the backend over HTTP/1.1; from `outer` to `web` over HTTP/2, and by TLS over what both agree on.
const DYNAMIC: &str = r#"
http:
  routers:
    inner: {rule: "PathPrefix(`/`)", service: backend, entryPoints: [web]}
    secure: {rule: "PathPrefix(`/`)", service: backend, entryPoints: [web], tls: {}}
    outer: {rule: "PathPrefix(`/`)", service: web, entryPoints: [outer]}
    agreed: {rule: "Host(`agreed.test`)", service: agreed, entryPoints: [outer]}
    disabled: {rule: "Host(`disabled.test`)", service: disabled, entryPoints: [outer]}
  services:
    backend: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
    web: {loadBalancer: {servers: [{url: "h2c://127.0.0.1:@@web@@"}]}}
    agreed: {loadBalancer: {serversTransport: agreed, servers: [{url: "https://127.0.0.1:@@web@@"}]}}
    disabled: {loadBalancer: {serversTransport: disabled, servers: [{url: "https://127.0.0.1:@@web@@"}]}}
  serversTransports:
    agreed: {insecureSkipVerify: true}
    disabled: {insecureSkipVerify: true, disableHTTP2: true}
"#;

#[track_caller]
fn start(flags: &[&str]) -> Site {
    Site::with(Backend::start(), &Setup::web(DYNAMIC).entry_point("outer"), flags)
}

#[track_caller]
fn connect(site: &Site, entry_point: &str) -> Http2Client {
    Http2Client::connect(site.process.address(entry_point)).expect("a connection")
}

fn head(method: &str, target: &str, fields: &[(&str, &str)]) -> Head {
    let fields = [&[("Host", "a.test")], fields].concat();
    let field = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Head {
        line: format!("{method} {target} HTTP/1.1"),
        headers: Headers(fields.iter().map(field).collect()),
    }
}

/// What of a response means the same in every version.
fn meaning(response: &Response) -> String {
    if !response.complete {
        // How much of it came before is a matter of time.
        return String::new();
    }
    let of_version = |(name, _): &(String, String)| {
        !["date", "connection", "transfer-encoding", "content-length", "trailer"]
            .contains(&name.as_str())
    };
    let fields: Vec<_> = response.headers.sorted().into_iter().filter(of_version).collect();
    let interim: Vec<_> = response.interim.iter().map(|head| head.headers.sorted()).collect();
    let body = match response.body.len() {
        0..2000 => response.text(),
        length => format!("{length} bytes"),
    };
    format!("{} {fields:?} {interim:?} {body:?} {:?}", response.status, response.trailers.sorted())
}

#[test]
fn every_pairing_of_versions_gives_the_same() {
    let site = start(&[]);
    let large = "x".repeat(3_000_000);
    let cases = [
        ("GET", "/echo", ""),
        ("POST", "/echo", "a body"),
        ("PUT", "/echo", ""),
        ("POST", "/large", &large),
        ("HEAD", "/echo", ""),
        ("GET", "/chunked", ""),
        ("GET", "/trailers", ""),
        ("GET", "/unannounced", ""),
        ("GET", "/hints", ""),
        ("GET", "/no-content", ""),
        ("GET", "/not-modified", ""),
        ("GET", "/until-close", ""),
        ("GET", "/fields", ""),
        ("GET", "/hop", ""),
        ("GET", "/status-404", ""),
        ("GET", "/status-503", ""),
        ("GET", "/cut", ""),
        ("GET", "/cut-chunked", ""),
        ("GET", "/garbage", ""),
        ("GET", "/close", ""),
    ];
    for (method, target, body) in cases {
        let mut seen = Vec::new();
        for entry_point in ["web", "outer"] {
            let length = format!("Content-Length: {}\r\n", body.len());
            let length = if body.is_empty() { "" } else { &length };
            let request =
                format!("{method} {target} HTTP/1.1\r\nHost: a.test\r\n{length}\r\n{body}");
            let mut http1 = Client::connect(site.process.address(entry_point)).unwrap();
            http1.send(request).unwrap();
            seen.push(http1.response_to(method).map(|r| meaning(&r)).unwrap_or_default());
            let length = body.len().to_string();
            let length = [("Content-Length", length.as_str())];
            let fields = if body.is_empty() { &[][..] } else { &length };
            let asked =
                connect(&site, entry_point).ask(&head(method, target, fields), body.as_bytes());
            seen.push(asked.map(|response| meaning(&response)).unwrap_or_default());
        }
        // The way through the other entry point adds its address.
        let bare = |text: &String| {
            text.replace("127.0.0.1, 127.0.0.1", "127.0.0.1")
                .replace(&site.process.address("outer").port().to_string(), "")
        };
        let texts: Vec<String> = seen.iter().map(bare).collect();
        assert!(texts.iter().all(|text| *text == texts[0]), "{method} {target}: {texts:#?}");
    }
}

#[test]
fn streams_of_one_connection_do_not_wait_for_each_other() {
    let site = start(&[]);
    for entry_point in ["web", "outer"] {
        let mut client = connect(&site, entry_point);
        let slow = client.begin(&head("GET", "/slow", &[]), true).unwrap();
        for _ in 0..50 {
            assert_eq!(client.ask(&head("GET", "/echo", &[]), b"").unwrap().status, 200);
        }
        let start = Instant::now();
        assert_eq!(client.response(slow).unwrap().text(), "slow");
        assert!(start.elapsed() > Duration::from_millis(200), "it was not slow");
    }
}

#[test]
fn a_client_that_gives_up_frees_its_server() {
    let site = start(&[]);
    for entry_point in ["web", "outer"] {
        let mut client = connect(&site, entry_point);
        let mut begun = client.begin(&head("POST", "/echo", &[]), false).unwrap();
        begun.send(b"part", false).unwrap();
        client.rest(Duration::from_millis(300));
        begun.give_up();
        client.rest(Duration::from_millis(100));
        let received = site.backend.take_at_least(1, Duration::from_secs(5));
        assert!(received.iter().all(|request| !request.complete), "{received:?}");
        assert_eq!(client.ask(&head("GET", "/echo", &[]), b"").unwrap().status, 200);
        let _ = site.backend.take();
    }
}

#[test]
fn an_expectation_is_answered_before_the_body() {
    let site = start(&[]);
    let mut client = connect(&site, "web");
    let expect = head("POST", "/echo", &[("Expect", "100-continue"), ("Content-Length", "4")]);
    let mut exchange = client.begin(&expect, false).unwrap();
    client.rest(Duration::from_millis(1300));
    exchange.send(b"body", true).unwrap();
    let response = client.response(exchange).unwrap();
    assert_eq!((response.status, response.interim.len()), (200, 1), "{response:?}");
    assert!(response.interim[0].line.contains("100"));
    assert!(response.text().ends_with("body"), "{response:?}");
}

#[test]
fn websockets_open_over_http2() {
    let site = start(&[]);
    let mut client = connect(&site, "web");
    let fields = [(":protocol", "websocket"), ("Sec-WebSocket-Version", "13")];
    let opened = client.begin(&head("CONNECT", "/tunnel", &fields), false).unwrap();
    let (status, mut tunnel) = client.tunnel(opened).unwrap();
    assert_eq!(status, 200);
    for size in [1, 1000, 60_000] {
        let sent: Vec<u8> = (0..size).map(|at| (at % 253) as u8).collect();
        client.send(&mut tunnel, &sent, false).unwrap();
        let echoed = client.read(&mut tunnel, size).unwrap();
        assert!(echoed == sent, "{size}: {}", String::from_utf8_lossy(&echoed));
    }
    let asked = site.backend.take_at_least(1, Duration::from_secs(5));
    let fields = &asked[0].head.headers;
    assert_eq!(asked[0].head.line, "GET /tunnel HTTP/1.1");
    assert_eq!(fields.value("Upgrade"), Some("websocket"));
    assert_eq!(fields.value("X-Forwarded-Proto"), Some("ws"));
    assert_eq!(fields.value("Sec-WebSocket-Key").map(str::len), Some(24));
    client.send(&mut tunnel, b"last", true).unwrap();
    assert_eq!(client.read(&mut tunnel, 100).unwrap(), b"last");
    // A good answer but 101 would look like an open tunnel.
    for target in ["/status-200", "/no-content"] {
        let page = client.begin(&head("CONNECT", target, &fields_of("websocket")), false).unwrap();
        assert_eq!(client.tunnel(page).unwrap().0, 502, "{target}");
    }
    // Others pass as they are; other protocols and tunnels to anywhere are refused.
    let refused =
        client.begin(&head("CONNECT", "/status-403", &fields_of("websocket")), false).unwrap();
    assert_eq!(client.tunnel(refused).unwrap().0, 403);
    let other = client.begin(&head("CONNECT", "/echo", &fields_of("other")), false).unwrap();
    assert_eq!(client.tunnel(other).unwrap().0, 501);
}

fn fields_of(protocol: &str) -> [(&str, &str); 1] {
    [(":protocol", protocol)]
}

#[test]
fn what_has_no_body_is_sent_without_one_though_the_client_ends_it_late() {
    let site = start(&[]);
    let mut client = connect(&site, "web");
    for (method, framed) in
        [("GET", false), ("DELETE", false), ("OPTIONS", false), ("POST", true), ("PUT", true)]
    {
        let asked = client.begin(&head(method, "/echo", &[]), false).unwrap();
        let (status, _) = finish(&mut client, asked, b"");
        assert_eq!(status, 200, "{method}");
        let received = site.backend.take().pop().unwrap();
        let chunked = received.head.headers.value("Transfer-Encoding").is_some();
        assert_eq!(chunked, framed, "{method}");
    }
    // There is a body.
    let asked = client.begin(&head("DELETE", "/echo", &[]), false).unwrap();
    let (status, text) = finish(&mut client, asked, b"body");
    assert_eq!(status, 200);
    assert!(text.ends_with("body"), "{text}");
}

/// Sends the body of a request that has begun, and receives the response's status and body.
fn finish(client: &mut Http2Client, mut asked: Exchange, body: &[u8]) -> (u16, String) {
    asked.send(body, true).unwrap();
    let response = client.response(asked).unwrap();
    (response.status, response.text())
}

#[test]
fn tunnels_to_anywhere_are_not_opened() {
    let site = start(&[]);
    let mut client = connect(&site, "web");
    for ends in [true, false] {
        let asked = client.begin(&head("CONNECT", "/", &[]), ends).unwrap();
        assert_eq!(client.response(asked).unwrap().status, 501);
    }
    assert_eq!(client.ask(&head("GET", "/echo", &[]), b"").unwrap().status, 200);
    assert_eq!(site.backend.take().len(), 1);
}

#[test]
fn requests_in_flight_survive_sigterm() {
    let mut site = start(&[]);
    let mut busy = connect(&site, "web");
    let mut through = connect(&site, "outer");
    let idle = connect(&site, "web");
    let flights = [
        busy.begin(&head("GET", "/slow", &[]), true).unwrap(),
        through.begin(&head("GET", "/slow", &[]), true).unwrap(),
    ];
    assert_eq!(site.backend.take_at_least(2, Duration::from_secs(5)).len(), 2);
    site.process.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    idle.rest(Duration::from_millis(300));
    assert!(idle.is_over(), "an idle connection goes on");
    let [one, two] = flights;
    assert_eq!(busy.response(one).unwrap().text(), "slow");
    assert_eq!(through.response(two).unwrap().text(), "slow");
    assert!(busy.is_over(), "a connection goes on after its last request");
    let status = site.process.wait(Duration::from_secs(12)).expect("an end");
    assert!(status.success(), "{status}");
}

#[test]
fn a_limit_of_0_is_the_default() {
    let site = start(&[
        "--entryPoints.web.http2.maxConcurrentStreams=0",
        "--entryPoints.web.http2.maxDecoderHeaderTableSize=0",
        "--entryPoints.web.http2.maxEncoderHeaderTableSize=0",
    ]);
    let mut client = connect(&site, "web");
    assert_eq!(client.ask(&head("GET", "/echo", &[]), b"").unwrap().status, 200);
}

#[test]
fn limits_of_the_entry_point_hold() {
    let site = start(&[
        "--entryPoints.web.http2.maxConcurrentStreams=3",
        "--entryPoints.web.http.maxHeaderBytes=4096",
        "--entryPoints.outer.transport.keepAliveMaxRequests=5",
    ]);
    let mut client = connect(&site, "web");
    let large = "x".repeat(6_000);
    let refused = client.ask(&head("GET", "/echo", &[("X-Large", &large)]), b"").unwrap();
    assert_eq!(refused.status, 431);
    let slow: Vec<_> =
        (0..6).map(|_| client.begin(&head("GET", "/slow", &[]), true).unwrap()).collect();
    let asked = site.backend.take_at_least(3, Duration::from_secs(5));
    assert_eq!(asked.len(), 3, "more than three at once");
    for slow in slow {
        assert_eq!(client.response(slow).unwrap().status, 200);
    }

    let mut client = connect(&site, "outer");
    for _ in 0..5 {
        assert_eq!(client.ask(&head("GET", "/echo", &[]), b"").unwrap().status, 200);
    }
    assert!(client.is_over(), "a sixth request is taken");
}

#[test]
fn a_stream_is_reset_when_its_answer_is_late_and_others_go_on() {
    let site = start(&[
        "--accessLog.filePath=@@folder@@/access.log",
        "--accessLog.format=json",
        "--entryPoints.web.transport.respondingTimeouts.writeTimeout=150ms",
    ]);
    let mut client = connect(&site, "web");
    let late = client.begin(&head("GET", "/slow", &[]), true).unwrap();
    assert_eq!(client.ask(&head("GET", "/echo", &[]), b"").unwrap().status, 200);
    let answer = client.response(late);
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(client.ask(&head("GET", "/echo", &[]), b"").unwrap().status, 200);
    let logged = inner_log(&site, 3);
    let late: Vec<_> = logged.iter().filter(|line| line["RequestPath"] == "/slow").collect();
    assert_eq!((logged.len(), late.len()), (3, 1), "{logged:?}");
    assert_eq!(late[0]["DownstreamStatus"], 499, "{late:?}");
}

#[test]
fn a_client_that_never_begins_is_let_go() {
    let site = start(&[]);
    let mut socket = std::net::TcpStream::connect(site.process.address("web")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    std::io::Write::write_all(&mut socket, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    let start = Instant::now();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut socket, &mut bytes).unwrap();
    let waited = start.elapsed();
    assert!((1500..7000).contains(&waited.as_millis()), "{waited:?}");
}

/// What the inner entry point logged, once it has so many lines.
fn inner_log(site: &Site, lines: usize) -> Vec<serde_json::Value> {
    let path = site.process.folder().path().join("access.log");
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let logged = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let inner = logged.filter(|line: &serde_json::Value| line["entryPointName"] == "web");
        let inner: Vec<_> = inner.collect();
        if inner.len() >= lines {
            return inner;
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{inner:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn servers_over_tls_are_spoken_to_in_what_both_agree_on() {
    let log = ["--accessLog.filePath=@@folder@@/access.log", "--accessLog.format=json"];
    let site = start(&[log[0], log[1], "--workers=1"]);
    let ask = |fields: &str| {
        let mut client = Client::connect(site.process.address("outer")).unwrap();
        client.ask(format!("GET /echo HTTP/1.1\r\n{fields}\r\n")).unwrap().status
    };
    for _ in 0..3 {
        assert_eq!(ask("Host: agreed.test\r\n"), 200);
    }
    assert_eq!(ask("Host: disabled.test\r\n"), 200);
    // What is to be upgraded goes over HTTP/1.1.
    assert_eq!(ask("Host: agreed.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), 200);
    let log = inner_log(&site, 5);
    let seen: Vec<_> = log.iter().map(|line| line["RequestProtocol"].as_str().unwrap()).collect();
    assert_eq!(seen, ["HTTP/2.0", "HTTP/2.0", "HTTP/2.0", "HTTP/1.1", "HTTP/1.1"]);
    let clients: Vec<_> = log[..3].iter().map(|line| line["ClientAddr"].to_string()).collect();
    assert!(clients.iter().all(|client| *client == clients[0]), "{clients:?}");
}

#[test]
fn requests_share_connections_to_a_server() {
    let site = start(&["--accessLog.filePath=@@folder@@/access.log", "--accessLog.format=json"]);
    let mut client = connect(&site, "outer");
    let many: Vec<_> =
        (0..60).map(|_| client.begin(&head("GET", "/slow", &[]), true).unwrap()).collect();
    for one in many {
        assert_eq!(client.response(one).unwrap().status, 200);
    }
    // What the inner entry point sees as clients are the connections of the outer.
    let clients = inner_log(&site, 60).into_iter().map(|line| line["ClientAddr"].to_string());
    let connections: BTreeSet<String> = clients.collect();
    assert_eq!(connections.len(), 1, "{connections:?}");
}

#[test]
fn clients_that_read_nothing_hold_up_nobody_else_on_a_connection_to_a_server() {
    let site = start(&[]);
    let address = site.process.address("outer");
    let mut slow: Vec<_> = (0..16).map(|_| Client::connect(address).unwrap()).collect();
    for client in &mut slow {
        client.send("GET /large HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    }
    // As much of each waits as there is room for.
    std::thread::sleep(Duration::from_secs(1));
    let begun = Instant::now();
    for _ in 0..8 {
        let mut client = Client::connect(address).unwrap();
        let answer = client.ask("GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
        assert_eq!(answer.status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn as_many_fields_pass_as_over_http_1() {
    let site = start(&[]);
    let names: Vec<String> = (0..2000).map(|number| format!("X-Field-{number}")).collect();
    let mut fields: Vec<_> = names.iter().map(|name| (name.as_str(), "value")).collect();
    fields.extend([("Cookie", "a=b"); 1000]);
    for entry_point in ["web", "outer"] {
        let answered = connect(&site, entry_point).ask(&head("GET", "/fields", &fields), b"");
        assert_eq!(answered.unwrap().status, 200, "{entry_point}");
    }
    for received in site.backend.take_at_least(2, Duration::from_secs(5)) {
        let headers = &received.head.headers;
        assert_eq!(headers.value("Cookie").unwrap().len(), 1000 * 5 - 2);
        assert_eq!(headers.value("X-Field-1999"), Some("value"));
    }
}
