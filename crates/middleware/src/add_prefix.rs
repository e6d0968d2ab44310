//! Adds a prefix to the request path.
//!
//! Traefik: `addPrefix`. Differences: none.

use portway_http::Request;
use portway_model::{Problem, dynamic};

use crate::Flow;

/// A compiled `addPrefix`.
#[derive(Debug)]
pub struct AddPrefix {
    prefix: Box<[u8]>,
}

impl AddPrefix {
    /// Compiles the user's settings; an empty prefix is refused.
    pub fn compile(config: &dynamic::AddPrefix, problems: &mut Vec<Problem>) -> Option<Self> {
        if config.prefix.is_empty() {
            problems.push(Problem::error("", "prefix cannot be empty"));
            return None;
        }
        Some(Self { prefix: config.prefix.as_bytes().into() })
    }

    pub(crate) fn on_request(&self, request: &mut Request) -> Flow {
        request.target.add_prefix(&self.prefix);
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{get, shown};

    #[track_caller]
    fn check(prefix: &str, uri: &str, expected: &str) {
        let config = dynamic::AddPrefix { prefix: prefix.to_owned() };
        let filter = AddPrefix::compile(&config, &mut Vec::new()).unwrap();
        let mut request = get(uri, &[]);
        assert!(matches!(filter.on_request(&mut request), Flow::Continue));
        assert_eq!(request.target.request_uri(), expected, "{prefix} + {uri}");
    }

    #[test]
    fn a_prefix_goes_before_the_path() {
        check("/a", "/", "/a/");
        check("/a", "/b?x=a%2Fb&y=%zz", "/a/b?x=a%2Fb&y=%zz");
        check("/a", "/b?", "/a/b?");
        check("/a/", "/b", "/a//b");
        check("/..", "/a/b", "/../a/b");
    }

    #[test]
    fn a_prefix_without_a_slash_gets_one() {
        check("a", "/b", "/a/b");
        check("a", "/x%2Fy", "/a/x%2Fy");
    }

    #[test]
    fn the_encoding_of_the_path_is_kept() {
        check("/a", "/b%2fc/%20d", "/a/b%2Fc/%20d");
        check("/a", "/!'()*", "/a/!'()*");
        check("/a", "/[x]", "/a/[x]");
        check("/a", "/%E2%82%AC", "/a/%E2%82%AC");
    }

    #[test]
    fn a_prefix_is_text_and_no_encoding() {
        check("/a%2Fb", "/c", "/a%252Fb/c");
        check("/a?x=1", "/c?y", "/a%3Fx=1/c?y");
        check("/a b", "/c", "/a%20b/c");
        check("/é", "/c", "/%C3%A9/c");
        check("/a#b", "/c", "/a%23b/c");
    }

    #[test]
    fn an_encoding_that_does_not_fit_the_prefix_is_given_up_as_in_go() {
        check("/100%", "/a%2Fb", "/100%25/a/b");
        check("/a b", "/x%2Fy", "/a%20b/x/y");
    }

    #[test]
    fn an_empty_prefix_is_refused() {
        let mut problems = Vec::new();
        let config = dynamic::AddPrefix::default();
        assert!(AddPrefix::compile(&config, &mut problems).is_none());
        assert_eq!(shown(&problems), ["Error prefix cannot be empty"]);
    }
}
