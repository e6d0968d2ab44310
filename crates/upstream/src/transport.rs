//! How servers are reached: TLS, timeouts, how many connections are kept.

use std::{sync::Arc, time::Duration};

use portway_model::dynamic::ServersTransport;
use rustls::{ClientConfig, pki_types::ServerName};

/// Idle connections kept for each server and worker where the configuration does not say.
/// Traefik: `maxIdleConnsPerHost` of the static `serversTransport`, 200.
const DEFAULT_MAX_IDLE: usize = 200;

/// How servers are reached. Traefik: `serversTransport`.
#[derive(Debug)]
pub struct Transport {
    /// Tells connections of one transport from those of another: equal settings, equal fingerprint.
    pub fingerprint: String,
    /// TLS towards `https` servers.
    pub tls: Arc<ClientConfig>,
    /// The name to ask for and verify instead of the server's host.
    pub server_name: Option<ServerName<'static>>,
    /// How long to wait for a connection; `None` means without limit.
    pub dial_timeout: Option<Duration>,
    /// How long to wait for a response head after the request was sent.
    pub response_header_timeout: Option<Duration>,
    /// How long an idle connection is kept.
    pub idle_timeout: Option<Duration>,
    /// Idle connections kept for each server and worker at most.
    pub max_idle: usize,
}

impl Transport {
    /// Compiles settings whose TLS part is compiled already.
    ///
    /// # Errors
    /// When `serverName` is no valid name.
    pub fn compile(
        config: &ServersTransport,
        fingerprint: String,
        tls: Arc<ClientConfig>,
    ) -> Result<Self, String> {
        let server_name = match config.server_name.as_str() {
            "" => None,
            name => Some(
                ServerName::try_from(name.to_owned())
                    .map_err(|_| format!("serverName: `{name}` is no valid host name"))?,
            ),
        };
        let timeouts = &config.forwarding_timeouts;
        Ok(Self {
            fingerprint,
            tls,
            server_name,
            dial_timeout: timeouts.dial_timeout.positive(),
            response_header_timeout: timeouts.response_header_timeout.positive(),
            idle_timeout: timeouts.idle_conn_timeout.positive(),
            max_idle: match config.max_idle_conns_per_host {
                0 => DEFAULT_MAX_IDLE,
                number => usize::try_from(number).unwrap_or(0),
            },
        })
    }
}
