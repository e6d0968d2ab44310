//! Reads and checks answers (RFC 6960 §4.2).

use x509_parser::{
    asn1_rs::{Any, BitString, Class, Tag},
    certificate::X509Certificate,
    prelude::FromDer,
    time::ASN1Time,
    verify::verify_signature,
    x509::AlgorithmIdentifier,
};

use super::{Validity, question::issuer_hashes};

/// `id-pkix-ocsp-basic`, the only kind of answer that there is.
const BASIC: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

/// Why an answer is not shown to clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadAnswer {
    /// It cannot be read.
    #[error("the answer is no OCSP response")]
    Malformed,
    /// The responder refuses to answer, with this code (RFC 6960 §4.2.1).
    #[error("the responder has no answer, code {0}")]
    Refused(u8),
    /// It is about other certificates.
    #[error("the answer is about another certificate")]
    Other,
    /// It is not signed by the issuer, nor by whom the issuer trusts with it.
    #[error("the answer is not signed for the certificate's issuer")]
    Unsigned,
    /// It was good once.
    #[error("the answer is too old")]
    Old,
}

/// From when to when an answer is good; its end is not compared with a clock.
pub(super) fn check(
    answer: &[u8],
    leaf: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
) -> Result<Validity, BadAnswer> {
    let basic = basic(answer)?;
    let mut parts = Reader(basic);
    let signed = parts.whole(Tag::Sequence)?;
    let algorithm = parts.whole(Tag::Sequence)?;
    let signature = parts.whole(Tag::BitString)?;
    let certificates = parts.tagged(0)?;
    let malformed = BadAnswer::Malformed;
    let (_, algorithm) = AlgorithmIdentifier::from_der(algorithm).map_err(|_| malformed)?;
    let (_, signature) = BitString::from_der(signature).map_err(|_| malformed)?;
    let delegate = match certificates {
        Some(certificates) => delegate(certificates, issuer)?,
        None => None,
    };
    let key = delegate.as_ref().unwrap_or(issuer).public_key();
    verify_signature(key, &algorithm, &signature, signed).map_err(|_| BadAnswer::Unsigned)?;
    validity(signed, leaf, issuer)
}

/// What a good answer holds.
fn basic(answer: &[u8]) -> Result<&[u8], BadAnswer> {
    let mut parts = Reader(Reader(answer).content(Tag::Sequence)?);
    match parts.content(Tag::Enumerated)? {
        [0] => {}
        [code] => return Err(BadAnswer::Refused(*code)),
        _ => return Err(BadAnswer::Malformed),
    }
    let bytes = parts.tagged(0)?.ok_or(BadAnswer::Malformed)?;
    let mut bytes = Reader(Reader(bytes).content(Tag::Sequence)?);
    if bytes.content(Tag::Oid)? != BASIC {
        return Err(BadAnswer::Malformed);
    }
    Reader(bytes.content(Tag::OctetString)?).content(Tag::Sequence)
}

/// Whose signature it is where it is not the issuer's own: the issuer must have said that it may sign answers.
fn delegate<'a>(
    certificates: &'a [u8],
    issuer: &X509Certificate<'_>,
) -> Result<Option<X509Certificate<'a>>, BadAnswer> {
    let mut certificates = Reader(Reader(certificates).content(Tag::Sequence)?);
    if certificates.0.is_empty() {
        return Ok(None);
    }
    let first = certificates.whole(Tag::Sequence)?;
    let (_, first) = X509Certificate::from_der(first).map_err(|_| BadAnswer::Malformed)?;
    if first.public_key().raw == issuer.public_key().raw {
        return Ok(None);
    }
    let may_sign =
        matches!(first.extended_key_usage(), Ok(Some(usage)) if usage.value.ocsp_signing);
    match first.verify_signature(Some(issuer.public_key())) {
        Ok(()) if may_sign => Ok(Some(first)),
        _ => Err(BadAnswer::Unsigned),
    }
}

/// What an answer says of the certificate.
fn validity(
    signed: &[u8],
    leaf: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
) -> Result<Validity, BadAnswer> {
    let mut parts = Reader(Reader(signed).content(Tag::Sequence)?);
    parts.tagged(0)?;
    // By its name or by its key: the signature says it better.
    if parts.tagged(1)?.is_none() {
        parts.tagged(2)?.ok_or(BadAnswer::Malformed)?;
    }
    parts.whole(Tag::GeneralizedTime)?;
    let mut answers = Reader(parts.content(Tag::Sequence)?);
    while !answers.0.is_empty() {
        let mut answer = Reader(answers.content(Tag::Sequence)?);
        if !is_about(answer.content(Tag::Sequence)?, leaf, issuer)? {
            continue;
        }
        // Good, revoked or unknown: it is for clients to judge.
        answer.any()?;
        let from = time(answer.whole(Tag::GeneralizedTime)?)?;
        let to = answer.tagged(0)?.map(time).transpose()?;
        return Ok(Validity { from, to });
    }
    Err(BadAnswer::Other)
}

fn is_about(
    id: &[u8],
    leaf: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
) -> Result<bool, BadAnswer> {
    let mut id = Reader(id);
    // A hash of another kind has another length, or another value.
    id.whole(Tag::Sequence)?;
    let (name, key) = issuer_hashes(issuer);
    let named = id.content(Tag::OctetString)? == name && id.content(Tag::OctetString)? == key;
    Ok(named && id.content(Tag::Integer)? == leaf.raw_serial())
}

fn time(whole: &[u8]) -> Result<i64, BadAnswer> {
    let (_, time) = ASN1Time::from_der(whole).map_err(|_| BadAnswer::Malformed)?;
    Ok(time.timestamp())
}

/// Values that follow one another.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next value, and all its bytes.
    fn any(&mut self) -> Result<(Any<'a>, &'a [u8]), BadAnswer> {
        let before = self.0;
        let (rest, any) = Any::from_der(before).map_err(|_| BadAnswer::Malformed)?;
        self.0 = rest;
        let whole = before.get(..before.len() - rest.len()).unwrap_or_default();
        Ok((any, whole))
    }

    /// All bytes of the next value, which must be of this kind.
    fn whole(&mut self, tag: Tag) -> Result<&'a [u8], BadAnswer> {
        match self.any()? {
            (any, whole) if any.class() == Class::Universal && any.tag() == tag => Ok(whole),
            _ => Err(BadAnswer::Malformed),
        }
    }

    /// What it holds.
    fn content(&mut self, tag: Tag) -> Result<&'a [u8], BadAnswer> {
        match self.any()? {
            (any, _) if any.class() == Class::Universal && any.tag() == tag => Ok(any.data),
            _ => Err(BadAnswer::Malformed),
        }
    }

    /// What the next value holds if it is the optional one of this number.
    fn tagged(&mut self, number: u32) -> Result<Option<&'a [u8]>, BadAnswer> {
        let before = self.0;
        if before.is_empty() {
            return Ok(None);
        }
        let (any, _) = self.any()?;
        if any.class() == Class::ContextSpecific && any.tag() == Tag(number) {
            return Ok(Some(any.data));
        }
        self.0 = before;
        Ok(None)
    }
}
