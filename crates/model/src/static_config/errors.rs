//! What clients are told of errors, beyond Traefik.

/// Errors of Portway's own in the form that clients ask for. Portway's own option `errorPages`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ErrorPages {
    /// The file with the template for clients that want HTML; empty means the built-in one.
    pub html: String,
    /// The file with the template for clients that want JSON; empty means the built-in one.
    pub json: String,
}

/// The field `Proxy-Status` in responses (RFC 9209). Portway's own option `proxyStatus`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProxyStatus {
    /// The name of this proxy in it, default `portway`.
    pub name: String,
}

impl Default for ProxyStatus {
    fn default() -> Self {
        Self { name: "portway".to_owned() }
    }
}
