//! The certificate shown where no other fits: self-signed, made once per process.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::SystemTime,
};

use aws_lc_rs::rand;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, RsaKeySize,
};
use rustls::{
    CipherSuite, SignatureScheme,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use x509_parser::time::ASN1Time;

use crate::{LoadedCertificate, crypto};

/// The self-signed certificate of this process, as Traefik makes one: common name
/// `TRAEFIK DEFAULT CERT`, a random name under `traefik.default`, valid for 365 days.
///
/// The key is ECDSA on P-256, which costs a handshake less than Traefik's RSA; clients and options that leave no
/// suite but those with RSA get a second certificate.
#[derive(Clone)]
pub struct GeneratedDefault {
    certificate: Arc<LoadedCertificate>,
    second: Arc<Second>,
}

/// The same with a key of RSA, which takes about a tenth of a second to make: it is begun beside the first handshake
/// with the generated certificate.
struct Second {
    parameters: CertificateParams,
    begun: AtomicBool,
    made: OnceLock<Option<Arc<LoadedCertificate>>>,
}

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
        let certificate = Arc::new(signed(&parameters, &key)?);
        let second = Second { parameters, begun: AtomicBool::new(false), made: OnceLock::new() };
        Ok(Self { certificate, second: Arc::new(second) })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Arc<LoadedCertificate> {
        &self.certificate
    }

    /// The certificate for a client with which these suites are in common, and that understands these signatures.
    pub(crate) fn certified(
        &self,
        suites: &[CipherSuite],
        schemes: &[SignatureScheme],
    ) -> Arc<CertifiedKey> {
        if !self.second.begun.swap(true, Relaxed) {
            let second = Arc::clone(&self.second);
            let begin = std::thread::Builder::new().name("second certificate".to_owned());
            // Without a thread it is made when it is needed.
            drop(begin.spawn(move || drop(second.certificate())));
        }
        let first = self.certificate.certified();
        // Suites of TLS 1.3 go with all keys, so that a client that lists them, but speaks TLS 1.2 alone, seems to
        // understand all.
        let offers = |known: &[CipherSuite]| suites.iter().any(|suite| known.contains(suite));
        let rsa_alone = offers(&crypto::FOR_RSA) && !offers(&crypto::FOR_ECDSA);
        if !rsa_alone && first.key.choose_scheme(schemes).is_some() {
            return first;
        }
        self.second.certificate().map_or(first, |second| second.certified())
    }
}

impl Second {
    /// Waits for it where it is not ready yet.
    fn certificate(&self) -> Option<Arc<LoadedCertificate>> {
        let make = || {
            let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).ok()?;
            signed(&self.parameters, &key).ok().map(Arc::new)
        };
        self.made.get_or_init(make).clone()
    }
}

fn signed(
    parameters: &CertificateParams,
    key: &KeyPair,
) -> Result<LoadedCertificate, NotGenerated> {
    let certificate = parameters.self_signed(key).map_err(|e| NotGenerated(e.to_string()))?;
    let chain = vec![CertificateDer::from(certificate)];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    LoadedCertificate::new(chain, key).map_err(|error| NotGenerated(error.to_string()))
}

impl fmt::Debug for GeneratedDefault {
    /// The names; the key is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.certificate.fmt(f)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
