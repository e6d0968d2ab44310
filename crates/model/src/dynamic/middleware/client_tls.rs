//! TLS towards servers that middlewares ask.

use serde::{Serialize, Serializer};

use crate::dynamic::Material;

/// TLS towards a server that a middleware asks. Traefik: `tls` of `forwardAuth` and of `rateLimit.redis`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTls {
    /// Authorities instead of the system's; an empty text means the system's.
    #[serde(serialize_with = "show", skip_serializing_if = "Material::is_absent")]
    pub ca: Material,
    /// The client's certificate.
    #[serde(serialize_with = "show", skip_serializing_if = "Material::is_absent")]
    pub cert: Material,
    /// Its key.
    #[serde(serialize_with = "hide", skip_serializing_if = "Material::is_absent")]
    pub key: Material,
    /// Whether any certificate is accepted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub insecure_skip_verify: bool,
    /// Traefik's deprecated `caOptional` of `forwardAuth`, which has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_optional: Option<bool>,
}

/// A path as written, or the text.
fn show<S: Serializer>(material: &Material, serializer: S) -> Result<S::Ok, S::Error> {
    match material.written.as_str() {
        "" => serializer.collect_str(&String::from_utf8_lossy(&material.content)),
        written => serializer.serialize_str(written),
    }
}

/// A key is never shown.
fn hide<S: Serializer>(_: &Material, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("<redacted>")
}
