//! What a handshake agreed on, in the words of Go and Traefik's logs.

use rustls::{CommonState, ProtocolVersion};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::{crypto, subject};

/// The version: `1.2` or `1.3`; `unknown` before the handshake is done.
pub fn version(connection: &CommonState) -> &'static str {
    match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "1.2",
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        _ => "unknown",
    }
}

/// The cipher suite by its IANA name, such as `TLS_AES_128_GCM_SHA256`; `unknown` before the handshake is
/// done.
pub fn cipher(connection: &CommonState) -> &'static str {
    let agreed = connection.negotiated_cipher_suite().map(|suite| suite.suite());
    crypto::SUITES
        .iter()
        .find(|(_, suite)| agreed.is_some() && suite.map(|suite| suite.suite()) == agreed)
        .map_or("unknown", |(name, _)| name)
}

/// The subject of the client's certificate as Go writes it, such as `CN=client,O=Portway`.
///
/// Parses the certificate: call it once for each connection.
pub fn client_subject(connection: &CommonState) -> Option<String> {
    let leaf = connection.peer_certificates()?.first()?;
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    Some(subject::subject(leaf.subject()))
}
