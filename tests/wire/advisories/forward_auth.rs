//! What advisories told of `forwardAuth`: whom the server that is asked believes, and what it may cost.

use std::time::{Duration, Instant};

use portway_testkit::backend::{Backend, Received, Step, script};
use portway_testkit::process::Setup;

use super::super::Site;

const DYNAMIC: &str = r#"
http:
  routers:
    all: {rule: "PathPrefix(`/`)", service: s, middlewares: [auth]}
  middlewares:
    auth: {forwardAuth: {@@settings@@}}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend@@"}]}}
"#;

/// Behind a proxy that is trusted, so that what clients say of themselves comes as far as the middleware.
fn site(auth: &Backend, settings: &str) -> Site {
    let settings = format!("address: \"{}/verify\"{settings}", auth.url());
    let setup = Setup::web(&DYNAMIC.replace("@@settings@@", &settings));
    let flags = ["--entryPoints.web.forwardedHeaders.insecure=true"];
    Site::with(Backend::start(), &setup, &flags)
}

fn lets_in(_: &Received) -> Vec<Step> {
    vec![Step::Write(script::response("200 OK", "X-User: test\r\n", ""))]
}

/// All values of a field, by its name or by one that some servers take for the same.
fn values<'a>(received: &'a Received, name: &str) -> Vec<&'a str> {
    let fields = received.head.headers.0.iter();
    let named = fields.filter(|(other, _)| other.replace('_', "-").eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str()).collect()
}

#[track_caller]
fn ask(site: &Site, fields: &str) -> u16 {
    let request = format!("GET /x HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n");
    site.client().ask(request).expect("an answer").status
}

/// The only request that a server got.
#[track_caller]
fn only(backend: &Backend) -> Received {
    let [received] = &backend.take()[..] else { panic!("not one request") };
    received.clone()
}

#[test]
fn cve_2026_35051_who_is_not_trusted_says_nothing_of_prefixes() {
    let auth = Backend::scripted(lets_in);
    let site = site(&auth, ", trustForwardHeader: false");
    let forged = "X-Forwarded-Prefix: /admin\r\nX_Forwarded_Prefix: /admin\r\nX-Forwarded-For: 9.9.9.9\r\n\
                  X-Forwarded-Host: evil\r\nX-Forwarded-Uri: /open\r\nX-Forwarded-Method: PUT\r\nX-Real-Ip: 9.9.9.9\r\n";
    assert_eq!(ask(&site, forged), 200);
    let asked = only(&auth);
    assert_eq!(values(&asked, "X-Forwarded-Prefix"), [""; 0]);
    assert_eq!(values(&asked, "X-Forwarded-For"), ["127.0.0.1"]);
    assert_eq!(values(&asked, "X-Forwarded-Host"), ["a.test"]);
    assert_eq!(values(&asked, "X-Forwarded-Uri"), ["/x"]);
    assert_eq!(values(&asked, "X-Forwarded-Method"), ["GET"]);
    assert_eq!(values(&asked, "X-Real-Ip"), [""; 0]);
}

#[test]
fn cve_2026_54764_nor_of_the_scheme_and_by_it_of_the_port() {
    let auth = Backend::scripted(lets_in);
    let site = site(&auth, ", trustForwardHeader: false");
    assert_eq!(ask(&site, "X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n"), 200);
    let asked = only(&auth);
    assert_eq!(values(&asked, "X-Forwarded-Proto"), ["http"]);
    assert_eq!(values(&asked, "X-Forwarded-Port"), ["80"]);
}

#[test]
fn no_client_says_what_is_for_the_server_that_is_asked_to_say() {
    let auth = Backend::scripted(lets_in);
    for settings in [
        ", authResponseHeaders: [X-User, X-Groups]",
        ", authResponseHeadersRegex: \"^X-(User|Groups)$\"",
    ] {
        let site = site(&auth, settings);
        let forged = "X-User: admin\r\nx-user: root\r\nX-Groups: admins\r\nX_User: admin\r\nx_groups: admins\r\n";
        assert_eq!(ask(&site, forged), 200);
        let received = only(&site.backend);
        assert_eq!(values(&received, "X-User"), ["test"], "{settings}");
        assert_eq!(values(&received, "X-Groups"), [""; 0], "{settings}");
    }
}

#[test]
fn cve_2026_26998_an_endless_answer_costs_no_memory() {
    let endless = |_: &Received| {
        [script::write("HTTP/1.1 200 OK\r\n\r\n"), vec![Step::Fill(1 << 34)]].concat()
    };
    for settings in ["", ", maxResponseBodySize: 1000"] {
        let auth = Backend::scripted(endless);
        let site = site(&auth, settings);
        let start = Instant::now();
        assert_eq!(ask(&site, ""), 401, "{settings}");
        assert!(start.elapsed() < Duration::from_secs(5), "{settings}");
        assert!(site.backend.take().is_empty(), "{settings}");
        assert!(site.process.resident_bytes() < 200 << 20, "{settings}");
    }
}
