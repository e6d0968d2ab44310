//! How servers are reached: TLS, timeouts, how many connections are kept.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use portway_model::dynamic::ServersTransport;
use portway_tls::ClientTls;

use crate::Silence;

/// Idle connections kept for each server where the configuration does not say.
/// Traefik: `maxIdleConnsPerHost` of the static `serversTransport`, 200.
const DEFAULT_MAX_IDLE: usize = 200;

/// How long a server has for the answer to a PING where that is set to nothing. Go: `pingTimeout` of its transport.
const DEFAULT_ANSWER: Duration = Duration::from_secs(15);

/// How servers are reached. Traefik: `serversTransport`.
#[derive(Debug)]
pub struct Transport {
    /// Tells connections of one transport from those of another; never reused.
    pub(crate) number: u64,
    /// TLS towards `https` servers.
    pub tls: ClientTls,
    /// How long to wait for a connection; `None` means without limit.
    pub dial_timeout: Option<Duration>,
    /// How long to wait for a response head after the request was sent.
    pub response_header_timeout: Option<Duration>,
    /// How long an idle connection is kept.
    pub idle_timeout: Option<Duration>,
    /// How long a server may be silent on a connection of HTTP/2; `None` means for ever.
    pub silence: Option<Silence>,
    /// Idle connections that all workers together keep for each server at most.
    pub max_idle: usize,
}

impl Transport {
    /// Compiles settings whose TLS part is compiled already. Connections are kept apart from those of every
    /// other transport, so unchanged settings should keep their transport.
    pub fn compile(config: &ServersTransport, tls: ClientTls) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let timeouts = &config.forwarding_timeouts;
        Self {
            number: NEXT.fetch_add(1, Relaxed),
            tls,
            dial_timeout: timeouts.dial_timeout.positive(),
            response_header_timeout: timeouts.response_header_timeout.positive(),
            idle_timeout: timeouts.idle_conn_timeout.positive(),
            silence: timeouts.read_idle_timeout.positive().map(|borne| Silence {
                borne,
                answer: timeouts.ping_timeout.positive().unwrap_or(DEFAULT_ANSWER),
            }),
            max_idle: match config.max_idle_conns_per_host {
                0 => DEFAULT_MAX_IDLE,
                number => usize::try_from(number).unwrap_or(0),
            },
        }
    }
}
