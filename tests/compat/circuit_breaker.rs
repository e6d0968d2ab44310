//! `circuitBreaker`: when what fails is asked no more, and what is answered then.

use std::time::Duration;

use portway_testkit::client::Client;
use portway_testkit::process::Setup;

use super::pair::{Case, Pair};
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    errors: {rule: "Host(`errors.test`)", service: s, middlewares: [mark, errors]}
    other: {rule: "Host(`other.test`)", service: s, middlewares: [errors]}
    twice: {rule: "Host(`twice.test`)", service: s, middlewares: [errors, errors]}
    network: {rule: "Host(`network.test`)", service: dead, middlewares: [network]}
    latency: {rule: "Host(`latency.test`)", service: s, middlewares: [latency]}
    some: {rule: "Host(`some.test`)", service: s, middlewares: [some]}
    bare: {rule: "Host(`bare.test`)", service: s, middlewares: [bare]}
    quiet: {rule: "Host(`quiet.test`)", service: s, middlewares: [quiet]}
    soon: {rule: "Host(`soon.test`)", service: s, middlewares: [soon]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    dead: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}}
  middlewares:
    mark: {headers: {customResponseHeaders: {X-Mark: "1"}}}
    errors: {circuitBreaker: {expression: "ResponseCodeRatio(500, 600, 0, 600) > 0.49", checkPeriod: 1ms, fallbackDuration: 1m}}
    network: {circuitBreaker: {expression: "NetworkErrorRatio() > 0.30", checkPeriod: 1ms, responseCode: 418}}
    latency: {circuitBreaker: {expression: "LatencyAtQuantileMS(50.0) > 40", checkPeriod: 1ms}}
    some: {circuitBreaker: {expression: "ResponseCodeRatio(400, 405, 0, 600) >= 0.5 && (NetworkErrorRatio() < 0.1)", checkPeriod: 1ms}}
    bare: {circuitBreaker: {expression: "NetworkErrorRatio() == 0.0", checkPeriod: 1ms, responseCode: 204}}
    quiet: {circuitBreaker: {expression: "LatencyAtQuantileMS(50.0) > 10000"}}
    soon: {circuitBreaker: {expression: "ResponseCodeRatio(500, 600, 0, 600) > 0.9", checkPeriod: 1ms, fallbackDuration: 300ms, recoveryDuration: 1ms}}
    defaults: {circuitBreaker: {expression: "NetworkErrorRatio() > 0.1"}}
"#;

/// What each host is asked, one after the other.
const WALKS: &[(&str, &[&str])] = &[
    ("errors", &["/", "/status-500", "/", "/", "/status-404"]),
    ("other", &["/", "/", "/status-500", "/status-500", "/", "/"]),
    ("twice", &["/", "/status-500", "/"]),
    ("network", &["/", "/", "/"]),
    ("latency", &["/", "/slow", "/slow", "/", "/"]),
    ("some", &["/", "/", "/status-404", "/status-404", "/", "/"]),
    ("bare", &["/", "/", "/"]),
    ("quiet", &["/", "/status-500", "/"]),
];

#[test]
fn circuits_break_as_by_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for (host, paths) in WALKS {
        for path in *paths {
            pair.compare(&Case::get(&format!("{host}.test"), path, ""));
            // What came of a request is recorded a moment after it.
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}

#[test]
fn a_circuit_closes_again_as_by_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    let walk = |pair: &Pair| {
        pair.sides.each_ref().map(|side| {
            let mut statuses = String::new();
            for (path, pause) in [("/status-500", 5), ("/", 400), ("/", 5), ("/", 5), ("/", 5)] {
                let mut client =
                    Client::connect(side.process.address("web")).expect("a connection");
                let request = format!("GET {path} HTTP/1.1\r\nHost: soon.test\r\n\r\n");
                let status = client.ask(request).expect("an answer").status;
                statuses.push_str(&format!("{path} {status}\n"));
                std::thread::sleep(Duration::from_millis(pause));
            }
            statuses
        })
    };
    let texts = walk(&pair);
    assert!(texts[1].contains("/ 503\n/ 200\n"), "{}", texts[1]);
    pair.compare_texts("a circuit closes", texts);
    pair.finish();
}
