//! What the API and the log are told.

use std::{collections::BTreeMap, sync::Arc};

use portway_model::{Names, Severity, dynamic::TraceVerbosity, runtime::Status};

use super::{compiled, compiled_after, config, run, settings};

const SITE: &str = "http:
  routers:
    a: {rule: 'Host(`a`)', service: s, middlewares: [one, ch, one]}
    b: {rule: 'Host(`b`)', service: w}
    w: {rule: 'Host(`w`)', service: whoami@internal}
    x: {rule: 'Host(', service: s, middlewares: [one]}
  services:
    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1', weight: 0}, {url: 'http://127.0.0.1:2'}]}}
    w: {weighted: {services: [{name: s}]}}
    t: {loadBalancer: {serversTransport: t}}
    loop: {weighted: {services: [{name: loop}]}}
  serversTransports: {t: {insecureSkipVerify: true}}
  middlewares:
    one: {addPrefix: {prefix: /x}}
    ch: {chain: {middlewares: [one]}}
    unused: {chain: {middlewares: [one]}}
";

fn users(used_by: &Names<()>) -> Vec<&str> {
    used_by.keys().collect()
}

#[test]
fn users_are_the_routers_that_name_a_service_or_middleware() {
    let runtime = compiled(SITE).runtime;
    assert_eq!(users(&runtime.services["s@file"].used_by), ["a@file", "x@file"]);
    assert_eq!(users(&runtime.services["w@file"].used_by), ["b@file"]);
    assert!(runtime.services["t@file"].used_by.is_empty());
    assert_eq!(users(&runtime.middlewares["one@file"].used_by), ["a@file", "x@file"]);
    assert_eq!(users(&runtime.middlewares["ch@file"].used_by), ["a@file"]);
}

#[test]
fn portways_own_service_is_listed_where_a_router_uses_it() {
    assert_eq!(users(&compiled(SITE).runtime.services["whoami@internal"].used_by), ["w@file"]);
    let without = compiled("http: {}").runtime;
    let names: Vec<_> = without.services.keys().collect();
    assert_eq!(names, ["api@internal", "dashboard@internal", "noop@internal", "ping@internal"]);
}

#[test]
fn objects_are_shown_as_traefik_shows_them() {
    let runtime = compiled(SITE).runtime;
    let shown = |name: &str| serde_json::to_value(&*runtime.middlewares[name].middleware).unwrap();
    assert_eq!(shown("ch@file")["chain"]["middlewares"][0], "one@file");
    assert_eq!(shown("unused@file")["chain"]["middlewares"][0], "one");
    let shown = |name: &str| serde_json::to_value(&*runtime.services[name].service).unwrap();
    assert_eq!(shown("w@file")["weighted"]["services"][0]["weight"], 1);
    assert_eq!(shown("t@file")["loadBalancer"]["serversTransport"], "t@file");
    let info = &runtime.routers["a@file"];
    let middlewares: Vec<_> = info.middlewares.iter().map(|name| &**name).collect();
    assert_eq!(middlewares, ["one@file", "ch@file", "one@file"]);
    assert_eq!((info.router.service.as_str(), info.priority), ("s", 9));
    assert_eq!(info.observability.trace_verbosity, Some(TraceVerbosity::Minimal));
}

#[test]
fn what_records_say_of_a_routers_origin_is_shown_beside_the_entry_points_choice() {
    use portway_model::dynamic::{IngressMetadata, Observability, ObservabilityMetadata};
    let mut config = super::config(SITE);
    let router = config.http.routers.get_mut("a").unwrap().spec_mut();
    let ingress = IngressMetadata {
        kind: "Ingress",
        namespace: "default".to_owned(),
        name: "web".to_owned(),
    };
    let metadata = ObservabilityMetadata { ingress: Some(ingress) };
    router.observability =
        Some(Observability { metadata: Some(Box::new(metadata)), ..Observability::default() });
    let configs = [("kubernetes".to_owned(), std::sync::Arc::new(config))].into();
    let runtime = super::run(&configs, &super::settings(), None).runtime;
    let shown = serde_json::to_value(&runtime.routers["a@kubernetes"].observability).unwrap();
    assert_eq!(
        shown["metadata"],
        serde_json::json!({"ingress": {
            "kind": "Ingress", "namespace": "default", "name": "web",
        }})
    );
    assert_eq!(shown["accessLogs"], true);
}

/// Seen on Traefik 3.7.15: a server of weight 0 is up as well.
#[test]
fn every_server_has_a_status() {
    let runtime = compiled(SITE).runtime;
    let status: Vec<_> = runtime.services["s@file"].server_status().collect();
    assert_eq!(status, [("http://127.0.0.1:1", "UP"), ("http://127.0.0.1:2", "UP")]);
}

/// Seen on Traefik 3.7.15.
#[test]
fn a_circle_is_told_where_it_was_entered() {
    let info = &compiled(SITE).runtime.services["loop@file"];
    let circle = "could not instantiate service loop@file: recursion detected in \
                  service:loop@file->service:loop@file";
    let expected = [circle.to_owned(), format!("building HTTP service \"loop\": {circle}")];
    assert_eq!((info.status, info.errors.as_slice()), (Status::Disabled, &expected[..]));
}

