//! Services: weights, several servers, server URLs, host headers, TLS to servers.

use std::fmt::Write as _;

use portway_testkit::backend::Backend;
use portway_testkit::certificate::Certificate;
use portway_testkit::client::Client;
use portway_testkit::process::Setup;

use super::pair::{Case, Pair, Side, answer};

const DYNAMIC: &str = r#"
http:
  routers:
    equal: {rule: "Host(`equal.test`)", service: equal}
    weights: {rule: "Host(`weights.test`)", service: weights}
    weighted: {rule: "Host(`weighted.test`)", service: weighted}
    nested: {rule: "Host(`nested.test`)", service: nested}
    zero: {rule: "Host(`zero.test`)", service: zero}
    hosts: {rule: "Host(`hosts.test`)", service: hosts}
    based: {rule: "Host(`based.test`)", service: based}
    kept: {rule: "Host(`kept.test`)", service: kept}
    half: {rule: "Host(`half.test`)", service: half}
    onedead: {rule: "Host(`onedead.test`)", service: onedead}
    plainmw: {rule: "Host(`slashes.test`)", service: slashes}
  services:
    equal: {loadBalancer: {servers: [{url: "http://@@backend0@@"}, {url: "http://@@backend1@@"}, {url: "http://@@backend2@@"}]}}
    weights: {loadBalancer: {servers: [{url: "http://@@backend0@@", weight: 3}, {url: "http://@@backend1@@", weight: 1}]}}
    zero: {loadBalancer: {servers: [{url: "http://@@backend0@@", weight: 0}, {url: "http://@@backend1@@"}]}}
    one: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    two: {loadBalancer: {servers: [{url: "http://@@backend1@@"}]}}
    three: {loadBalancer: {servers: [{url: "http://@@backend2@@"}]}}
    weighted: {weighted: {services: [{name: one, weight: 4}, {name: two, weight: 1}, {name: three@file}]}}
    nested: {weighted: {services: [{name: weighted, weight: 1}, {name: three, weight: 1}]}}
    hosts: {loadBalancer: {passHostHeader: false, servers: [{url: "http://@@backend0@@"}]}}
    based: {loadBalancer: {servers: [{url: "http://@@backend0@@/base/path?query=1"}]}}
    kept: {loadBalancer: {servers: [{url: "http://@@backend0@@/base/path", preservePath: true}]}}
    slashes: {loadBalancer: {servers: [{url: "http://@@backend0@@/"}]}}
    half: {weighted: {services: [{name: one, weight: 1}, {name: nothing, weight: 1}]}}
    nothing: {loadBalancer: {servers: []}}
    onedead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}, {url: "http://@@backend0@@"}]}}
"#;

const SECURE: &str = r#"
http:
  routers:
    strict: {rule: "Host(`strict.test`)", service: strict}
    lenient: {rule: "Host(`lenient.test`)", service: lenient}
    named: {rule: "Host(`named.test`)", service: named}
    misnamed: {rule: "Host(`misnamed.test`)", service: misnamed}
    plain: {rule: "Host(`plain.test`)", service: plain}
  services:
    strict: {loadBalancer: {servers: [{url: "https://@@backend0@@"}]}}
    lenient: {loadBalancer: {serversTransport: lenient, servers: [{url: "https://@@backend0@@"}]}}
    named: {loadBalancer: {serversTransport: named, servers: [{url: "https://@@backend0@@"}]}}
    misnamed: {loadBalancer: {serversTransport: misnamed, servers: [{url: "https://@@backend0@@"}]}}
    plain: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  serversTransports:
    lenient: {insecureSkipVerify: true, disableHTTP2: true}
    named: {serverName: server.test, rootCAs: ["@@folder@@/dynamic/root.pem"], disableHTTP2: true}
    misnamed: {serverName: other.test, rootCAs: ["@@folder@@/dynamic/root.pem"], disableHTTP2: true}
"#;

#[test]
fn weights_share_requests_as_in_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 3) else { return };
    for host in ["equal", "weights", "weighted", "nested", "zero", "half", "onedead"] {
        // A multiple of every sum of weights: where the turn begins does not matter.
        let shares = pair.sides.each_ref().map(|side| shares(side, &format!("{host}.test"), 120));
        pair.compare_texts(host, shares);
    }
    pair.finish();
}

#[test]
fn server_urls_are_used_as_in_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 3) else { return };
    for host in ["hosts.test", "hosts.test:99", "based.test", "kept.test", "slashes.test"] {
        for target in ["/", "/x", "/x/y?z=1", "/x%2Fy", "/?z", "/base/path"] {
            pair.compare(&Case::get(host, target, ""));
        }
    }
    pair.finish();
}

#[test]
fn servers_are_reached_by_tls_as_in_traefik() {
    let certificate = Certificate::for_names(&["server.test"]);
    let mut setup = Setup::web(SECURE);
    setup.files.push(("root.pem".to_owned(), certificate.certificate_pem.clone()));
    let backends = || {
        let early = |_: &portway_testkit::message::Head| None;
        vec![Backend::with(Some(certificate.server()), early, answer)]
    };
    let Some(mut pair) = Pair::start_with(&setup, backends) else { return };
    for host in ["strict", "lenient", "named", "misnamed", "plain"] {
        pair.compare(&Case::get(&format!("{host}.test"), "/x", ""));
    }
    pair.finish();
}

fn shares(side: &Side, host: &str, requests: usize) -> String {
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for backend in &side.backends {
        let _ = backend.take();
    }
    for _ in 0..requests {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer =
            Client::connect(side.process.address("web")).and_then(|mut client| client.ask(request));
        *statuses.entry(answer.expect("an answer").status).or_default() += 1;
    }
    let mut text = format!("{statuses:?}\n");
    for (index, backend) in side.backends.iter().enumerate() {
        let _ = writeln!(text, "backend {index}: {}", backend.take().len());
    }
    text
}
