//! Status codes and the reason phrases that Go gives them.

/// A status code of three digits, 100 to 999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
    /// `101 Switching Protocols`
    pub const SWITCHING_PROTOCOLS: Self = Self(101);
    /// `100 Continue`
    pub const CONTINUE: Self = Self(100);
    /// `200 OK`
    pub const OK: Self = Self(200);
    /// `301 Moved Permanently`
    pub const MOVED_PERMANENTLY: Self = Self(301);
    /// `302 Found`
    pub const FOUND: Self = Self(302);
    /// `307 Temporary Redirect`
    pub const TEMPORARY_REDIRECT: Self = Self(307);
    /// `308 Permanent Redirect`
    pub const PERMANENT_REDIRECT: Self = Self(308);
    /// `400 Bad Request`
    pub const BAD_REQUEST: Self = Self(400);
    /// `401 Unauthorized`
    pub const UNAUTHORIZED: Self = Self(401);
    /// `403 Forbidden`
    pub const FORBIDDEN: Self = Self(403);
    /// `404 Not Found`
    pub const NOT_FOUND: Self = Self(404);
    /// `405 Method Not Allowed`
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    /// `408 Request Timeout`
    pub const REQUEST_TIMEOUT: Self = Self(408);
    /// `413 Request Entity Too Large`
    pub const CONTENT_TOO_LARGE: Self = Self(413);
    /// `417 Expectation Failed`
    pub const EXPECTATION_FAILED: Self = Self(417);
    /// `418 I'm a teapot`
    pub const TEAPOT: Self = Self(418);
    /// `421 Misdirected Request`
    pub const MISDIRECTED: Self = Self(421);
    /// `429 Too Many Requests`
    pub const TOO_MANY_REQUESTS: Self = Self(429);
    /// `431 Request Header Fields Too Large`
    pub const FIELDS_TOO_LARGE: Self = Self(431);
    /// `499 Client Closed Request`: the client went away before the answer (Traefik).
    pub const CLIENT_CLOSED_REQUEST: Self = Self(499);
    /// `500 Internal Server Error`
    pub const INTERNAL_SERVER_ERROR: Self = Self(500);
    /// `501 Not Implemented`
    pub const NOT_IMPLEMENTED: Self = Self(501);
    /// `502 Bad Gateway`
    pub const BAD_GATEWAY: Self = Self(502);
    /// `503 Service Unavailable`
    pub const SERVICE_UNAVAILABLE: Self = Self(503);
    /// `504 Gateway Timeout`
    pub const GATEWAY_TIMEOUT: Self = Self(504);
    /// `505 HTTP Version Not Supported`
    pub const VERSION_NOT_SUPPORTED: Self = Self(505);

    /// The status of this code; `None` unless it has three digits.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        if code >= 100 && code <= 999 { Some(Self(code)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// Whether it announces a later response (1xx but 101, which ends HTTP on the connection).
    #[must_use]
    pub const fn is_interim(self) -> bool {
        self.0 < 200 && self.0 != 101
    }

    /// Whether a response of this status may have a body (RFC 9110 §6.4.1).
    #[must_use]
    pub const fn allows_body(self) -> bool {
        self.0 >= 200 && self.0 != 204 && self.0 != 304
    }

    /// Go's `http.StatusText`, and Traefik's text for 499; empty for codes that have none.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self.0 {
            100 => "Continue",
            101 => "Switching Protocols",
            102 => "Processing",
            103 => "Early Hints",
            200 => "OK",
            201 => "Created",
            202 => "Accepted",
            203 => "Non-Authoritative Information",
            204 => "No Content",
            205 => "Reset Content",
            206 => "Partial Content",
            207 => "Multi-Status",
            208 => "Already Reported",
            226 => "IM Used",
            300 => "Multiple Choices",
            301 => "Moved Permanently",
            302 => "Found",
            303 => "See Other",
            304 => "Not Modified",
            305 => "Use Proxy",
            307 => "Temporary Redirect",
            308 => "Permanent Redirect",
            400 => "Bad Request",
            401 => "Unauthorized",
            402 => "Payment Required",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            406 => "Not Acceptable",
            407 => "Proxy Authentication Required",
            408 => "Request Timeout",
            409 => "Conflict",
            410 => "Gone",
            411 => "Length Required",
            412 => "Precondition Failed",
            413 => "Request Entity Too Large",
            414 => "Request URI Too Long",
            415 => "Unsupported Media Type",
            416 => "Requested Range Not Satisfiable",
            417 => "Expectation Failed",
            418 => "I'm a teapot",
            421 => "Misdirected Request",
            422 => "Unprocessable Entity",
            423 => "Locked",
            424 => "Failed Dependency",
            425 => "Too Early",
            426 => "Upgrade Required",
            428 => "Precondition Required",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            451 => "Unavailable For Legal Reasons",
            499 => "Client Closed Request",
            500 => "Internal Server Error",
            501 => "Not Implemented",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            505 => "HTTP Version Not Supported",
            506 => "Variant Also Negotiates",
            507 => "Insufficient Storage",
            508 => "Loop Detected",
            510 => "Not Extended",
            511 => "Network Authentication Required",
            _ => "",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_go_and_traefik() {
        assert_eq!(Status::TEAPOT.text(), "I'm a teapot");
        assert_eq!(Status::CONTENT_TOO_LARGE.text(), "Request Entity Too Large");
        assert_eq!(Status::CLIENT_CLOSED_REQUEST.text(), "Client Closed Request");
        assert_eq!(Status::new(599).unwrap().text(), "");
    }

    #[test]
    fn codes_have_three_digits() {
        assert_eq!(Status::new(99), None);
        assert_eq!(Status::new(1000), None);
        assert_eq!(Status::new(999).map(Status::code), Some(999));
    }

    #[test]
    fn some_statuses_have_no_body() {
        for (code, allowed) in [(100, false), (103, false), (200, true), (204, false), (304, false)]
        {
            assert_eq!(Status::new(code).unwrap().allows_body(), allowed);
        }
        assert!(Status::CONTINUE.is_interim() && !Status::SWITCHING_PROTOCOLS.is_interim());
    }
}
