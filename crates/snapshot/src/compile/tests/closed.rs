//! Invariant 1: a router that cannot be built for another reason than its rule keeps its claim.

use portway_model::runtime::Status;

use super::{compiled, errors, is_closed, plain, secure, taker};

/// A router `guarded` with these fields before a catch-all that must never answer for it.
fn site(fields: &str, rest: &str) -> String {
    format!(
        "http:
  routers:
    open: {{rule: 'PathPrefix(`/`)', service: s, priority: 1}}
    guarded: {{rule: 'Host(`guarded.test`)', {fields}}}
  services:
    s: {{loadBalancer: {{servers: [{{url: 'http://127.0.0.1:1'}}]}}}}
{rest}"
    )
}

/// The router is closed, says `reason`, and the catch-all still takes everything else.
#[track_caller]
fn check(fields: &str, rest: &str, reason: &str) {
    let snapshot = compiled(&site(fields, rest));
    let route = plain(&snapshot, "guarded.test/").expect("the claim is kept");
    assert_eq!(route.name.as_ref(), "guarded@file");
    assert!(is_closed(route), "{fields}");
    let info = &snapshot.runtime.routers["guarded@file"];
    assert_eq!((info.status, info.errors.as_slice()), (Status::Disabled, &[reason.to_owned()][..]));
    assert_eq!(taker(plain(&snapshot, "other.test/")), "open@file");
}

#[test]
fn an_unknown_middleware_closes() {
    check(
        "service: s, middlewares: [auht]",
        "  middlewares: {auth: {basicAuth: {users: ['u:h']}}}",
        "middleware \"auht@file\" does not exist; did you mean \"auth@file\"?",
    );
    check("service: s, middlewares: [auth@other]", "", "middleware \"auth@other\" does not exist");
}

#[test]
fn a_broken_middleware_closes() {
    check(
        "service: s, middlewares: [m]",
        "  middlewares: {m: {basicAuth: {users: [broken]}}}",
        "error parsing BasicUser: broken",
    );
    check(
        "service: s, middlewares: [m]",
        "  middlewares: {m: {basicAuth: {usrs: ['u:h']}}}",
        "middleware \"m@file\": basicAuth.usrs: unknown field `usrs`; did you mean `users`? (in.yml:7)",
    );
    check(
        "service: s, middlewares: [m]",
        "  middlewares: {m: }",
        "middleware \"m@file\": has nothing in it (in.yml:7)",
    );
}

#[test]
fn an_unserved_middleware_closes() {
    check(
        "service: s, middlewares: [m]",
        "  middlewares: {m: {plugin: {demo: {a: 1}}}}",
        "middleware \"m@file\": plugin: middleware kind `plugin` is not served by this version \
         of Portway yet (in.yml:7)",
    );
}

#[test]
fn chains_that_are_broken_or_circular_close() {
    check(
        "service: s, middlewares: [c]",
        "  middlewares: {c: {chain: {middlewares: [nope]}}}",
        "middleware \"nope@file\" does not exist",
    );
    check(
        "service: s, middlewares: [a]",
        "  middlewares: {a: {chain: {middlewares: [b]}}, b: {chain: {middlewares: [a]}}}",
        "could not instantiate middleware a@file: recursion detected in \
         middleware:a@file->middleware:b@file->middleware:a@file",
    );
}

#[test]
fn chains_without_bound_close() {
    let doubled = |n: usize| format!("c{n}: {{chain: {{middlewares: [c{0}, c{0}]}}}}", n + 1);
    let chains: Vec<_> = (0..30).map(doubled).collect();
    check(
        "service: s, middlewares: [c0]",
        &format!("  middlewares: {{{}, c30: {{addPrefix: {{prefix: /a}}}}}}", chains.join(", ")),
        "more than 1000 middlewares after expanding chains",
    );
    let nested = |n: usize| format!("c{n}: {{chain: {{middlewares: [c{}]}}}}", n + 1);
    let chains: Vec<_> = (0..100).map(nested).collect();
    check(
        "service: s, middlewares: [c0]",
        &format!("  middlewares: {{{}, c100: {{addPrefix: {{prefix: /a}}}}}}", chains.join(", ")),
        "more than 32 chains are inside one another",
    );
}

