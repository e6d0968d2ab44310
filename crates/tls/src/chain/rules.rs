//! What Go's `crypto/x509` asks of one certificate, and of two that stand one above the other.

use std::time::Duration;

use rustls::pki_types::{AlgorithmIdentifier, SubjectPublicKeyInfoDer, UnixTime};
use webpki::{Error, RawPublicKeyEntity};
use x509_parser::{
    asn1_rs::Any,
    certificate::X509Certificate,
    extensions::{ExtendedKeyUsage, GeneralName, ParsedExtension},
    prelude::FromDer,
    time::ASN1Time,
    x509::X509Version,
};

use super::Purpose;
use crate::crypto;

/// Reads a certificate; `None` for what is none, has extensions that its version does not, one of them twice, or one
/// that is damaged.
pub(super) fn parse<'a>(der: &'a [u8]) -> Option<X509Certificate<'a>> {
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
pub(super) fn is_same(one: &X509Certificate<'_>, other: &X509Certificate<'_>) -> bool {
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
pub(super) fn vouches(
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
pub(super) fn may_sign(certificate: &X509Certificate<'_>) -> bool {
    let signs = match certificate.key_usage() {
        Ok(usage) => {
            usage.is_none_or(|usage| usage.value.flags == 0 || usage.value.key_cert_sign())
        }
        Err(_) => false,
    };
    signs && (certificate.version() != X509Version::V3 || is_authority(certificate))
}

/// Whether a certificate says that it is one of an authority.
pub(super) fn is_authority(certificate: &X509Certificate<'_>) -> bool {
    matches!(certificate.basic_constraints(), Ok(Some(constraints)) if constraints.value.ca)
}

pub(super) fn in_time(certificate: &X509Certificate<'_>, time: UnixTime) -> Result<(), Error> {
    let now = i64::try_from(time.as_secs()).map_err(|_| Error::InvalidCertValidity)?;
    let unix = |time: ASN1Time| {
        UnixTime::since_unix_epoch(Duration::from_secs(
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
pub(super) fn is_for(certificate: &X509Certificate<'_>, purpose: Purpose) -> bool {
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
pub(super) fn is_understood(certificate: &X509Certificate<'_>) -> bool {
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
pub(super) fn has_its_policy<'a, 'b: 'a>(
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
pub(super) fn is_signed_by(
    child: &X509Certificate<'_>,
    parent: &X509Certificate<'_>,
) -> Option<bool> {
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
