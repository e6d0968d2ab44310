//! One certificate chain with its private key, parsed and checked.

use std::{fmt, net::IpAddr, sync::Arc};

use arc_swap::ArcSwap;
use portway_model::{Problem, dynamic::Certificate};
use rustls::{
    pki_types::{PrivateKeyDer, UnixTime},
    sign::{CertifiedKey, SigningKey},
};
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    prelude::{FromDer, SubjectPublicKeyInfo},
};

use crate::{BadAnswer, StatusQuestion, Validity, crypto, ocsp, pem};

/// A certificate chain with its private key, ready to be shown to clients.
pub struct LoadedCertificate {
    /// With what a responder has said of it, where it was asked.
    certified: ArcSwap<CertifiedKey>,
    names: Vec<Box<str>>,
    identity: Box<str>,
    not_before: i64,
    not_after: i64,
}

/// Why a certificate cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadCertificate {
    /// No text at all where the chain belongs.
    #[error("the certificate is empty")]
    Empty,
    /// Text without any PEM section.
    #[error("the certificate is not PEM: no `-----BEGIN CERTIFICATE-----` is in it")]
    NotPem,
    /// Binary DER.
    #[error("the certificate is DER, not PEM; convert it with `openssl x509 -inform der -in FILE`")]
    Der,
    /// A PEM section that does not end or is no base64.
    #[error("the certificate's PEM is damaged: a section does not end or is no base64")]
    BrokenPem,
    /// A private key stands where the chain belongs.
    #[error("a private key stands where the certificate belongs")]
    KeyInsteadOfCertificate,
    /// The leaf is no X.509 certificate.
    #[error("the certificate is PEM but no X.509 certificate")]
    NotX509,
    /// No text at all where the key belongs.
    #[error("the private key is empty")]
    KeyEmpty,
    /// Text without any PEM section.
    #[error("the private key is not PEM: no `-----BEGIN PRIVATE KEY-----` is in it")]
    KeyNotPem,
    /// Binary DER.
    #[error("the private key is DER, not PEM; convert it with `openssl pkey -inform der -in FILE`")]
    KeyDer,
    /// A PEM section that does not end or is no base64.
    #[error("the private key's PEM is damaged: a section does not end or is no base64")]
    BrokenKeyPem,
    /// A key that needs a password.
    #[error("the private key is encrypted; decrypt it with `openssl pkey -in FILE`")]
    KeyEncrypted,
    /// A certificate stands where the key belongs.
    #[error("a certificate stands where the private key belongs")]
    CertificateInsteadOfKey,
    /// A key of a kind or size that is not served.
    #[error(
        "the private key is damaged or of no served kind: RSA of 2048 to 8192 bits, \
         ECDSA on P-256, P-384 or P-521, Ed25519"
    )]
    KeyUnsupported,
    /// The key is another certificate's.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
}

impl BadCertificate {
    /// The field that has to be mended: `certFile` or `keyFile`.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Empty
            | Self::NotPem
            | Self::Der
            | Self::BrokenPem
            | Self::KeyInsteadOfCertificate
            | Self::NotX509 => "certFile",
            Self::KeyEmpty
            | Self::KeyNotPem
            | Self::KeyDer
            | Self::BrokenKeyPem
            | Self::KeyEncrypted
            | Self::CertificateInsteadOfKey
            | Self::KeyUnsupported
            | Self::KeyMismatch => "keyFile",
        }
    }

    /// As a problem that disables the certificate.
    pub fn problem(&self) -> Problem {
        Problem::error(self.field(), self.to_string())
    }
}

impl LoadedCertificate {
    /// Parses a chain and its key and checks that they belong together.
    ///
    /// Dates are not checked: Traefik serves an expired certificate, and [`Self::problem_at`] says so.
    ///
    /// # Errors
    /// When either cannot be read, or the key is not the certificate's.
    pub fn load(material: &Certificate) -> Result<Self, BadCertificate> {
        let chain = pem::certificates(&material.cert.content)?;
        let key = pem::private_key(&material.key.content)?;
        Self::new(chain, key)
    }