const WARNED: &str = "http:
  middlewares:
    odd: {basicAuth: {users: ['u:plain']}}
    broken: {basicAuth: {users: ['u:plain', 'v:$2y$31$......................'], headerField: 'a b'}}
  serversTransports: {t: {rootCAs: [x]}, bad: {serverName: 'a b'}, worse: {nope: 1}}
";

/// Diagnostics as the log has them.
fn diagnostics(snapshot: &crate::Snapshot) -> Vec<String> {
    let severity = |severity| if severity == Severity::Error { "error" } else { "warning" };
    let all = snapshot.runtime.diagnostics.iter();
    all.map(|diagnostic| format!("{} {diagnostic}", severity(diagnostic.severity))).collect()
}

#[test]
fn what_a_middleware_survives_is_a_diagnostic_and_no_error() {
    let snapshot = compiled(WARNED);
    let odd = &snapshot.runtime.middlewares["odd@file"];
    assert_eq!((odd.status, odd.errors.len()), (Status::Enabled, 0));
    let broken = &snapshot.runtime.middlewares["broken@file"];
    assert_eq!(broken.errors, ["basicAuth.headerField: \"a b\" is no header name"]);
    let told = diagnostics(&snapshot);
    let warning = "warning middleware odd@file, basicAuth.users[0]: the hash of user u is none of \
                   bcrypt ($2y$), MD5 ($apr1$) and SHA-1 ({SHA}); no password matches it (in.yml:3)";
    assert!(told.iter().any(|line| line == warning), "{told:#?}");
}

#[test]
fn a_resolver_of_certificates_is_a_diagnostic_and_no_error() {
    let site = |resolver: &str| {
        format!(
            "http:\n  routers:\n    a: {{rule: 'Host(`a`)', service: s, tls: {{{resolver}}}}}\n\
             \x20 services:\n    s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:1'}}]}}}}\n"
        )
    };
    let asks = compiled(&site("certResolver: le"));
    let info = &asks.runtime.routers["a@file"];
    assert_eq!((info.status, info.errors.len()), (Status::Enabled, 0));
    let warning = "warning router a@file, tls.certResolver: nonexistent certificate resolver \"le\": \
                   ACME is not served here; certificates come from tls.certificates, tls.stores and \
                   Secrets (in.yml:3)";
    assert_eq!(diagnostics(&asks), [warning]);
    // Routers that change one by one.
    let without = compiled_after(&site(""), &asks);
    assert!(diagnostics(&without).is_empty());
    assert_eq!(diagnostics(&compiled_after(&site("certResolver: le"), &without)), [warning]);
}

#[test]
fn transports_are_told_as_diagnostics_used_or_not() {
    let told = diagnostics(&compiled(WARNED));
    for start in [
        "warning serversTransport t@file, rootCAs[0]: ",
        "error serversTransport bad@file, serverName: `a b` is neither a DNS name nor an address",
        "error serversTransport worse@file, nope: unknown field `nope`",
    ] {
        assert!(told.iter().any(|line| line.starts_with(start)), "{start}\n{told:#?}");
    }
}

#[test]
fn what_is_adopted_warns_as_before() {
    let first = compiled(WARNED);
    let second = compiled_after(WARNED, &first);
    assert_eq!(diagnostics(&first), diagnostics(&second));
    assert!(!diagnostics(&first).is_empty());
}

#[test]
fn only_one_provider_may_define_the_default_of_tls() {
    let defines = "tls: {options: {default: {minVersion: VersionTLS13}}, stores: {default: {}}}";
    let router = "http: {routers: {r: {rule: 'Host(`a`)', service: noop@internal, tls: {}}}}\n";
    let configs = BTreeMap::from([
        ("a".to_owned(), Arc::new(config(defines))),
        ("b".to_owned(), Arc::new(config(&format!("{router}{defines}")))),
    ]);
    let snapshot = run(&configs, &settings(), None);
    let message = "is defined by a and b; only one provider may define it (in.yml:1)";
    assert_eq!(
        diagnostics(&snapshot),
        [
            format!("error TLS store default: {message}"),
            format!("error TLS options default: {message}")
        ]
    );
    // Connections that would run on the disputed options are refused, and so are requests.
    assert_eq!(super::taker(super::secure(&snapshot, "a/")), "r@b closed");
}

#[test]
fn a_provider_cannot_define_objects_of_another_one() {
    let guarded = "http: {routers: {r: {rule: 'Host(`a`)', service: noop@internal, \
                   middlewares: [auth@b]}}}";
    let foreign = "http: {middlewares: {auth@b: {addPrefix: {prefix: /x}}}}";
    let configs = BTreeMap::from([
        ("b".to_owned(), Arc::new(config(guarded))),
        ("file".to_owned(), Arc::new(config(foreign))),
    ]);
    let snapshot = run(&configs, &settings(), None);
    assert_eq!(super::taker(super::plain(&snapshot, "a/")), "r@b closed");
    assert!(snapshot.runtime.middlewares.contains_key("auth@b@file"));
}
