use serde_json::json;

use super::*;
use crate::{
    dynamic::{Middleware, Service},
    toml, yaml,
};

fn read(text: &str) -> Config {
    let documents = yaml::parse(text).unwrap();
    config(&documents[0].node, "a.yml")
}

fn shown<T>(entry: &Entry<T>) -> Vec<String> {
    entry.problems.iter().map(|problem| format!("{} {problem}", problem.at.line)).collect()
}

const WHOLE: &str = r#"
http:
  routers:
    web:
      rule: Host(`a.test`)
      entryPoints: [web, other]
      middlewares: [auth, "strip@file"]
      service: app
      priority: 7
      tls: {options: modern, domains: [{main: a.test, sans: [b.test]}]}
      observability: {accessLogs: false}
  services:
    app:
      loadBalancer:
        servers:
          - {url: "http://10.0.0.1:80", weight: 2, preservePath: true}
          - url: http://10.0.0.2
        passHostHeader: false
        serversTransport: own
    split:
      weighted: {services: [{name: app, weight: 3}, {name: other}]}
  middlewares:
    auth: {basicAuth: {users: ["a:{SHA}x"], realm: r, removeHeader: true}}
    strip: {stripPrefix: {prefixes: [/x]}}
  serversTransports:
    own: {insecureSkipVerify: true, forwardingTimeouts: {dialTimeout: 1s}}
tls:
  certificates: [{certFile: a.pem, keyFile: a.key}]
  options: {modern: {minVersion: VersionTLS13, clientAuth: {caFiles: [ca.pem]}}}
  stores: {default: {defaultCertificate: {certFile: d.pem, keyFile: d.key}}}
"#;

#[test]
fn a_whole_file_reads_as_in_traefik() {
    let config = read(WHOLE);
    assert_eq!(config.diagnostics, []);
    let router = &config.http.routers["web"];
    assert_eq!(router.place.as_ref().map(ToString::to_string).as_deref(), Some("a.yml:4"));
    assert_eq!(
        serde_json::to_value(&*router.spec).unwrap(),
        json!({
            "entryPoints": ["web", "other"], "middlewares": ["auth", "strip@file"],
            "service": "app", "rule": "Host(`a.test`)", "priority": 7,
            "tls": {"options": "modern", "domains": [{"main": "a.test", "sans": ["b.test"]}]},
            "observability": {"accessLogs": false}
        })
    );
    assert_eq!(
        serde_json::to_value(&*config.http.services["app"].spec).unwrap(),
        json!({"loadBalancer": {
            "servers": [
                {"url": "http://10.0.0.1:80", "weight": 2, "preservePath": true},
                {"url": "http://10.0.0.2"}
            ],
            "strategy": "wrr", "passHostHeader": false,
            "responseForwarding": {"flushInterval": "100ms"}, "serversTransport": "own"
        }})
    );
    assert!(config.http.services.values().all(|entry| entry.problems.is_empty()));
    assert!(config.http.middlewares.values().all(|entry| entry.problems.is_empty()));
    let timeouts = config.http.servers_transports["own"].spec.forwarding_timeouts;
    assert_eq!(timeouts.dial_timeout.to_string(), "1s");
    assert_eq!(timeouts.idle_conn_timeout.to_string(), "1m30s");
    assert_eq!(config.tls.certificates[0].spec.key.written, "a.key");
    let authorities = &config.tls.options["modern"].spec.client_auth.authorities;
    assert_eq!(authorities[0].written, "ca.pem");
    let default = config.tls.stores["default"].spec.default_certificate.as_ref().unwrap();
    assert_eq!(default.cert.written, "d.pem");
}

#[test]
fn toml_reads_as_yaml_does() {
    let text = "[http.routers.web]\nrule = \"Path(`/`)\"\nservice = \"s\"\ntls = {}\n[[http.services.s.loadBalancer.servers]]\nurl = \"http://a\"\n";
    let read = config(&toml::parse(text).unwrap(), "a.toml");
    assert!(read.http.routers["web"].spec.tls.is_some());
    let Service::LoadBalancer(service) = &*read.http.services["s"].spec else {
        panic!("no servers")
    };
    assert_eq!(service.servers[0].url, "http://a");
}

#[test]
fn a_fault_stays_with_its_object() {
    let config = read(
        "http:\n  routers:\n    a:\n      rule: Path(`/`)\n      priorty: 3\n      service: [x]\n    b: {rule: x, service: y}\n",
    );
    let faulty = &config.http.routers["a"];
    assert_eq!(
        shown(faulty),
        [
            "6 service: expected a single value, found a list",
            "5 priorty: unknown field `priorty`; did you mean `priority`?"
        ]
    );
    assert!(faulty.is_disabled());
    assert_eq!(faulty.spec.rule, "Path(`/`)");
    assert!(!config.http.routers["b"].is_disabled());
}

