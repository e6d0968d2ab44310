//! How to reach servers.

use crate::Period;

use super::{Certificate, tls::Material};

/// How to reach servers. Traefik: `http.serversTransports.<name>` and the static `serversTransport`.
#[derive(Clone, Debug, Default, Hash, PartialEq)]
pub struct ServersTransport {
    /// The name to ask for and to verify by TLS; empty means the server's host.
    pub server_name: String,
    /// Whether any certificate is accepted.
    pub insecure_skip_verify: bool,
    /// Authorities instead of the system's.
    pub root_cas: Vec<Material>,
    /// Client certificates.
    pub certificates: Vec<Certificate>,
    /// Cipher suites of TLS 1.2 that are offered, by Go's names; empty means all that are safe.
    pub cipher_suites: Vec<String>,
    /// The least version of TLS, such as `VersionTLS12`; empty means that, which is the least that is spoken.
    pub min_version: String,
    /// The highest version of TLS; empty means the highest that is spoken.
    pub max_version: String,
    /// The URI that a server's certificate must carry, even where `insecure_skip_verify` says that its name does not
    /// matter; empty means none.
    pub peer_cert_uri: String,
    /// Idle connections kept for each server and worker at most; 0 means the default, negative none.
    pub max_idle_conns_per_host: i64,
    /// How long to wait.
    pub forwarding_timeouts: ForwardingTimeouts,
    /// Whether HTTP/2 is never used.
    pub disable_http2: bool,
}

/// How long to wait for a server. Traefik: `forwardingTimeouts`; zero means no limit where nothing else is said.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub struct ForwardingTimeouts {
    /// For a connection, default 30 s.
    pub dial_timeout: Period,
    /// For the response head after the request was sent, default none.
    pub response_header_timeout: Period,
    /// How long an idle connection is kept, default 90 s.
    pub idle_conn_timeout: Period,
    /// How long nothing may come on a connection of HTTP/2 until a PING is sent, default never.
    pub read_idle_timeout: Period,
    /// How long the answer to it may take until the connection is closed, default 15 s; zero means the default.
    pub ping_timeout: Period,
}

impl Default for ForwardingTimeouts {
    fn default() -> Self {
        Self {
            dial_timeout: Period::seconds(30),
            response_header_timeout: Period::default(),
            idle_conn_timeout: Period::seconds(90),
            read_idle_timeout: Period::default(),
            ping_timeout: Period::seconds(15),
        }
    }
}
