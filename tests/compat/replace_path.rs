//! `replacePath`, `replacePathRegex` and `stripPrefixRegex`: every path through each of them.

use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};
use super::paths::TARGETS;
use super::told;

const DYNAMIC: &str = r#"
http:
  routers:
    fixed: {rule: "Host(`fixed.test`)", service: s, middlewares: [fixed]}
    encoded: {rule: "Host(`encoded.test`)", service: s, middlewares: [encoded]}
    odd: {rule: "Host(`odd.test`)", service: s, middlewares: [odd]}
    dots: {rule: "Host(`dots.test`)", service: s, middlewares: [dots]}
    empty: {rule: "Host(`empty.test`)", service: s, middlewares: [empty]}
    broken: {rule: "Host(`broken.test`)", service: s, middlewares: [broken]}
    cut: {rule: "Host(`cut.test`)", service: s, middlewares: [cut]}
    twice: {rule: "Host(`twice.test`)", service: s, middlewares: [fixed, encoded]}
    regex: {rule: "Host(`regex.test`)", service: s, middlewares: [regex]}
    named: {rule: "Host(`named.test`)", service: s, middlewares: [named]}
    every: {rule: "Host(`every.test`)", service: s, middlewares: [every]}
    lazy: {rule: "Host(`lazy.test`)", service: s, middlewares: [lazy]}
    unicode: {rule: "Host(`unicode.test`)", service: s, middlewares: [unicode]}
    climb: {rule: "Host(`climb.test`)", service: s, middlewares: [climb]}
    slashes: {rule: "Host(`slashes.test`)", service: s, middlewares: [slashes]}
    escape: {rule: "Host(`escape.test`)", service: s, middlewares: [escape]}
    noregex: {rule: "Host(`noregex.test`)", service: s, middlewares: [noregex]}
    strip: {rule: "Host(`strip.test`)", service: s, middlewares: [strip]}
    stripany: {rule: "Host(`stripany.test`)", service: s, middlewares: [stripany]}
    stripdot: {rule: "Host(`stripdot.test`)", service: s, middlewares: [stripdot]}
    stripnone: {rule: "Host(`stripnone.test`)", service: s, middlewares: [stripnone]}
    chained: {rule: "Host(`chained.test`)", service: s, middlewares: [strip, regex, fixed]}
    badregex: {rule: "Host(`badregex.test`)", service: s, middlewares: [badregex]}
    badstrip: {rule: "Host(`badstrip.test`)", service: s, middlewares: [badstrip]}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    fixed: {replacePath: {path: /new}}
    encoded: {replacePath: {path: "/n%2Fe%20w/%41"}}
    odd: {replacePath: {path: "/a b?c#d\"é"}}
    dots: {replacePath: {path: "/x/../y//z/."}}
    empty: {replacePath: {path: ""}}
    broken: {replacePath: {path: "/%zz"}}
    cut: {replacePath: {path: "/a%4"}}
    regex: {replacePathRegex: {regex: "^/a/(.*)", replacement: "/b/$1"}}
    named: {replacePathRegex: {regex: "  ^/(?P<first>[^/]+)(?P<rest>.*)$  ", replacement: "  ${rest}/${first}  "}}
    every: {replacePathRegex: {regex: "a", replacement: "<$0>"}}
    lazy: {replacePathRegex: {regex: "(?U)^/(.+)(/.*)?$", replacement: "/$1|$2"}}
    unicode: {replacePathRegex: {regex: "^/a/(.)(.*)$", replacement: "/$2/$1"}}
    climb: {replacePathRegex: {regex: "^/a", replacement: "/.."}}
    slashes: {replacePathRegex: {regex: "^/", replacement: "//"}}
    escape: {replacePathRegex: {regex: "^/a", replacement: "/%z"}}
    noregex: {replacePathRegex: {regex: ""}}
    strip: {stripPrefixRegex: {regex: ["/[a-f]+/", "^/foo", "/a"]}}
    stripany: {stripPrefixRegex: {regex: ["^/.*?/", "x*"]}}
    stripdot: {stripPrefixRegex: {regex: ["/a/.", "/."]}}
    stripnone: {stripPrefixRegex: {regex: ["", "nowhere"]}}
    badregex: {replacePathRegex: {regex: "(", replacement: "x"}}
    badstrip: {stripPrefixRegex: {regex: ["/a", "[z-a]"]}}
"#;

const HOSTS: &[&str] = &[
    "fixed.test",
    "encoded.test",
    "odd.test",
    "dots.test",
    "empty.test",
    "broken.test",
    "cut.test",
    "twice.test",
    "regex.test",
    "named.test",
    "every.test",
    "lazy.test",
    "unicode.test",
    "climb.test",
    "slashes.test",
    "escape.test",
    "noregex.test",
    "strip.test",
    "stripany.test",
    "stripdot.test",
    "stripnone.test",
    "chained.test",
];

#[test]
fn paths_are_replaced_and_stripped_as_traefik_does() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for host in HOSTS {
        for target in TARGETS {
            pair.compare(&Case::get(host, target, ""));
        }
        for target in ["/a/%ff%fe/b", "/a/%C3%A9%C3%A8/b", "/a%C3%A9b/c", "/a/%E2%82"] {
            pair.compare(&Case::get(host, target, ""));
        }
        pair.compare(&Case::get(
            host,
            "/a/x",
            "X-Replaced-Path: /evil\r\nX-Forwarded-Prefix: /e\r\n",
        ));
        pair.compare(&Case::request("POST", host, "/a/x", "", "a body"));
    }
    for host in ["badregex.test", "badstrip.test"] {
        pair.compare(&Case::get(host, "/a", "").differs(Difference::KeepsItsClaim));
    }
    told::compare(&mut pair, &["badregex", "badstrip"]);
    pair.finish();
}
