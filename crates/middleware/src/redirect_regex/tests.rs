use proptest::prelude::*;

use super::*;
use crate::testing::{context, request, shown};
use portway_http::Known;

fn compiled(regex: &str, replacement: &str, permanent: bool) -> RedirectRegex {
    let config = dynamic::RedirectRegex {
        regex: regex.to_owned(),
        replacement: replacement.to_owned(),
        permanent,
    };
    RedirectRegex::compile(&config, &mut Vec::new()).unwrap()
}

fn outcome(filter: &RedirectRegex, method: &str, uri: &str, host: &str, tls: bool) -> String {
    let mut context = context();
    context.tls = tls;
    match filter.on_request(&mut request(method, uri, host, &[]), &mut context) {
        Flow::Continue => "pass".to_owned(),
        Flow::Respond(answer) => {
            let location = answer.headers.get_str(Known::Location).unwrap_or_default();
            format!("{} {location}", answer.status.code()).trim_end().to_owned()
        }
    }
}

#[track_caller]
fn check(regex: &str, replacement: &str, uri: &str, expected: &str) {
    let filter = compiled(regex, replacement, false);
    assert_eq!(outcome(&filter, "GET", uri, "a.test", false), expected, "{regex} {uri}");
}

const ANY: &str = r"^http://([^/]+)/(.*)$";

#[test]
fn the_redirection_of_the_dashboard_works() {
    let regex = r"^(http:\/\/(\[[\w:.]+\]|[\w\._-]+)(:\d+)?)\/$";
    let filter = compiled(regex, "${1}/dashboard/", true);
    for (host, expected) in [
        ("a.test", "301 http://a.test/dashboard/"),
        ("[::1]:8080", "301 http://[::1]:8080/dashboard/"),
        ("127.0.0.1:9000", "301 http://127.0.0.1:9000/dashboard/"),
    ] {
        assert_eq!(outcome(&filter, "GET", "/", host, false), expected);
    }
    assert_eq!(outcome(&filter, "POST", "/", "a.test", false), "308 http://a.test/dashboard/");
    for (uri, tls) in [("/dashboard/", false), ("/?x", false), ("/", true)] {
        assert_eq!(outcome(&filter, "GET", uri, "a.test", tls), "pass", "{uri} {tls}");
    }
}

#[test]
fn the_url_has_scheme_host_port_path_and_query() {
    let filter = compiled("^(.*)://www\\.(.*)$", "$1://$2", false);
    assert_eq!(
        outcome(&filter, "GET", "/a%2fb?c", "www.a.test:81", true),
        "302 https://a.test:81/a%2Fb?c"
    );
    assert_eq!(outcome(&filter, "GET", "/", "a.test", false), "pass");
}

#[test]
fn a_result_equal_to_the_url_passes() {
    check("^(.*)$", "$1", "/a?b", "pass");
    check(ANY, "http://$1/$2", "/a?b", "pass");
    check("^(.*)$", "$1", "/a?b#%zz", "502");
}

#[test]
fn groups_are_named_as_in_go() {
    let named = r"^http://(?P<h>[^/]+)/(?P<p>.*)$";
    check(named, "https://${h}/n/$p?x=$nope$$1$ $", "/aaa", "302 https://a.test/n/aaa?x=$1$ $");
    check(ANY, "https://$1x/$01/$2/${2}z/$10/${", "/foo", "302 https:////foo/fooz//$%7B");
    check(ANY, "https://h/${2", "/foo", "302 https://h/$%7B2");
    check(ANY, "https://h/$é/$2_", "/foo", "302 https://h//");
}

#[test]
fn every_match_is_replaced() {
    check("a", "b", "/aaa/x?a", "302 http://b.test/bbb/x?b");
    check("", "Z", "/a", "302 zhztztzpz:Z/Z/ZaZ.ZtZeZsZtZ/ZaZ");
    check(".*", "https://x.test/", "/", "302 https://x.test/");
}

#[test]
fn classes_groups_and_flags_mean_what_they_mean_in_go() {
    check(
        r"^http://([^/]+)/(\w+)-(\d+)\b(.*)$",
        "https://$1/$3/$2$4",
        "/foo-12/bar",
        "302 https://a.test/12/foo/bar",
    );
    check(
        r"(?i)^HTTP://([^/]+)/ABC(.*)$",
        "https://$1/i$2",
        "/AbC/%2f%41",
        "302 https://a.test/i/%2FA",
    );
    check(
        r"^http://([[:alnum:].]+)/([^]x]*)(.*)$",
        "https://$1/p/$2/$3",
        "/a?x=/",
        "302 https://a.test/p/a?/x=/",
    );
    check(
        r"(?U)^http://(.+)/(.*)/(.*)$",
        "https://$1/l/$2|$3",
        "/foo/bar",
        "302 https://a.test/l/foo%7Cbar",
    );
}

#[test]
fn expressions_of_another_dialect_are_refused() {
    for (regex, reason) in [
        ("(", "a `(` is not closed"),
        ("[a", "not closed"),
        (r"\u0041", "u"),
        ("(?x) a", "starts no group that is supported"),
        ("(?u:a)", "starts no group that is supported"),
        ("(?=a)", "starts no group that is supported"),
        ("a{2,1}", "repetition"),
    ] {
        let config = dynamic::RedirectRegex { regex: regex.to_owned(), ..Default::default() };
        let mut problems = Vec::new();
        assert!(RedirectRegex::compile(&config, &mut problems).is_none(), "{regex}");
        let shown = &shown(&problems)[0];
        assert!(shown.starts_with("Error error parsing regexp: "), "{shown}");
        assert!(shown.contains(reason), "{regex}: {shown}");
    }
}

proptest! {
    #[test]
    fn no_expression_and_no_replacement_panics(
        regex in "[a-c().*+?\\[\\]\\\\{}|^$:&~0-9<>dwsbQEPux-]{0,12}",
        replacement in "[a-c:/?#%$@{}\\[\\]0-9é ]{0,16}",
        uri in "/[a-c%2F?#é]{0,8}",
    ) {
        let config = dynamic::RedirectRegex { regex, replacement, permanent: false };
        let mut request = portway_http::Request::new();
        if let Some(filter) = RedirectRegex::compile(&config, &mut Vec::new())
            && request.target.set_path_and_query(uri.as_bytes()).is_ok()
        {
            let _ = filter.on_request(&mut request, &mut context());
        }
    }
}
