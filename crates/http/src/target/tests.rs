//! Targets: what Go's `net/url` and Traefik's entry points make of them.

use super::*;
use crate::method::Method;
use crate::refusal::Reason;
use crate::request::{CanonicalRules, Request};

/// Parses a target of a GET request and brings it into canonical form.
fn canonical(raw: &str) -> Target {
    canonical_with(raw, CanonicalRules::default())
}

fn canonical_with(raw: &str, rules: CanonicalRules) -> Target {
    let mut request = Request::new();
    request.target.parse(raw.as_bytes(), &Method::Get, &mut request.authority).unwrap();
    request.canonicalize(&rules).unwrap();
    request.target
}

fn refused(raw: &[u8], method: Method) -> Reason {
    Target::default().parse(raw, &method, &mut String::new()).unwrap_err()
}

#[track_caller]
fn check(raw: &str, sent: &str) {
    assert_eq!(canonical(raw).request_uri(), sent, "{raw}");
}

#[test]
fn paths_are_sanitised_as_traefik_does() {
    // Traefik: TestSanitizePath and TestPathOperations.
    for (raw, sent) in [
        ("/b", "/b"),
        ("/b/", "/b/"),
        ("/../../b/", "/b/"),
        ("/../../b", "/b"),
        ("/a/b/..", "/a"),
        ("/a/b/../", "/a/"),
        ("/a/../../b", "/b"),
        ("/..///b///", "/b/"),
        ("/a/../b", "/b"),
        ("/a/./b", "/a/b"),
        ("/a//b", "/a/b"),
        ("/a/../../c", "/c"),
        ("/a/../c/../../b", "/b"),
        ("/a/..//c/.././b", "/b"),
        ("/.", "/"),
        ("/..", "/"),
        ("/...", "/..."),
        ("/.a/..b/c..", "/.a/..b/c.."),
        ("/a/../b/%41%42%43//%2f/", "/b/ABC/%2F/"),
        ("/a/%2E%2E/%2E%2E/b/", "/b/"),
        ("/a/%252E%252E/%252E%252E/b/", "/a/%252E%252E/%252E%252E/b/"),
        ("/foo%20bar", "/foo%20bar"),
        ("/foo%2Fbar", "/foo%2Fbar"),
        ("/a/..%2Fb/", "/a/..%2Fb/"),
        ("//evil.com/x", "/evil.com/x"),
        ("/a//?b=//c/..", "/a/?b=//c/.."),
    ] {
        check(raw, sent);
    }
}

#[test]
fn encodings_follow_those_of_go() {
    for (raw, sent) in [
        ("/a%2fb|c(d)%41", "/a/b%7Cc%28d%29A"),
        ("/a%2fb(c)", "/a%2Fb(c)"),
        ("/a[b]!'()*", "/a[b]!'()*"),
        ("/é|\"<>", "/%C3%A9%7C%22%3C%3E"),
        ("/%c3%a9", "/%C3%A9"),
        ("/a%00b", "/a%00b"),
        ("/%7Euser/%7e", "/~user/~"),
        ("/a?", "/a?"),
        ("/a??", "/a??"),
        ("/a?x#b", "/a?x#b"),
        ("/a?%zz", "/a?%zz"),
        ("*", "*"),
        ("/*", "/*"),
        ("/a;b=1/c", "/a;b=1/c"),
    ] {
        check(raw, sent);
    }
}

#[test]
fn nothing_is_sanitised_when_the_rules_say_so() {
    let rules = CanonicalRules { sanitize_path: false, ..CanonicalRules::default() };
    for (raw, sent) in [("/a/../b//c", "/a/../b//c"), ("/a/%2e%2e/b", "/a/../b"), ("/%2f", "/%2F")]
    {
        assert_eq!(canonical_with(raw, rules).request_uri(), sent, "{raw}");
    }
}

#[test]
fn redirections_see_the_semicolons_until_something_changes() {
    let client_uri = |target: &Target| {
        let mut uri = Vec::new();
        target.write_client_uri(&mut uri);
        String::from_utf8(uri).unwrap()
    };
    let mut target = canonical("/a/b?x;y&z");
    assert_eq!(
        (client_uri(&target).as_str(), &*target.request_uri()),
        ("/a/b?x;y&z", "/a/b?x&y&z")
    );
    assert_eq!(target.strip_prefix(b"/a", false), Stripped::Done);
    assert_eq!(client_uri(&target), "/b?x&y&z");
    assert_eq!(client_uri(&canonical("/a?x&y")), "/a?x&y");
    target.clear();
    assert_eq!(client_uri(&target), "/");
}

