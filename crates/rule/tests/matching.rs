//! Which requests a rule matches.

#![cfg(test)]

#[path = "request/request.rs"]
mod request;

use portway_rule::{Rule, Syntax, parse};
use request::Request;

fn v3(rule: &str) -> Rule {
    parse(rule, Syntax::V3).unwrap_or_else(|error| panic!("{error}"))
}

fn v2(rule: &str) -> Rule {
    parse(rule, Syntax::V2).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn check(rule: &Rule, matching: &[&str], others: &[&str]) {
    for target in matching {
        assert!(rule.matches(&Request::new(target)), "{target} should match");
    }
    for target in others {
        assert!(!rule.matches(&Request::new(target)), "{target} should not match");
    }
}

#[test]
fn host_is_exact_but_for_case_and_a_trailing_dot() {
    check(&v3("Host(`A.b`)"), &["a.b/", "a.b./"], &["/", "x.a.b/", "b/", "a.b../"]);
    check(&v3("Host(`a.b.`)"), &["a.b/", "a.b./", "a.b../"], &["a.b.../", "/"]);
    check(&v3("Host(`a.b..`)"), &["a.b../", "a.b./"], &["a.b/"]);
    check(&v3("Host(`a.b:80`)"), &[], &["a.b/"]);
    check(&v3("Host(`*`)"), &["a/", "/"], &[]);
    check(&v2("Host(`a`, `B.c.`)"), &["a/", "b.c/", "a./"], &["/", "b/"]);
    check(&v2("Host(`*.a`)"), &["*.a/"], &["b.a/"]);
    check(&v2("Host(`*`)"), &["*/"], &["b/", "/"]);
}

#[test]
fn wildcard_host_stands_for_the_first_label() {
    let matching = ["x.a.b/", "*.a.b/", "x.a.b./", ".a.b/"];
    check(&v3("Host(`*.a.b`)"), &matching, &["a.b/", "y.x.a.b/", "/"]);
    check(&v3("Host(`*.a.b.`)"), &["x.a.b/", "x.a.b./"], &["a.b/"]);
    check(&v3("Host(`*a.b`)"), &[], &["a.b/", "xa.b/", "x.a.b/"]);
    check(&v3("Host(`*.`)"), &["x./", "x/"], &["x.y/", "/"]);
}

#[test]
fn host_regexp_searches_and_an_empty_match_is_every_host() {
    check(&v3("HostRegexp(`^[a-z]+\\.b$`)"), &["a.b/"], &["/", "1.b/", "a.b.c/"]);
    check(&v3("HostRegexp(`b`)"), &["abc/"], &["a/"]);
    check(&v3("HostRegexp(`[A-Z]`)"), &[], &["a/"]);
    check(&v3("HostRegexp(`^(a)?$`)"), &["a/", "/", "b/"], &[]);
    check(&v2("HostRegexp(`{sub:[a-z]+}.b`)"), &["a.b/"], &["1.b/", "a.b.c/", "axb/"]);
    check(&v2("HostRegexp(`{sub}.b`, `c`)"), &["a.b/", "c/"], &["x.a.b/"]);
    check(&v2("HostRegexp(`(a`)"), &["(a/"], &["a/"]);
    check(&v2("HostRegexp(`B.c`)"), &["b.c/"], &["bxc/"]);
}

#[test]
fn paths_are_compared_byte_by_byte() {
    check(&v3("Path(`/a`)"), &["x/a"], &["x/a/", "x/A", "x/ab", "x/"]);
    check(&v3("PathPrefix(`/a`)"), &["x/a", "x/a/", "x/ab"], &["x/", "x/b/a"]);
    check(&v3("PathRegexp(`^/[0-9]+$`)"), &["x/12"], &["x/a"]);
    check(&v3("PathRegexp(`b`)"), &["x/abc"], &["x/a"]);
    check(&v2("Path(`/a/{id:[0-9]+}`)"), &["x/a/12"], &["x/a/b", "x/a/12/"]);
    check(&v2("Path(`/a/{id}`, `/b`)"), &["x/a/12", "x/b"], &["x/a/1/2"]);
    check(&v2("PathPrefix(`/{id:[0-9]}`)"), &["x/1", "x/12/b"], &["x/a"]);
    check(&v2("PathPrefix(`/a`)"), &["x/ab"], &["x/b"]);
    let mut odd = Request::new("x/");
    odd.path = b"/\xff".to_vec();
    assert!(v3("Path(\"/\\xff\")").matches(&odd));
    assert!(v3("PathRegexp(`^/.$`)").matches(&odd));
    assert!(v2("Path(`/{id}`)").matches(&odd));
}

#[test]
fn method_argument_is_upper_cased() {
    let request = Request::new("x/").method("POST");
    assert!(v3("Method(`post`)").matches(&request));
    assert!(v2("Method(`get`, `post`)").matches(&request));
    assert!(!v3("Method(`GET`)").matches(&request));
    assert!(!v3("Method(`post`)").matches(&request.method("post")));
}

#[test]
fn any_value_of_a_header_counts() {
    let request = Request::new("x/").header("x-kind", "a").header("x-kind", "b");
    assert!(v3("Header(`X-KIND`, `b`)").matches(&request));
    assert!(!v3("Header(`X-Kind`, `B`)").matches(&request));
    assert!(v3("HeaderRegexp(`x-kind`, `^[b]$`)").matches(&request));
    assert!(!v3("HeaderRegexp(`other`, `.*`)").matches(&request));
    assert!(!v3("Header(`not a name`, `b`)").matches(&request));
    assert!(v2("Headers(`X-Kind`, `a`, `x-kind`, `b`)").matches(&request));
    assert!(!v2("Headers(`X-Kind`, `a`, `x-kind`, `c`)").matches(&request));
    assert!(v2("Headers(`X-Kind`, `c`, `X-Kind`, `b`)").matches(&request));
    assert!(v2("HeadersRegexp(`X-Kind`, `a|c`)").matches(&request));
    let host = Request::new("x/").header("host", "x");
    assert!(!v3("Header(`Host`, `x`)").matches(&host));
}

#[test]
fn query_without_value_wants_an_empty_one() {
    check(&v3("Query(`k`)"), &["x/?k", "x/?k=", "x/?k=1&k"], &["x/?k=1", "x/", "x/?K"]);
    check(&v3("QueryRegexp(`k`)"), &["x/?k"], &["x/?k=1"]);
    check(&v3("Query(`k`, `a b`)"), &["x/?k=a+b", "x/?%6B=a%20b", "x/?k=1&k=a+b"], &["x/?k=a"]);
    check(&v3("QueryRegexp(`k`, `^[0-9]+$`)"), &["x/?k=a&k=12"], &["x/?k=a", "x/?j=1"]);
}

#[test]
fn v2_query_looks_at_the_first_value() {
    check(&v2("Query(`k=v`)"), &["x/?k=v", "x/?k=v&k=w"], &["x/?k=w&k=v", "x/", "x/?k=vv"]);
    check(&v2("Query(`k=`)"), &["x/?k=v", "x/?k"], &["x/", "x/?k=a%0Ab"]);
    check(&v2("Query(`k`, `v`)"), &["x/?k=v"], &["x/?k"]);
    check(&v2("Query(`k={x:[0-9]+}`, `l=1`)"), &["x/?k=12&l=1"], &["x/?k=12", "x/?k=a&l=1"]);
    check(&v2("Query(`{x:=?}`)"), &["x/", "x/?a"], &[]);
}

#[test]
fn client_ip_is_the_peer() {
    let request = Request::new("x/").client("10.1.2.3");
    assert!(v3("ClientIP(`10.0.0.0/8`)").matches(&request));
    assert!(!v3("ClientIP(`11.0.0.1`)").matches(&request));
    assert!(v2("ClientIP(`11.0.0.1`, `10.1.2.3`)").matches(&request));
    let unknown = request.client("unknown");
    assert!(!v3("ClientIP(`0.0.0.0/0`)").matches(&unknown));
    assert!(v3("!ClientIP(`0.0.0.0/0`)").matches(&unknown));
}

#[test]
fn expressions_combine() {
    let rule = v3("Host(`a`) && (Path(`/x`) || !Method(`GET`)) || Host(`b`)");
    check(&rule, &["a/x", "b/", "b/x"], &["a/y", "c/x"]);
    assert!(rule.matches(&Request::new("a/y").method("PUT")));
    check(&v3("!(Host(`a`) || Path(`/x`))"), &["b/y"], &["a/y", "b/x"]);
}
