//! Telling servers the client's certificate.

use serde::Serialize;

/// Tells servers the client's certificate. Traefik: `passTLSClientCert`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct PassTlsClientCert {
    /// Whether servers see the whole chain.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pem: bool,
    /// The parts that servers see; `None` means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<ClientCertificateInfo>,
}

/// Parts of a client's certificate. Traefik: `passTLSClientCert.info`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificateInfo {
    /// The time of its end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_after: bool,
    /// The time of its beginning.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_before: bool,
    /// The names that it is for besides its subject.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sans: bool,
    /// Its number.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub serial_number: bool,
    /// Parts of its owner's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<NameParts>,
    /// Parts of its signer's name; the unit is none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<NameParts>,
}

/// Parts of a name in a certificate. Traefik: `passTLSClientCert.info.subject` and `issuer`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NameParts {
    /// C.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub country: bool,
    /// ST.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub province: bool,
    /// L.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub locality: bool,
    /// O.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub organization: bool,
    /// OU.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub organizational_unit: bool,
    /// CN.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub common_name: bool,
    /// SN.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub serial_number: bool,
    /// DC.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub domain_component: bool,
}
