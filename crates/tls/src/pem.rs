//! Certificates and private keys out of PEM text, with reasons that tell what to mend.

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
    pem::{PemObject, SectionKind},
};

use crate::BadCertificate;

/// The certificates of a PEM text, in order; sections of other kinds are passed over.
///
/// # Errors
/// When the text is no PEM or holds no certificate.
pub(crate) fn certificates(content: &[u8]) -> Result<Vec<CertificateDer<'static>>, BadCertificate> {
    let sections = sections(content).ok_or(BadCertificate::BrokenPem)?;
    let holds_key = sections.iter().any(|(kind, _)| is_key(*kind));
    let chain: Vec<_> = sections
        .into_iter()
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, der)| CertificateDer::from(der))
        .collect();
    match () {
        () if !chain.is_empty() => Ok(chain),
        () if content.trim_ascii().is_empty() => Err(BadCertificate::Empty),
        () if holds_key => Err(BadCertificate::KeyInsteadOfCertificate),
        () if content.first() == Some(&DER_SEQUENCE) => Err(BadCertificate::Der),
        () => Err(BadCertificate::NotPem),
    }
}

/// The first private key of a PEM text; sections of other kinds are passed over.
///
/// # Errors
/// When the text is no PEM or holds no unencrypted private key.
pub(crate) fn private_key(content: &[u8]) -> Result<PrivateKeyDer<'static>, BadCertificate> {
    // Before parsing: the older form has headers that the parser takes for damage.
    if says_encrypted(content) {
        return Err(BadCertificate::KeyEncrypted);
    }
    let sections = sections(content).ok_or(BadCertificate::BrokenKeyPem)?;
    let holds_certificate = sections.iter().any(|(kind, _)| *kind == SectionKind::Certificate);
    let key = sections.into_iter().find_map(|(kind, der)| match kind {
        SectionKind::PrivateKey => Some(PrivatePkcs8KeyDer::from(der).into()),
        SectionKind::RsaPrivateKey => Some(PrivatePkcs1KeyDer::from(der).into()),
        SectionKind::EcPrivateKey => Some(PrivateSec1KeyDer::from(der).into()),
        _ => None,
    });
    match key {
        Some(key) => Ok(key),
        None if content.trim_ascii().is_empty() => Err(BadCertificate::KeyEmpty),
        None if holds_certificate => Err(BadCertificate::CertificateInsteadOfKey),
        None if content.first() == Some(&DER_SEQUENCE) => Err(BadCertificate::KeyDer),
        None => Err(BadCertificate::KeyNotPem),
    }
}

/// All known sections; `None` where one begins and does not end or is no base64.
fn sections(content: &[u8]) -> Option<Vec<(SectionKind, Vec<u8>)>> {
    <(SectionKind, Vec<u8>)>::pem_slice_iter(content).collect::<Result<_, _>>().ok()
}

fn is_key(kind: SectionKind) -> bool {
    matches!(kind, SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey)
}

/// Whether a key is written encrypted: as PKCS #8 or with the older `Proc-Type` header.
fn says_encrypted(content: &[u8]) -> bool {
    [&b"BEGIN ENCRYPTED PRIVATE KEY"[..], b"Proc-Type: 4,ENCRYPTED"]
        .iter()
        .any(|mark| content.windows(mark.len()).any(|window| window == *mark))
}

/// The first byte of every certificate and key in DER: a SEQUENCE.
const DER_SEQUENCE: u8 = 0x30;
