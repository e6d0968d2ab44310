//! Whether a certificate leads to an authority, by the rules of Go's `crypto/x509`.
//!
//! webpki seeks the path, and takes each authority's word by its name and key alone. What the authority's own
//! certificate says, and what usages the others have, is looked at here: one that has expired, or is none, vouches for
//! nobody. Where webpki finds no path, one is sought here, since Go takes certificates that webpki does not: a
//! certificate that is itself among the authorities, one of version 1 (`openssl x509 -req` without `-extfile`), one that
//! says `CA:TRUE`, one for any usage, critical policies. Names that an authority is constrained to are left to webpki.

use std::{cell::Cell, iter};

use rustls::{
    DistinguishedName,
    pki_types::{
        AlgorithmIdentifier, CertificateDer, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime,
    },
};
use webpki::{
    EndEntityCert, Error, KeyUsage, RawPublicKeyEntity, VerifiedPath, anchor_from_trusted_cert,
};
use x509_parser::{
    asn1_rs::Any,
    certificate::X509Certificate,
    extensions::{ExtendedKeyUsage, GeneralName, ParsedExtension},
    prelude::FromDer,
    time::ASN1Time,
    x509::X509Version,
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

/// Reads a certificate; `None` for what is none, has extensions that its version does not, one of them twice, or one
/// that is damaged.
fn parse<'a>(der: &'a [u8]) -> Option<X509Certificate<'a>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    let good = certificate.version() == X509Version::V3 || certificate.extensions().is_empty();
    let once = certificate.tbs_certificate.extensions_map().is_ok();
    let damaged = certificate.extensions().iter().any(|extension| {
        let is_read = READ.contains(&extension.oid.as_bytes());
        is_read && matches!(extension.parsed_extension(), ParsedExtension::ParseError { .. })
    });
    (rest.is_empty() && good && once && !damaged).then_some(certificate)
}

/// Whether two certificates are of one owner with one key and the same names, of which a chain has only one, as in Go:
/// nobody vouches for themselves with an older certificate.
fn is_same(one: &X509Certificate<'_>, other: &X509Certificate<'_>) -> bool {
    fn names<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
        let extensions = certificate.extensions().iter();
        let mut names = extensions.filter(|extension| extension.oid.as_bytes() == ALTERNATIVE_NAME);
        names.next().map(|extension| extension.value)
    }
    one.subject().as_raw() == other.subject().as_raw()
        && one.public_key().raw == other.public_key().raw
        && names(one) == names(other)
}

/// Checks that a certificate may stand above one that has so many others between.
fn vouches(
    certificate: &X509Certificate<'_>,
    below: usize,
    now: UnixTime,
    purpose: Purpose,
) -> Result<(), Error> {
    in_time(certificate, now)?;
    if !may_sign(certificate) {
        return Err(Error::EndEntityUsedAsCa);
    }
    let constraints = certificate.basic_constraints().ok().flatten();
    let most = constraints.and_then(|constraints| constraints.value.path_len_constraint);
    if most.is_some_and(|most| below > most as usize) {
        return Err(Error::PathLenConstraintViolated);
    }
    if is_for(certificate, purpose) { Ok(()) } else { Err(Error::ExtensionValueInvalid) }
}

/// Whether a certificate may sign others. Trusted ones of version 1 may: they have nothing that could say so.
fn may_sign(certificate: &X509Certificate<'_>) -> bool {
    let signs = match certificate.key_usage() {
        Ok(usage) => {
            usage.is_none_or(|usage| usage.value.flags == 0 || usage.value.key_cert_sign())
        }
        Err(_) => false,
    };
    signs && (certificate.version() != X509Version::V3 || is_authority(certificate))
}

/// Whether a certificate says that it is one of an authority.
fn is_authority(certificate: &X509Certificate<'_>) -> bool {
    matches!(certificate.basic_constraints(), Ok(Some(constraints)) if constraints.value.ca)
}

fn in_time(certificate: &X509Certificate<'_>, time: UnixTime) -> Result<(), Error> {
    let now = i64::try_from(time.as_secs()).map_err(|_| Error::InvalidCertValidity)?;
    let unix = |time: ASN1Time| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            u64::try_from(time.timestamp()).unwrap_or(0),
        ))
    };
    let validity = certificate.validity();
    if now < validity.not_before.timestamp() {
        return Err(Error::CertNotValidYet { time, not_before: unix(validity.not_before) });
    }
    if now > validity.not_after.timestamp() {
        return Err(Error::CertExpired { time, not_after: unix(validity.not_after) });
    }
    Ok(())
}

/// Whether the extended usages, where there are any, have this one. As in Go, those of an authority limit what it has
/// signed.
fn is_for(certificate: &X509Certificate<'_>, purpose: Purpose) -> bool {
    match certificate.extended_key_usage() {
        Ok(None) => true,
        Ok(Some(usage)) => {
            let usage = usage.value;
            let named = match purpose {
                Purpose::Client => usage.client_auth,
                Purpose::Server => usage.server_auth,
            };
            named || usage.any || *usage == NO_USAGE
        }
        Err(_) => false,
    }
}

