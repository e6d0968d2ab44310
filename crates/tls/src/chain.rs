//! Whether a certificate leads to an authority, by the rules of Go's `crypto/x509`.
//!
//! webpki seeks the path, and takes each authority's word by its name and key alone. What the authority's own
//! certificate says, and what usages the others have, is looked at here: one that has expired, or is none, vouches for
//! nobody. Where webpki finds no path, one is sought here, since Go takes certificates that webpki does not: a
//! certificate that is itself among the authorities, one of version 1 (`openssl x509 -req` without `-extfile`), one that
//! says `CA:TRUE`, one for any usage, critical policies. Names that an authority is constrained to are left to webpki.

mod rules;

use std::{cell::Cell, iter};

use rustls::{
    DistinguishedName,
    pki_types::{CertificateDer, TrustAnchor, UnixTime},
};
use webpki::{EndEntityCert, Error, KeyUsage, VerifiedPath, anchor_from_trusted_cert};
use x509_parser::certificate::X509Certificate;

use self::rules::{
    has_its_policy, in_time, is_authority, is_for, is_same, is_signed_by, is_understood, may_sign,
    parse, vouches,
};
use crate::crypto;

/// Signatures that are checked for one certificate at most; as in Go.
const MOST_CHECKS: u32 = 100;

/// What a certificate must be good for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// `clientAuth`.
    Client,
    /// `serverAuth`.
    Server,
}

/// Certificates that are trusted, and with them what they vouch for.
#[derive(Debug)]
pub(crate) struct Authorities {
    all: Vec<Authority>,
    /// What webpki knows of them, of those that it takes.
    anchors: Vec<TrustAnchor<'static>>,
}

#[derive(Debug)]
struct Authority {
    certificate: CertificateDer<'static>,
    /// DER.
    subject: Box<[u8]>,
    /// Name, key and constraints, where webpki can read them.
    anchor: Option<TrustAnchor<'static>>,
}

impl Authorities {
    /// These certificates; what is none is left out, and the second value says so.
    pub(crate) fn new(certificates: Vec<CertificateDer<'static>>) -> (Self, Option<String>) {
        let count = certificates.len();
        let all: Vec<_> = certificates.into_iter().filter_map(Authority::new).collect();
        let anchors = all.iter().filter_map(|authority| authority.anchor.clone()).collect();
        let unusable = count - all.len();
        let remark =
            (unusable > 0).then(|| format!("{unusable} of {count} authorities cannot be used"));
        (Self { all, anchors }, remark)
    }

    /// What keeps some of them from vouching for others, for their owner.
    pub(crate) fn remarks(&self, now: UnixTime) -> Vec<String> {
        let remark = |authority: &Authority| {
            let parsed = parse(&authority.certificate)?;
            let name = parsed.subject();
            if !may_sign(&parsed) {
                let what = "is no authority (CA:TRUE, and keyCertSign where usages are named)";
                return Some(format!("`{name}` {what}: it is trusted, and nothing that it signs"));
            }
            in_time(&parsed, now).err().map(|why| match why {
                Error::CertExpired { .. } => format!("`{name}` has expired: it vouches for nobody"),
                _ => format!("`{name}` is not valid yet: it vouches for nobody"),
            })
        };
        self.all.iter().filter_map(remark).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The names, each once, as a server tells them to its clients.
    pub(crate) fn names(&self) -> Vec<DistinguishedName> {
        let mut names: Vec<DistinguishedName> = Vec::with_capacity(self.all.len());
        for Authority { subject, .. } in &self.all {
            let is_told = names.iter().any(|name| name.as_ref() == &**subject);
            if !is_told {
                names.push(DistinguishedName::from(subject.to_vec()));
            }
        }
        names
    }

    /// Checks that a certificate is good for a purpose, and that it is one of the authorities or leads to one.
    ///
    /// # Errors
    /// What webpki has against it.
    pub(crate) fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        purpose: Purpose,
    ) -> Result<(), Error> {
        let usage = match purpose {
            Purpose::Client => KeyUsage::client_auth(),
            Purpose::Server => KeyUsage::server_auth(),
        };
        let algorithms = crypto::provider().signature_verification_algorithms.all;
        let accept = |path: &VerifiedPath<'_>| self.accept(end_entity, path, now, purpose);
        let verified = EndEntityCert::try_from(end_entity).and_then(|certificate| {
            certificate
                .verify_for_usage(
                    algorithms,
                    &self.anchors,
                    intermediates,
                    now,
                    usage,
                    None,
                    Some(&accept),
                )
                .map(drop)
        });
        verified.or_else(|error| {
            let intermediates: Vec<_> = intermediates.iter().filter_map(|der| parse(der)).collect();
            let checks = Cell::new(0);
            let search = Search { authorities: self, intermediates, now, purpose, checks };
            match parse(end_entity) {
                Some(certificate) if search.takes(&certificate) => Ok(()),
                _ => Err(error),
            }
        })
    }

