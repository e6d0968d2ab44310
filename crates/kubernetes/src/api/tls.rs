//! TLSOption and TLSStore.

use portway_model::{
    Fields, Node, Position, Problem,
    dynamic::{ClientAuth, TlsOptions},
};

use super::{ingress_route::secret_name, reading::suggestion};

const VERSIONS: [&str; 4] = ["VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"];

/// Those that are served, the best first.
const SERVED: [&str; 2] = ["VersionTLS13", "VersionTLS12"];

/// The content of a TLSOption.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsOption {
    /// All but the authorities, which are in Secrets.
    pub options: TlsOptions,
    /// Secrets with authorities of client certificates.
    pub authorities: Vec<String>,
    /// Where they were named.
    pub authorities_at: Position,
}

impl TlsOption {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let client_auth = fields.object("clientAuth", |node, path, problems| {
            let mut fields = Fields::open(node, path, problems);
            let names = fields.strings("secretNames");
            let client_auth_type = fields.string("clientAuthType");
            fields.close_dropping(&["secretNames", "clientAuthType"]);
            (names, node.at, client_auth_type)
        });
        let (authorities, authorities_at, client_auth_type) = client_auth.unwrap_or_default();
        let options = TlsOptions {
            min_version: version(&mut fields, "minVersion"),
            max_version: version(&mut fields, "maxVersion"),
            cipher_suites: fields.strings("cipherSuites"),
            curve_preferences: fields.strings("curvePreferences"),
            client_auth: ClientAuth { authorities: Vec::new(), client_auth_type },
            sni_strict: fields.boolean("sniStrict").unwrap_or_default(),
            alpn_protocols: fields.strings("alpnProtocols"),
            disable_session_tickets: fields.boolean("disableSessionTickets").unwrap_or_default(),
        };
        if fields.node("preferServerCipherSuites").is_some() {
            fields.report(
                "preferServerCipherSuites",
                Problem::warning,
                "has no effect, in Traefik 3 neither",
            );
        }
        fields.close_dropping(&["clientAuth", "minVersion", "sniStrict"]);
        Self { options, authorities, authorities_at }
    }
}

/// A version, for which none is suggested that is never served.
fn version(fields: &mut Fields<'_>, name: &'static str) -> String {
    let text = fields.string(name);
    if !text.is_empty() && !VERSIONS.contains(&text.as_str()) {
        let message = format!("unsupported value `{text}`; {}", suggestion(&text, &SERVED));
        fields.report(name, Problem::error, message);
    }
    text
}

/// The content of a TLSStore.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsStore {
    /// The Secret of the default certificate, and where it was named.
    pub default_certificate: Option<(String, Position)>,
    /// Secrets of more certificates, and where they were named.
    pub certificates: Vec<(String, Position)>,
}

impl TlsStore {
    pub(super) fn read(spec: &Node, problems: &mut Vec<Problem>) -> Self {
        let mut fields = Fields::open(spec, "spec", problems);
        let store = Self {
            default_certificate: match fields.node("defaultCertificate") {
                Some(_) => fields.object("defaultCertificate", secret_name),
                None => None,
            },
            certificates: fields.list("certificates", secret_name),
        };
        fields.unserved("defaultGeneratedCert");
        fields.close_dropping(&[]);
        store
    }
}
