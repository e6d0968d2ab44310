//! `grpcWeb`.

use serde::Serialize;

/// Translates between gRPC-Web, which browsers speak, and gRPC. Traefik: `grpcWeb`.
#[derive(Clone, Debug, Default, Hash, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcWeb {
    /// Origins whose pages may ask; `*` means any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
}
