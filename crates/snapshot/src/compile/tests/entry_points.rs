//! Entry points: which routers they serve, under which names, with what added.

use portway_model::{
    dynamic::{Observability, RouterTls},
    runtime::Status,
};
use portway_rule::Syntax;

use super::{compiled, errors, file, plain, run, secure, settings, taker};
use crate::{EntryPointSettings, Settings, Snapshot};

const SERVICE: &str = "  services: {s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}}";

fn routers(lines: &str) -> String {
    format!("http:\n  routers:\n{lines}\n{SERVICE}\n")
}

/// A third entry point `mw` that adds a middleware.
fn with_model() -> Settings {
    let mut settings = settings();
    settings.entry_points.push(EntryPointSettings {
        name: "mw".into(),
        middlewares: vec!["h@file".to_owned()],
        ..EntryPointSettings::default()
    });
    settings
}

fn with_middleware(lines: &str) -> String {
    routers(lines) + "  middlewares: {h: {addPrefix: {prefix: /h}}, g: {addPrefix: {prefix: /g}}}\n"
}

/// Names of routers with the entry points that use them.
fn names(snapshot: &Snapshot) -> Vec<String> {
    let routers = snapshot.runtime.routers.iter();
    routers.map(|(name, info)| format!("{name} {}", info.using.join("+"))).collect()
}

#[test]
fn a_router_without_entry_points_is_on_the_default_ones() {
    let mut settings = settings();
    settings.entry_points.push(EntryPointSettings { name: "x".into(), ..Default::default() });
    let snapshot = run(&file(&routers("    r: {rule: 'Path(`/`)', service: s}")), &settings, None);
    assert_eq!(names(&snapshot), ["r@file secure+web"]);
    assert_eq!(taker(plain(&snapshot, "a/")), "r@file");
    assert!(snapshot.entry_points[2].plain.routes().is_empty());
}

#[test]
fn an_entry_point_that_adds_something_splits_the_router() {
    let text = with_middleware(
        "    one: {rule: 'Host(`one`)', service: s, entryPoints: [mw], middlewares: [g]}
    two: {rule: 'Host(`two`)', service: s, entryPoints: [web, mw], middlewares: [g]}",
    );
    let snapshot = run(&file(&text), &with_model(), None);
    assert_eq!(names(&snapshot), ["mw-two@file mw", "one@file mw", "two@file web"]);
    let middlewares = |name: &str| snapshot.runtime.routers[name].middlewares.join(" ");
    assert_eq!(middlewares("one@file"), "h@file g@file");
    assert_eq!(middlewares("mw-two@file"), "h@file g@file");
    assert_eq!(middlewares("two@file"), "g@file");
}

#[test]
fn a_copy_never_takes_the_place_of_another_router() {
    let text = with_middleware(
        "    x: {rule: 'Host(`x`)', service: s, entryPoints: [web, mw]}
    mw-x: {rule: 'Host(`guarded`)', service: s, entryPoints: [mw]}",
    );
    let snapshot = run(&file(&text), &with_model(), None);
    assert_eq!(names(&snapshot), ["mw-mw-x@file mw", "mw-x@file mw", "x@file web"]);
    let table = &snapshot.entry_points[2].plain;
    assert_eq!(taker(table.find(&super::Get("guarded/")).map(|route| &**route)), "mw-x@file");
    assert_eq!(taker(table.find(&super::Get("x/")).map(|route| &**route)), "mw-mw-x@file");
    assert_eq!(
        errors(&snapshot, "mw-mw-x@file"),
        [
            "its copy for entry point \"mw\" is named mw-mw-x@file: there is another router mw-x@file (in.yml:3)"
        ]
    );
}

#[test]
fn entry_points_named_twice_count_once() {
    let text =
        with_middleware("    r: {rule: 'Host(`r`)', service: s, entryPoints: [web, mw, web, mw]}");
    let snapshot = run(&file(&text), &with_model(), None);
    assert_eq!(names(&snapshot), ["mw-r@file mw", "r@file web"]);
}

#[test]
fn records_and_a_default_syntax_split_as_well() {
    let text = routers("    r: {rule: 'Host(`r`, `q`)', service: s}");
    let mut settings = settings();
    settings.entry_points[0].observability =
        Some(Observability { access_logs: Some(false), ..Observability::default() });
    let snapshot = run(&file(&text), &settings, None);
    assert_eq!(names(&snapshot), ["r@file secure", "web-r@file web"]);
    settings.entry_points[0].observability = None;
    settings.entry_points[0].encoded_characters = true;
    let snapshot = run(&file(&text), &settings, None);
    assert_eq!(names(&snapshot), ["r@file secure", "web-r@file web"]);
    settings.entry_points[0].encoded_characters = false;
    settings.default_rule_syntax = Some(Syntax::V2);
    let snapshot = run(&file(&text), &settings, None);
    assert_eq!(names(&snapshot), ["secure-r@file secure", "web-r@file web"]);
    assert_eq!(snapshot.runtime.routers["web-r@file"].router.rule_syntax, "v2");
}

