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
