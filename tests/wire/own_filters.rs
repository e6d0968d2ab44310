//! The middlewares that Traefik does not have: `bodyLimit`, `ipDenyList` and `maintenance`.

use std::time::Duration;

use portway_testkit::backend::{Backend, Step, script};
use portway_testkit::client::{Client, End};
use portway_testkit::http2::Http2Client;
use portway_testkit::message::{Head, Headers};
use portway_testkit::process::Setup;

use super::Site;

const DYNAMIC: &str = r#"
http:
  routers:
    small: {rule: "Host(`small.test`)", service: s, middlewares: [small]}
    again: {rule: "Host(`again.test`)", service: s, middlewares: [again, small]}
    inside: {rule: "Host(`inside.test`)", service: s, middlewares: [small, again]}
    denied: {rule: "Host(`denied.test`)", service: s, middlewares: [outer, denied]}
    others: {rule: "Host(`others.test`)", service: s, middlewares: [others]}
    closed: {rule: "Host(`closed.test`)", service: s, middlewares: [outer, closed]}
    open: {rule: "Host(`open.test`)", service: s, middlewares: [open]}
    broken: {rule: "Host(`broken.test`)", service: s, middlewares: [broken]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
  middlewares:
    outer: {headers: {customResponseHeaders: {X-Outer: "1"}}}
    small: {bodyLimit: {maxRequestBodyBytes: 10}}
    again: {retry: {attempts: 3, status: ["500-599"]}}
    denied: {ipDenyList: {sourceRange: [127.0.0.0/8], rejectStatusCode: 404}}
    others: {ipDenyList: {sourceRange: [10.0.0.0/8]}}
    closed: {maintenance: {body: "<p>soon", contentType: text/html, retryAfter: 2m, headers: {X-A: "1"}}}
    open: {maintenance: {sourceRange: [127.0.0.1]}}
    broken: {maintenance: {status: 99}}
"#;

#[track_caller]
fn site(backend: Backend) -> Site {
    Site::with(backend, &Setup::web(DYNAMIC), &[])
}

fn chunked(host: &str, chunks: &[&str]) -> String {
    let mut request =
        format!("POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in chunks {
        request.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    request
}

#[test]
fn a_body_that_says_to_be_too_long_is_refused_at_once() {
    let site = site(Backend::start());
    let mut client = site.client();
    let head =
        |length| format!("POST / HTTP/1.1\r\nHost: small.test\r\nContent-Length: {length}\r\n\r\n");
    assert_eq!(client.ask(head(10) + "0123456789").unwrap().status, 200);
    // Before any of it has come; what then comes is passed over, and the connection can be kept.
    client.send(head(11)).unwrap();
    let refused = client.response_to("POST").unwrap();
    assert_eq!((refused.status, refused.text().as_str()), (413, "Request Entity Too Large"));
    client.send("0123456789x").unwrap();
    assert_eq!(client.ask(head(10) + "0123456789").unwrap().status, 200);
    let bodies: Vec<_> = site.backend.take().into_iter().map(|one| one.body.len()).collect();
    assert_eq!(bodies, [10, 10]);
}

#[test]
fn a_chunked_body_is_refused_at_the_byte_that_is_one_too_many() {
    let site = site(Backend::start());
    for host in ["small.test", "again.test", "inside.test"] {
        let mut client = site.client();
        let whole = chunked(host, &["01234", "56789"]) + "0\r\n\r\n";
        assert_eq!(client.ask(whole).unwrap().status, 200, "{host}");
        client.send(chunked(host, &["01234", "56789"])).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        client.send("1\r\nx\r\n").unwrap();
        let refused = client.response_to("POST").unwrap();
        assert_eq!((refused.status, refused.text().as_str()), (413, "Request Entity Too Large"));
        assert_eq!(client.until_end(Duration::from_secs(2)).1, End::Closed, "{host}");
    }
    let seen = site.backend.take();
    let whole: Vec<_> = seen.iter().filter(|one| one.complete).map(|one| one.body.len()).collect();
    assert_eq!(whole, [10, 10, 10], "what is too long never looks complete");
    for tape in site.backend.tapes() {
        assert!(!String::from_utf8_lossy(&tape).contains('x'), "a byte too many was sent");
    }
}

#[test]
fn a_body_of_any_length_takes_no_memory() {
    let site = site(Backend::start());
    let before = site.process.resident_bytes();
    let mut client = site.client();
    client
        .send("POST / HTTP/1.1\r\nHost: small.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        .unwrap();
    let block = "x".repeat(1 << 20);
    for _ in 0..64 {
        if client.send(format!("100000\r\n{block}\r\n")).is_err() {
            break;
        }
    }
    let grown = site.process.resident_bytes().saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes are held");
}

#[test]
fn a_body_without_a_length_over_http2_is_refused_in_the_middle() {
    let site = site(Backend::start());
    let ask = |body: &[u8], length: Option<usize>| {
        let mut fields = vec![("Host".to_owned(), "small.test".to_owned())];
        fields.extend(length.map(|length| ("Content-Length".to_owned(), length.to_string())));
        let head = Head { line: "POST / HTTP/1.1".to_owned(), headers: Headers(fields) };
        let mut client = Http2Client::connect(site.process.address("web")).unwrap();
        client.ask(&head, body).unwrap().status
    };
    for length in [false, true] {
        let said = |body: &[u8]| length.then_some(body.len());
        assert_eq!(ask(b"0123456789", said(b"0123456789")), 200);
        assert_eq!(ask(b"0123456789x", said(b"0123456789x")), 413);
    }
}

#[test]
fn a_response_that_has_begun_breaks_off_when_the_body_proves_too_long() {
    let early = |_: &_| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun";
        Some(vec![Step::Write(head.into()), Step::Wait(Duration::from_secs(5))])
    };
    let site = site(Backend::with(None, early, script::standard));
    let mut client = site.client();
    client.send(chunked("small.test", &["01234"])).unwrap();
    assert_eq!(client.head().unwrap().part(1), "200");
    assert_eq!(client.bytes(5).unwrap(), b"begun");
    client.send("6\r\n56789x\r\n").unwrap();
    let (rest, end) = client.until_end(Duration::from_secs(2));
    assert_eq!((rest.len(), end != End::Open), (0, true));
}

fn ask(site: &Site, host: &str) -> String {
    let mut client: Client = site.client();
    let response = client.ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).unwrap();
    let mut fields = response.headers.sorted();
    fields.retain(|(name, _)| !["date", "content-length"].contains(&name.as_str()));
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{} {} {}", response.status, fields.join(", "), response.text())
}

#[test]
fn clients_of_denied_addresses_are_kept_out() {
    let site = site(Backend::start());
    assert_eq!(ask(&site, "denied.test"), "404 x-outer: 1 Not Found");
    assert!(ask(&site, "others.test").starts_with("200"));
    assert_eq!(site.backend.take().len(), 1);
}

#[test]
fn maintenance_answers_in_the_place_of_servers() {
    let site = site(Backend::start());
    assert_eq!(
        ask(&site, "closed.test"),
        "503 content-type: text/html, retry-after: 120, x-a: 1, x-outer: 1 <p>soon"
    );
    let head = site.client().ask("HEAD / HTTP/1.1\r\nHost: closed.test\r\n\r\n").unwrap();
    assert_eq!((head.status, head.body.len()), (503, 0));
    assert!(ask(&site, "open.test").starts_with("200"));
    assert!(ask(&site, "broken.test").starts_with("500"));
    assert_eq!(site.backend.take().len(), 1);
}
