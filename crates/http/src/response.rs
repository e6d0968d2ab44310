//! The head of a response.

use crate::body::BodyFraming;
use crate::headers::Headers;
use crate::status::Status;
use crate::version::Version;

/// The head of a response. Recycled: parsing into it keeps its memory.
///
/// The reason phrase is not kept: what is sent is the text of the status (as Go does).
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: Status,
    /// The version in which the response came.
    pub version: Version,
    /// The fields without `Transfer-Encoding`; `Content-Length` is among them, but what is sent
    /// is [`Response::body`], except for a response to HEAD.
    pub headers: Headers,
    /// How the body is delimited.
    pub body: BodyFraming,
    /// Whether the server lets the connection be used again after the body.
    pub keep_alive: bool,
}

/// Why a response cannot be understood; the server connection cannot be used again.
///
/// Traefik answers 500 for all of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The status line is malformed.
    #[error("malformed status line")]
    StatusLine,
    /// The version is none of HTTP/1.0 and HTTP/1.1.
    #[error("unsupported HTTP version")]
    Version,
    /// A field line is malformed.
    #[error("malformed header")]
    Header,
    /// The head is longer than the limit, or has more fields than the limit.
    #[error("response header fields too large")]
    HeadTooLarge,
    /// `Content-Length` is no number, or there are several that differ.
    #[error("invalid Content-Length")]
    ContentLength,
    /// `Transfer-Encoding` is not exactly one `chunked`.
    #[error("unsupported transfer encoding")]
    TransferEncoding,
    /// `Trailer` announces a field that frames the message.
    #[error("bad trailer key")]
    Trailer,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            status: Status::OK,
            version: Version::Http11,
            headers: Headers::new(),
            body: BodyFraming::None,
            keep_alive: false,
        }
    }
}

impl Response {
    /// An empty response to parse into.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.status = Status::OK;
        self.version = Version::Http11;
        self.headers.clear();
        self.body = BodyFraming::None;
        self.keep_alive = false;
    }

    /// The bytes of its memory, which [`Self::clear`] keeps.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.headers.capacity()
    }

    /// How the body is delimited on the way to a client of this version: HTTP/1.0 knows no
    /// chunks, and for others a connection is worth keeping.
    #[must_use]
    pub fn framing_for(&self, client: Version) -> BodyFraming {
        match (self.body, client) {
            (BodyFraming::Chunked | BodyFraming::UntilClose, Version::Http10) => {
                BodyFraming::UntilClose
            }
            (BodyFraming::UntilClose, _) => BodyFraming::Chunked,
            (framing, _) => framing,
        }
    }
}
