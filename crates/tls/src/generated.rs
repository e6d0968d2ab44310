//! The certificate shown where no other fits: self-signed, made once per process.

use std::{fmt, sync::Arc, time::SystemTime};

use aws_lc_rs::rand;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::time::ASN1Time;

use crate::LoadedCertificate;

/// The self-signed certificate of this process, as Traefik makes one: common name
/// `TRAEFIK DEFAULT CERT`, a random name under `traefik.default`, valid for 365 days.
///
/// The key is ECDSA on P-256, which costs a handshake less than Traefik's RSA.
#[derive(Clone)]
pub struct GeneratedDefault(Arc<LoadedCertificate>);

/// The certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot generate the default certificate: {0}")]
pub struct NotGenerated(String);

impl GeneratedDefault {
    /// Makes key and certificate, starting `now`. Reads the system's random source.
    ///
    /// # Errors
    /// When the system's random source fails or `now` is beyond what certificates can say.
    pub fn generate(now: SystemTime) -> Result<Self, NotGenerated> {
        let fail = |error: &dyn fmt::Display| NotGenerated(error.to_string());
        let mut random = [0_u8; 32];
        rand::fill(&mut random).map_err(|error| fail(&error))?;
        let (first, second) = random.split_at(16);
        let name = format!("{}.{}.traefik.default", hexadecimal(first), hexadecimal(second));

        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map_err(|error| fail(&error))?;
        let start = i64::try_from(seconds.as_secs()).map_err(|error| fail(&error))?;
        let time = |at| ASN1Time::from_timestamp(at).map_err(|error| fail(&error));

        let mut parameters = CertificateParams::new([name]).map_err(|error| fail(&error))?;
        parameters.distinguished_name.push(DnType::CommonName, "TRAEFIK DEFAULT CERT");
        parameters.not_before = time(start)?.to_datetime();
        parameters.not_after = time(start + 365 * 24 * 60 * 60)?.to_datetime();
        parameters.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];

        let key = KeyPair::generate().map_err(|error| fail(&error))?;
        let certificate = parameters.self_signed(&key).map_err(|error| fail(&error))?;
        let chain = vec![CertificateDer::from(certificate)];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let loaded = LoadedCertificate::new(chain, key).map_err(|error| fail(&error))?;
        Ok(Self(Arc::new(loaded)))
    }

    /// The certificate.
    pub fn certificate(&self) -> &Arc<LoadedCertificate> {
        &self.0
    }
}

impl fmt::Debug for GeneratedDefault {
    /// The names; the key is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