#[test]
fn a_file_keeps_what_no_object_can_carry() {
    let config = read(
        "htpp: {}\nhttp: {routers: [], models: {}}\ntcp: {routers: {a: {rule: x}}}\nudp: {}\n",
    );
    let lines: Vec<_> = config.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "file a.yml, tcp: `tcp` is not served by this version of Portway yet (a.yml:3)",
            "file a.yml, htpp: unknown field `htpp`; did you mean `http`? (a.yml:1)",
            "file a.yml, http.routers: expected a mapping of names, found a list (a.yml:2)",
            "file a.yml, http.models: unknown field `models`; known fields are `routers`, `services`, `middlewares`, `serversTransports` (a.yml:2)",
        ]
    );
}

#[test]
fn kinds_whose_defaults_are_enough_may_be_switched_on() {
    let config = read("http: {middlewares: {a: {contentType: true}, b: {compress: 'true'}}}");
    for name in ["a", "b"] {
        let entry = &config.http.middlewares[name];
        assert!(entry.problems.is_empty(), "{:?}", entry.problems);
    }
    assert_eq!(*config.http.middlewares["a"].spec, Middleware::ContentType(Default::default()));
    let other = read("http: {middlewares: {a: {stripPrefix: true}}}");
    assert!(other.http.middlewares["a"].is_disabled());
}

#[track_caller]
fn check(middleware_text: &str, problem: &str, json: serde_json::Value) {
    let text = format!("http: {{middlewares: {{m: {middleware_text}}}}}");
    let config = read(&text);
    let entry = &config.http.middlewares["m"];
    let problems: Vec<_> = entry.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, [problem]);
    assert!(entry.is_disabled());
    if *entry.spec != Middleware::Unreadable {
        assert_eq!(serde_json::to_value(&*entry.spec).unwrap(), json);
    }
}

#[test]
fn middlewares_that_are_not_served_are_known_and_closed() {
    check(
        "{plugin: {demo: {a: 3}}}",
        "plugin: middleware kind `plugin` is not served by this version of Portway yet",
        json!({"plugin": {"demo": {"a": 3}}}),
    );
    check(
        "{retyr: {attempts: 3}}",
        "retyr: unknown field `retyr`; did you mean `retry`?",
        json!(null),
    );
    check("{}", "names no kind; a kind is a field such as `addPrefix`", json!(null));
    check(
        "{addPrefix: {prefix: /a}, stripPrefix: {prefixes: [/b]}}",
        "cannot create middleware: multi-types middleware not supported, consider declaring two different pieces of middleware instead",
        json!({"addPrefix": {"prefix": "/a"}, "stripPrefix": {"prefixes": ["/b"]}}),
    );
    check(
        "{basicAuth: {user: [a]}}",
        "basicAuth.user: unknown field `user`; did you mean `users`?",
        json!({"basicAuth": {}}),
    );
}

/// A middleware reads without problems, and the API shows it so.
#[track_caller]
fn shows(middleware_text: &str, json: &serde_json::Value) {
    let config = read(&format!("http: {{middlewares: {{m: {middleware_text}}}}}"));
    let entry = &config.http.middlewares["m"];
    assert!(entry.problems.is_empty(), "{:?}", entry.problems);
    assert_eq!(serde_json::to_value(&*entry.spec).unwrap(), *json);
}

#[test]
fn middlewares_are_shown_as_in_traefik() {
    shows(
        "{headers: {sslRedirect: true, featurePolicy: a, sslForceHost: false}}",
        &json!({"headers": {"featurePolicy": "a", "sslRedirect": true, "sslForceHost": false}}),
    );
    shows(
        "{headers: {stsSeconds: 0, frameDeny: false, forceSTSHeader: true, accessControlMaxAge: 0}}",
        &json!({"headers": {"stsSeconds": 0, "forceSTSHeader": true, "accessControlMaxAge": 0}}),
    );
    shows(
        "{ipAllowList: {sourceRange: [a], ipStrategy: {ipv6Subnet: 64, excludedIPs: b}}}",
        &json!({"ipAllowList": {
            "sourceRange": ["a"], "ipStrategy": {"ipv6Subnet": 64, "excludedIPs": ["b"]}
        }}),
    );
    shows(
        "{ipWhiteList: {sourceRange: [a], ipStrategy: {}}}",
        &json!({"ipWhiteList": {"sourceRange": ["a"], "ipStrategy": {}}}),
    );
    shows(
        "{stripPrefixRegex: {regex: [a, 'b,c']}}",
        &json!({"stripPrefixRegex": {"regex": ["a", "b,c"]}}),
    );
    shows(
        "{encodedCharacters: {allowEncodedHash: true, allowEncodedSlash: false}}",
        &json!({"encodedCharacters": {"allowEncodedHash": true}}),
    );
}

