use proptest::prelude::*;

use super::*;
use crate::testing::{context, get, listed, shown};

fn compiled(prefixes: &[&str], force_slash: Option<bool>) -> StripPrefix {
    let prefixes = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
    StripPrefix::compile(&dynamic::StripPrefix { prefixes, force_slash }, &mut Vec::new())
}

/// The URI that goes on and the prefix that the server is told; `400` for a refusal.
fn outcome(filter: &StripPrefix, uri: &str) -> String {
    let mut request = get(uri, &[]);
    match filter.on_request(&mut request, &mut context()) {
        Flow::Continue => {
            let fields = listed(&request.headers).join(", ");
            format!("{} {fields}", request.target.request_uri()).trim_end().to_owned()
        }
        Flow::Respond(answer) => {
            assert_eq!(answer, Answer::error(Status::BAD_REQUEST, "Bad Request"));
            "400".to_owned()
        }
    }
}

#[track_caller]
fn check(prefixes: &[&str], table: &[(&str, &str)]) {
    let filter = compiled(prefixes, None);
    for (uri, expected) in table {
        assert_eq!(outcome(&filter, uri), *expected, "{prefixes:?} from {uri}");
    }
}

#[test]
fn the_prefix_is_removed_and_told() {
    check(
        &["/a"],
        &[
            ("/a", "/ X-Forwarded-Prefix: /a"),
            ("/a/", "/ X-Forwarded-Prefix: /a"),
            ("/a/b", "/b X-Forwarded-Prefix: /a"),
            ("/a/b/", "/b/ X-Forwarded-Prefix: /a"),
            ("/a/b/c", "/b/c X-Forwarded-Prefix: /a"),
            ("/a?x=1", "/?x=1 X-Forwarded-Prefix: /a"),
            ("/a?", "/? X-Forwarded-Prefix: /a"),
            ("/a/?", "/? X-Forwarded-Prefix: /a"),
            ("/a/b?x=a%2Fb&y=%zz", "/b?x=a%2Fb&y=%zz X-Forwarded-Prefix: /a"),
            ("/a/.b", "/.b X-Forwarded-Prefix: /a"),
            ("/a/../a/b", "/b X-Forwarded-Prefix: /a"),
        ],
    );
}

#[test]
fn a_prefix_is_text_and_ends_anywhere() {
    check(&["/a"], &[("/ab", "/b X-Forwarded-Prefix: /a"), ("/a;b", "/;b X-Forwarded-Prefix: /a")]);
    check(&["/stat"], &[("/status", "/us X-Forwarded-Prefix: /stat")]);
}

#[test]
fn other_paths_pass_unchanged() {
    check(
        &["/a"],
        &[("/", "/"), ("/A", "/A"), ("/b", "/b"), ("/%2Fa", "/%2Fa"), ("/a/../b", "/b")],
    );
    check(&["/a/"], &[("/a", "/a"), ("/ab", "/ab")]);
    check(&["a"], &[("/a", "/a")]);
    check(&[], &[("/a", "/a")]);
}

#[test]
fn the_first_prefix_that_fits_counts() {
    check(
        &["/a/b", "/a", "/"],
        &[
            ("/a/b/c", "/c X-Forwarded-Prefix: /a/b"),
            ("/a/c", "/c X-Forwarded-Prefix: /a"),
            ("/ab", "/b X-Forwarded-Prefix: /a"),
            ("/b", "/b X-Forwarded-Prefix: /"),
            ("/", "/ X-Forwarded-Prefix: /"),
            ("/%2Fa", "/a X-Forwarded-Prefix: /"),
        ],
    );
    check(&["/a", "/a/b"], &[("/a/b/c", "/b/c X-Forwarded-Prefix: /a")]);
}

