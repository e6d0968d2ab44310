//! Settings at and beyond their limits: which of them keep a router from being built, and what the others do.

use std::fmt::Write as _;

use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};

/// Middlewares, services and rules, one in each line. Those are left out that keep Traefik from reading the file at
/// all (13), and those that it takes although they cannot work (12).
const MIDDLEWARES: &str = include_str!("settings/middlewares.yml");
const SERVICES: &str = include_str!("settings/services.yml");
const RULES: &str = include_str!("settings/rules.txt");

#[test]
fn middlewares_at_their_limits_are_taken_as_by_traefik() {
    check(MIDDLEWARES, "service: s, middlewares: [x#]", "  middlewares:\n");
}

#[test]
fn services_at_their_limits_are_taken_as_by_traefik() {
    check(SERVICES, "service: x#", "");
}

#[test]
fn rules_are_read_as_by_traefik() {
    let rules: Vec<&str> = RULES.lines().collect();
    let mut routers = String::new();
    for (number, rule) in rules.iter().enumerate() {
        let rule = rule.replace('\\', "\\\\").replace('"', "\\\"");
        // On an entry point of their own: some take every request, and one asks whether the router is ready.
        let _ = writeln!(
            routers,
            "    r{number}: {{rule: \"{rule}\", service: s, entryPoints: [other]}}"
        );
    }
    let Some(mut pair) = start(&format!("http:\n  routers:\n{routers}  services:\n{S}")) else {
        return;
    };
    compare_statuses(&mut pair, &rules);
    pair.finish();
}

const S: &str = "    s: {loadBalancer: {servers: [{url: \"http://@@backend0@@\"}]}}\n";

fn start(dynamic: &str) -> Option<Pair> {
    Pair::start(&Setup::web(dynamic).entry_point("other").flag("--log.level=FATAL"), 1)
}

/// Compares what becomes of each setting, which is named `x` and its number in `section` (that of services where it is
/// empty), by a router that has `leads`, with the number for `#`.
fn check(settings: &str, leads: &str, section: &str) {
    let settings: Vec<&str> = settings.lines().collect();
    let (mut routers, mut text) = (String::new(), String::new());
    for (number, one) in settings.iter().enumerate() {
        let leads = leads.replace('#', &number.to_string());
        let _ = writeln!(routers, "    r{number}: {{rule: \"Host(`r{number}.test`)\", {leads}}}");
        let _ = writeln!(text, "    x{number}: {one}");
    }
    let dynamic = format!("http:\n  routers:\n{routers}  services:\n{S}{section}{text}");
    let Some(mut pair) = start(&dynamic) else { return };
    compare_statuses(&mut pair, &settings);
    for (number, one) in settings.iter().enumerate() {
        let mut case = Case::get(&format!("r{number}.test"), "/a/b?c=d", "");
        case.rename(one);
        // A closed router keeps its claim.
        pair.compare(&case.refusal(Difference::KeepsItsClaim));
    }
    pair.finish();
}

/// Compares whether the routers, one for each of the settings, were built.
fn compare_statuses(pair: &mut Pair, settings: &[&str]) {
    let statuses = pair.sides.each_ref().map(|side| {
        let (_, list) = side.api("/api/http/routers?per_page=1000");
        let status = |number| {
            let name = format!("r{number}@file");
            let mut routers = list.as_array().into_iter().flatten();
            routers
                .find(|router| router["name"] == *name)
                .map(|router| router["status"].to_string())
        };
        (0..settings.len()).map(|number| status(number).unwrap_or_default()).collect::<Vec<_>>()
    });
    assert!(
        statuses[1].iter().all(|status| !status.is_empty()),
        "Traefik has not read all of them"
    );
    for (number, one) in settings.iter().enumerate() {
        pair.compare_texts(
            one,
            statuses.each_ref().map(|statuses| format!("{}\n", statuses[number])),
        );
    }
}
