//! Why Portway itself answered.

use std::fmt;

/// Why Portway itself answered a request, or why a response is incomplete: the `Reason` of the access log.
///
/// A closed set, so that logs can be counted by it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The request is malformed, ambiguous or uses what Portway refuses.
    BadRequest,
    /// The server's response is malformed or ambiguous.
    BadResponse,
    /// The client closed the connection before the response was complete.
    ClientGone,
    /// The server could not be reached: refused, unreachable, or its TLS handshake failed.
    ConnectFailed,
    /// The server did not take the connection in time.
    ConnectTimeout,
    /// The process ended, and its grace time was over before the response was complete.
    GraceOver,
    /// No byte of a body was on its way for as long as the router lets it be.
    IdleTimeout,
    /// A middleware answered.
    Middleware,
    /// The connection was made with other TLS options than the router's.
    Misdirected,
    /// No router matches.
    NoRouter,
    /// The service has no server that may be used.
    NoServer,
    /// The client did not send the whole request in time.
    RequestTimeout,
    /// The server did not answer in time.
    ResponseTimeout,
    /// The router matches but could not be built, and is closed.
    RouterClosed,
    /// A request for the whole server (`OPTIONS *`), which no router gets.
    ServerOptions,
    /// The request took longer than the router lets it.
    TotalTimeout,
    /// The middleware asks for credentials and got none that are good.
    Unauthorized,
    /// The server closed or reset the connection before its response was complete.
    UpstreamClosed,
}

impl Reason {
    /// All reasons, in order.
    pub const ALL: [Self; 18] = [
        Self::BadRequest,
        Self::BadResponse,
        Self::ClientGone,
        Self::ConnectFailed,
        Self::ConnectTimeout,
        Self::GraceOver,
        Self::IdleTimeout,
        Self::Middleware,
        Self::Misdirected,
        Self::NoRouter,
        Self::NoServer,
        Self::RequestTimeout,
        Self::ResponseTimeout,
        Self::RouterClosed,
        Self::ServerOptions,
        Self::TotalTimeout,
        Self::Unauthorized,
        Self::UpstreamClosed,
    ];

    /// The name, as written in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::BadResponse => "BadResponse",
            Self::ClientGone => "ClientGone",
            Self::ConnectFailed => "ConnectFailed",
            Self::ConnectTimeout => "ConnectTimeout",
            Self::GraceOver => "GraceOver",
            Self::IdleTimeout => "IdleTimeout",
            Self::Middleware => "Middleware",
            Self::Misdirected => "Misdirected",
            Self::NoRouter => "NoRouter",
            Self::NoServer => "NoServer",
            Self::RequestTimeout => "RequestTimeout",
            Self::ResponseTimeout => "ResponseTimeout",
            Self::RouterClosed => "RouterClosed",
            Self::ServerOptions => "ServerOptions",
            Self::TotalTimeout => "TotalTimeout",
            Self::Unauthorized => "Unauthorized",
            Self::UpstreamClosed => "UpstreamClosed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
