//! Routers that cannot be built: Portway keeps their claim (500), Traefik drops them.

use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};

/// Each `guarded` router hides behind it a catch-all that must never answer for it.
const DYNAMIC: &str = r#"
http:
  routers:
    open: {rule: "PathPrefix(`/`)", service: s, priority: 1}
    nomiddleware: {rule: "Host(`nomiddleware.test`)", service: s, middlewares: [nope]}
    otherprovider: {rule: "Host(`otherprovider.test`)", service: s, middlewares: [deny@docker]}
    badauth: {rule: "Host(`badauth.test`)", service: s, middlewares: [badauth]}
    nousers: {rule: "Host(`nousers.test`)", service: s, middlewares: [nousers]}
    nofile: {rule: "Host(`nofile.test`)", service: s, middlewares: [nofile]}
    badchain: {rule: "Host(`badchain.test`)", service: s, middlewares: [badchain]}
    loop: {rule: "Host(`loop.test`)", service: s, middlewares: [loop]}
    emptyadd: {rule: "Host(`emptyadd.test`)", service: s, middlewares: [emptyadd]}
    noscheme: {rule: "Host(`noscheme.test`)", service: s, middlewares: [noscheme]}
    noservice: {rule: "Host(`noservice.test`)", service: nope}
    nothing: {rule: "Host(`nothing.test`)"}
    badweighted: {rule: "Host(`badweighted.test`)", service: badweighted}
    selfservice: {rule: "Host(`selfservice.test`)", service: selfservice}
    notransport: {rule: "Host(`notransport.test`)", service: notransport}
    toohigh: {rule: "Host(`toohigh.test`)", priority: 9223372036854775000, service: s}
    internal: {rule: "Host(`internal.test`)", service: nope@internal}
    rest: {rule: "Host(`rest.test`)", service: rest@internal}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
    badweighted: {weighted: {services: [{name: s, weight: 1}, {name: nope, weight: 1}]}}
    selfservice: {weighted: {services: [{name: selfservice, weight: 1}]}}
    notransport: {loadBalancer: {serversTransport: nope, servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    badauth: {basicAuth: {users: ["no-hash"]}}
    nousers: {basicAuth: {users: []}}
    nofile: {basicAuth: {usersFile: /does/not/exist}}
    badchain: {chain: {middlewares: [nope]}}
    loop: {chain: {middlewares: [loop]}}
    emptyadd: {addPrefix: {prefix: ""}}
    noscheme: {redirectScheme: {port: "8443"}}
"#;

/// Rules that cannot be built have no claim to keep: both programs go on to the next router.
const RULES: &str = r#"
http:
  routers:
    open: {rule: "PathPrefix(`/`)", service: s, priority: 1}
    unbalanced: {rule: "Host(`rule.test`", service: s}
    unknown: {rule: "Foo(`rule.test`)", service: s}
    norule: {service: s}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
"#;

#[test]
fn routers_that_cannot_be_built_answer_500_and_never_fall_through() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for name in [
        "nomiddleware",
        "otherprovider",
        "badauth",
        "nousers",
        "nofile",
        "badchain",
        "loop",
        "emptyadd",
        "noscheme",
        "noservice",
        "nothing",
        "badweighted",
        "selfservice",
        "notransport",
        "internal",
        "toohigh",
        "rest",
    ] {
        let case = Case::get(&format!("{name}.test"), "/", "");
        pair.compare(&case.differs(Difference::KeepsItsClaim));
    }
    pair.compare(&Case::get("other.test", "/", ""));
    pair.finish();
}

#[test]
fn routers_without_a_usable_rule_are_as_if_absent() {
    let Some(mut pair) = Pair::start(&Setup::web(RULES), 1) else { return };
    pair.compare(&Case::get("rule.test", "/", ""));
    pair.finish();
}