/// Whether every critical extension is known, with something in it that Go knows.
fn is_understood(certificate: &X509Certificate<'_>) -> bool {
    let mut critical = certificate.extensions().iter().filter(|extension| extension.critical);
    critical.all(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => {
            names.general_names.iter().any(is_known_name)
        }
        ParsedExtension::NameConstraints(constraints) => {
            let trees = [&constraints.permitted_subtrees, &constraints.excluded_subtrees];
            let mut trees = trees.into_iter().flatten().flatten();
            trees.all(|tree| is_known_name(&tree.base))
        }
        ParsedExtension::ParseError { .. } => false,
        _ => UNDERSTOOD.contains(&extension.oid.as_bytes()),
    })
}

/// Whether all certificates below an authority have a policy in common, where one of them demands it. As in Go, though
/// never more: how far down demands reach is not looked at, and policies that stand for others are not taken.
fn has_its_policy<'a, 'b: 'a>(
    chain: impl Iterator<Item = &'a X509Certificate<'b>> + Clone,
) -> bool {
    let demands = |certificate: &X509Certificate<'_>| match certificate.policy_constraints() {
        Ok(constraints) => constraints
            .is_some_and(|constraints| constraints.value.require_explicit_policy.is_some()),
        Err(_) => true,
    };
    if !chain.clone().any(demands) {
        return true;
    }
    if chain.clone().skip(1).any(|link| !matches!(link.policy_mappings(), Ok(None))) {
        return false;
    }
    // Where one says that `any` does not count, it does not.
    let has_any = chain.clone().all(|link| matches!(link.inhibit_anypolicy(), Ok(None)));
    let has = |link: &X509Certificate<'_>, policy: &[u8]| {
        policies(link).any(|own| own == policy || (has_any && own == ANY_POLICY))
    };
    let named = chain.clone().flat_map(policies);
    let mut named = named.filter(|policy| has_any || *policy != ANY_POLICY);
    named.any(|policy| chain.clone().all(|link| has(link, policy)))
}

fn policies<'a>(certificate: &'a X509Certificate<'_>) -> impl Iterator<Item = &'a [u8]> {
    let policies = certificate.extensions().iter().filter_map(|extension| {
        match extension.parsed_extension() {
            ParsedExtension::CertificatePolicies(policies) => Some(policies),
            _ => None,
        }
    });
    policies.flatten().map(|policy| policy.policy_id.as_bytes())
}

fn is_known_name(name: &GeneralName<'_>) -> bool {
    matches!(
        name,
        GeneralName::DNSName(_)
            | GeneralName::IPAddress(_)
            | GeneralName::RFC822Name(_)
            | GeneralName::URI(_)
    )
}

/// subjectAltName (RFC 5280 §4.2.1.6).
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 17];

/// anyPolicy (RFC 5280 §4.2.1.4).
const ANY_POLICY: &[u8] = &[0x55, 0x1d, 32, 0];

/// Extended usages that name nothing: as in Go, they limit nothing.
const NO_USAGE: ExtendedKeyUsage<'static> = ExtendedKeyUsage {
    any: false,
    server_auth: false,
    client_auth: false,
    code_signing: false,
    email_protection: false,
    time_stamping: false,
    ocsp_signing: false,
    other: Vec::new(),
};

/// keyUsage, subjectAltName, basicConstraints, nameConstraints, policyConstraints, extKeyUsage, inhibitAnyPolicy:
/// what is damaged in them could be taken for nothing.
const READ: [&[u8]; 7] = [
    &[0x55, 0x1d, 15],
    &[0x55, 0x1d, 17],
    &[0x55, 0x1d, 19],
    &[0x55, 0x1d, 30],
    &[0x55, 0x1d, 36],
    &[0x55, 0x1d, 37],
    &[0x55, 0x1d, 54],
];

/// keyUsage, basicConstraints, cRLDistributionPoints, certificatePolicies, policyConstraints, extKeyUsage,
/// inhibitAnyPolicy (RFC 5280 §4.2).
const UNDERSTOOD: [&[u8]; 7] = [
    &[0x55, 0x1d, 15],
    &[0x55, 0x1d, 19],
    &[0x55, 0x1d, 31],
    &[0x55, 0x1d, 32],
    &[0x55, 0x1d, 36],
    &[0x55, 0x1d, 37],
    &[0x55, 0x1d, 54],
];

/// Checks a certificate's signature by the key of another; `None` where there is something that is not known.
fn is_signed_by(child: &X509Certificate<'_>, parent: &X509Certificate<'_>) -> Option<bool> {
    if child.signature_algorithm != child.tbs_certificate.signature
        || child.signature_value.unused_bits != 0
    {
        return None;
    }
    let (_, whole) = Any::from_der(child.as_raw()).ok()?;
    let (rest, _) = Any::from_der(whole.data).ok()?;
    let (_, algorithm) = Any::from_der(rest).ok()?;
    let key = SubjectPublicKeyInfoDer::from(parent.public_key().raw);
    let key = RawPublicKeyEntity::try_from(&key).ok()?;
    let (message, signature) =
        (child.tbs_certificate.as_ref(), child.signature_value.data.as_ref());
    let algorithms = crypto::provider().signature_verification_algorithms.all.iter();
    let mut fitting = algorithms
        .filter(|known| AlgorithmIdentifier::as_ref(&known.signature_alg_id()) == algorithm.data);
    Some(fitting.any(|known| key.verify_signature(*known, message, signature).is_ok()))
}
