//! `TLSOption`.

use super::{Schema, boolean, object, one_of, optional, text, texts};

pub(super) fn spec() -> Schema {
    object(
        "How TLS is spoken with clients.",
        [
            optional("alpnProtocols", texts("Protocols that are offered, the best first.")),
            optional("cipherSuites", texts("Cipher suites up to TLS 1.2, by their IANA names.")),
            optional("clientAuth", client_auth()),
            optional("curvePreferences", texts("Key exchange groups, the best first.")),
            optional(
                "disableSessionTickets",
                boolean("Whether sessions cannot be resumed by tickets."),
            ),
            optional("maxVersion", text("The highest TLS version, such as `VersionTLS13`.")),
            optional("minVersion", text("The lowest TLS version; by default `VersionTLS12`.")),
            optional("preferServerCipherSuites", boolean("Deprecated: has no effect.")),
            optional("sniStrict", boolean("Whether names without a certificate are refused.")),
        ],
    )
}

fn client_auth() -> Schema {
    let types = &[
        "NoClientCert",
        "RequestClientCert",
        "RequireAnyClientCert",
        "VerifyClientCertIfGiven",
        "RequireAndVerifyClientCert",
    ];
    object(
        "Which certificates clients must have.",
        [
            optional("clientAuthType", one_of(types, "Whether clients must have a certificate.")),
            optional(
                "secretNames",
                texts("Secrets with authorities, under the key `tls.ca` or `ca.crt`."),
            ),
        ],
    )
}
