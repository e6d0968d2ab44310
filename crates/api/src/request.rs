//! A request as an internal service sees it.

/// A request as an internal service sees it, after the middlewares.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, percent-encoded as a server would get it: `%2F` in a name stays apart from `/`.
    pub path: &'a str,
    /// The query without its `?`; empty when there is none.
    pub query: &'a str,
    /// The host with its port, as the client sent it.
    pub host: &'a str,
    /// The peer's `address:port`.
    pub remote_address: &'a str,
    /// `HTTP/1.1` and the like.
    pub protocol: &'a str,
    /// Whether the request came by TLS.
    pub tls: bool,
    /// Headers in the order they came, without Host.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl RequestView<'_> {
    /// The value of the first header of a name, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The path and the query, as in a request line.
    pub(crate) fn target(&self) -> String {
        let path = if self.path.is_empty() { "/" } else { self.path };
        match self.query {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }
}
