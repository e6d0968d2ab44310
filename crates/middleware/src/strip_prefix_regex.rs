//! Removes what a regular expression matches at the start of the path and tells servers which.
//!
//! Traefik: `stripPrefixRegex`. Differences: none.

use portway_http::{Answer, Known, Request, Status, Stripped};
use portway_model::{Problem, dynamic};
use portway_rule::Expression;

use crate::template::expression;
use crate::{Context, Flow};

/// A compiled `stripPrefixRegex`.
#[derive(Debug)]
pub struct StripPrefixRegex {
    expressions: Box<[Expression]>,
}

impl StripPrefixRegex {
    /// Compiles the user's settings; an expression that is none is refused. White space around expressions is
    /// dropped.
    pub fn compile(
        config: &dynamic::StripPrefixRegex,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let expressions = config.regex.iter().map(|source| expression(source.trim(), problems));
        Some(Self { expressions: expressions.collect::<Option<_>>()? })
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let Some(length) = self.prefix(request.target.path()) else { return Flow::Continue };
        let prefix = request.target.path().get(..length).unwrap_or_default();
        request.headers.append(Known::XForwardedPrefix, prefix);
        if request.target.strip_length(length, false) == Stripped::Ambiguous {
            context.reason = Some("stripPrefixRegex: the rest of the path is ambiguous");
            return Flow::Respond(Answer::error(Status::BAD_REQUEST, "Bad Request"));
        }
        Flow::Continue
    }

    /// The length of the prefix that the first expression finds that finds one.
    fn prefix(&self, path: &[u8]) -> Option<usize> {
        self.expressions.iter().find_map(|expression| {
            let found = path.get(expression.find(path)?)?;
            // Found further behind, it may begin the path all the same.
            (!found.is_empty() && path.starts_with(found)).then_some(found.len())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, get, listed, shown};

    #[track_caller]
    fn check(regex: &[&str], uri: &str, expected: &str) {
        let regex = regex.iter().map(|&source| source.to_owned()).collect();
        let config = dynamic::StripPrefixRegex { regex };
        let filter = StripPrefixRegex::compile(&config, &mut Vec::new()).unwrap();
        let mut request = get(uri, &[]);
        let outcome = match filter.on_request(&mut request, &mut context()) {
            Flow::Continue => {
                let fields = listed(&request.headers).join(", ");
                format!("{} {fields}", request.target.request_uri()).trim_end().to_owned()
            }
            Flow::Respond(answer) => answer.status.to_string(),
        };
        assert_eq!(outcome, expected, "{:?} for {uri}", config.regex);
    }

    #[test]
    fn what_is_found_at_the_start_is_removed_and_told() {
        check(&["/[a-z]+"], "/abc/d?x", "/d?x X-Forwarded-Prefix: /abc");
        check(&["^/[0-9]+", "/[a-z]+"], "/ab1", "/1 X-Forwarded-Prefix: /ab");
        check(&[" /a "], "/a", "/ X-Forwarded-Prefix: /a");
        check(&["/(a|b)/"], "/b/c", "/c X-Forwarded-Prefix: /b/");
        check(&["/é."], "/%C3%A9%C3%A8x", "/x X-Forwarded-Prefix: /éè");
    }

    #[test]
    fn what_is_found_elsewhere_is_left_alone() {
        check(&["/b"], "/a/b", "/a/b");
        check(&["x*"], "/a", "/a");
        check(&["A"], "/a", "/a");
        check(&[], "/a", "/a");
    }

    #[test]
    fn the_path_is_matched_decoded() {
        check(&["/a b"], "/a%20b/c", "/c X-Forwarded-Prefix: /a b");
        check(&["/a/b"], "/a%2fb/c%2fd", "/c%2Fd X-Forwarded-Prefix: /a/b");
    }

    #[test]
    fn a_rest_that_cleaning_would_change_is_refused() {
        check(&["/a"], "/a%2f%2fb", "400");
        check(&["/a/?"], "/a/%2e%2e%2f", "/..%2F X-Forwarded-Prefix: /a/");
    }

    #[test]
    fn an_expression_that_is_none_is_refused() {
        let mut problems = Vec::new();
        let regex = vec!["/a".to_owned(), "[".to_owned()];
        let config = dynamic::StripPrefixRegex { regex };
        assert!(StripPrefixRegex::compile(&config, &mut problems).is_none());
        assert!(shown(&problems)[0].starts_with("Error error parsing regexp: "), "{problems:?}");
    }
}
