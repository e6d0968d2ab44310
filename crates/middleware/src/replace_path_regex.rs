//! Replaces the request path by a regular expression and tells servers which it was.
//!
//! Traefik: `replacePathRegex`. Differences: none.

use portway_http::{Answer, Request, Status};
use portway_model::{Problem, dynamic};
use portway_rule::Expression;

use crate::replace_path::{path, refuse, replace, tell};
use crate::template::{Template, expression};
use crate::{Context, Flow};

/// A compiled `replacePathRegex`.
#[derive(Debug)]
pub struct ReplacePathRegex {
    regex: Expression,
    replacement: Template,
}

impl ReplacePathRegex {
    /// Compiles the user's settings; an expression that is none is refused. White space around expression and
    /// replacement is dropped.
    pub fn compile(
        config: &dynamic::ReplacePathRegex,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let regex = expression(config.regex.trim(), problems)?;
        let replacement = Template::parse(config.replacement.trim(), &regex);
        Some(Self { regex, replacement })
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let Some(replaced) = self.replacement.replace_all(&self.regex, path(request)) else {
            return Flow::Continue;
        };
        tell(request);
        if !replace(request, &replaced) {
            return refuse(&replaced, context);
        }
        if request.target.settle() {
            return Flow::Continue;
        }
        context.reason = Some("replacePathRegex: the new path is ambiguous");
        Flow::Respond(Answer::error(Status::BAD_REQUEST, "Bad Request"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, get, listed, shown};

    #[track_caller]
    fn check(regex: &str, replacement: &str, uri: &str, expected: &str) {
        let config = dynamic::ReplacePathRegex {
            regex: regex.to_owned(),
            replacement: replacement.to_owned(),
        };
        let filter = ReplacePathRegex::compile(&config, &mut Vec::new()).unwrap();
        let mut request = get(uri, &[]);
        let outcome = match filter.on_request(&mut request, &mut context()) {
            Flow::Continue => {
                let fields = listed(&request.headers).join(", ");
                format!("{} {fields}", request.target.request_uri()).trim_end().to_owned()
            }
            Flow::Respond(answer) => {
                format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
            }
        };
        assert_eq!(outcome, expected, "{regex} -> {replacement} for {uri}");
    }

    #[test]
    fn groups_go_into_the_new_path() {
        check("^/a/(.*)", "/b/$1", "/a/x?q", "/b/x?q X-Replaced-Path: /a/x");
        check("^/(?P<first>[^/]+)/(.*)$", "/${2}/${first}", "/a/b", "/b/a X-Replaced-Path: /a/b");
        check("a", "b", "/a/a", "/b/b X-Replaced-Path: /a/a");
        check("  ^/a$  ", "  /b  ", "/a", "/b X-Replaced-Path: /a");
    }

    #[test]
    fn other_paths_pass_unchanged() {
        check("^/a/(.*)", "/b/$1", "/c", "/c");
    }

    #[test]
    fn the_path_is_matched_and_replaced_encoded() {
        check("^/a%2F(.*)$", "/$1", "/a%2fb%20c", "/b%20c X-Replaced-Path: /a%2Fb%20c");
        check("^/(.*)$", "/$1%2F", "/a", "/a%2F X-Replaced-Path: /a");
        check("^/(.*)$", "/$1 b", "/a", "/a%20b X-Replaced-Path: /a");
        check("^/(.*)$", "/%zz", "/a", "500 invalid URL escape \"%zz\"\n");
    }

    #[test]
    fn what_cleaning_would_change_is_refused() {
        check("^/a", "", "/a//b", "/b X-Replaced-Path: /a/b");
        check("^/a", "/..", "/a/b", "400 Bad Request\n");
        check("^/a/", "//", "/a/b", "400 Bad Request\n");
        check("^/a", "/%2e%2e", "/a/b", "/%2e%2e/b X-Replaced-Path: /a/b");
        check("^/.*", "", "/a", "/ X-Replaced-Path: /a");
        check("^/", "", "/a", "a X-Replaced-Path: /a");
    }

    #[test]
    fn an_expression_that_is_none_is_refused() {
        let mut problems = Vec::new();
        let config = dynamic::ReplacePathRegex { regex: "(".to_owned(), ..Default::default() };
        assert!(ReplacePathRegex::compile(&config, &mut problems).is_none());
        assert_eq!(shown(&problems), ["Error error parsing regexp: a `(` is not closed: `(`"]);
    }
}