    pub(crate) fn new(
        chain: Vec<rustls::pki_types::CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, BadCertificate> {
        let leaf = chain.first().cloned().ok_or(BadCertificate::NotX509)?;
        let (_, leaf) = X509Certificate::from_der(&leaf).map_err(|_| BadCertificate::NotX509)?;
        let key = crypto::provider()
            .key_provider
            .load_private_key(key)
            .map_err(|_| BadCertificate::KeyUnsupported)?;
        if !belongs(key.as_ref(), leaf.public_key()) {
            return Err(BadCertificate::KeyMismatch);
        }
        let written = written(&leaf);
        Ok(Self {
            certified: ArcSwap::from_pointee(CertifiedKey::new(chain, key)),
            identity: written.join(",").into(),
            names: names(written),
            not_before: leaf.validity().not_before.timestamp(),
            not_after: leaf.validity().not_after.timestamp(),
        })
    }

    /// The names the certificate is good for: common name, DNS names and addresses of its subject
    /// alternative names; lower case, sorted, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// The names joined by `,` as Traefik joins them; of certificates with the same ones the first one stays.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// When the certificate stops being valid, in seconds since 1970.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// What is wrong with the certificate's dates at `now`: it is served all the same.
    pub fn problem_at(&self, now: UnixTime) -> Option<Problem> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let what = match () {
            () if now > self.not_after => "expired",
            () if now < self.not_before => "is not valid yet",
            () => return None,
        };
        Some(Problem::warning(
            "certFile",
            format!("the certificate for `{}` {what}; clients will refuse it", self.identity),
        ))
    }

    /// The question whether the certificate is revoked; `None` where it names nobody who could answer.
    pub fn status_question(&self) -> Option<StatusQuestion> {
        ocsp::question(&self.certified.load().cert)
    }

    /// Shows clients an answer to [`Self::status_question`] from now on; says how long it is good.
    ///
    /// # Errors
    /// When clients would not believe it; what they were shown before they are shown further.
    pub fn staple(&self, answer: Vec<u8>, now: UnixTime) -> Result<Validity, BadAnswer> {
        let validity = ocsp::check(&self.certified.load().cert, &answer, now)?;
        self.show(Some(answer));
        Ok(validity)
    }

    /// Shows clients no answer any more.
    pub fn unstaple(&self) {
        self.show(None);
    }

    fn show(&self, answer: Option<Vec<u8>>) {
        let mut certified = CertifiedKey::clone(&self.certified.load());
        certified.ocsp = answer;
        self.certified.store(Arc::new(certified));
    }

    /// What rustls shows to clients.
    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        self.certified.load_full()
    }
}

impl fmt::Debug for LoadedCertificate {
    /// The names; the key is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoadedCertificate({})", self.identity)
    }
}

/// Whether the private key's public half is the certificate's.
///
/// Compared here and not by rustls, whose parser refuses version 1 certificates, which are good enough
/// to be shown.
fn belongs(key: &dyn SigningKey, certified: &SubjectPublicKeyInfo<'_>) -> bool {
    let Some(public) = key.public_key() else { return true };
    SubjectPublicKeyInfo::from_der(&public).is_ok_and(|(_, public)| {
        public.subject_public_key.data == certified.subject_public_key.data
    })
}

/// Common name and subject alternative names as Traefik's certificate store takes them: in lower case, and those that
/// are no other than the common name, letter for letter, left out.
fn written(leaf: &X509Certificate<'_>) -> Vec<String> {
    let common = leaf.subject().iter_common_name().last();
    let common = common.and_then(|name| name.as_str().ok()).unwrap_or_default();
    let mut names = Vec::new();
    if let Ok(Some(alternative)) = leaf.subject_alternative_name() {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::DNSName(name) => names.push((*name).to_owned()),
                GeneralName::IPAddress(bytes) => {
                    names.extend(address(bytes).map(|address| address.to_string()));
                }
                _ => {}
            }
        }
    }
    names.retain(|name| name != common);
    if !common.is_empty() {
        names.push(common.to_owned());
    }
    names.iter_mut().for_each(|name| name.make_ascii_lowercase());
    names.sort();
    names
}

/// The names that a certificate is good for, of those that are written in it.
fn names(mut names: Vec<String>) -> Vec<Box<str>> {
    names.iter_mut().for_each(|name| name.truncate(name.trim_end_matches('.').len()));
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names.into_iter().map(Into::into).collect()
}

/// Four or sixteen bytes as an address; IPv4 written as IPv6 is IPv4.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| IpAddr::from(sixteen).to_canonical())
}
