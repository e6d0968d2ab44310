//! Asking whether a certificate is revoked, and showing clients what was answered (OCSP stapling, RFC 6960).
//!
//! Questions and answers are bytes here; who carries them is the caller's matter. An answer is shown to clients only
//! when they would believe it: it is signed for the certificate's issuer, is about this certificate, and is of now.

mod answer;
mod question;

use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_OCSP,
    prelude::FromDer,
};

pub use self::answer::BadAnswer;

/// A question about one certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusQuestion {
    /// URLs of those who may answer it, in the order of the certificate.
    pub responders: Vec<String>,
    /// What is to be sent to one of them, as `application/ocsp-request`.
    pub body: Vec<u8>,
}

/// From when to when an answer is good, in seconds since 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// From.
    pub from: i64,
    /// To; `None` where newer information is always available.
    pub to: Option<i64>,
}

impl Validity {
    /// When to ask again: half-way, as Traefik does, or at once where there is no end.
    pub fn ask_again(&self) -> i64 {
        self.to.map_or(self.from, |to| self.from.midpoint(to))
    }

    /// Whether the answer must not be shown any more.
    pub fn is_over(&self, now: UnixTime) -> bool {
        self.to.is_some_and(|to| seconds(now) >= to)
    }
}

/// The question about the leaf of a chain; `None` where it names no responder, or the chain holds no issuer.
pub(crate) fn question(chain: &[CertificateDer<'static>]) -> Option<StatusQuestion> {
    let (leaf, issuer) = ends(chain)?;
    let responders = responders(&leaf);
    if responders.is_empty() {
        return None;
    }
    Some(StatusQuestion { responders, body: question::write(&leaf, &issuer) })
}

/// Checks an answer to the question about the leaf of a chain.
pub(crate) fn check(
    chain: &[CertificateDer<'static>],
    answer: &[u8],
    now: UnixTime,
) -> Result<Validity, BadAnswer> {
    let (leaf, issuer) = ends(chain).ok_or(BadAnswer::Other)?;
    let validity = answer::check(answer, &leaf, &issuer)?;
    if validity.is_over(now) {
        return Err(BadAnswer::Old);
    }
    Ok(validity)
}

/// The leaf and who has issued it; a certificate that stands alone has issued itself, as Traefik takes it.
fn ends<'a>(
    chain: &'a [CertificateDer<'static>],
) -> Option<(X509Certificate<'a>, X509Certificate<'a>)> {
    let leaf = chain.first()?;
    let issuer = chain.get(1).unwrap_or(leaf);
    let parse = |certificate: &'a [u8]| X509Certificate::from_der(certificate).ok();
    Some((parse(leaf)?.1, parse(issuer)?.1))
}

fn responders(leaf: &X509Certificate<'_>) -> Vec<String> {
    let extensions = leaf.extensions().iter();
    let access = extensions.filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(access),
        _ => None,
    });
    let descriptions = access.flat_map(|access| access.iter());
    let urls = descriptions.filter_map(|description| match &description.access_location {
        GeneralName::URI(url) if description.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP => {
            Some((*url).to_owned())
        }
        _ => None,
    });
    urls.collect()
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
