use super::*;

#[track_caller]
fn check(path: &str, expected: &str) {
    let class = match classify(&segments(path)) {
        Class::Option(known) => known.path.to_owned(),
        Class::Group => "group".to_owned(),
        Class::Removed(_) => "removed".to_owned(),
        Class::Unknown => unknown_option(&segments(path)),
    };
    assert_eq!(class, expected, "{path}");
}

#[test]
fn the_table_is_sorted_and_has_no_line_twice() {
    let paths: Vec<String> = all().iter().map(|known| known.path.to_lowercase()).collect();
    assert!(paths.is_sorted_by(|a, b| a < b));
    assert!(paths.len() > 500);
}

#[test]
fn options_are_found_in_any_letter_case() {
    check("entrypoints.web.address", "entryPoints.<name>.address");
    check("ENTRYPOINTS.web", "entryPoints.<name>");
    check(
        "entryPoints.web.forwardedHeaders.trustedIPs[0]",
        "entryPoints.<name>.forwardedHeaders.trustedIPs",
    );
    check(
        "entryPoints.web.http.tls.domains[2].main",
        "entryPoints.<name>.http.tls.domains[n].main",
    );
    check("tracing.resourceAttributes.service.name", "tracing.resourceAttributes.<name>");
    check("providers.plugin.mine.any.thing", "providers.plugin.<name>");
    check("providers.file", "group");
    check("pilot.token", "removed");
    check("experimental.http3", "removed");
}

#[test]
fn the_nearest_option_is_named() {
    check("entrypoints.web.addres", "unknown option; did you mean `entryPoints.web.address`?");
    check("enrtypoints.web.address", "unknown option; did you mean `entryPoints.web.address`?");
    check("entrypoints.web.tls", "unknown option; did you mean `entryPoints.web.http.tls`?");
    check("providers.kubernetesCDR", "unknown option; did you mean `providers.kubernetesCRD`?");
    check(
        "ping.colour",
        "unknown option; `ping` has `entryPoint`, `manualRouting`, `terminatingStatusCode`",
    );
    check("zzz", "unknown option");
}
