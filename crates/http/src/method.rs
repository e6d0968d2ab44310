//! Request methods: the registered ones as an enum, any other token as text.

use crate::headers::is_token;

/// A request method. Case sensitive (RFC 9110 §9.1): `get` is not `GET`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// `GET`
    #[default]
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// `TRACE`
    Trace,
    /// `CONNECT`
    Connect,
    /// Any other token, as it was sent.
    Other(OtherMethod),
}

/// A method token that is not registered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OtherMethod(Box<str>);

/// The text is no method: empty, or not a token of RFC 9110 §5.6.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid method")]
pub struct InvalidMethod;

impl Method {
    /// Parses a method token.
    ///
    /// # Errors
    ///
    /// [`InvalidMethod`] when the bytes are not a token.
    pub fn parse(text: &[u8]) -> Result<Self, InvalidMethod> {
        Ok(match text {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"CONNECT" => Self::Connect,
            other if is_token(other) => {
                let text = std::str::from_utf8(other).map_err(|_| InvalidMethod)?;
                Self::Other(OtherMethod(text.into()))
            }
            _ => return Err(InvalidMethod),
        })
    }

    /// The text as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Connect => "CONNECT",
            Self::Other(OtherMethod(text)) => text,
        }
    }

    /// Whether it asks for no change (RFC 9110 §9.2.1).
    #[must_use]
    pub fn is_safe(&self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options | Self::Trace)
    }

    /// Whether servers expect a `Content-Length` even for an empty body, as Go's client writes it.
    #[must_use]
    pub fn announces_empty_body(&self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_keep_their_case() {
        assert_eq!(Method::parse(b"get").unwrap().as_str(), "get");
        assert_ne!(Method::parse(b"get").unwrap(), Method::Get);
        assert_eq!(Method::parse(b"PROPFIND").unwrap().as_str(), "PROPFIND");
    }

    #[test]
    fn what_is_no_token_is_no_method() {
        for bad in [&b""[..], b"GE T", b"GET\x00", b"G(T", b"G\xc3\xa9T", b"GET:", b"\"GET\""] {
            assert_eq!(Method::parse(bad), Err(InvalidMethod), "{bad:?}");
        }
    }
}
