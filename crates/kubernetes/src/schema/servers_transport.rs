//! `ServersTransport`.

use portway_model::{Node, Value};

use super::{
    Property, Rule, Schema, boolean, integer, list, object, optional, period, text, texts,
};

pub(super) fn spec() -> Schema {
    let own = [
        optional("cipherSuites", texts("Cipher suites that may be used towards servers.")),
        optional("disableHTTP2", boolean("Whether HTTP/2 is not offered to servers.")),
        optional("forwardingTimeouts", forwarding_timeouts()),
        optional(
            "maxIdleConnsPerHost",
            integer(-1.., "Connections to one server that are kept open while idle."),
        ),
        optional("maxVersion", text("The highest TLS version, such as `VersionTLS13`.")),
        optional("minVersion", text("The lowest TLS version, such as `VersionTLS12`.")),
    ];
    object("How to reach HTTP servers.", own.into_iter().chain(trust()))
}

/// The fields that say which servers are trusted, and who we are to them.
pub(super) fn trust() -> [Property; 7] {
    [
        optional("certificatesSecrets", texts("Secrets with client certificates and their keys.")),
        optional("insecureSkipVerify", boolean("Whether any certificate of a server is accepted.")),
        optional("peerCertURI", text("The URI that a server's certificate must carry.")),
        optional(
            "rootCAs",
            list("Authorities that are trusted instead of the system's.", root_authority()),
        ),
        optional("rootCAsSecrets", texts("Deprecated: Secrets with authorities; use `rootCAs`.")),
        optional("serverName", text("The name that servers are asked for and checked against.")),
        optional("spiffe", spiffe()),
    ]
}

fn root_authority() -> Schema {
    let authority = object(
        "Where an authority is kept, under the key `tls.ca` or `ca.crt`.",
        [
            optional("configMap", text("The name of a ConfigMap.")),
            optional("secret", text("The name of a Secret.")),
        ],
    );
    authority.with(Rule {
        cel: "!has(self.secret) || !has(self.configMap)",
        message: "an authority is kept in a Secret or in a ConfigMap, not in both",
        broken: |node| {
            let has = |name| node.get(name).is_some_and(|value: &Node| value.value != Value::Null);
            let message = "names both `secret` and `configMap`; write two items";
            (has("secret") && has("configMap")).then(|| message.to_owned())
        },
    })
}

fn spiffe() -> Schema {
    object(
        "Servers that are known by SPIFFE.",
        [
            optional("ids", texts("SPIFFE identities that are let in.")),
            optional("trustDomain", text("The SPIFFE trust domain that is let in.")),
        ],
    )
}

fn forwarding_timeouts() -> Schema {
    object(
        "How long to wait for servers.",
        [
            optional("dialTimeout", period("For a connection; by default 30s, 0 means for ever.")),
            optional(
                "idleConnTimeout",
                period("Until an idle connection is closed; by default 90s."),
            ),
            optional("pingTimeout", period("For the answer to an HTTP/2 ping; by default 15s.")),
            optional(
                "readIdleTimeout",
                period("Of silence until an HTTP/2 ping is sent; 0, the default, means never."),
            ),
            optional(
                "responseHeaderTimeout",
                period("For the head of a response; 0, the default, means for ever."),
            ),
        ],
    )
}
