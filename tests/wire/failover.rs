//! What `failover` does that Traefik does not.

use portway_testkit::backend::{Backend, script};
use portway_testkit::process::Setup;

use super::{Site, get};

const SITE: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: either, entryPoints: [web]}
  services:
    either: {failover: {service: main, fallback: other, errors: {status: ["500-599"]}}}
    main: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
    other: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
"#;

fn site() -> Site {
    let backend = Backend::scripted(|received| {
        script::by_path(received)
            .unwrap_or_else(|| script::write("HTTP/1.1 204 No Content\r\n\r\n"))
    });
    Site::with(backend, &Setup::web(SITE), &[])
}

#[test]
fn trailers_pass_and_errors_of_unknown_length_are_errors() {
    let site = site();
    let response = site.client().ask(get("/trailers")).expect("an answer");
    assert_eq!((response.status, response.trailers.value("X-Sum")), (200, Some("9")));
    let response = site.client().ask(get("/failed-chunked")).expect("an answer");
    assert_eq!(response.status, 502, "the fallback's, which is down");
}

#[test]
fn a_body_that_is_too_long_to_be_kept_is_sent_once() {
    let site = site();
    let mut client = site.client();
    let length = 65 << 20;
    let head = format!("POST /status-500 HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    client.send(head).expect("a head");
    client.send(vec![b'x'; length]).expect("a body");
    let response = client.response_to("POST").expect("an answer");
    assert_eq!(response.status, 500, "the answer of the service that is asked first");
    let received = site.backend.take();
    assert_eq!((received.len(), received[0].body.len()), (1, length));
    let short = "POST /status-500 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(site.client().ask(short).expect("an answer").status, 502, "the fallback is asked");
}