#[test]
fn an_unknown_service_closes() {
    check("service: ss", "", "the service \"ss@file\" does not exist; did you mean \"s@file\"?");
    check("service: nope@internal", "", "unknown internal service nope@internal");
}

#[test]
fn no_service_closes_in_traefiks_words() {
    let snapshot = compiled(&site("priority: 5", ""));
    assert_eq!(taker(plain(&snapshot, "guarded.test/")), "guarded@file closed");
    assert_eq!(
        errors(&snapshot, "guarded@file"),
        [
            "router has no service and no child routers",
            "router must have either a service or child routers"
        ]
    );
}

#[test]
fn a_broken_service_closes() {
    check(
        "service: b",
        "    b: {loadBalancer: {servers: [{url: '127.0.0.1:1'}]}}",
        "loadBalancer.servers[0].url: `127.0.0.1:1` has no scheme; write it as `http://host:port`",
    );
    check(
        "service: b",
        "    b: {loadBalancer: {server: []}}",
        "service \"b@file\": loadBalancer.server: unknown field `server`; did you mean `servers`? (in.yml:7)",
    );
}

#[test]
fn a_service_that_is_told_nothing_of_its_part_closes() {
    check(
        "service: b",
        "    b: {failover: {service: s, fallback: s}}",
        "cannot register s as updater for b@file: healthCheck not enabled in config for this WRR service",
    );
}

#[test]
fn a_weighted_service_with_a_broken_part_closes() {
    check(
        "service: w",
        "    w: {weighted: {services: [{name: s}, {name: nope}]}}",
        "building HTTP service \"nope\": the service \"nope@file\" does not exist",
    );
    check(
        "service: w",
        "    w: {weighted: {services: [{name: v}]}}\n    v: {weighted: {services: [{name: nope}]}}",
        "building HTTP service \"v\": building HTTP service \"nope\": the service \"nope@file\" \
         does not exist",
    );
}

#[test]
fn a_circle_of_services_closes() {
    check(
        "service: w",
        "    w: {weighted: {services: [{name: w}]}}",
        "building HTTP service \"w\": could not instantiate service w@file: recursion detected in \
         service:w@file->service:w@file",
    );
    check(
        "service: a",
        "    a: {weighted: {services: [{name: b}]}}\n    b: {weighted: {services: [{name: a}]}}",
        "building HTTP service \"b\": building HTTP service \"a\": could not instantiate service \
         a@file: recursion detected in service:a@file->service:b@file->service:a@file",
    );
}

#[test]
fn services_without_bound_close_what_holds_them_and_nothing_else() {
    let deep: String = (0..5_000)
        .map(|n| format!("    d{n:05}: {{weighted: {{services: [{{name: d{:05}}}]}}}}\n", n + 1))
        .collect();
    let last = "    d05000: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}\n";
    let snapshot = compiled(&site("service: d00000", &format!("{deep}{last}")));
    assert_eq!(taker(plain(&snapshot, "guarded.test/")), "guarded@file closed");
    let reason = "more than 32 services, and middlewares such as `retry` before them, are inside one another";
    assert_eq!(errors(&snapshot, "guarded@file"), [reason]);
    let status = |name: &str| snapshot.runtime.services[name].status;
    assert_eq!(status("d04968@file"), Status::Disabled);
    assert_eq!(status("d04969@file"), Status::Enabled);
}

