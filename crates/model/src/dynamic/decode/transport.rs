//! Servers transports out of a tree.

use super::tls::{client_certificate, materials};
use crate::{
    Fields, Node, Period, Problem,
    dynamic::{ForwardingTimeouts, ServersTransport},
};

/// Reads a servers transport. Traefik: `http.serversTransports.<name>`.
///
/// Fields that restrict whom Portway talks to and are not served yet are errors; key material is a path or PEM text
/// and the provider's to read.
pub fn servers_transport(node: &Node, path: &str, problems: &mut Vec<Problem>) -> ServersTransport {
    let mut fields = Fields::open(node, path, problems);
    let transport = ServersTransport {
        server_name: fields.string("serverName"),
        insecure_skip_verify: fields.boolean("insecureSkipVerify").unwrap_or_default(),
        root_cas: materials(&mut fields, "rootCAs"),
        certificates: fields.list("certificates", client_certificate),
        cipher_suites: fields.strings("cipherSuites"),
        min_version: fields.string("minVersion"),
        max_version: fields.string("maxVersion"),
        peer_cert_uri: fields.string("peerCertURI"),
        max_idle_conns_per_host: fields.integer("maxIdleConnsPerHost").unwrap_or_default(),
        forwarding_timeouts: fields
            .section("forwardingTimeouts", forwarding_timeouts)
            .unwrap_or_default(),
        disable_http2: fields.boolean("disableHTTP2").unwrap_or_default(),
    };
    if fields.node("spiffe").is_some() {
        let message = "not served by this version of Portway yet; without it, servers would be \
                       trusted that should not be";
        fields.report("spiffe", Problem::error, message);
    }
    fields.close();
    transport
}

/// Reads `forwardingTimeouts`.
pub fn forwarding_timeouts(
    node: &Node,
    path: &str,
    problems: &mut Vec<Problem>,
) -> ForwardingTimeouts {
    let mut timeouts = ForwardingTimeouts::default();
    let mut fields = Fields::open(node, path, problems);
    let mut replace = |name, period: &mut Period| *period = fields.period(name).unwrap_or(*period);
    replace("dialTimeout", &mut timeouts.dial_timeout);
    replace("responseHeaderTimeout", &mut timeouts.response_header_timeout);
    replace("idleConnTimeout", &mut timeouts.idle_conn_timeout);
    replace("readIdleTimeout", &mut timeouts.read_idle_timeout);
    replace("pingTimeout", &mut timeouts.ping_timeout);
    fields.close();
    timeouts
}