#[test]
fn a_redirection_to_itself_shows_the_semicolons_to_all_but_the_server() {
    let mut target = canonical("/a/b?x;y&z");
    target.resume_client_uri();
    let server_uri = |target: &Target| {
        let mut uri = Vec::new();
        target.write_server_uri(&mut uri);
        String::from_utf8(uri).unwrap()
    };
    assert_eq!((&*target.request_uri(), &*server_uri(&target)), ("/a/b?x;y&z", "/a/b?x&y&z"));
    assert_eq!(target.strip_prefix(b"/a", false), Stripped::Done);
    assert_eq!((&*target.request_uri(), &*server_uri(&target)), ("/b?x;y&z", "/b?x&y&z"));
    let mut target = canonical("/a;b?");
    target.resume_client_uri();
    assert_eq!(server_uri(&target), "/a;b?");
    assert_eq!(target.strip_prefix(b"/a;b", false), Stripped::Done);
    assert_eq!((target.path(), target.escaped_path()), (&b""[..], ""));
    target.resume_client_uri();
    assert_eq!((target.path(), target.escaped_path()), (&b"/"[..], "/"));
}

#[test]
fn a_path_that_normalising_made_plain_has_no_encoding_of_its_own() {
    let mut target = canonical("/%61");
    assert_eq!(target.raw_path(), None);
    target.add_prefix(b"/[x]");
    assert_eq!(target.request_uri(), "/%5Bx%5D/a");
}

#[test]
fn semicolons_of_the_query_are_settled() {
    check("/a?x=1;y=2&z=%zz", "/a?x=1&y=2&z=%zz");
    let rules = CanonicalRules { encode_query_semicolons: true, ..CanonicalRules::default() };
    assert_eq!(canonical_with("/a;b?x=1;y;;", rules).request_uri(), "/a;b?x=1%3By%3B%3B");
}

#[test]
fn the_routing_path_decodes_all_but_reserved_characters() {
    for (raw, routed) in [
        ("/foo%20bar", "/foo bar"),
        ("/foo%2fbar", "/foo%2Fbar"),
        ("/foo%20%2Fbar", "/foo %2Fbar"),
        ("/%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25", ""),
        ("/%22%3C%3E%5C%5E%60%7B%7C%7D", "/\"<>\\^`{|}"),
        ("/plain", "/plain"),
        ("/%C3%A9", "/é"),
        ("/a(b)", "/a(b)"),
    ] {
        let target = canonical(raw);
        let expected = if routed.is_empty() { raw } else { routed };
        assert_eq!(target.routing_path(), expected.as_bytes(), "{raw}");
    }
}

#[test]
fn absolute_targets_bring_their_authority() {
    for (raw, authority, sent) in [
        ("http://B.test:81/x?y", "B.test:81", "/x?y"),
        ("HTTPS://b.test", "b.test", "/"),
        ("http://b.test?x=1", "b.test", "/?x=1"),
        ("http://[::1]:8080/", "[::1]:8080", "/"),
        ("http:///x", "", "/x"),
        ("http://b.test:/x", "b.test:", "/x"),
    ] {
        let mut request = Request::new();
        request.target.parse(raw.as_bytes(), &Method::Get, &mut request.authority).unwrap();
        request.canonicalize(&CanonicalRules::default()).unwrap();
        assert_eq!(request.authority, authority);
        assert_eq!(request.target.request_uri(), sent);
        assert_eq!(request.target.form(), TargetForm::Absolute);
    }
}

#[test]
fn connect_takes_an_authority() {
    let mut target = Target::default();
    let mut authority = String::new();
    target.parse(b"a.test:443", &Method::Connect, &mut authority).unwrap();
    assert_eq!((target.form(), authority.as_str()), (TargetForm::Authority, "a.test:443"));
    target.clean();
    assert_eq!(target.escaped_path(), "/");
}

#[test]
fn targets_that_could_be_read_in_two_ways_are_refused() {
    for raw in [
        &b""[..],
        b"foo",
        b"a.test:80",
        b"http:foo",
        b"http:/x",
        b"http:",
        b"ftp://a/",
        b"javascript://a/",
        b"/a b",
        b"/a\tb",
        b"/a\0",
        b"/a\x7f",
        b"/a%",
        b"/a%2",
        b"/a%zz",
        b"/a%2?x",
        b"**",
        b"?x",
        b"#x",
        b"\\x",
        b"%2Fx",
    ] {
        assert_eq!(refused(raw, Method::Get), Reason::MalformedTarget, "{raw:?}");
    }
    for raw in [
        &b"http://u:p@b.test/x"[..],
        b"http://@/",
        b"http://a.test@evil/",
        b"http://a%41/",
        b"http://a b/",
        b"http://a:x/",
        b"http://a:1:2/",
        b"http://[::1/",
        b"http://::1/",
        b"http://[1.2.3.4]/",
        b"http://[::1]x/",
        b"http://[::1]:x/",
        b"http://[::1]]/",
        b"http://a[::1]/",
        b"http://a]/",
        b"http://a\\b/",
        b"http://\xc3\xa9/",
    ] {
        assert!(
            matches!(refused(raw, Method::Get), Reason::MalformedHost | Reason::MalformedTarget),
            "{raw:?}"
        );
    }
    for raw in [&b"a:b:c"[..], b"a.test:x", b"http://a/"] {
        assert_eq!(refused(raw, Method::Connect), Reason::MalformedHost, "{raw:?}");
    }
}

