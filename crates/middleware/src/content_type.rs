//! Gives responses without a type that which their beginning looks like.
//!
//! Traefik: `contentType`. Differences: none; as there, chunked responses, and those whose body
//! comes long after their head, stay without a type.

mod detect;

use portway_http::{Answer, Headers as Fields, Known, Status};
use portway_model::{Problem, dynamic};

pub use self::detect::detect_content_type;
use crate::{Context, Flow};

/// A compiled `contentType`.
#[derive(Debug)]
pub struct ContentType {
    detects: bool,
}

impl ContentType {
    /// Compiles the user's settings.
    pub fn compile(config: &dynamic::ContentType, problems: &mut Vec<Problem>) -> Self {
        if config.auto_detect.is_some() {
            let message = "AutoDetect option is deprecated, Content-Type middleware is only meant to be used to \
                           enable the content-type detection, please remove any usage of this option.";
            problems.push(Problem::warning("contentType.autoDetect", message));
        }
        Self { detects: config.auto_detect != Some(false) }
    }

    pub(crate) fn on_request(&self, context: &mut Context<'_>) -> Flow {
        context.detects_type |= self.detects;
        Flow::Continue
    }
}

/// Whether a response with these fields has a body of which nobody says the type.
#[must_use]
pub fn lacks_type(status: Status, headers: &Fields) -> bool {
    status.allows_body()
        && !headers.contains(Known::ContentType)
        && headers.get(Known::ContentEncoding).is_none_or(<[u8]>::is_empty)
}

/// Gives an answer without a type that which its body looks like.
pub fn detect_type_of_answer(answer: &mut Answer) {
    if lacks_type(answer.status, &answer.headers) && !answer.body.is_empty() {
        let found = detect_content_type(&answer.body);
        answer.headers.append(Known::ContentType, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, listed, shown};

    #[test]
    fn detection_is_on_unless_it_is_switched_off() {
        for (auto_detect, expected) in [(None, true), (Some(true), true), (Some(false), false)] {
            let mut problems = Vec::new();
            let filter = ContentType::compile(&dynamic::ContentType { auto_detect }, &mut problems);
            assert_eq!(problems.is_empty(), auto_detect.is_none(), "{:?}", shown(&problems));
            let mut context = context();
            assert!(matches!(filter.on_request(&mut context), Flow::Continue));
            assert_eq!(context.detects_type, expected);
        }
    }

    #[track_caller]
    fn check(status: u16, fields: &[(Known, &str)], body: &'static [u8], expected: &[&str]) {
        let mut answer = Answer::empty(Status::new(status).unwrap());
        for (name, value) in fields {
            answer.headers.append(*name, value);
        }
        answer.body = body.into();
        detect_type_of_answer(&mut answer);
        assert_eq!(listed(&answer.headers), expected);
    }

    #[test]
    fn answers_without_a_type_get_one() {
        check(502, &[], b"Bad Gateway", &["Content-Type: text/plain; charset=utf-8"]);
        check(200, &[], b"", &[]);
        check(304, &[], b"x", &[]);
        check(200, &[(Known::ContentType, "")], b"x", &["Content-Type: "]);
        check(200, &[(Known::ContentEncoding, "gzip")], b"x", &["Content-Encoding: gzip"]);
        check(
            200,
            &[(Known::ContentEncoding, "")],
            b"x",
            &["Content-Encoding: ", "Content-Type: text/plain; charset=utf-8"],
        );
    }
}
