//! Routers.

use serde::Serialize;

use crate::Period;

/// A rule and what follows from it. Traefik: `http.routers.<name>`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Router {
    /// Names of entry points; empty means the default ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entry_points: Vec<String>,
    /// Names of middlewares, in the order they run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
    /// The service's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// The rule's text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// Names of parent routers (multi-layer routing).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<String>,
    /// `v2` or `v3`; empty means the static default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule_syntax: String,
    /// Higher goes first; 0 means the rule's length in bytes.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i64,
    /// Present: the router answers TLS requests only. Absent: plaintext only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Box<RouterTls>>,
    /// Which records are made of its requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<Observability>,
    /// How long its requests may take. Portway's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Box<RouterTimeouts>>,
}

/// How long the requests of a router may take; Portway's own: `http.routers.<name>.timeouts`. Each is above zero,
/// and an absent one is no limit. A connection that has switched protocols (WebSocket) is not limited any more.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouterTimeouts {
    /// From the end of the request's head to the end of the response, waits for other attempts included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Period>,
    /// From when a server has the whole request to the head of its response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<Period>,
    /// Without a byte of a body on its way, in either direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Period>,
}

/// TLS of a router. Traefik: `http.routers.<name>.tls`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouterTls {
    /// The name of TLS options; empty means `default`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub options: String,
    /// The name of a certificate resolver.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert_resolver: String,
    /// Domains to ask certificates for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<Domain>,
}

/// A name and its alternatives.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct Domain {
    /// The main name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub main: String,
    /// Subject alternative names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sans: Vec<String>,
}

/// How much traces say. Traefik: `observability.traceVerbosity`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceVerbosity {
    /// What was asked and answered.
    #[default]
    Minimal,
    /// The steps between as well.
    Detailed,
}

impl TraceVerbosity {
    /// All, as users write them.
    pub const NAMES: [(&'static str, Self); 2] =
        [("minimal", Self::Minimal), ("detailed", Self::Detailed)];
}

/// Which records are made of a router's requests. Traefik: `http.routers.<name>.observability`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observability {
    /// Access log lines; absent means the entry point's setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_logs: Option<bool>,
    /// Metrics; absent means the entry point's setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<bool>,
    /// Traces; absent means the entry point's setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<bool>,
    /// How much traces say; absent means the entry point's setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_verbosity: Option<TraceVerbosity>,
    /// What records say besides; no user can write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<ObservabilityMetadata>>,
}

/// What records say of a router's origin. Traefik: `observability.metadata`, in the API alone.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct ObservabilityMetadata {
    /// The Kubernetes object that the router was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressMetadata>,
}

/// The Kubernetes object that a router was made from. Traefik: `observability.metadata.ingress`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
pub struct IngressMetadata {
    /// Its kind: `Ingress` or `IngressRoute`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