#[test]
fn an_unknown_or_broken_transport_closes() {
    let service =
        "    t: {loadBalancer: {serversTransport: nope, servers: [{url: 'https://127.0.0.1:1'}]}}";
    let reason = "error building proxy for server URL https://127.0.0.1:1: getting RoundTripper: ";
    check("service: t", service, &format!("{reason}servers transport not found nope@file"));
    check(
        "service: t",
        &format!("{service}\n  serversTransports: {{nope: {{serverName: 'a b'}}}}"),
        &format!(
            "{reason}serverName: `a b` is neither a DNS name nor an address: no certificate can be \
             good for it"
        ),
    );
    check(
        "service: t",
        &format!("{service}\n  serversTransports: {{nope: {{rootCA: [x]}}}}"),
        &format!(
            "{reason}serversTransport \"nope@file\": rootCA: unknown field `rootCA`; did you mean \
             `rootCAs`? (in.yml:8)"
        ),
    );
}

#[test]
fn a_priority_that_only_internal_routers_have_closes() {
    check(
        "service: s, priority: 9223372036854774808",
        "",
        "the router priority 9223372036854774808 exceeds the max user-defined priority \
         9223372036854774807",
    );
}

#[test]
fn a_problem_of_its_own_closes() {
    check(
        "service: s, middelwares: [auth]",
        "",
        "middelwares: unknown field `middelwares`; did you mean `middlewares`? (in.yml:4)",
    );
    check("service: {name: s}", "", "service: expected a single value, found a mapping (in.yml:4)");
}

#[test]
fn a_disabled_internal_service_closes() {
    let mut settings = super::settings();
    settings.internal_services.remove(&portway_model::InternalService::Api);
    let configs = super::file(&site("service: api@internal", ""));
    let snapshot = super::run(&configs, &settings, None);
    assert_eq!(taker(plain(&snapshot, "guarded.test/")), "guarded@file closed");
    assert_eq!(errors(&snapshot, "guarded@file"), ["api is not enabled"]);
}

/// A router over TLS before an open one.
fn secure_site(fields: &str, rest: &str) -> String {
    site(&format!("service: s, {fields}"), "").replace("priority: 1}", "priority: 1, tls: {}}")
        + rest
}

#[test]
fn unknown_or_refused_tls_options_close() {
    let snapshot = compiled(&secure_site("tls: {options: nope}", ""));
    assert_eq!(taker(secure(&snapshot, "guarded.test/")), "guarded@file closed");
    assert_eq!(
        errors(&snapshot, "guarded@file"),
        ["building router handler: unknown TLS options: nope@file"]
    );
    let options = "\ntls: {options: {strict: {minVersoin: x}}}";
    let snapshot = compiled(&secure_site("tls: {options: strict}", options));
    assert_eq!(taker(secure(&snapshot, "guarded.test/")), "guarded@file closed");
    let [error] = errors(&snapshot, "guarded@file")[..] else { panic!("one error") };
    assert!(error.starts_with("building router handler: building TLS config: "), "{error}");
    assert!(error.contains("did you mean `minVersion`?"), "{error}");
}

#[test]
fn an_unreadable_priority_goes_before_all_others() {
    for field in ["priority: high", "prioritty: 1000"] {
        let text =
            site(&format!("service: s, {field}"), "").replace("priority: 1}", "priority: 1000000}");
        let snapshot = compiled(&text);
        assert_eq!(taker(plain(&snapshot, "guarded.test/")), "guarded@file closed", "{field}");
    }
}

#[test]
fn an_unreadable_priority_of_a_kubernetes_object_is_one_as_well() {
    for field in ["spec.routes[0].priority", "traefik.ingress.kubernetes.io/router.priorty"] {
        let mut config =
            super::config(&site("service: s", "").replace("priority: 1}", "priority: 99}"));
        let entry = config.http.routers.get_mut("guarded").unwrap();
        entry.problems.push(portway_model::Problem::error(field, "expected a number"));
        let configs = [("kubernetes".to_owned(), std::sync::Arc::new(config))].into();
        let snapshot = super::run(&configs, &super::settings(), None);
        let taker = taker(plain(&snapshot, "guarded.test/"));
        assert_eq!(taker, "guarded@kubernetes closed", "{field}");
    }
}

