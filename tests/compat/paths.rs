//! Targets: cleaning of paths, escapes, queries, absolute forms; what is routed and what is
//! forwarded.

use portway_testkit::process::Setup;

use super::differences::Difference;
use super::pair::{Case, Pair};

/// Paths that every path middleware is tried with.
pub(crate) const TARGETS: &[&str] = &[
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/b/",
    "/ab",
    "/A",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/a/b/..",
    "/a/b/../",
    "/../a",
    "//a/b",
    "/a%2Fb",
    "/a%2fb/c",
    "/%61/b",
    "/a%20b",
    "/a%25b",
    "/a%3Fb",
    "/a%23b",
    "/a%2e%2e/b",
    "/a/%2e%2e/b",
    "/a/%2e/b",
    "/a;x=1/b",
    "/a%3Bx",
    "/foo",
    "/foo/bar?x=1",
    "/f%6fo/bar",
    "/a?",
    "/a?x=/../y",
    "/a/b?q=%2F%zz;c",
    "/a/%C3%A9",
    "/a/\u{e9}",
    "/b/a",
    "/a/a/a",
    "/pre/a",
    "/a/+",
    "/a/%2B",
    "/a/!$&'()*+,;=:@-._~",
    "/a/[x]",
    "/a/{x}",
    "/a/%7Bx%7D",
    "/a/|",
    "/a/^",
    "/a/\"q\"",
    "/a/<x>",
    "/a/\\b",
    "/a/%5Cb",
    "/a/`b`",
    "/a%2F",
    "/a/%2F",
    "/a%2F%2Fb",
    "/a/%2F../b",
    "/a..%2Fb/",
    "/a/%252E%252E/b",
];

pub(crate) const MORE: &[&str] = &[
    "/a%2Fb{x}",
    "/a%2Fb|c%3Fd",
    "/a%3Bx/\u{e9}",
    "/%7Ba}%2F..%2Fb",
    "/a/%2e%2e/{b}",
    "/a%25{b}",
    "/a%2F\"",
    "/a%23^",
    "/b/%C3%A9",
    "/b/\u{e9}",
    "/bbb/",
    "/\u{e9}",
    "/%C3%A9/",
    "/foo bar",
    "/a?b=2",
    "/?a=1;b=2",
    "/?b=2#c",
    "/?b=%32",
    "/?%62=2",
    "/?b=1&b=2",
    "/?c=%zz&b=2",
    "/?b=2;c",
    "/?b+=2",
    "/?b=+2",
    "/a%3fb=2",
    "/?a&b=2&",
    "/b",
    "/b/",
    "/../../b/",
    "/..///b///",
    "/a/../c/../../b",
    "/a/..//c/.././b",
    "/.",
    "/..",
    "/./",
    "/../",
    "/...",
    "/a/...",
    "/.a",
    "/a./b",
    "/a/../b/%41%42%43//%2f/",
    "/a/%2E%2E/%2E%2E/b/",
    "/a/%252E%252E/%252E%252E/b/",
    "/foo%20bar",
    "/foo%2Fbar",
    "/a/..%2Fb/",
    "/%",
    "/%4",
    "/%zz",
    "/a%",
    "/a%2",
    "/a%00b",
    "/a%0Ab",
    "/%E9",
    "/%ff%fe",
    "/?",
    "/??",
    "/?a=1;b=2",
    "/?a=1%3Bb=2",
    "/?;",
    "/?a;b",
    "/?a=1&&b=2",
    "/?%zz",
    "/?a=%",
    "/?a=b c",
    "/?\u{e9}",
    "/?a=/../b//c",
    "/?x=#y",
    "/#",
    "/a#b",
    "/?a=<>\"'`{}|^\\",
    "/?a=+%20",
    "/%2e",
    "/%2E%2e",
    "/a/%2e%2e%2fb",
    "/~user",
    "/%7Euser",
    "/%7euser/%7E",
    "/a%2Db%5Fc%2e",
    "/%3a%40%21%24",
    "/a:b",
    "/a@b",
    "/:80",
    "//",
    "///",
    "//host/path",
    "//host//path",
    "http:/x",
    "a",
    "a/b",
    "?x",
    "",
    "/a%2f..%2f..%2fb",
    "/\u{1}",
    "/a\tb",
    "/a%09b",
    "/\u{80}",
    "/\u{ff}",
];

