//! `errorPages`: errors of Portway's own in the form that the client asks for.

use std::time::Duration;

use portway_testkit::backend::{Backend, Step};
use portway_testkit::client::{End, Response};
use portway_testkit::http2::Http2Client;
use portway_testkit::message::{Head, Headers};
use portway_testkit::process::Setup;

use super::Site;

const DYNAMIC: &str = r#"
http:
  routers:
    served: {rule: "Host(`served.test`)", service: s}
    dead: {rule: "Host(`dead.test`)", service: dead}
    empty: {rule: "Host(`empty.test`)", service: empty}
    closed: {rule: "Host(`closed.test`)", service: s, middlewares: [nowhere]}
    login: {rule: "Host(`login.test`)", service: s, middlewares: [login]}
    office: {rule: "Host(`office.test`)", service: s, middlewares: [office]}
    moved: {rule: "Host(`moved.test`)", service: s, middlewares: [moved]}
    soon: {rule: "Host(`soon.test`)", service: s, middlewares: [soon]}
    later: {rule: "Host(`later.test`)", service: s, middlewares: [later]}
    asked: {rule: "Host(`asked.test`)", service: s, middlewares: [asked]}
    fields: {rule: "Host(`fields.test`)", service: dead, middlewares: [fields, small]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
    empty: {loadBalancer: {servers: []}}
  middlewares:
    login: {basicAuth: {users: ["test:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="]}}
    office: {ipAllowList: {sourceRange: [10.0.0.0/8]}}
    moved: {redirectScheme: {scheme: https}}
    soon: {maintenance: {body: "back at noon"}}
    later: {maintenance: {}}
    asked: {forwardAuth: {address: "http://@@backend@@/refuse"}}
    fields: {headers: {customResponseHeaders: {X-A: "1", Vary: Origin}}}
    small: {compress: {minResponseBodyBytes: 1}}
"#;

/// A backend whose every response is an error with a body of its own.
fn backend() -> Backend {
    Backend::scripted(|_| {
        let head =
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n";
        vec![Step::Write(format!("{head}own!\n").into_bytes())]
    })
}

#[track_caller]
fn site(flags: &[&str]) -> Site {
    Site::with(backend(), &Setup::web(DYNAMIC), flags)
}

#[track_caller]
fn ask(site: &Site, method: &str, host: &str, fields: &str) -> Response {
    let mut client = site.client();
    client.send(format!("{method} / HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")).unwrap();
    client.response_to(method).unwrap()
}

fn json(status: u16, text: &str, reason: &str) -> String {
    format!("{{\"status\":{status},\"error\":\"{text}\",\"reason\":\"{reason}\"}}\n")
}

#[test]
fn programs_get_json_and_browsers_html() {
    let site = site(&["--errorPages"]);
    for (host, status, text, reason) in [
        ("nobody.test", 404, "Not Found", "NoRouter"),
        ("dead.test", 502, "Bad Gateway", "ConnectFailed"),
        ("empty.test", 503, "Service Unavailable", "NoServer"),
        ("closed.test", 500, "Internal Server Error", "RouterClosed"),
        ("login.test", 401, "Unauthorized", "Middleware"),
        ("office.test", 403, "Forbidden", "Middleware"),
        ("later.test", 503, "Service Unavailable", "Middleware"),
    ] {
        let response = ask(&site, "GET", host, "Accept: application/json\r\n");
        assert_eq!((response.status, response.text()), (status, json(status, text, reason)));
        assert_eq!(response.headers.value("Content-Type"), Some("application/json"), "{host}");
        assert_eq!(response.headers.values("Vary"), ["Accept"], "{host}");
        assert_eq!(response.headers.value("WWW-Authenticate").is_some(), status == 401, "{host}");

        let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
        let response = ask(&site, "GET", host, browser);
        assert_eq!(response.status, status);
        assert_eq!(response.headers.value("Content-Type"), Some("text/html; charset=utf-8"));
        let title = format!("<title>{status} {text}</title>");
        assert!(response.text().contains(&title), "{host}: {}", response.text());

        let bare = ask(&site, "HEAD", host, browser);
        assert_eq!((bare.status, bare.body.len()), (status, 0), "{host}");
        let length = response.body.len().to_string();
        assert_eq!(bare.headers.value("Content-Length"), Some(length.as_str()), "{host}");
    }
}

/// Fields without those that differ from time to time.
fn fields(response: &Response) -> Vec<(String, String)> {
    response.headers.sorted().into_iter().filter(|(name, _)| name != "date").collect()
}

#[test]
fn all_others_get_what_they_get_without_the_option() {
    let (with, without) = (site(&["--errorPages"]), site(&[]));
    for host in
        ["nobody.test", "dead.test", "empty.test", "closed.test", "login.test", "office.test"]
    {
        for accept in
            ["", "Accept: */*\r\n", "Accept: text/plain, text/html\r\n", "Accept: image/png\r\n"]
        {
            let (with, without) =
                (ask(&with, "GET", host, accept), ask(&without, "GET", host, accept));
            let mut seen = fields(&with);
            seen.retain(|(name, value)| (name.as_str(), value.as_str()) != ("vary", "Accept"));
            assert_eq!(with.headers.values("Vary"), ["Accept"], "{host}");
            assert_eq!((with.status, &with.body), (without.status, &without.body), "{host}");
            assert_eq!(seen, fields(&without), "{host}");
        }
        // Where nothing is configured nobody's words count.
        let asked = ask(&without, "GET", host, "Accept: application/json\r\n");
        assert_eq!(fields(&asked), fields(&ask(&without, "GET", host, "")), "{host}");
    }
}

#[test]
fn what_has_a_body_of_its_own_keeps_it() {
    let site = site(&["--errorPages"]);
    let accept = "Accept: text/html\r\n";
    for (host, status, text) in [
        ("served.test", 403, "own!\n"),
        ("asked.test", 403, "own!\n"),
        ("soon.test", 503, "back at noon"),
        ("moved.test", 302, "Found"),
    ] {
        let response = ask(&site, "GET", host, accept);
        assert_eq!((response.status, response.text().as_str()), (status, text), "{host}");
        assert!(!response.headers.values("Vary").contains(&"Accept"), "{host}");
    }
    // Fields of middlewares stay, and a body that one has coded does too.
    let response = ask(&site, "GET", "fields.test", accept);
    assert!(response.text().contains("<title>502 Bad Gateway</title>"), "{}", response.text());
    assert_eq!(response.headers.value("X-A"), Some("1"));
    assert_eq!(response.headers.values("Vary"), ["Origin", "Accept"]);
    let coded = ask(&site, "GET", "fields.test", "Accept: text/html\r\nAccept-Encoding: gzip\r\n");
    assert_eq!((coded.status, coded.headers.value("Content-Encoding")), (502, Some("gzip")));
    assert_ne!(coded.headers.value("Content-Type"), Some("text/html; charset=utf-8"));
}

#[test]
fn a_head_that_cannot_be_read_may_say_what_it_accepts() {
    let site = site(&["--errorPages", "--entryPoints.web.http.maxHeaderBytes=8192"]);
    let seen = |head: &str| {
        let mut client = site.client();
        client.send(head).unwrap();
        let (bytes, end) = client.until_end(Duration::from_secs(2));
        assert_eq!(end, End::Closed);
        String::from_utf8(bytes).unwrap()
    };
    let bad = |accept: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{accept}A b: c\r\n\r\n");
    let plain = seen(&bad(""));
    assert!(plain.starts_with("HTTP/1.1 400 Bad Request: invalid header name\r\n"), "{plain}");
    assert!(plain.contains("Content-Type: text/plain; charset=utf-8\r\n"), "{plain}");
    assert_eq!(seen(&bad("Accept: */*\r\n")), plain);
    let page = seen(&bad("Accept: application/json\r\n"));
    assert!(page.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{page}");
    assert!(
        page.ends_with(&format!("\r\n\r\n{}", json(400, "Bad Request", "BadRequest"))),
        "{page}"
    );
    // As where a browser has gathered too many cookies.
    let cookies = "Cookie: a=b\r\n".repeat(2000);
    let page = seen(&format!("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n{cookies}\r\n"));
    assert!(page.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{page}");
    assert!(page.contains("<title>431 Request Header Fields Too Large</title>"), "{page}");

    let mut fields = vec![("Host", "a"), ("Accept", "text/html")];
    fields.extend(std::iter::repeat_n(("Cookie", "0123456789abcdef"), 600));
    let response = ask_http2(&site, &fields);
    assert_eq!(response.status, 431);
    assert!(response.text().contains("<title>431 "), "{}", response.text());
}

#[test]
fn templates_of_the_operator_count() {
    let mut setup = Setup::web(DYNAMIC);
    let html = "<style>b{color:red}</style><b id='{status}'>{text}: {reason}</b>";
    setup.files.push(("error.html".to_owned(), html.to_owned()));
    setup
        .files
        .push(("error.js".to_owned(), "{\"code\": {status}, \"is\": [\"{reason}\"]}".to_owned()));
    let flags = [
        "--errorPages.html=@@folder@@/dynamic/error.html",
        "--errorPages.json=@@folder@@/dynamic/error.js",
    ];
    let site = Site::with(backend(), &setup, &flags);
    let response = ask(&site, "GET", "dead.test", "Accept: text/html\r\n");
    let page = "<style>b{color:red}</style><b id='502'>Bad Gateway: ConnectFailed</b>";
    assert_eq!(response.text(), page);
    let response = ask(&site, "GET", "nobody.test", "Accept: application/*\r\n");
    assert_eq!(response.text(), "{\"code\": 404, \"is\": [\"NoRouter\"]}");
}

fn ask_http2(site: &Site, fields: &[(&str, &str)]) -> Response {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let head = Head { line: "GET / HTTP/1.1".to_owned(), headers: Headers(fields.collect()) };
    let mut client = Http2Client::connect(site.process.address("web")).unwrap();
    client.ask(&head, b"").unwrap()
}

#[test]
fn clients_of_http2_and_of_grpc_are_told_too() {
    let site = site(&["--errorPages"]);
    let (host, accept) = (("Host", "empty.test"), ("accept", "application/json"));
    let response = ask_http2(&site, &[host, accept]);
    assert_eq!(
        (response.status, response.text()),
        (503, json(503, "Service Unavailable", "NoServer"))
    );
    let response = ask_http2(&site, &[host, accept, ("content-type", "application/grpc")]);
    assert_eq!((response.status, response.body.len()), (200, 0));
    assert_eq!(response.headers.value("grpc-status"), Some("14"));
}
