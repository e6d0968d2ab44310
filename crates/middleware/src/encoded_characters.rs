//! Refuses paths that hold some characters encoded.
//!
//! Traefik: `encodedCharacters`. Differences: none.

use portway_http::{Answer, Request, Status, deny_encoded};
use portway_model::dynamic;

use crate::{Context, Flow};

/// A compiled `encodedCharacters`.
#[derive(Debug)]
pub struct EncodedCharacters {
    denied: Box<[u8]>,
}

impl EncodedCharacters {
    /// Compiles the user's settings; what they do not allow is refused.
    #[must_use]
    pub fn compile(config: &dynamic::EncodedCharacters) -> Self {
        let characters = [
            (config.allow_encoded_slash, b'/'),
            (config.allow_encoded_back_slash, b'\\'),
            (config.allow_encoded_null_character, 0),
            (config.allow_encoded_semicolon, b';'),
            (config.allow_encoded_percent, b'%'),
            (config.allow_encoded_question_mark, b'?'),
            (config.allow_encoded_hash, b'#'),
        ];
        let denied = characters.into_iter().filter(|(allowed, _)| !allowed);
        Self { denied: denied.map(|(_, character)| character).collect() }
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        if !deny_encoded(request.target.escaped_path(), &self.denied) {
            return Flow::Continue;
        }
        context.reason = Some("encodedCharacters: the path holds a character that is not allowed");
        Flow::Respond(Answer::empty(Status::BAD_REQUEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, get};

    #[track_caller]
    fn check(config: &dynamic::EncodedCharacters, uri: &str, expected: bool) {
        let filter = EncodedCharacters::compile(config);
        let flow = filter.on_request(&mut get(uri, &[]), &mut context());
        assert_eq!(matches!(flow, Flow::Continue), expected, "{uri}");
        if let Flow::Respond(answer) = flow {
            assert_eq!(answer, Answer::empty(Status::BAD_REQUEST));
        }
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        let config = dynamic::EncodedCharacters::default();
        for encoded in ["%2F", "%2f", "%5C", "%5c", "%00", "%3B", "%3b", "%25", "%3F", "%23"] {
            check(&config, &format!("/a{encoded}b"), false);
            check(&config, &format!("/a?q={encoded}"), true);
        }
        for uri in ["/", "/a%20b", "/a;b", "/%E2%82%AC", "/a\\b"] {
            check(&config, uri, !uri.contains('\\'));
        }
    }

    #[test]
    fn each_is_allowed_alone() {
        let config = dynamic::EncodedCharacters {
            allow_encoded_slash: true,
            allow_encoded_percent: true,
            ..Default::default()
        };
        check(&config, "/a%2Fb%25", true);
        check(&config, "/a%252F", true);
        check(&config, "/a%2Fb%3B", false);
    }
}
