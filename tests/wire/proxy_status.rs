//! `proxyStatus`: what went wrong is in a field of the response (RFC 9209).

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use portway_testkit::backend::{Backend, Step};
use portway_testkit::certificate::Certificate;
use portway_testkit::client::Response;
use portway_testkit::message::Head;
use portway_testkit::process::Setup;

use super::Site;

const DYNAMIC: &str = r#"
http:
  routers:
    served: {rule: "Host(`served.test`)", service: s}
    dead: {rule: "Host(`dead.test`)", service: dead}
    again: {rule: "Host(`again.test`)", service: dead, middlewares: [again]}
    unknown: {rule: "Host(`unknown.test`)", service: unknown}
    plain: {rule: "Host(`plain.test`)", service: plain}
    stranger: {rule: "Host(`stranger.test`)", service: stranger}
    slow: {rule: "Host(`slow.test`)", service: slow}
    empty: {rule: "Host(`empty.test`)", service: empty}
    closed: {rule: "Host(`closed.test`)", service: s, middlewares: [nowhere]}
    login: {rule: "Host(`login.test`)", service: s, middlewares: [login]}
    moved: {rule: "Host(`moved.test`)", service: s, middlewares: [moved]}
    whole: {rule: "Host(`whole.test`)", service: s, middlewares: [whole, small]}
    page: {rule: "Host(`page.test`)", service: empty, middlewares: [page]}
    own: {rule: "Host(`own.test`)", service: ping@internal}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    unknown: {loadBalancer: {servers: [{url: "http://no-such-host.invalid"}]}}
    plain: {loadBalancer: {servers: [{url: "https://@@plain@@"}]}}
    stranger: {loadBalancer: {servers: [{url: "https://@@stranger@@"}]}}
    slow: {loadBalancer: {serversTransport: hasty, servers: [{url: "http://@@silent@@"}]}}
    empty: {loadBalancer: {servers: []}}
  serversTransports:
    hasty: {forwardingTimeouts: {responseHeaderTimeout: 100ms}}
  middlewares:
    whole: {buffering: {maxResponseBodyBytes: 1000}}
    small: {compress: {minResponseBodyBytes: 1}}
    again: {retry: {attempts: 2}}
    login: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    moved: {redirectScheme: {scheme: https}}
    page: {errors: {status: ["503"], service: s, query: /page}}
"#;

fn backend() -> Backend {
    Backend::scripted(|received| {
        let text = match received.path() {
            "/bad" => "nonsense\r\n\r\n",
            "/cut" => "HTTP/1.1 200 OK\r\nContent-",
            "/chain" => {
                "HTTP/1.1 504 Gateway Timeout\r\nProxy-Status: origin-cache; error=dns_error\r\n\
                 Content-Length: 0\r\n\r\n"
            }
            "/coding" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "/gone" => return vec![Step::Close],
            _ => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        };
        let write = Step::Write(text.as_bytes().to_vec());
        if received.path() == "/cut" { vec![write, Step::Close] } else { vec![write] }
    })
}

/// Portway with its servers.
struct Stage {
    site: Site,
    /// It takes connections and says nothing.
    _silent: TcpListener,
    /// Nobody trusts its certificate.
    _stranger: Backend,
}

#[track_caller]
fn stage(flags: &[&str]) -> Stage {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let stranger = Backend::start_tls(Certificate::for_names(&["127.0.0.1"]).server());
    let dynamic = DYNAMIC
        .replace("@@silent@@", &silent.local_addr().unwrap().to_string())
        .replace("@@plain@@", &talkative().to_string())
        .replace("@@stranger@@", &stranger.address().to_string());
    let site = Site::with(backend(), &Setup::web(&dynamic), flags);
    Stage { site, _silent: silent, _stranger: stranger }
}

/// A server of another protocol, which speaks first.
fn talkative() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            socket.unwrap().write_all(b"220 mail.example ESMTP\r\n").unwrap();
        }
    });
    address
}

