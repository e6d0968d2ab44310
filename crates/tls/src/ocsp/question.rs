//! Writes questions (RFC 6960 §4.1).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use x509_parser::certificate::X509Certificate;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// SHA-1 with its empty parameters, the one hash that every responder knows. It names the issuer and guards nothing.
const SHA1: &[u8] = &[0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00];

/// One question without a signature or extensions: answers that are made beforehand are the same for all who ask.
pub(super) fn write(leaf: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> Vec<u8> {
    let (name, key) = issuer_hashes(issuer);
    let serial = value(INTEGER, &[leaf.raw_serial()]);
    let id = value(SEQUENCE, &[SHA1, &value(OCTETS, &[&name]), &value(OCTETS, &[&key]), &serial]);
    // The list of questions, in what would be signed, in the whole: each is all that the next holds.
    (0..4).fold(id, |inner, _| value(SEQUENCE, &[&inner]))
}

/// The hashes of an issuer's name and key.
pub(super) fn issuer_hashes(issuer: &X509Certificate<'_>) -> ([u8; 20], [u8; 20]) {
    let hash = |bytes: &[u8]| {
        let mut hash = [0; 20];
        hash.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
        hash
    };
    (hash(issuer.subject().as_raw()), hash(&issuer.public_key().subject_public_key.data))
}

/// A value in DER.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ ..0x80) => out.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let zeros = length.iter().take_while(|byte| **byte == 0).count();
            let length = length.get(zeros..).unwrap_or_default();
            out.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            out.extend_from_slice(length);
        }
    }
    out.extend_from_slice(&content);
    out
}
