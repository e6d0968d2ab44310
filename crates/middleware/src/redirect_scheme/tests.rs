use super::*;
use crate::testing::{context, request, shown};

fn compiled(scheme: &str, port: &str, permanent: bool) -> RedirectScheme {
    let config =
        dynamic::RedirectScheme { scheme: scheme.to_owned(), port: port.to_owned(), permanent };
    RedirectScheme::compile(&config, &mut Vec::new()).unwrap()
}

/// `pass`, or status and location.
fn outcome(filter: &RedirectScheme, tls: bool, mut request: Request) -> String {
    let mut context = context();
    context.tls = tls;
    match filter.on_request(&mut request, &mut context) {
        Flow::Continue => "pass".to_owned(),
        Flow::Respond(answer) => {
            assert_eq!(answer.body.as_ref(), answer.status.text().as_bytes());
            let location = answer.headers.get_str(Known::Location).unwrap_or_default();
            format!("{} {location}", answer.status.code()).trim_end().to_owned()
        }
    }
}

#[track_caller]
fn check(settings: (&str, &str), tls: bool, host: &str, expected: &str) {
    let filter = compiled(settings.0, settings.1, false);
    let given = request("GET", "/p%2fq?x=1", host, &[]);
    assert_eq!(outcome(&filter, tls, given), expected, "{settings:?} {tls} {host}");
}

#[test]
fn another_scheme_is_asked_for_without_the_old_port() {
    let to = ("https", "");
    for host in ["a.test", "a.test:80", "a.test:443", "a.test:8000"] {
        check(to, false, host, "302 https://a.test/p%2Fq?x=1");
    }
    check(to, false, "A_b.Test", "302 https://A_b.Test/p%2Fq?x=1");
    check(to, false, "127.0.0.1:81", "302 https://127.0.0.1/p%2Fq?x=1");
    check(to, false, "a'b", "302 https://a'b/p%2Fq?x=1");
    check(to, false, "a=b:1", "302 https://a=b:1/p%2Fq?x=1");
    check(to, false, "a.test:", "302 https://a.test:/p%2Fq?x=1");
    check(("HTTPS", ""), false, "a.test", "302 https://a.test/p%2Fq?x=1");
}

#[test]
fn a_request_that_came_as_wished_passes() {
    for host in ["a.test", "a.test:443", "[::1]", "a.test:", "a'b", "a=b:1"] {
        check(("https", ""), true, host, "pass");
    }
    check(("https", "8443"), true, "a.test:8443", "pass");
    check(("https", "80"), true, "a.test:80", "pass");
    check(("http", "80"), false, "a.test:80", "pass");
    check(("http", ""), false, "a.test", "pass");
}

#[test]
fn another_port_is_asked_for() {
    check(("https", ""), true, "a.test:8000", "302 https://a.test/p%2Fq?x=1");
    check(("https", ""), true, "a.test:0443", "302 https://a.test/p%2Fq?x=1");
    check(("https", "8443"), false, "a.test", "302 https://a.test:8443/p%2Fq?x=1");
    check(("https", "8443"), true, "a.test:443", "302 https://a.test:8443/p%2Fq?x=1");
    check(("https", "443"), false, "a.test:8000", "302 https://a.test/p%2Fq?x=1");
    check(("http", "443"), true, "a.test", "302 http://a.test:443/p%2Fq?x=1");
    check(("http", "81"), false, "a.test", "302 http://a.test:81/p%2Fq?x=1");
}

#[test]
fn ipv6_hosts_are_redirected_without_a_port_only_as_in_traefik() {
    check(("https", ""), false, "[::1]", "302 https://[::1]/p%2Fq?x=1");
    check(("https", "8443"), false, "[::1]", "302 https://[::1]:8443/p%2Fq?x=1");
    for host in ["[::1]:8000", "[::1]:80", "::1", "[::1]:", "[fe80::1%eth0]"] {
        check(("https", ""), false, host, "502");
    }
}

#[test]
fn hosts_that_make_no_url_get_502() {
    for host in ["a.test:abc", "a:b:c"] {
        check(("https", ""), false, host, "502");
        check(("https", ""), true, host, "502");
    }
    check(("https", "abc"), true, "a.test:abc", "502");
    check(("ht tp", ""), false, "a.test", "502");
    for host in ["a,b.test:80", "a'b", "a.test:"] {
        check(("https", "8443"), false, host, "502");
    }
}

#[test]
fn the_method_decides_the_status() {
    for (method, plain, permanent) in [
        ("GET", 302, 301),
        ("HEAD", 307, 308),
        ("POST", 307, 308),
        ("OPTIONS", 307, 308),
        ("PROPFIND", 307, 308),
        ("get", 307, 308),
    ] {
        for (permanent, status) in [(false, plain), (true, permanent)] {
            let given = request(method, "/m", "a.test", &[]);
            let expected = format!("{status} https://a.test/m");
            assert_eq!(outcome(&compiled("https", "", permanent), false, given), expected);
        }
    }
}

#[test]
fn x_forwarded_proto_counts_more_than_the_connection() {
    let to = compiled("https", "", false);
    let redirected = "302 https://a.test/x";
    for (proto, plain, encrypted) in [
        ("https", "pass", "pass"),
        ("WSS", "pass", "pass"),
        ("http", redirected, redirected),
        ("ws", redirected, redirected),
        ("ftp", redirected, "pass"),
        ("", redirected, "pass"),
        ("https, http", redirected, "pass"),
    ] {
        for (tls, expected) in [(false, plain), (true, encrypted)] {
            let given = request("GET", "/x", "a.test", &[("X-Forwarded-Proto", proto)]);
            assert_eq!(outcome(&to, tls, given), expected, "{proto} {tls}");
        }
    }
}

#[test]
fn a_fragment_in_the_query_is_one_in_the_location_and_not_sent_on() {
    let to = compiled("https", "", false);
    let given = request("GET", "/x?y=/z#f%20g", "a.test", &[]);
    assert_eq!(outcome(&to, false, given), "302 https://a.test/x?y=/z#f%20g");
    let mut passing = request("GET", "/x?y#f", "a.test", &[]);
    let mut context = context();
    context.tls = true;
    assert!(matches!(to.on_request(&mut passing, &mut context), Flow::Continue));
    assert_eq!(passing.target.request_uri(), "/x?y");
    assert_eq!(outcome(&to, true, request("GET", "/?a#%zz", "a.test", &[])), "502");
}

#[test]
fn a_semicolon_in_the_query_stays_in_the_location() {
    let to = compiled("https", "", false);
    assert_eq!(
        outcome(&to, false, request("GET", "/x?a;b", "a.test", &[])),
        "302 https://a.test/x?a;b"
    );
}

#[test]
fn an_empty_scheme_is_refused() {
    let mut problems = Vec::new();
    assert!(RedirectScheme::compile(&Default::default(), &mut problems).is_none());
    let expected = "Error you must provide a target scheme";
    assert_eq!(shown(&problems), [expected]);
}