    /// Looks at what webpki did not on a path that it has found.
    fn accept(
        &self,
        end_entity: &CertificateDer<'_>,
        path: &VerifiedPath<'_>,
        now: UnixTime,
        purpose: Purpose,
    ) -> Result<(), Error> {
        let above: Vec<_> =
            path.intermediate_certificates().map(|certificate| certificate.der()).collect();
        let all = iter::once(end_entity).chain(&above).map(|der| parse(der));
        let chain: Vec<_> = all.collect::<Option<_>>().ok_or(Error::BadDer)?;
        if !chain.iter().all(is_understood) || !has_its_policy(chain.iter()) {
            return Err(Error::UnsupportedCriticalExtension);
        }
        if !chain.iter().skip(1).all(may_sign) {
            return Err(Error::EndEntityUsedAsCa);
        }
        let mut verdict = Err(Error::UnknownIssuer);
        // One name and key can stand in several certificates, such as an expired one and its successor. The names that
        // webpki has checked are those of this anchor: authorities with other constraints are other anchors.
        for authority in &self.all {
            if authority.anchor.as_ref() != Some(path.anchor()) {
                continue;
            }
            let Some(parsed) = parse(&authority.certificate) else { continue };
            if !is_understood(&parsed) || chain.iter().any(|link| is_same(link, &parsed)) {
                continue;
            }
            verdict = vouches(&parsed, above.len(), now, purpose);
            if verdict.is_ok() {
                break;
            }
        }
        verdict
    }

    fn named(&self, subject: &[u8]) -> impl Iterator<Item = X509Certificate<'_>> {
        let named = self.all.iter().filter(move |authority| *authority.subject == *subject);
        named.filter_map(|authority| parse(&authority.certificate))
    }

    fn contain(&self, certificate: &X509Certificate<'_>) -> bool {
        self.all.iter().any(|authority| authority.certificate.as_ref() == certificate.as_raw())
    }
}

impl Authority {
    fn new(certificate: CertificateDer<'static>) -> Option<Self> {
        let subject = parse(&certificate)?.subject().as_raw().into();
        let anchor = anchor_from_trusted_cert(&certificate).ok().map(|anchor| anchor.to_owned());
        Some(Self { certificate, subject, anchor })
    }
}

/// A search for a path from a certificate to an authority.
struct Search<'a> {
    authorities: &'a Authorities,
    intermediates: Vec<X509Certificate<'a>>,
    now: UnixTime,
    purpose: Purpose,
    /// How many signatures were checked.
    checks: Cell<u32>,
}

impl<'a> Search<'a> {
    fn takes(&'a self, certificate: &X509Certificate<'a>) -> bool {
        let good = in_time(certificate, self.now).is_ok()
            && is_for(certificate, self.purpose)
            && is_understood(certificate);
        good && (self.authorities.contain(certificate) || self.leads(&mut vec![certificate]))
    }

    /// Whether the last certificate of a chain is signed by an authority, or by an intermediate that leads on.
    fn leads<'b>(&'a self, chain: &mut Vec<&'b X509Certificate<'a>>) -> bool
    where
        'a: 'b,
    {
        let Some(child) = chain.last().copied() else { return false };
        let below = chain.len() - 1;
        let issuer = child.issuer().as_raw();
        let is_parent = |parent: &X509Certificate<'_>, chain: &[&X509Certificate<'_>]| {
            !chain.iter().any(|link| is_same(link, parent))
                && vouches(parent, below, self.now, self.purpose).is_ok()
                && is_understood(parent)
                && matches!(parent.tbs_certificate.name_constraints(), Ok(None))
                && self.has_signed(parent, child)
        };
        if self.authorities.named(issuer).any(|authority| is_parent(&authority, chain))
            && has_its_policy(chain.iter().copied())
        {
            return true;
        }
        for parent in &self.intermediates {
            if self.checks.get() >= MOST_CHECKS {
                return false;
            }
            let fits = parent.subject().as_raw() == issuer && is_authority(parent);
            if fits && is_parent(parent, chain) {
                chain.push(parent);
                if self.leads(chain) {
                    return true;
                }
                chain.pop();
            }
        }
        false
    }

    fn has_signed(&self, parent: &X509Certificate<'_>, child: &X509Certificate<'_>) -> bool {
        self.checks.set(self.checks.get() + 1);
        self.checks.get() <= MOST_CHECKS && is_signed_by(child, parent).unwrap_or(false)
    }
}
