//! What ends a stream or a connection early.

/// An error code (RFC 9113 §7); unknown ones mean nothing in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// Nothing is wrong: a graceful end, or no more of a request is wanted.
    pub const NO_ERROR: Self = Self(0);
    /// The peer breaks the protocol, or a message is malformed.
    pub const PROTOCOL_ERROR: Self = Self(1);
    /// Something went wrong within an endpoint.
    pub const INTERNAL_ERROR: Self = Self(2);
    /// More was sent than the window allows.
    pub const FLOW_CONTROL_ERROR: Self = Self(3);
    /// Settings were not acknowledged in time.
    pub const SETTINGS_TIMEOUT: Self = Self(4);
    /// A frame came for a half that has ended.
    pub const STREAM_CLOSED: Self = Self(5);
    /// A frame has not the length that its kind has, or more than allowed.
    pub const FRAME_SIZE_ERROR: Self = Self(6);
    /// The request was surely not worked on, and may be sent again.
    pub const REFUSED_STREAM: Self = Self(7);
    /// The stream is no longer wanted.
    pub const CANCEL: Self = Self(8);
    /// A block of fields cannot be read.
    pub const COMPRESSION_ERROR: Self = Self(9);
    /// The connection of a CONNECT broke.
    pub const CONNECT_ERROR: Self = Self(10);
    /// The peer makes more work than it should.
    pub const ENHANCE_YOUR_CALM: Self = Self(11);
    /// TLS is too weak.
    pub const INADEQUATE_SECURITY: Self = Self(12);
    /// Only HTTP/1.1 is served.
    pub const HTTP_1_1_REQUIRED: Self = Self(13);
}

/// Why a connection cannot go on. The peer is told in the last frame of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("HTTP/2 error {}: {reason}", code.0)]
pub struct ConnectionError {
    /// What the peer is told.
    pub code: ErrorCode,
    /// What logs are told.
    pub reason: &'static str,
}

impl ConnectionError {
    pub(super) const fn protocol(reason: &'static str) -> Self {
        Self { code: ErrorCode::PROTOCOL_ERROR, reason }
    }

    pub(super) const fn frame_size(reason: &'static str) -> Self {
        Self { code: ErrorCode::FRAME_SIZE_ERROR, reason }
    }

    pub(super) const fn flow_control(reason: &'static str) -> Self {
        Self { code: ErrorCode::FLOW_CONTROL_ERROR, reason }
    }

    pub(super) const fn closed(reason: &'static str) -> Self {
        Self { code: ErrorCode::STREAM_CLOSED, reason }
    }

    pub(super) const fn calm(reason: &'static str) -> Self {
        Self { code: ErrorCode::ENHANCE_YOUR_CALM, reason }
    }
}

/// The stream has ended, for sending at least: it was reset, its end was sent, or the connection
/// takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream has ended")]
pub struct Gone;