#[test]
fn a_fragment_in_the_path_is_refused_when_the_request_is_canonicalised() {
    let mut request = Request::new();
    request.target.parse(b"/a#b", &Method::Get, &mut request.authority).unwrap();
    let (reason, answer) = request.canonicalize(&CanonicalRules::default()).unwrap_err();
    assert_eq!(reason, Reason::Fragment);
    assert_eq!((answer.status.code(), answer.body.len()), (400, 0));
}

#[test]
fn prefixes_are_stripped_from_both_forms_of_the_path() {
    for (raw, prefix, force, outcome, sent) in [
        ("/foo/bar", "/foo", false, Stripped::Done, "/bar"),
        ("/foo", "/foo", false, Stripped::Done, "/"),
        ("/foo", "/foo/", false, Stripped::NoMatch, "/foo"),
        ("/foobar", "/foo", false, Stripped::Done, "/bar"),
        ("/foo/a%2Fb", "/foo", false, Stripped::Done, "/a%2Fb"),
        ("/f%2Foo/a%2Fb", "/f/oo", false, Stripped::Done, "/a%2Fb"),
        ("/foo%20x/y", "/foo x", false, Stripped::Done, "/y"),
        ("/stat/x", "/stat/", false, Stripped::Done, "/x"),
        ("/foo/bar", "/foo", true, Stripped::Done, "/bar"),
        ("/foo", "/foo", true, Stripped::Done, "/"),
        ("/foo../x", "/foo", false, Stripped::Ambiguous, ""),
        ("/foo./x", "/foo", false, Stripped::Ambiguous, ""),
        ("/x", "/foo", false, Stripped::NoMatch, "/x"),
        ("/a%3Fb/c?q", "/a?b", false, Stripped::Done, "/c?q"),
    ] {
        let mut target = canonical(raw);
        assert_eq!(target.strip_prefix(prefix.as_bytes(), force), outcome, "{raw} - {prefix}");
        if outcome != Stripped::Ambiguous {
            assert_eq!(target.request_uri(), sent, "{raw} - {prefix}");
        }
    }
}

#[test]
fn stripping_everything_leaves_an_empty_path_that_is_sent_as_a_slash() {
    let mut target = canonical("/foo?x");
    assert_eq!(target.strip_prefix(b"/foo", false), Stripped::Done);
    assert_eq!((target.path(), target.escaped_path()), (&b""[..], ""));
    assert_eq!(target.request_uri(), "/?x");
}

#[test]
fn prefixes_are_added_to_both_forms_of_the_path() {
    for (raw, prefix, sent) in [
        ("/bar", "/foo", "/foo/bar"),
        ("/a%2Fb", "/foo", "/foo/a%2Fb"),
        ("/a%2Fb", "foo", "/foo/a%2Fb"),
        ("/b", "/foo bar", "/foo%20bar/b"),
        // A prefix that must be encoded costs the encoding that came, as in Go.
        ("/a%2Fb", "/foo bar", "/foo%20bar/a/b"),
        ("/", "/foo", "/foo/"),
    ] {
        let mut target = canonical(raw);
        target.add_prefix(prefix.as_bytes());
        assert_eq!(target.request_uri(), sent, "{prefix} + {raw}");
    }
}

#[test]
fn setters_can_neither_split_the_request_line_nor_leave_the_path() {
    let mut target = canonical("/");
    target.set_path(b"/a b\r\n?x#y", None);
    target.set_query(b"a b\r\nc\x7f");
    assert_eq!(target.request_uri(), "/a%20b%0D%0A%3Fx%23y?a%20b%0D%0Ac%7F");
    target.set_path(b"/a", Some(b"/a HTTP/1.1\r\nX: y"));
    assert_eq!(target.escaped_path(), "/a");
    assert_eq!(target.set_escaped_path(b"/%4"), Err(InvalidPath));
    assert_eq!(target.escaped_path(), "");
    assert_eq!(target.set_path_and_query(b"/x%2Fy?z"), Ok(()));
    assert_eq!((target.path(), target.query()), (&b"/x/y"[..], &b"z"[..]));
    assert_eq!(target.raw_path(), Some(&b"/x%2Fy"[..]));
}

#[test]
fn denied_escapes_are_found_in_any_case() {
    assert!(deny_encoded("/a%2Fb", b"/"));
    assert!(deny_encoded("/a%5cb", b"/\\"));
    assert!(!deny_encoded("/a%2Fb", b"\\"));
    assert!(!deny_encoded("/a/b", b"/"));
    assert!(!deny_encoded("%2", b"/"));
}