pub(crate) const ABSOLUTE: &[&str] = &[
    "http://web.test/a",
    "http://web.test",
    "http://web.test?x",
    "http://web.test/?x#y",
    "HTTP://web.test/a",
    "https://web.test/a",
    "ftp://web.test/a",
    "http://WEB.test:99/a",
    "http://web.test:/a",
    "http://web.test:x/a",
    "http://user:pass@web.test/a",
    "http://@/",
    "http:///a",
    "http://",
    "http:a",
    "http:/a",
    "//web.test/a",
    "http://[::1]/a",
    "http://[::1]:80/a",
    "http://[::1/a",
    "http://other.test/a",
    "http://web.test/a/../b//c",
    "http://web.test/%41?x;y",
    "http://we%62.test/a",
    "http://web.test\\a",
    "x-y://web.test/a",
    "web.test/a",
    "*",
];

const DYNAMIC: &str = r#"
http:
  routers:
    exact: {rule: "Host(`rule.test`) && Path(`/a/b`)", service: s, middlewares: [exact]}
    space: {rule: "Host(`rule.test`) && Path(`/foo bar`)", service: s, middlewares: [space]}
    kept: {rule: "Host(`rule.test`) && Path(`/foo%2Fbar`)", service: s, middlewares: [kept]}
    prefix: {rule: "Host(`rule.test`) && PathPrefix(`/a/`)", service: s, middlewares: [prefix]}
    regexp: {rule: "Host(`rule.test`) && PathRegexp(`^/(b|é)+/?$`)", service: s, middlewares: [regexp]}
    query: {rule: "Host(`rule.test`) && Query(`b`, `2`)", service: s, middlewares: [query]}
    web: {rule: "Host(`web.test`)", service: s}
  services:
    s: {loadBalancer: {servers: [{url: "http://@@backend0@@"}]}}
  middlewares:
    exact: {headers: {customResponseHeaders: {X-Router: exact}}}
    space: {headers: {customResponseHeaders: {X-Router: space}}}
    kept: {headers: {customResponseHeaders: {X-Router: kept}}}
    prefix: {headers: {customResponseHeaders: {X-Router: prefix}}}
    regexp: {headers: {customResponseHeaders: {X-Router: regexp}}}
    query: {headers: {customResponseHeaders: {X-Router: query}}}
"#;

#[test]
fn targets_are_cleaned_routed_and_forwarded_as_traefik_does() {
    let Some(mut pair) = Pair::start(&Setup::web(DYNAMIC), 1) else { return };
    for host in ["web.test", "rule.test"] {
        for target in TARGETS.iter().chain(MORE) {
            pair.compare(&refusal_by_status(Case::get(host, target, "")));
        }
    }
    for target in ABSOLUTE {
        pair.compare(&refusal_by_status(Case::get("web.test", target, "")));
        pair.compare(&refusal_by_status(Case::get("other.test", target, "")));
    }
    for method in ["OPTIONS", "CONNECT"] {
        for target in ["*", "/", "web.test:80", "web.test", "http://web.test/", "/a"] {
            let case = Case::request(method, "web.test", target, "", "").watched();
            pair.compare(&refusal_by_status(case));
        }
    }
    pair.finish();
}

#[test]
fn targets_pass_unclean_where_the_entry_point_says_so() {
    let setup = Setup::web(DYNAMIC)
        .flag("--entryPoints.web.http.sanitizePath=false")
        .flag("--entryPoints.web.http.encodeQuerySemicolons=true");
    let Some(mut pair) = Pair::start(&setup, 1) else { return };
    for host in ["web.test", "rule.test"] {
        for target in TARGETS.iter().chain(MORE) {
            pair.compare(&refusal_by_status(Case::get(host, target, "")));
        }
    }
    pair.finish();
}

fn refusal_by_status(case: Case<'_>) -> Case<'_> {
    case.refusal(Difference::RefusesAmbiguous)
}
