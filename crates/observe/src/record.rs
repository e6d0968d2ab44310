//! All that is told of one request.

use std::{
    iter::Empty,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use crate::Reason;

/// No headers: for records of a log that [needs](crate::Needs) none.
pub type NoHeaders<'a> = Empty<(&'a str, &'a [u8])>;

/// All that is told of one request, borrowed.
///
/// The headers are iterated more than once, so that the iterators must be cheap to clone.
#[derive(Clone, Debug)]
pub struct Record<'a, Q, O, D> {
    /// The entry point's name. JSON: `entryPointName`.
    pub entry_point: &'a str,
    /// Who is connected, by PROXY protocol where that is trusted. JSON: `ClientAddr`, `ClientPort`.
    pub client: SocketAddr,
    /// The value of `X-Forwarded-For` where it is trusted: it becomes `ClientHost`.
    pub forwarded_for: Option<&'a [u8]>,
    /// Who the client says it is: `None` is written `-`, and `Some("")` means that credentials were asked
    /// for and none came. JSON: `ClientUsername`.
    pub username: Option<&'a str>,
    /// The method. JSON: `RequestMethod`.
    pub method: &'a str,
    /// The host as the client wrote it, with its port. JSON: `RequestAddr`, `RequestHost`, `RequestPort`.
    pub host: Option<&'a [u8]>,
    /// The path as first routed, encoded. JSON: `RequestPath`, with the query.
    pub path: &'a [u8],
    /// The query without its `?`.
    pub query: Option<&'a [u8]>,
    /// The protocol, such as `HTTP/1.1`. JSON: `RequestProtocol`.
    pub protocol: &'a str,
    /// Over TLS: how. JSON: `RequestScheme`, `TLSVersion`, `TLSCipher`, `TLSClientSubject`.
    pub tls: Option<Tls<'a>>,
    /// When the request's head was read. JSON: `StartUTC`, `StartLocal`.
    pub start: SystemTime,
    /// From then to the end of the response. JSON: `Duration`, and `Overhead` without the server's part.
    pub duration: Duration,
    /// The status sent to the client; 0 for an upgraded connection, as in Traefik. JSON:
    /// `DownstreamStatus`.
    pub status: u16,
    /// Bytes of the request's body. JSON: `RequestContentSize`.
    pub request_size: u64,
    /// Bytes of the response's body sent to the client. JSON: `DownstreamContentSize`.
    pub response_size: u64,
    /// What the service said; `None` where Portway answered. JSON: `OriginStatus`, `OriginContentSize`,
    /// `OriginDuration`, which are 0 then.
    pub origin: Option<Origin>,
    /// The router's qualified name. JSON: `RouterName`.
    pub router: Option<&'a str>,
    /// The server chosen. JSON: `ServiceName`, `ServiceURL`, `ServiceAddr`.
    pub served: Option<Served<'a>>,
    /// How many times the request was sent again. JSON: `RetryAttempts`.
    pub retry_attempts: u32,
    /// Why Portway itself answered or broke off. JSON: `Reason`, of Portway's own.
    pub reason: Option<Reason>,
    /// What the reason was about. JSON: `ReasonDetail`, of Portway's own; empty is left out.
    pub reason_detail: &'a str,
    /// The request's headers as they went to the service. JSON: `request_<Name>`.
    pub request_headers: Q,
    /// The service's response headers. JSON: `origin_<Name>`.
    pub origin_headers: O,
    /// The response headers sent to the client. JSON: `downstream_<Name>`.
    pub response_headers: D,
}

/// How a request came over TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tls<'a> {
    /// `1.2` or `1.3`.
    pub version: &'a str,
    /// Such as `TLS_AES_128_GCM_SHA256`.
    pub cipher: &'a str,
    /// The subject of the client's certificate, where it showed one.
    pub client_subject: Option<&'a str>,
}

/// What the service said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Origin {
    /// Its status; Portway's own where the server could not be reached.
    pub status: u16,
    /// Bytes of its body.
    pub size: u64,
    /// From choosing the server to the end of its response.
    pub duration: Duration,
}

/// The server chosen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Served<'a> {
    /// The service's qualified name.
    pub service: &'a str,
    /// The server's URL, such as `http://10.0.0.1:8080`.
    pub url: &'a str,
    /// The server's host and port.
    pub address: &'a str,
}