#[track_caller]
fn ask(stage: &Stage, host: &str, path: &str) -> Response {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stage.site.client().ask(request).unwrap()
}

#[test]
fn every_kind_of_error_has_its_type() {
    let stage = stage(&["--proxyStatus"]);
    for (host, path, status, error, reason) in [
        ("nobody.test", "/", 404, "destination_not_found", "NoRouter"),
        ("dead.test", "/", 502, "connection_refused", "ConnectFailed"),
        ("again.test", "/", 502, "connection_refused", "ConnectFailed"),
        ("unknown.test", "/", 502, "dns_error", "ConnectFailed"),
        ("plain.test", "/", 500, "tls_protocol_error", "ConnectFailed"),
        ("stranger.test", "/", 500, "tls_certificate_error", "ConnectFailed"),
        ("slow.test", "/", 504, "http_response_timeout", "ResponseTimeout"),
        ("served.test", "/bad", 500, "http_protocol_error", "BadResponse"),
        ("served.test", "/cut", 500, "http_response_incomplete", "BadResponse"),
        ("served.test", "/coding", 500, "http_response_transfer_coding", "BadResponse"),
        ("served.test", "/gone", 502, "connection_terminated", "UpstreamClosed"),
        ("empty.test", "/", 503, "destination_unavailable", "NoServer"),
        ("closed.test", "/", 500, "proxy_configuration_error", "RouterClosed"),
        ("login.test", "/", 401, "http_request_denied", "Middleware"),
        // The page is a server's, the error is not.
        ("page.test", "/", 503, "destination_unavailable", "NoServer"),
    ] {
        let response = ask(&stage, host, path);
        assert_eq!(response.status, status, "{host}{path}");
        let expected = format!("portway; error={error}; details=\"{reason}\"");
        assert_eq!(response.headers.values("Proxy-Status"), [expected.as_str()], "{host}{path}");
    }
}

#[test]
fn a_head_that_cannot_be_read_has_one_too() {
    let stage = stage(&["--proxyStatus.name=edge one"]);
    for (head, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", "417"),
    ] {
        let mut client = stage.site.client();
        client.send(head).unwrap();
        let head: Head = client.head().unwrap();
        assert_eq!(head.part(1), status);
        let expected = "\"edge one\"; error=http_request_error; details=\"BadRequest\"";
        assert_eq!(head.headers.values("Proxy-Status"), [expected]);
        client.until_end(Duration::from_secs(1));
    }
}

#[test]
fn what_passes_says_through_whom() {
    let stage = stage(&["--proxyStatus"]);
    assert_eq!(ask(&stage, "served.test", "/").headers.values("Proxy-Status"), ["portway"]);
    assert_eq!(ask(&stage, "moved.test", "/").headers.values("Proxy-Status"), ["portway"]);
    // One that was waited for, and compressed.
    let request = "GET / HTTP/1.1\r\nHost: whole.test\r\nAccept-Encoding: gzip\r\n\r\n";
    let whole = stage.site.client().ask(request).unwrap();
    assert_eq!(whole.headers.value("Content-Encoding"), Some("gzip"));
    assert_eq!(whole.headers.values("Proxy-Status"), ["portway"]);
    // Behind what others have said, nearest to the origin first.
    let response = ask(&stage, "served.test", "/chain");
    let said = response.headers.values("Proxy-Status");
    assert_eq!((response.status, said), (504, vec!["origin-cache; error=dns_error", "portway"]));
    // Of its own services Portway is the origin, which says nothing (RFC 9209 §2).
    assert!(ask(&stage, "own.test", "/").headers.values("Proxy-Status").is_empty());
}

#[test]
fn nothing_is_said_without_the_option() {
    let stage = stage(&[]);
    for host in ["nobody.test", "dead.test", "served.test", "login.test"] {
        assert!(ask(&stage, host, "/").headers.values("Proxy-Status").is_empty(), "{host}");
    }
    let response = ask(&stage, "served.test", "/chain");
    assert_eq!(response.headers.values("Proxy-Status"), ["origin-cache; error=dns_error"]);
}
