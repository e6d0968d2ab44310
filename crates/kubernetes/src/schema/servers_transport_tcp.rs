//! `ServersTransportTCP`.

use super::{Schema, integer, object, optional, period, servers_transport::trust};

pub(super) fn spec() -> Schema {
    object(
        "How to reach TCP servers.",
        [
            optional("dialKeepAlive", period("Time between keep-alive probes; by default 15s.")),
            optional("dialTimeout", period("How long to wait for a connection; by default 30s.")),
            optional("proxyProtocol", proxy_protocol("The PROXY protocol that servers are sent.")),
            optional(
                "terminationDelay",
                period("Time that a half closed connection stays open; by default 100ms."),
            ),
            optional("tls", object("TLS towards servers.", trust())),
        ],
    )
}

/// The PROXY protocol towards servers.
pub(super) fn proxy_protocol(description: &'static str) -> Schema {
    let version = "The version of the PROXY protocol; by default 2.";
    object(description, [optional("version", integer(1..=2, version))])
}
