//! Requests that are refused before any router sees them, and the answer they get.

use crate::status::Status;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The request line has not the form `method SP target SP version`.
    #[error("malformed request line")]
    MalformedRequestLine,
    /// The method is no token.
    #[error("invalid method")]
    InvalidMethod,
    /// The version has not the form `HTTP/d.d`.
    #[error("malformed HTTP version")]
    MalformedVersion,
    /// The version is none of HTTP/1.0 and HTTP/1.1.
    #[error("unsupported HTTP version")]
    UnsupportedVersion,
    /// The target holds control characters, a bad escape, or has none of the four forms.
    #[error("malformed request target")]
    MalformedTarget,
    /// A line ends with a bare line feed, or holds a bare carriage return.
    #[error("a line does not end with CRLF")]
    BareLineEnd,
    /// A field line continues the one before it (RFC 9112 §5.2).
    #[error("folded header line")]
    FoldedLine,
    /// A field line has no colon, or a name that is empty or no token.
    #[error("malformed header line")]
    MalformedHeader,
    /// A name with white space in it or behind it.
    #[error("invalid header name")]
    InvalidHeaderName,
    /// A field value holds control characters.
    #[error("invalid header value")]
    InvalidHeaderValue,
    /// The head is longer than the limit, or has more fields than the limit.
    #[error("request header fields too large")]
    HeadTooLarge,
    /// The head is long, and there are so many of them that no room is left.
    #[error("no room for a head of this size")]
    NoRoom,
    /// An HTTP/1.1 request has no `Host`.
    #[error("missing required Host header")]
    MissingHost,
    /// There are several `Host` fields.
    #[error("too many Host headers")]
    SeveralHosts,
    /// `Host`, or the authority of the target, holds characters that no host has.
    #[error("malformed Host header")]
    MalformedHost,
    /// `Content-Length` is no number, a list, or several that differ.
    #[error("invalid Content-Length")]
    InvalidContentLength,
    /// `Transfer-Encoding` is not exactly one `chunked`.
    #[error("unsupported transfer encoding")]
    UnsupportedTransferEncoding,
    /// `Transfer-Encoding` in an HTTP/1.0 request.
    #[error("Transfer-Encoding in an HTTP/1.0 request")]
    TransferEncodingOnHttp10,
    /// Both `Transfer-Encoding` and `Content-Length`.
    #[error("both Transfer-Encoding and Content-Length")]
    ConflictingFraming,
    /// `Trailer` announces a field that frames the message.
    #[error("bad trailer key")]
    ForbiddenTrailer,
    /// `Expect` asks for something else than `100-continue`.
    #[error("unknown expectation")]
    UnknownExpectation,
    /// A `#` in the path.
    #[error("fragment in the request path")]
    Fragment,
    /// A header name with an underscore, where the entry point refuses them.
    #[error("underscore in a header name")]
    UnderscoreInHeader,
}

/// A refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {reason}")]
pub struct Refusal {
    /// The status of the answer.
    pub status: Status,
    /// Why.
    pub reason: Reason,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        let status = match reason {
            Reason::HeadTooLarge => Status::FIELDS_TOO_LARGE,
            Reason::NoRoom => Status::SERVICE_UNAVAILABLE,
            Reason::UnsupportedTransferEncoding => Status::NOT_IMPLEMENTED,
            Reason::UnsupportedVersion => Status::VERSION_NOT_SUPPORTED,
            Reason::UnknownExpectation => Status::EXPECTATION_FAILED,
            _ => Status::BAD_REQUEST,
        };
        Self { status, reason }
    }
}
