//! ServersTransport: how to reach servers.

use portway_model::{Fields, Node, Position, Problem, dynamic};

/// The content of a ServersTransport.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServersTransport {
    /// All but what is in Secrets and ConfigMaps.
    pub transport: dynamic::ServersTransport,
    /// Authorities instead of the system's.
    pub root_authorities: Vec<RootAuthority>,
    /// Secrets with client certificates, and where they were named.
    pub certificates: Vec<(String, Position)>,
}

/// Where a root authority is kept, and where that was written.
#[derive(Clone, Debug, PartialEq)]
pub enum RootAuthority {
    /// In a Secret.
    Secret(String, Position),
    /// In a ConfigMap.
    ConfigMap(String, Position),
}

impl ServersTransport {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let transport = dynamic::ServersTransport {
            server_name: fields.string("serverName"),
            insecure_skip_verify: fields.boolean("insecureSkipVerify").unwrap_or_default(),
            max_idle_conns_per_host: fields.integer("maxIdleConnsPerHost").unwrap_or_default(),
            forwarding_timeouts: fields
                .object("forwardingTimeouts", dynamic::decode::forwarding_timeouts)
                .unwrap_or_default(),
            disable_http2: fields.boolean("disableHTTP2").unwrap_or_default(),
            cipher_suites: fields.strings("cipherSuites"),
            min_version: fields.string("minVersion"),
            max_version: fields.string("maxVersion"),
            peer_cert_uri: fields.string("peerCertURI"),
            ..dynamic::ServersTransport::default()
        };
        let at = |name| spec.get(name).map_or(spec.at, |node| node.at);
        let (old, certificates) = (at("rootCAsSecrets"), at("certificatesSecrets"));
        let mut root_authorities: Vec<_> = fields
            .strings("rootCAsSecrets")
            .into_iter()
            .map(|name| RootAuthority::Secret(name, old))
            .collect();
        root_authorities.extend(fields.list("rootCAs", root_authority).into_iter().flatten());
        let certificates =
            fields.strings("certificatesSecrets").into_iter().map(|name| (name, certificates));
        let certificates = certificates.collect();
        if fields.node("spiffe").is_some() {
            // Without it a server that should be refused would be trusted.
            let message = "not served by this version of Portway yet";
            fields.report("spiffe", Problem::error, message);
        }
        // The last is also what a field of a later Traefik, `peerCertSANs`, reads like.
        fields.close_dropping(&["rootCAs", "serverName", "peerCertURI"]);
        Self { transport, root_authorities, certificates }
    }
}

fn root_authority(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Option<RootAuthority> {
    let mut fields = Fields::open(node, path, problems);
    let (secret, config_map) = (fields.string("secret"), fields.string("configMap"));
    fields.close_dropping(&[]);
    match (secret.is_empty(), config_map.is_empty()) {
        (false, true) => Some(RootAuthority::Secret(secret, node.at)),
        (true, false) => Some(RootAuthority::ConfigMap(config_map, node.at)),
        _ => {
            let message = "rootCA must have exactly one of `secret` and `configMap`";
            problems.push(Problem::error(path, message).at(node.at));
            None
        }
    }
}