/// The words of a `healthCheck` and its problems.
#[track_caller]
fn checked(written: &str, expected: &[&str]) -> Service {
    let text = format!("http: {{services: {{s: {{loadBalancer: {{{written}}}}}}}}}");
    let config = read(&text);
    let entry = &config.http.services["s"];
    let problems: Vec<_> = entry.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected);
    (*entry.spec).clone()
}

#[test]
fn health_checks_have_defaults_and_say_what_stands_in() {
    let service = checked("healthCheck: {path: /h, port: 81, headers: {A: b}}", &[]);
    let shown = serde_json::to_value(&service).unwrap();
    let expected = json!({
        "mode": "http", "path": "/h", "port": 81, "interval": "30s", "timeout": "5s",
        "followRedirects": true, "headers": {"A": "b"},
    });
    assert_eq!(shown["loadBalancer"]["healthCheck"], expected);
    let service = checked("passiveHealthCheck: {}", &[]);
    let shown = serde_json::to_value(&service).unwrap();
    let expected = json!({"failureWindow": "10s", "maxFailedAttempts": 1});
    assert_eq!(shown["loadBalancer"]["passiveHealthCheck"], expected);
    let default = "must be positive; the default of 30s is used instead";
    checked(
        "healthCheck: {interval: 0s}",
        &[&format!("loadBalancer.healthCheck.interval: {default}")],
    );
    checked(
        "healthCheck: {unhealthyInterval: -1s}",
        &[&format!("loadBalancer.healthCheck.unhealthyInterval: {default}")],
    );
}

#[test]
fn what_stickiness_cannot_mean_is_a_warning() {
    let config = read(
        "http: {services: {s: {loadBalancer: {strategy: hrw, sticky: {cookie: {sameSite: laks, domain: a_b}}}}, \
         t: {weighted: {sticky: {}}}, u: {loadBalancer: {sticky: {cookie: {path: '', maxage: 3}}}}, \
         v: {loadBalancer: {sticky: {cokie: {}}}}}}",
    );
    let problems = |name: &str| -> Vec<_> {
        config.http.services[name].problems.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        problems("s"),
        [
            "loadBalancer.sticky.cookie.sameSite: `laks` is none of `none`, `lax`, `strict` and has no effect; did \
             you mean `lax`?",
            "loadBalancer.sticky.cookie.domain: `a_b` is no domain and has no effect",
            "loadBalancer.sticky: has no effect with strategy `hrw`, which keeps each client with a server by its \
             address",
        ]
    );
    assert_eq!(problems("t"), ["weighted.sticky: has no effect without `cookie`"]);
    assert!(problems("u").is_empty());
    let shown = serde_json::to_value(&*config.http.services["u"].spec).unwrap();
    assert_eq!(
        shown["loadBalancer"]["sticky"],
        json!({"cookie": {"maxAge": 3, "path": ""}}),
        "as Traefik shows it"
    );
    assert!(config.http.services["v"].is_disabled());
    assert_eq!(
        problems("v"),
        ["loadBalancer.sticky.cokie: unknown field `cokie`; did you mean `cookie`?"]
    );
}

#[test]
fn a_service_of_several_kinds_is_closed() {
    let config = read(
        "http: {services: {s: {loadBalancer: {}, middlewares: [a]}, t: {failover: {service: s}}, u: {loadBalancer: {}, weighted: {}}}}",
    );
    let services = &config.http.services;
    assert_eq!(services["s"].spec.middlewares(), ["a"]);
    assert!(!services["s"].is_disabled() && !services["t"].is_disabled());
    let several = &services["u"];
    assert!(several.is_disabled() && several.problems[0].message.contains("multi-types service"));
}

#[test]
fn tls_without_a_value_is_none_and_is_warned_about() {
    let config = read(
        "http: {routers: {a: {rule: x, service: y, tls: }, b: {rule: x, service: y, tls: true}}}",
    );
    let a = &config.http.routers["a"];
    assert!(a.spec.tls.is_none() && a.problems.len() == 1 && !a.is_disabled());
    assert!(config.http.routers["b"].spec.tls.is_some());
}

#[test]
fn transports_that_would_trust_too_much_are_closed() {
    let config = read(
        "http: {serversTransports: {t: {spiffe: {trustDomain: a}}, u: {certificates: [{certFile: a}]}}}",
    );
    assert!(config.http.servers_transports["t"].is_disabled());
    assert_eq!(
        config.http.servers_transports["u"].problems[0].to_string(),
        "certificates[0].keyFile: is missing; write a path or PEM text"
    );
}
