//! `Proxy-Status`: in a field of the response, what went wrong between Portway and the server (RFC 9209).

use std::io;

use portway_http::{ResponseError, StaticName};
use portway_observe::Reason;
use portway_upstream::ConnectError;

use crate::forward::ForwardError;

/// The field's name.
pub(crate) const PROXY_STATUS: StaticName = StaticName::new("Proxy-Status");

/// What is said in `Proxy-Status`. Portway's own: `proxyStatus`.
#[derive(Debug)]
pub struct ProxyStatus {
    /// The name of this proxy, as it is written.
    name: Box<str>,
}

/// A name that no field can hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("proxyStatus.name: has to be one or more visible characters of ASCII, and blanks")]
pub struct InvalidProxyName;

impl ProxyStatus {
    /// Names the proxy: a token where that is one, such as `edge-1`, and else a string (RFC 9651 §3.3).
    ///
    /// # Errors
    /// When the name is empty, or holds what no string can.
    pub fn compile(name: &str) -> Result<Self, InvalidProxyName> {
        if name.is_empty() || !name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(InvalidProxyName);
        }
        let name = if is_token(name) { name.into() } else { string(name).into() };
        Ok(Self { name })
    }

    /// What is said of a response with this status, for which something went wrong or nothing.
    ///
    /// Details are the reason's name, so that no address and nothing of the request is shown to clients.
    pub(crate) fn value(&self, status: u16, problem: Option<(Reason, ErrorType)>) -> String {
        match problem {
            Some((reason, error)) if status >= 400 => {
                let (error, details) = (error.as_str(), string(reason.as_str()));
                format!("{}; error={error}; details={details}", self.name)
            }
            _ => self.name.to_string(),
        }
    }
}

/// A token of structured fields (RFC 9651 §4.1.7).
fn is_token(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '*');
    begins && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&b))
}

/// A string of structured fields (RFC 9651 §4.1.6), of visible characters and blanks.
fn string(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// What went wrong, in the words of RFC 9209 §2.3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ErrorType {
    ConnectionRefused,
    ConnectionTerminated,
    ConnectionTimeout,
    ConnectionWriteTimeout,
    DestinationIpUnroutable,
    DestinationNotFound,
    DestinationUnavailable,
    DnsError,
    HttpProtocolError,
    HttpRequestDenied,
    HttpRequestError,
    HttpResponseHeaderSectionSize,
    HttpResponseIncomplete,
    HttpResponseTimeout,
    HttpResponseTransferCoding,
    HttpUpgradeFailed,
    ProxyConfigurationError,
    ProxyInternalError,
    TlsAlertReceived,
    TlsCertificateError,
    TlsProtocolError,
}

