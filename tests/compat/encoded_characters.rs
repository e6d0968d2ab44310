//! `encodedCharacters`: each character, allowed and not.

use portway_testkit::process::Setup;

use super::pair::{Case, Pair};
use super::paths::TARGETS;
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    none: {rule: "Host(`none.test`)", service: s, middlewares: [none]}
    slash: {rule: "Host(`slash.test`)", service: s, middlewares: [slash]}
    some: {rule: "Host(`some.test`)", service: s, middlewares: [some]}
    all: {rule: "Host(`all.test`)", service: s, middlewares: [all]}
    added: {rule: "Host(`added.test`)", service: s, middlewares: [add, none]}
    named: {rule: "Host(`named.test`)", service: s, middlewares: [named, none]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    none: {encodedCharacters: {allowEncodedSlash: false}}
    slash: {encodedCharacters: {allowEncodedSlash: true}}
    some: {encodedCharacters: {allowEncodedBackSlash: true, allowEncodedNullCharacter: true, allowEncodedSemicolon: true}}
    all:
      encodedCharacters:
        allowEncodedSlash: true
        allowEncodedBackSlash: true
        allowEncodedNullCharacter: true
        allowEncodedSemicolon: true
        allowEncodedPercent: true
        allowEncodedQuestionMark: true
        allowEncodedHash: true
    add: {addPrefix: {prefix: "/a?b"}}
    named: {headers: {customResponseHeaders: {X-B: "1"}}}
"#;

#[test]
fn encoded_characters_are_refused_as_by_traefik() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for host in ["none.test", "slash.test", "some.test", "all.test", "added.test", "named.test"] {
        for target in TARGETS {
            pair.compare(&Case::get(host, target, ""));
        }
        for encoded in [
            "%2F",
            "%2f",
            "%5C",
            "%5c",
            "%00",
            "%3B",
            "%3b",
            "%25",
            "%3F",
            "%3f",
            "%23",
            "%252F",
            "%25%32%46",
            "%20",
            "%E2%82%AC",
            "%2E%2E%2F",
        ] {
            pair.compare(&Case::get(host, &format!("/a{encoded}b"), ""));
            pair.compare(&Case::get(host, &format!("/a?q={encoded}"), ""));
        }
        pair.compare(&Case::request("POST", host, "/a%2Fb", "", "a body").watched());
    }
    told::compare(&mut pair, &[]);
    pair.finish();
}
