//! Answers of our own to clients of gRPC, who look for a status of gRPC and not for one of HTTP.

use crate::answer::Answer;
use crate::headers::{HeaderName, Known};
use crate::request::Request;
use crate::status::Status;
use crate::version::Version;

/// The answer with its meaning in gRPC (trailers-only, gRPC over HTTP2 §Responses), where a request over HTTP/2 is
/// of gRPC and the answer is an error.
#[must_use]
pub fn grpc_answer(request: &Request, answer: &Answer) -> Option<Answer> {
    let status = answer.status.code();
    if status < 400 || request.version != Version::Http2 || !is_grpc(request) {
        return None;
    }
    let mut meant = Answer { status: Status::OK, body: Vec::new().into(), ..answer.clone() };
    meant.headers.remove(Known::ContentLength);
    meant.headers.set(Known::ContentType, "application/grpc");
    let message = format!("{status} {}", answer.status.text());
    for (name, value) in [("Grpc-Status", code(status).to_string()), ("Grpc-Message", message)] {
        meant.headers.append(&HeaderName::parse(name).ok()?, value);
    }
    Some(meant)
}

/// `application/grpc`, alone or with a format; gRPC-Web is another protocol.
fn is_grpc(request: &Request) -> bool {
    let kind = request.headers.get(Known::ContentType).unwrap_or_default();
    let rest = kind.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
}

/// The status of gRPC that clients make of one of HTTP (grpc/doc/http-grpc-status-mapping.md), and those that say
/// more.
fn code(status: u16) -> u8 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        413 | 431 => 8,
        429 | 502 | 503 | 504 => 14,
        499 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: Version, kind: &str, status: Status, expected: Option<&[u8]>) {
        let mut request = Request::new();
        request.version = version;
        request.headers.set(Known::ContentType, kind);
        let meant = grpc_answer(&request, &Answer::error(status, "text"));
        let status = meant.as_ref().and_then(|meant| meant.headers.get("Grpc-Status"));
        assert_eq!(status, expected, "{kind}");
        assert!(meant.is_none_or(|meant| meant.status == Status::OK && meant.body.is_empty()));
    }

    #[test]
    fn errors_become_statuses_of_grpc() {
        let http2 = Version::Http2;
        check(http2, "application/grpc", Status::NOT_FOUND, Some(b"12"));
        check(http2, "application/grpc+proto", Status::BAD_GATEWAY, Some(b"14"));
        check(http2, "application/grpc;x", Status::UNAUTHORIZED, Some(b"16"));
        check(http2, "application/grpc", Status::INTERNAL_SERVER_ERROR, Some(b"2"));
    }

    #[test]
    fn others_see_statuses_of_http() {
        check(Version::Http11, "application/grpc", Status::NOT_FOUND, None);
        check(Version::Http2, "application/grpc-web", Status::NOT_FOUND, None);
        check(Version::Http2, "application/json", Status::NOT_FOUND, None);
        check(Version::Http2, "application/grpc", Status::FOUND, None);
    }
}
