//! Limits the bodies of requests while they pass.
//!
//! Portway's own: `bodyLimit`. Nothing is kept: a body whose length is said is refused at once, and any other at the
//! byte that is one too many. What follows an upgrade is no body.

use portway_http::{Answer, BodyFraming, Request, Status};
use portway_model::{Problem, dynamic};

use crate::{Context, Flow};

/// A compiled `bodyLimit`.
#[derive(Debug)]
pub struct BodyLimit {
    /// Bytes at most.
    most: u64,
}

impl BodyLimit {
    /// Compiles the user's settings; a limit below 1 is refused.
    pub fn compile(config: &dynamic::BodyLimit, problems: &mut Vec<Problem>) -> Option<Self> {
        let most = u64::try_from(config.max_request_body_bytes).ok().filter(|most| *most > 0);
        if most.is_none() {
            let message = format!("{} is not 1 or more", config.max_request_body_bytes);
            problems.push(Problem::error("bodyLimit.maxRequestBodyBytes", message));
        }
        most.map(|most| Self { most })
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        if let BodyFraming::Length(length) = request.body
            && length > self.most
        {
            context.reason = Some("bodyLimit: the request's body is longer than it may be");
            return Flow::Respond(Answer::proxy_error(Status::CONTENT_TOO_LARGE));
        }
        context.body_limit = context.body_limit.min(self.most);
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, request, shown};

    fn compiled(most: i64) -> BodyLimit {
        let config = dynamic::BodyLimit { max_request_body_bytes: most };
        BodyLimit::compile(&config, &mut Vec::new()).unwrap()
    }

    #[track_caller]
    fn check(body: BodyFraming, expected: bool) {
        let mut request = request("POST", "/", "a.test", &[]);
        request.body = body;
        let mut context = context();
        let flow = compiled(5).on_request(&mut request, &mut context);
        assert_eq!(matches!(flow, Flow::Continue), expected, "{body:?}");
    }

    #[test]
    fn a_length_that_is_said_decides_at_once() {
        check(BodyFraming::None, true);
        check(BodyFraming::Length(5), true);
        check(BodyFraming::Length(6), false);
        check(BodyFraming::Chunked, true);
    }

    #[test]
    fn the_least_of_several_limits_counts() {
        let (mut request, mut context) = (request("POST", "/", "a.test", &[]), context());
        for most in [7, 5, 9] {
            compiled(most).on_request(&mut request, &mut context);
        }
        assert_eq!(context.body_limit, 5);
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        let mut problems = Vec::new();
        for most in [0, -1] {
            let config = dynamic::BodyLimit { max_request_body_bytes: most };
            assert!(BodyLimit::compile(&config, &mut problems).is_none());
        }
        assert_eq!(
            shown(&problems),
            [
                "Error bodyLimit.maxRequestBodyBytes: 0 is not 1 or more",
                "Error bodyLimit.maxRequestBodyBytes: -1 is not 1 or more",
            ]
        );
    }
}