#[test]
fn encoded_paths_are_compared_decoded_and_keep_their_encoding() {
    check(
        &["/a"],
        &[
            ("/%61/b", "/b X-Forwarded-Prefix: /a"),
            ("/a%2Fb", "/b X-Forwarded-Prefix: /a"),
            ("/a%2fb/c", "/b/c X-Forwarded-Prefix: /a"),
            ("/a/%2F", "/%2F X-Forwarded-Prefix: /a"),
            ("/a/b%2F", "/b%2F X-Forwarded-Prefix: /a"),
            ("/a/..%2Fb", "/..%2Fb X-Forwarded-Prefix: /a"),
            ("/a%252Fb", "/%252Fb X-Forwarded-Prefix: /a"),
            ("/a%3Fb", "/%3Fb X-Forwarded-Prefix: /a"),
            ("/a/!'()*", "/!'()* X-Forwarded-Prefix: /a"),
            ("/a/[x]", "/[x] X-Forwarded-Prefix: /a"),
            ("/a/%E2%82%AC", "/%E2%82%AC X-Forwarded-Prefix: /a"),
        ],
    );
    check(&["/a b"], &[("/a%20b/c", "/c X-Forwarded-Prefix: /a b"), ("/a/b", "/a/b")]);
    check(&["/é"], &[("/%C3%A9/x%2Fy", "/x%2Fy X-Forwarded-Prefix: /é")]);
    check(
        &["/a%2Fb"],
        &[("/a%252Fb", "/ X-Forwarded-Prefix: /a%2Fb"), ("/a%2Fb", "/a%2Fb"), ("/a/b", "/a/b")],
    );
}

#[test]
fn a_rest_that_means_another_path_is_refused() {
    check(
        &["/a"],
        &[
            ("/a..", "400"),
            ("/a.", "400"),
            ("/a./b", "400"),
            ("/a%2E%2E", "400"),
            ("/a.%2E/x", "400"),
            ("/a%2F%2Fb", "400"),
        ],
    );
}

#[test]
fn white_space_around_a_prefix_is_dropped() {
    check(&["  /a "], &[("/a/b", "/b X-Forwarded-Prefix: /a")]);
    check(&["  "], &[("/b", "/b X-Forwarded-Prefix:")]);
}

#[test]
fn a_prefix_that_the_client_claims_stays_before_ours() {
    let mut request = get("/a/b", &[("X-Forwarded-Prefix", "/client")]);
    compiled(&["/a"], None).on_request(&mut request, &mut context());
    assert_eq!(listed(&request.headers), ["X-Forwarded-Prefix: /client", "X-Forwarded-Prefix: /a"]);
}

#[test]
fn force_slash_makes_no_difference_on_the_wire_but_warns() {
    for force in [Some(true), Some(false)] {
        let filter = compiled(&["/a"], force);
        for (uri, expected) in [
            ("/a", "/ X-Forwarded-Prefix: /a"),
            ("/ab%2Fc", "/b%2Fc X-Forwarded-Prefix: /a"),
            ("/a//b", "/b X-Forwarded-Prefix: /a"),
        ] {
            assert_eq!(outcome(&filter, uri), expected, "{force:?} {uri}");
        }
    }
    let mut problems = Vec::new();
    let config = dynamic::StripPrefix { prefixes: Vec::new(), force_slash: Some(true) };
    StripPrefix::compile(&config, &mut problems);
    assert_eq!(
        shown(&problems),
        ["Warning stripPrefix.forceSlash: `ForceSlash` option is deprecated, please remove any \
          usage of this option."]
    );
}

proptest! {
    #[test]
    fn what_goes_on_is_a_path_that_ends_like_the_one_that_came(
        prefix in "/[a-c./%2F é]{0,6}",
        uri in "(/|/[a-c./%]{0,3}(%2[eEfF0]|[a-c/.;])*)(\\?[a-z%;]*)?",
    ) {
        let mut request = portway_http::Request::new();
        if request.target.set_path_and_query(uri.as_bytes()).is_ok() {
            let query = request.target.query().to_vec();
            let filter = compiled(&[&prefix], None);
            if let Flow::Continue = filter.on_request(&mut request, &mut context()) {
                let path = request.target.escaped_path();
                prop_assert!(path.is_empty() || path.starts_with('/'));
                prop_assert_eq!(request.target.query(), &query[..]);
            }
        }
    }
}