#[test]
fn tls_of_the_entry_point_is_for_routers_without_their_own() {
    let mut settings = settings();
    settings.entry_points[1].tls =
        Some(RouterTls { options: "o@file".to_owned(), ..RouterTls::default() });
    let text = routers(
        "    r: {rule: 'Host(`r`)', service: s, entryPoints: [secure]}
    own: {rule: 'Host(`own`)', service: s, entryPoints: [secure], tls: {}}",
    ) + "tls: {options: {o: {minVersion: VersionTLS13}}}\n";
    let snapshot = run(&file(&text), &settings, None);
    assert_eq!(secure(&snapshot, "r/").unwrap().tls_options.as_ref(), "o@file");
    assert_eq!(secure(&snapshot, "own/").unwrap().tls_options.as_ref(), "default");
}

#[test]
fn unknown_entry_points_warn_and_none_at_all_disables() {
    let snapshot = compiled(&routers(
        "    some: {rule: 'Host(`some`)', service: s, entryPoints: [wbe, web]}
    none: {rule: 'Host(`none`)', service: s, entryPoints: [zzz]}",
    ));
    assert_eq!(names(&snapshot), ["none@file ", "some@file web"]);
    assert_eq!(snapshot.runtime.routers["some@file"].status, Status::Warning);
    assert_eq!(
        errors(&snapshot, "some@file"),
        ["entryPoint \"wbe\" doesn't exist; did you mean \"web\"?"]
    );
    assert_eq!(taker(plain(&snapshot, "some/")), "some@file");
    assert_eq!(snapshot.runtime.routers["none@file"].status, Status::Disabled);
    assert_eq!(
        errors(&snapshot, "none@file"),
        ["entryPoint \"zzz\" doesn't exist", "no valid entryPoint for this router"]
    );
    assert_eq!(snapshot.runtime.routers["none@file"].router.priority, 0);
}

#[test]
fn tls_routers_take_tls_requests_only() {
    let snapshot = compiled(&routers(
        "    p: {rule: 'Host(`p`)', service: s}
    t: {rule: 'Host(`t`)', service: s, tls: {}}",
    ));
    assert_eq!(
        (taker(plain(&snapshot, "p/")), taker(plain(&snapshot, "t/"))),
        ("p@file".into(), String::new())
    );
    assert_eq!(
        (taker(secure(&snapshot, "p/")), taker(secure(&snapshot, "t/"))),
        (String::new(), "t@file".into())
    );
    // What was written; which options apply, the API says in its lists.
    assert_eq!(snapshot.runtime.routers["t@file"].router.tls.as_ref().unwrap().options, "");
}

/// Seen on Traefik 3.7.15: names, statuses and texts.
#[test]
fn conflicting_tls_options_give_the_router_a_name_of_its_own() {
    let snapshot = compiled(
        &(routers(
            "    a: {rule: 'Host(`t`)', service: s, entryPoints: [secure], tls: {}}
    b: {rule: 'Host(`t`) && Path(`/b`)', service: s, tls: {options: o}}
    nohost: {rule: 'Path(`/x`)', service: s, entryPoints: [secure], tls: {options: o}}
    fine: {rule: 'Host(`u`)', service: s, entryPoints: [secure], tls: {options: o}}",
        ) + "tls: {options: {o: {minVersion: VersionTLS13}}}\n"),
    );
    assert_eq!(
        names(&snapshot),
        [
            "b@file web",
            "fine@file secure",
            "secure-conflicted-a@file secure",
            "secure-conflicted-b@file secure",
            "secure-conflicted-nohost@file secure"
        ]
    );
    let conflict = "router's TLSOptions configuration is conflicting with other routers on the same \
                    entrypoint and host, default TLS options will be used instead";
    assert!(errors(&snapshot, "secure-conflicted-a@file").is_empty());
    assert_eq!(errors(&snapshot, "secure-conflicted-b@file"), [conflict]);
    assert_eq!(
        errors(&snapshot, "secure-conflicted-nohost@file"),
        ["no domain found in rule Path(`/x`), the TLS option o@file cannot be applied"]
    );
    assert!(errors(&snapshot, "b@file").is_empty());
    assert_eq!(
        snapshot.runtime.services["s@file"].used_by.keys().collect::<Vec<_>>().join(" "),
        "b@file fine@file \
        secure-conflicted-a@file secure-conflicted-b@file secure-conflicted-nohost@file"
    );
    assert_eq!(taker(secure(&snapshot, "t/b")), "secure-conflicted-b@file");
    assert_eq!(secure(&snapshot, "t/b").unwrap().tls_options.as_ref(), "default");
}
