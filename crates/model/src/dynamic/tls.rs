//! Certificates, stores and TLS options.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use serde::Serialize;

/// Key material named by a path or written inline (Traefik: FileOrContent).
#[derive(Clone, Default, PartialEq)]
pub struct Material {
    /// What was written: a path or PEM text.
    pub written: String,
    /// The PEM bytes, read by the provider.
    pub content: Vec<u8>,
}

impl Material {
    /// PEM text written inline.
    pub fn inline(content: impl Into<Vec<u8>>) -> Self {
        Self { written: String::new(), content: content.into() }
    }

    /// Whether nothing was written, nor taken from elsewhere.
    pub fn is_absent(&self) -> bool {
        self.written.is_empty() && self.content.is_empty()
    }
}

impl Hash for Material {
    /// Of the content alone: where it was read differs between replicas that serve the same.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.content.hash(state);
    }
}

impl fmt::Debug for Material {
    /// Without the content: it may be a private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Material({} bytes)", self.content.len())
    }
}

/// A certificate chain with its private key. Traefik: `tls.certificates[]`.
#[derive(Clone, Debug, Default, Hash, PartialEq)]
pub struct Certificate {
    /// The chain, leaf first.
    pub cert: Material,
    /// The private key.
    pub key: Material,
    /// Names of stores; empty means `default`.
    pub stores: Vec<String>,
}

/// A store of certificates. Traefik: `tls.stores.<name>`; only `default` has a meaning.
#[derive(Clone, Debug, Default, Hash, PartialEq)]
pub struct TlsStore {
    /// Shown where no certificate fits the name asked for.
    pub default_certificate: Option<Certificate>,
}

/// Versions, suites and client authentication. Traefik: `tls.options.<name>`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsOptions {
    /// `VersionTLS10` to `VersionTLS13`; empty means TLS 1.2.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min_version: String,
    /// The same; empty means no limit.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_version: String,
    /// IANA names of TLS 1.2 suites; empty means all that are safe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
    /// Names of key exchange groups, best first; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curve_preferences: Vec<String>,
    /// Client certificates.
    pub client_auth: ClientAuth,
    /// Whether a client without a fitting certificate name is refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sni_strict: bool,
    /// Protocols offered by ALPN; empty means what Portway serves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn_protocols: Vec<String>,
    /// Whether no session tickets are given.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_session_tickets: bool,
}

/// Client certificates. Traefik: `tls.options.<name>.clientAuth`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientAuth {
    /// Authorities whose certificates are accepted.
    #[serde(skip)]
    pub authorities: Vec<Material>,
    /// `NoClientCert`, `RequestClientCert`, `RequireAnyClientCert`, `VerifyClientCertIfGiven` or
    /// `RequireAndVerifyClientCert`; empty means none, or the last where authorities are given.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_auth_type: String,
}
