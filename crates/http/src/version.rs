//! The HTTP/1 versions that are spoken.

/// The version of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Version {
    /// HTTP/1.0: no chunked coding, no keep-alive unless asked for.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
    /// HTTP/2, for requests that came over it.
    Http2,
    /// HTTP/3, for requests that came over it.
    Http3,
}

impl Version {
    /// The text as logs and Go's `Proto` show it: `HTTP/1.1`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2.0",
            Self::Http3 => "HTTP/3.0",
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
