//! Verification of the other side's certificates, where rustls' own is stricter than Go's.
//!
//! Two differences matter to Traefik's users. A certificate that is itself among the authorities is
//! trusted (rustls refuses one that says `CA:TRUE`, as `openssl req -x509` makes them). And where no
//! verification is asked for, a version 1 certificate is accepted, as long as the peer has its key.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
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

use crate::crypto;

/// Takes any client certificate whose key the client has, or none where it is not mandatory.
#[derive(Debug)]
pub(crate) struct AnyClient {
    /// Whether a client without a certificate is refused.
    pub(crate) mandatory: bool,
    /// The names of authorities that clients are told, so that they show what fits.
    pub(crate) hints: Vec<DistinguishedName>,
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
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

/// rustls' verification of client certificates, and trust in the authorities themselves.
#[derive(Debug)]
pub(crate) struct VerifiedClient {
    /// rustls' verifier over the same authorities.
    pub(crate) inner: Arc<dyn ClientCertVerifier>,
    /// The authorities.
    pub(crate) authorities: Vec<CertificateDer<'static>>,
}

impl ClientCertVerifier for VerifiedClient {
    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.inner.verify_client_cert(end_entity, intermediates, now) {
            Ok(verified) => Ok(verified),
            Err(error) => {
                pinned(&self.authorities, end_entity, now, Purpose::Client).ok_or(error)?;
                Ok(ClientCertVerified::assertion())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Takes any server certificate whose key the server has. Traefik: `insecureSkipVerify`.
#[derive(Debug)]
pub(crate) struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
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

/// Takes no server certificate: where authorities were asked for and none could be read.
#[derive(Debug)]
pub(crate) struct NoServer;

impl ServerCertVerifier for NoServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(CertificateError::UnknownIssuer.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

/// rustls' verification of server certificates, and trust in the authorities themselves.
#[derive(Debug)]
pub(crate) struct VerifiedServer {
    /// rustls' verifier over the same authorities.
    pub(crate) inner: Arc<dyn ServerCertVerifier>,
    /// The authorities.
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    /// What else is asked of the certificate.
    pub(crate) peer: Option<PeerUri>,
}

/// A URI that a server's certificate must carry. Traefik: `peerCertURI`.
#[derive(Debug)]
pub(crate) struct PeerUri {
    /// The URI, in letters of any case.
    pub(crate) uri: String,
    /// Where the server's name does not matter, the authorities that its chain must lead to.
    pub(crate) nameless: Option<Arc<RootCertStore>>,
}

impl PeerUri {
    fn is_carried_by(&self, end_entity: &CertificateDer<'_>) -> bool {
        let Ok((_, certificate)) = X509Certificate::from_der(end_entity) else { return false };
        let Ok(Some(names)) = certificate.subject_alternative_name() else { return false };
        let mut names = names.value.general_names.iter();
        names.any(
            |name| matches!(name, GeneralName::URI(uri) if uri.eq_ignore_ascii_case(&self.uri)),
        )
    }
}

impl ServerCertVerifier for VerifiedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let nameless = self.peer.as_ref().and_then(|peer| peer.nameless.as_ref());
        let verified = match nameless {
            Some(store) => verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(end_entity)?,
                store,
                intermediates,
                now,
                algorithms().all,
            ),
            None => self
                .inner
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map(drop),
        };
        if let Err(error) = verified {
            pinned(&self.authorities, end_entity, now, Purpose::Server).ok_or(error)?;
            if nameless.is_none() {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
        }
        match &self.peer {
            Some(peer) if !peer.is_carried_by(end_entity) => {
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
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// What a certificate must be good for.
#[derive(Clone, Copy)]
enum Purpose {
    Client,
    Server,
}

/// Whether a certificate is one of the authorities, byte for byte, in its time and for this purpose.
fn pinned(
    authorities: &[CertificateDer<'static>],
    end_entity: &CertificateDer<'_>,
    now: UnixTime,
    purpose: Purpose,
) -> Option<()> {
    authorities.iter().find(|authority| authority.as_ref() == end_entity.as_ref())?;
    let (_, certificate) = X509Certificate::from_der(end_entity).ok()?;
    let now = i64::try_from(now.as_secs()).ok()?;
    let validity = certificate.validity();
    if now < validity.not_before.timestamp() || now > validity.not_after.timestamp() {
        return None;
    }
    let Some(usage) = certificate.extended_key_usage().ok()? else { return Some(()) };
    let fits = match purpose {
        Purpose::Client => usage.value.client_auth,
        Purpose::Server => usage.value.server_auth,
    };
    (fits || usage.value.any).then_some(())
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
