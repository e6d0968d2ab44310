//! Complete responses that the router makes itself.

use std::borrow::Cow;

use crate::headers::{HeaderName, HeaderValue, Headers, Known};
use crate::method::Method;
use crate::status::Status;

/// A response with its whole body.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// The fields without `Content-Length` and `Date`, which are written from the body and the
    /// clock.
    pub headers: Headers,
    /// The body.
    pub body: Cow<'static, [u8]>,
    /// Whether the connection ends after it.
    pub close: bool,
    /// Whether its length is part of it, and not a matter of how it is sent.
    pub says_length: bool,
    /// Whether the body is one that somebody has written for this answer: no other one takes its place.
    pub written: bool,
}

impl Answer {
    /// An answer without body.
    #[must_use]
    pub fn empty(status: Status) -> Self {
        Self {
            status,
            headers: Headers::new(),
            body: Cow::Borrowed(b""),
            close: false,
            says_length: false,
            written: false,
        }
    }

    /// As Go's `http.Error`: the text and a line feed as plain text.
    #[must_use]
    pub fn error(status: Status, text: &str) -> Self {
        let mut headers = Headers::new();
        headers.append(Known::ContentType, "text/plain; charset=utf-8");
        headers.append(Known::XContentTypeOptions, "nosniff");
        let mut body = String::with_capacity(text.len() + 1);
        body.push_str(text);
        body.push('\n');
        Self {
            status,
            headers,
            body: Cow::Owned(body.into_bytes()),
            close: false,
            says_length: false,
            written: false,
        }
    }

    /// As Go's `http.NotFound`, for a request that no router matches.
    #[must_use]
    pub fn not_found() -> Self {
        Self::error(Status::NOT_FOUND, "404 page not found")
    }

    /// As Traefik's proxy answers when forwarding failed: the text of the status and nothing
    /// else.
    #[must_use]
    pub fn proxy_error(status: Status) -> Self {
        Self {
            status,
            headers: Headers::new(),
            body: Cow::Borrowed(status.text().as_bytes()),
            close: false,
            says_length: false,
            written: false,
        }
    }

    /// A service without a server that could take the request.
    #[must_use]
    pub fn no_available_server() -> Self {
        Self::error(Status::SERVICE_UNAVAILABLE, "no available server")
    }

    /// A challenge for Basic authentication (Traefik: `basicAuth`): 401 with this realm.
    #[must_use]
    pub fn basic_challenge(realm: &str) -> Self {
        let mut answer = Self {
            status: Status::UNAUTHORIZED,
            headers: Headers::new(),
            body: Cow::Owned(b"401 Unauthorized\n".to_vec()),
            close: false,
            says_length: false,
            written: false,
        };
        answer.headers.append(Known::ContentType, "text/plain");
        answer.headers.append(Known::WwwAuthenticate, format!("Basic realm=\"{realm}\""));
        answer
    }

    /// A redirection as Traefik's `redirectScheme` and `redirectRegex` answer: `Location` and
    /// the text of the status as body.
    #[must_use]
    pub fn redirect(status: Status, location: &str) -> Self {
        let mut answer = Self::proxy_error(status);
        answer.headers.append(Known::Location, location);
        answer
    }

    /// With another field.
    #[must_use]
    pub fn with(mut self, name: &HeaderName, value: &HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// What of the body is sent in answer to this method.
    #[must_use]
    pub fn body_for(&self, method: &Method) -> &[u8] {
        if *method == Method::Head || !self.status.allows_body() { &[] } else { &self.body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_look_like_those_of_go() {
        let answer = Answer::not_found();
        assert_eq!(answer.body.as_ref(), b"404 page not found\n");
        assert_eq!(answer.headers.get(Known::ContentType), Some(&b"text/plain; charset=utf-8"[..]));
        assert_eq!(answer.headers.get(Known::XContentTypeOptions), Some(&b"nosniff"[..]));
    }

    #[test]
    fn errors_of_the_proxy_are_bare() {
        let answer = Answer::proxy_error(Status::BAD_GATEWAY);
        assert_eq!((answer.body.as_ref(), answer.headers.len()), (&b"Bad Gateway"[..], 0));
        assert_eq!(answer.body_for(&Method::Head), b"");
        assert_eq!(answer.body_for(&Method::Get), b"Bad Gateway");
    }
}
