//! Certificates and private keys out of PEM text, with reasons that tell what to mend.

use std::borrow::Cow;

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
    pem::{PemObject, SectionKind},
};
use x509_parser::{
    asn1_rs::{Any, Tag},
    prelude::FromDer,
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
    let key = sections.into_iter().find(|(kind, _)| is_key(*kind));
    match key.map(|(kind, der)| key_of(form(&der).unwrap_or(kind), der)) {
        Some(key) => Ok(key),
        None if content.trim_ascii().is_empty() => Err(BadCertificate::KeyEmpty),
        None if holds_certificate => Err(BadCertificate::CertificateInsteadOfKey),
        None if content.first() == Some(&DER_SEQUENCE) => Err(BadCertificate::KeyDer),
        None => Err(BadCertificate::KeyNotPem),
    }
}

/// All known sections; `None` where one begins and does not end or is no base64.
fn sections(content: &[u8]) -> Option<Vec<(SectionKind, Vec<u8>)>> {
    <(SectionKind, Vec<u8>)>::pem_slice_iter(&parted(content)).collect::<Result<_, _>>().ok()
}

/// The text with each section on lines of its own. Files that were put together, of which one had no end of line, have
/// a section begin on the line where another ends: the parser would lose it.
fn parted(content: &[u8]) -> Cow<'_, [u8]> {
    const GLUED: &[u8] = b"----------BEGIN ";
    /// How much of it ends a section.
    const END: usize = 5;
    let seam = |text: &[u8]| text.windows(GLUED.len()).position(|window| window == GLUED);
    let (mut whole, mut rest) = (Vec::new(), content);
    while let Some(position) = seam(rest) {
        let (section, behind) = rest.split_at(position + END);
        whole.extend_from_slice(section);
        whole.push(b'\n');
        rest = behind;
    }
    if whole.is_empty() {
        return Cow::Borrowed(content);
    }
    whole.extend_from_slice(rest);
    Cow::Owned(whole)
}

fn key_of(kind: SectionKind, der: Vec<u8>) -> PrivateKeyDer<'static> {
    match kind {
        SectionKind::RsaPrivateKey => PrivatePkcs1KeyDer::from(der).into(),
        SectionKind::EcPrivateKey => PrivateSec1KeyDer::from(der).into(),
        _ => PrivatePkcs8KeyDer::from(der).into(),
    }
}

/// The form that a key has, whatever stands above it, as in Go: what follows its version is the kind of key in PKCS #8,
/// a number in PKCS #1 and bytes in SEC 1.
fn form(der: &[u8]) -> Option<SectionKind> {
    let (_, whole) = Any::from_der(der).ok()?;
    let (rest, _version) = Any::from_der(whole.data).ok()?;
    let (_, next) = Any::from_der(rest).ok()?;
    match next.tag() {
        Tag::Sequence => Some(SectionKind::PrivateKey),
        Tag::Integer => Some(SectionKind::RsaPrivateKey),
        Tag::OctetString => Some(SectionKind::EcPrivateKey),
        _ => None,
    }
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
