//! Verification of the other side's certificates, as rustls asks for it.
//!
//! A handshake's signature is checked with the bare key of a certificate, which may be of any version: rustls' own
//! verification takes version 3 alone.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::WebPkiSupportedAlgorithms,
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::{
        ParsedCertificate,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use webpki::RawPublicKeyEntity;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

use crate::{
    chain::{Authorities, Purpose},
    crypto,
};

/// Takes client certificates whose key the client has.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    /// Whether a client without a certificate is refused.
    pub(crate) mandatory: bool,
    /// The names of authorities that clients are told, so that they show what fits.
    pub(crate) hints: Vec<DistinguishedName>,
    /// Where certificates must lead to; anywhere, if there is nothing.
    pub(crate) authorities: Option<Authorities>,
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(authorities) = &self.authorities {
            let verified = authorities.verify(end_entity, intermediates, now, Purpose::Client);
            verified.map_err(certificate_error)?;
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

/// Takes server certificates whose key the server has.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    /// Where certificates must lead to; anywhere, if there is nothing.
    pub(crate) authorities: Option<Arc<Authorities>>,
    /// Whether a certificate must be good for the server's name.
    pub(crate) for_name: bool,
    /// A URI that it must carry, in letters of any case. Traefik: `peerCertURI`.
    pub(crate) peer_uri: Option<String>,
}

impl ServerVerifier {
    /// Takes any certificate. Traefik: `insecureSkipVerify`.
    pub(crate) const ANY: Self = Self { authorities: None, for_name: false, peer_uri: None };
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(authorities) = &self.authorities {
            let verified = authorities.verify(end_entity, intermediates, now, Purpose::Server);
            verified.map_err(certificate_error)?;
        }
        if self.for_name {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        }
        match &self.peer_uri {
            Some(uri) if !carries(end_entity, uri) => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

fn carries(end_entity: &CertificateDer<'_>, uri: &str) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(end_entity) else { return false };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return false };
    let mut names = names.value.general_names.iter();
    names.any(|name| matches!(name, GeneralName::URI(own) if own.eq_ignore_ascii_case(uri)))
}

/// What decides about the alert that the other side gets.
fn certificate_error(error: webpki::Error) -> Error {
    use webpki::Error as E;
    let error = match error {
        E::BadDer | E::BadDerTime | E::TrailingData(_) => CertificateError::BadEncoding,
        E::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        E::CertExpired { time, not_after } => CertificateError::ExpiredContext { time, not_after },
        E::UnknownIssuer | E::EndEntityUsedAsCa => CertificateError::UnknownIssuer,
        E::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        E::RequiredEkuNotFoundContext(_) | E::ExtensionValueInvalid => {
            CertificateError::InvalidPurpose
        }
        error => CertificateError::Other(OtherError(Arc::new(error))),
    };
    error.into()
}

fn algorithms() -> &'static WebPkiSupportedAlgorithms {
    &crypto::provider().signature_verification_algorithms
}

/// Checks a TLS 1.3 handshake signature with the bare key of a certificate of any version.
fn tls13_signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let key = SubjectPublicKeyInfoDer::from(certificate.public_key().raw);
    rustls::crypto::verify_tls13_signature_with_raw_key(message, &key, signed, algorithms())
}

/// Checks a TLS 1.2 handshake signature with the bare key of a certificate of any version.
fn tls12_signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let key = SubjectPublicKeyInfoDer::from(certificate.public_key().raw);
    let key = RawPublicKeyEntity::try_from(&key).map_err(|_| CertificateError::BadEncoding)?;
    // In TLS 1.2 a scheme does not fix the curve: each algorithm of the scheme is tried.
    let valid = algorithms()
        .mapping
        .iter()
        .filter(|(scheme, _)| *scheme == signed.scheme)
        .flat_map(|(_, candidates)| candidates.iter())
        .any(|candidate| key.verify_signature(*candidate, message, signed.signature()).is_ok());
    if valid {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(CertificateError::BadSignature.into())
    }
}
