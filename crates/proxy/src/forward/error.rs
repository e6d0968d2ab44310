//! Why an exchange with a server failed before the client got any of its response.

use std::io;

use portway_http::{BodyError, ResponseError, Status};
use portway_observe::Reason;
use portway_upstream::ConnectError;

use crate::relay::UploadError;

/// Why an exchange with a server failed before the client got any of its final response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    /// The server's name was not found, or it refused, reset or cannot be reached, or refused TLS; nothing was sent.
    #[error("{source}")]
    Connect { source: ConnectError },
    /// No connection within the dial timeout; nothing was sent.
    #[error("{source}")]
    ConnectTimeout { source: ConnectError },
    /// TLS with the server failed; nothing was sent.
    #[error("{source}")]
    Tls { source: ConnectError },
    /// The server closed or broke the connection before its response head was complete.
    #[error("{server} broke the connection before its response head was complete: {source}")]
    Closed { server: String, source: io::Error },
    /// The server closed or broke the connection in the middle of its response head.
    #[error("{server} closed the connection in the middle of its response head")]
    CutHead { server: String },
    /// The server's response cannot be understood.
    #[error("{server} sent a response that cannot be understood: {source}")]
    BadResponse { server: String, source: ResponseError },
    /// The server switched protocols unasked, to another one, or before it had the whole request.
    #[error("{server} switched to a protocol that the client did not ask for, or too early")]
    BadUpgrade { server: String },
    /// The server answered well but did not switch, where a client of HTTP/2 takes such an answer for an open tunnel.
    #[error(
        "{server} answered {status} and did not open the tunnel that was asked for over HTTP/2"
    )]
    NoTunnel { server: String, status: Status },
    /// The server is one of HTTP/2, which its transport does not allow; nothing was sent.
    #[error("{server} speaks HTTP/2 alone, which `disableHTTP2` of its serversTransport forbids")]
    Http2Disabled { server: String },
    /// No response head within the transport's time.
    #[error("{server} sent no response head within the response header timeout")]
    ResponseTimeout { server: String },
    /// The server did not answer a PING on its connection of HTTP/2, which was closed.
    #[error("{server} was silent on a connection of HTTP/2, and did not answer a PING")]
    Unresponsive { server: String },
    /// The server takes no heads as long as that of the request over HTTP/2; it was not sent.
    #[error("the request's head is longer than {server} says that it takes over HTTP/2")]
    HeadTooLong { server: String },
    /// The client closed its connection or its sending side.
    #[error("the client closed the connection before the response")]
    ClientGone,
    /// The client's body is malformed.
    #[error("the request body is malformed: {source}")]
    BadBody { source: BodyError },
    /// No byte of the request's body was on its way for as long as the router lets it be.
    #[error("no byte of the request body was on its way within the router's idle timeout")]
    IdleTimeout,
    /// The request took longer than the router lets it.
    #[error("no response within the router's total timeout")]
    TotalTimeout,
    /// The client's body is longer than a middleware lets it be.
    #[error("the request body is too long")]
    BodyTooLong,
    /// The client did not send its whole body within the read timeout.
    #[error("the request body did not arrive within the read timeout")]
    RequestTimeout,
}

impl ForwardError {
    /// Whether it is the server that failed, and not who asked it.
    pub(crate) fn is_of_server(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Tls { .. }
            | Self::Closed { .. }
            | Self::CutHead { .. }
            | Self::BadResponse { .. }
            | Self::BadUpgrade { .. }
            | Self::NoTunnel { .. }
            | Self::ResponseTimeout { .. }
            | Self::Unresponsive { .. } => true,
            Self::ClientGone
            | Self::Http2Disabled { .. }
            | Self::HeadTooLong { .. }
            | Self::BadBody { .. }
            | Self::IdleTimeout
            | Self::TotalTimeout
            | Self::BodyTooLong
            | Self::RequestTimeout => false,
        }
    }

    /// For the access log.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Connect { .. } | Self::Tls { .. } | Self::Http2Disabled { .. } => {
                Reason::ConnectFailed
            }
            Self::ConnectTimeout { .. } => Reason::ConnectTimeout,
            Self::Closed { .. } => Reason::UpstreamClosed,
            Self::BadResponse { .. }
            | Self::CutHead { .. }
            | Self::BadUpgrade { .. }
            | Self::NoTunnel { .. } => Reason::BadResponse,
            Self::ResponseTimeout { .. } | Self::Unresponsive { .. } => Reason::ResponseTimeout,
            Self::ClientGone => Reason::ClientGone,
            Self::BadBody { .. } | Self::HeadTooLong { .. } => Reason::BadRequest,
            Self::BodyTooLong => Reason::Middleware,
            Self::RequestTimeout => Reason::RequestTimeout,
            Self::IdleTimeout => Reason::IdleTimeout,
            Self::TotalTimeout => Reason::TotalTimeout,
        }
    }
}

impl From<ConnectError> for ForwardError {
    fn from(source: ConnectError) -> Self {
        match source {
            ConnectError::Unreachable { .. } => Self::Connect { source },
            ConnectError::Timeout { .. } => Self::ConnectTimeout { source },
            // As in Traefik, 502 where the server did not want to, and 500 where it is not trusted or understood.
            ConnectError::Tls { .. } if source.is_refused_tls() => Self::Connect { source },
            ConnectError::Tls { .. } => Self::Tls { source },
        }
    }
}

impl From<UploadError> for ForwardError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::ClientGone => Self::ClientGone,
            UploadError::Body(source) => Self::BadBody { source },
            UploadError::TooLong => Self::BodyTooLong,
        }
    }
}