#[test]
fn unreadable_annotations_claim_all_that_they_may_have_meant() {
    for field in ["router.tls.optoins", "router.tsl"] {
        let mut config = super::config(&secure_site("priority: 0", ""));
        let entry = config.http.routers.get_mut("guarded").unwrap();
        let field = format!("traefik.ingress.kubernetes.io/{field}");
        entry.problems.push(portway_model::Problem::error(&field, "unknown field"));
        let configs = [("kubernetes".to_owned(), std::sync::Arc::new(config))].into();
        let snapshot = super::run(&configs, &super::settings(), None);
        for taken in [plain(&snapshot, "guarded.test/"), secure(&snapshot, "guarded.test/")] {
            assert_eq!(taker(taken), "guarded@kubernetes closed", "{field}");
        }
    }
}

#[test]
fn unreadable_tls_claims_both_kinds_of_requests() {
    let snapshot = compiled(&secure_site("tls: 5", ""));
    assert_eq!(taker(secure(&snapshot, "guarded.test/")), "guarded@file closed");
    assert_eq!(taker(plain(&snapshot, "guarded.test/")), "guarded@file closed");
    let snapshot = compiled(&secure_site("tsl: {}", ""));
    assert_eq!(taker(secure(&snapshot, "guarded.test/")), "guarded@file closed");
    // What cannot be read lowers nobody's TLS options on the same host.
    let text = secure_site("tls: {optoins: x}", "\ntls: {options: {o: {minVersion: VersionTLS13}}}")
        .replace(
            "    open:",
            "    other: {rule: 'Host(`guarded.test`) && Path(`/x`)', service: s, tls: {options: o}}\n    open:",
        );
    let snapshot = compiled(&text);
    assert_eq!(taker(secure(&snapshot, "guarded.test/")), "guarded@file closed");
    assert_eq!(secure(&snapshot, "guarded.test/x").unwrap().tls_options.as_ref(), "o@file");
}

#[test]
fn unreadable_entry_points_mean_all() {
    let mut settings = super::settings();
    settings.entry_points[0].is_default = false;
    for fields in ["entryPoints: {a: b}", "entryPoint: [web]"] {
        let configs = super::file(&site(&format!("service: s, {fields}"), ""));
        let snapshot = super::run(&configs, &settings, None);
        assert_eq!(taker(plain(&snapshot, "guarded.test/")), "guarded@file closed", "{fields}");
    }
}

#[test]
fn a_bad_rule_has_no_claim_and_is_reported() {
    let text = site("service: s", "").replace("Host(`guarded.test`)", "Hots(`guarded.test`)");
    let snapshot = compiled(&text);
    assert_eq!(taker(plain(&snapshot, "guarded.test/")), "open@file");
    let info = &snapshot.runtime.routers["guarded@file"];
    assert_eq!((info.status, info.priority), (Status::Disabled, 20));
    assert_eq!(
        errors(&snapshot, "guarded@file"),
        [
            "error while parsing rule Hots(`guarded.test`): unknown matcher `Hots`; did you mean `Host`?\
          \n    Hots(`guarded.test`)\n    ^^^^"
        ]
    );
}

#[test]
fn a_child_router_claims_nothing_by_itself() {
    let snapshot = compiled(&site("service: s, parentRefs: [open]", ""));
    assert_eq!(taker(plain(&snapshot, "guarded.test/")), "open@file");
    assert_eq!(
        errors(&snapshot, "guarded@file"),
        ["parentRefs: not served by this version of Portway yet"]
    );
}

#[test]
fn a_service_without_a_usable_server_is_not_closed() {
    let text = site("service: empty", "    empty: {loadBalancer: {servers: []}}");
    let snapshot = compiled(&text);
    assert_eq!(taker(plain(&snapshot, "guarded.test/")), "guarded@file");
}
