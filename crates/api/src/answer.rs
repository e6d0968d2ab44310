//! A complete answer to a request.

use std::borrow::Cow;

use serde_json::{Value, json};

/// A complete answer: status, headers and body. Framing headers are the connection's affair.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers, without Content-Length, Connection and Date.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The whole body.
    pub body: Cow<'static, [u8]>,
}

impl Answer {
    /// A status and nothing else.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A body of a type.
    pub(crate) fn body(content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        let headers = vec![("Content-Type", Cow::Borrowed(content_type))];
        Self { status: 200, headers, body: body.into() }
    }

    /// JSON with a final newline, as Go's encoder writes it.
    pub(crate) fn json(value: &Value) -> Self {
        Self::body("application/json", format!("{}\n", encode(value)).into_bytes())
    }

    /// An error as Traefik's API words it: JSON in a text answer.
    pub(crate) fn error(status: u16, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self::text(status, format!("{}\n", encode(&json!({ "message": message }))))
    }

    /// The page for a path that means nothing.
    pub(crate) fn not_found() -> Self {
        Self::text(404, "404 page not found\n")
    }

    /// A redirect without a body.
    pub(crate) fn redirect(status: u16, location: impl Into<Cow<'static, str>>) -> Self {
        Self::empty(status).header("Location", location)
    }

    /// The same answer with another header.
    #[must_use]
    pub(crate) fn header(
        mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A plain text, as Go's `http.Error` answers.
    fn text(status: u16, text: impl Into<Cow<'static, str>>) -> Self {
        let body = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        let answer = Self { status, body, ..Self::body("text/plain; charset=utf-8", &b""[..]) };
        answer.header("X-Content-Type-Options", "nosniff")
    }
}

/// JSON as Go's encoder writes it, which keeps what a browser could take for markup out of the text.
pub(crate) fn encode(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len() + 64);
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
