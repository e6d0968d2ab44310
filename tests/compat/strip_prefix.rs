//! `stripPrefix` and `addPrefix`: every path through each of them, alone and one after the other.

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};
use super::paths::TARGETS;

const DYNAMIC: &str = r#"
http:
  routers:
    strip: {rule: "Host(`strip.test`)", service: s, middlewares: [strip]}
    several: {rule: "Host(`several.test`)", service: s, middlewares: [several]}
    slash: {rule: "Host(`slash.test`)", service: s, middlewares: [slash]}
    force: {rule: "Host(`force.test`)", service: s, middlewares: [force]}
    keep: {rule: "Host(`keep.test`)", service: s, middlewares: [keep]}
    bare: {rule: "Host(`bare.test`)", service: s, middlewares: [bare]}
    encoded: {rule: "Host(`encoded.test`)", service: s, middlewares: [encoded]}
    add: {rule: "Host(`add.test`)", service: s, middlewares: [add]}
    addslash: {rule: "Host(`addslash.test`)", service: s, middlewares: [addslash]}
    addbare: {rule: "Host(`addbare.test`)", service: s, middlewares: [addbare]}
    addodd: {rule: "Host(`addodd.test`)", service: s, middlewares: [addodd]}
    stripadd: {rule: "Host(`stripadd.test`)", service: s, middlewares: [strip, add]}
    addstrip: {rule: "Host(`addstrip.test`)", service: s, middlewares: [add, strip]}
    twice: {rule: "Host(`twice.test`)", service: s, middlewares: [strip, strip]}
    undo: {rule: "Host(`undo.test`)", service: s, middlewares: [add, undo]}
    all: {rule: "Host(`all.test`)", service: s, middlewares: [all]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    strip: {stripPrefix: {prefixes: [/a]}}
    several: {stripPrefix: {prefixes: [/a/b, /a, /foo, /b]}}
    slash: {stripPrefix: {prefixes: [/a/]}}
    force: {stripPrefix: {prefixes: [/a], forceSlash: true}}
    keep: {stripPrefix: {prefixes: [/a], forceSlash: false}}
    bare: {stripPrefix: {prefixes: [a, ""]}}
    encoded: {stripPrefix: {prefixes: ["/a%2Fb", "/f%6Fo", "/a b", "/%61"]}}
    add: {addPrefix: {prefix: /pre}}
    addslash: {addPrefix: {prefix: /pre/}}
    addbare: {addPrefix: {prefix: pre}}
    addodd: {addPrefix: {prefix: "/p%72e x/é"}}
    undo: {stripPrefix: {prefixes: [/pre]}}
    all: {stripPrefix: {prefixes: [/]}}
"#;

const HOSTS: &[&str] = &[
    "strip.test",
    "several.test",
    "slash.test",
    "force.test",
    "keep.test",
    "bare.test",
    "encoded.test",
    "add.test",
    "addslash.test",
    "addbare.test",
    "addodd.test",
    "stripadd.test",
    "addstrip.test",
    "twice.test",
    "undo.test",
    "all.test",
];

#[test]
fn prefixes_are_stripped_and_added_as_traefik_does() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for host in HOSTS {
        for target in TARGETS {
            pair.compare(&Case::get(host, target, ""));
        }
        pair.compare(&Case::get(host, "/a/x", "X-Forwarded-Prefix: /evil\r\n"));
    }
    pair.finish();
}