impl ErrorType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectionTerminated => "connection_terminated",
            Self::ConnectionTimeout => "connection_timeout",
            Self::ConnectionWriteTimeout => "connection_write_timeout",
            Self::DestinationIpUnroutable => "destination_ip_unroutable",
            Self::DestinationNotFound => "destination_not_found",
            Self::DestinationUnavailable => "destination_unavailable",
            Self::DnsError => "dns_error",
            Self::HttpProtocolError => "http_protocol_error",
            Self::HttpRequestDenied => "http_request_denied",
            Self::HttpRequestError => "http_request_error",
            Self::HttpResponseHeaderSectionSize => "http_response_header_section_size",
            Self::HttpResponseIncomplete => "http_response_incomplete",
            Self::HttpResponseTimeout => "http_response_timeout",
            Self::HttpResponseTransferCoding => "http_response_transfer_coding",
            Self::HttpUpgradeFailed => "http_upgrade_failed",
            Self::ProxyConfigurationError => "proxy_configuration_error",
            Self::ProxyInternalError => "proxy_internal_error",
            Self::TlsAlertReceived => "tls_alert_received",
            Self::TlsCertificateError => "tls_certificate_error",
            Self::TlsProtocolError => "tls_protocol_error",
        }
    }

    /// What a failed exchange with a server is.
    pub(crate) fn of_error(error: &ForwardError) -> Self {
        match error {
            ForwardError::Connect { source } | ForwardError::Tls { source } => match source {
                ConnectError::Unreachable { source, .. } => Self::of_connect(source),
                ConnectError::Timeout { .. } => Self::ConnectionTimeout,
                ConnectError::Tls { source, .. } => Self::of_tls(source),
            },
            ForwardError::CutHead { .. } => Self::HttpResponseIncomplete,
            ForwardError::BadUpgrade { .. } | ForwardError::NoTunnel { .. } => {
                Self::HttpUpgradeFailed
            }
            ForwardError::BadResponse { source: ResponseError::HeadTooLarge, .. } => {
                Self::HttpResponseHeaderSectionSize
            }
            ForwardError::BadResponse { source: ResponseError::TransferEncoding, .. } => {
                Self::HttpResponseTransferCoding
            }
            other => Self::of_reason(other.reason()),
        }
    }

    fn of_connect(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            io::ErrorKind::NotFound => Self::DnsError,
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => Self::DestinationIpUnroutable,
            io::ErrorKind::ConnectionReset => Self::ConnectionTerminated,
            _ => Self::DestinationUnavailable,
        }
    }

    fn of_tls(error: &io::Error) -> Self {
        let of_library = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
        match of_library {
            Some(rustls::Error::AlertReceived(_)) => Self::TlsAlertReceived,
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                Self::TlsCertificateError
            }
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::ConnectionTerminated,
            _ => Self::TlsProtocolError,
        }
    }

    /// What is known by the reason alone.
    pub(crate) fn of_reason(reason: Reason) -> Self {
        match reason {
            Reason::BadRequest
            | Reason::ClientGone
            | Reason::Misdirected
            | Reason::RequestTimeout
            | Reason::ServerOptions => Self::HttpRequestError,
            Reason::BadResponse => Self::HttpProtocolError,
            Reason::ConnectFailed | Reason::NoServer => Self::DestinationUnavailable,
            Reason::ConnectTimeout => Self::ConnectionTimeout,
            Reason::GraceOver => Self::ProxyInternalError,
            // Of a request's body: that of a response has a head before it.
            Reason::IdleTimeout => Self::ConnectionWriteTimeout,
            Reason::Middleware | Reason::Unauthorized => Self::HttpRequestDenied,
            Reason::NoRouter => Self::DestinationNotFound,
            Reason::ResponseTimeout | Reason::TotalTimeout => Self::HttpResponseTimeout,
            Reason::RouterClosed => Self::ProxyConfigurationError,
            Reason::UpstreamClosed => Self::ConnectionTerminated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, status: u16, reason: Option<Reason>) -> String {
        let problem = reason.map(|reason| (reason, ErrorType::of_reason(reason)));
        ProxyStatus::compile(name).unwrap().value(status, problem)
    }

    #[test]
    fn names_are_tokens_or_strings() {
        for token in ["portway", "edge-1", "a.example:8443/x", "*"] {
            assert_eq!(value(token, 200, None), token);
        }
        for (name, written) in [
            ("1st", "\"1st\""),
            ("my edge", "\"my edge\""),
            ("a\"b\\", "\"a\\\"b\\\\\""),
            ("-", "\"-\""),
        ] {
            assert_eq!(value(name, 502, None), written);
        }
        for name in ["", "é", "a\nb", "a\tb", "\u{7f}"] {
            assert_eq!(ProxyStatus::compile(name).unwrap_err(), InvalidProxyName);
        }
    }

    #[test]
    fn errors_are_named_and_others_are_not() {
        assert_eq!(
            value("portway", 503, Some(Reason::NoServer)),
            "portway; error=destination_unavailable; details=\"NoServer\""
        );
        assert_eq!(value("portway", 302, Some(Reason::Middleware)), "portway");
        assert_eq!(value("portway", 503, None), "portway");
    }

    #[test]
    fn every_reason_has_a_type() {
        let types = Reason::ALL.map(|reason| ErrorType::of_reason(reason).as_str());
        // All are registered: https://www.iana.org/assignments/http-proxy-status
        let expected = [
            "http_request_error",
            "http_protocol_error",
            "http_request_error",
            "destination_unavailable",
            "connection_timeout",
            "proxy_internal_error",
            "connection_write_timeout",
            "http_request_denied",
            "http_request_error",
            "destination_not_found",
            "destination_unavailable",
            "http_request_error",
            "http_response_timeout",
            "proxy_configuration_error",
            "http_request_error",
            "http_response_timeout",
            "http_request_denied",
            "connection_terminated",
        ];
        assert_eq!(types, expected);
    }

    #[test]
    fn failed_connections_are_told_apart() {
        let check = |kind: io::ErrorKind, expected: &str| {
            let source = ConnectError::Unreachable { url: String::new(), source: kind.into() };
            assert_eq!(ErrorType::of_error(&source.into()).as_str(), expected);
        };
        check(io::ErrorKind::ConnectionRefused, "connection_refused");
        check(io::ErrorKind::NotFound, "dns_error");
        check(io::ErrorKind::HostUnreachable, "destination_ip_unroutable");
        check(io::ErrorKind::PermissionDenied, "destination_unavailable");
        let tls = |source: io::Error| {
            let source = ConnectError::Tls { url: String::new(), source };
            ErrorType::of_error(&source.into()).as_str()
        };
        let library = |error| tls(io::Error::new(io::ErrorKind::InvalidData, error));
        let certificate = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        assert_eq!(library(certificate), "tls_certificate_error");
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure);
        assert_eq!(library(alert), "tls_alert_received");
        assert_eq!(library(rustls::Error::DecryptError), "tls_protocol_error");
        assert_eq!(tls(io::ErrorKind::UnexpectedEof.into()), "connection_terminated");
    }
}
