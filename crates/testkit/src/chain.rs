//! Certificates that lead to others, sound and not.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};

use crate::certificate::{Certificate, expire, params};
use crate::random::Random;

/// A certificate with the key that signs others.
#[derive(Debug)]
pub struct Link {
    /// The certificate.
    pub certificate: Certificate,
    params: CertificateParams,
    key: KeyPair,
}

/// What a certificate says, beside its name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Says {
    /// Whether it is one of an authority; nothing is said where this is `None`.
    pub authority: Option<bool>,
    /// How many authorities may stand below.
    pub length: Option<u8>,
    /// What its key may be used for; nothing is said where this is `None`.
    pub signs: Option<bool>,
    /// What it is good for; nothing is said where this is `None`.
    pub usage: Option<Usage>,
    /// When it is valid.
    pub time: Time,
    /// The names that it may vouch for; nothing is said where this is `None`.
    pub permits: Option<&'static str>,
    /// Whether it has policies, which everyone has to understand.
    pub policies: bool,
    /// Extensions beside, which have their own say of names.
    pub extensions: &'static [Extension],
}

/// An extension of a certificate.
#[derive(Clone, Copy, Debug)]
pub struct Extension {
    /// The parts of its number.
    pub number: &'static [u64],
    /// DER.
    pub content: &'static [u8],
    /// Whether it must be understood.
    pub critical: bool,
}

/// What a certificate is good for.
#[derive(Clone, Copy, Debug)]
pub enum Usage {
    /// Everything.
    Any,
    /// A client.
    Client,
    /// A server.
    Server,
    /// A client and a server.
    Both,
    /// Neither.
    Mail,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, Default)]
pub enum Time {
    /// Now.
    #[default]
    Now,
    /// Not any more.
    Past,
    /// Not yet.
    Future,
}

impl Link {
    /// A self-signed certificate.
    #[must_use]
    pub fn root(names: &[&str], says: Says) -> Self {
        let (params, key) = (says.params(names), KeyPair::generate().expect("a key"));
        let certificate = params.self_signed(&key).expect("a self-signed certificate");
        Self { certificate: Certificate::new(&certificate, &key), params, key }
    }

    /// One that this one signs, whether it may or not.
    #[must_use]
    pub fn sign(&self, names: &[&str], says: Says) -> Self {
        let (params, key) = (says.params(names), KeyPair::generate().expect("a key"));
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).expect("a signed certificate");
        Self { certificate: Certificate::new(&certificate, &key), params, key }
    }

    /// Another certificate of the same name and key, signed by itself.
    #[must_use]
    pub fn again(&self, names: &[&str], says: Says) -> Self {
        let key = KeyPair::from_pem(&self.certificate.key_pem).expect("the key");
        let params = says.params(names);
        let certificate = params.self_signed(&key).expect("a self-signed certificate");
        Self { certificate: Certificate::new(&certificate, &key), params, key }
    }
}

impl Says {
    /// A sound authority.
    pub const AUTHORITY: Self = Self {
        authority: Some(true),
        length: None,
        signs: None,
        usage: None,
        time: Time::Now,
        permits: None,
        policies: false,
        extensions: &[],
    };

    /// An authority, mostly sound.
    pub fn authority(random: &mut Random) -> Self {
        const USAGES: [Usage; 5] =
            [Usage::Any, Usage::Client, Usage::Server, Usage::Both, Usage::Mail];
        let says = Self {
            authority: Some(true),
            length: random.once_in(4).then(|| u8::from(random.once_in(2))),
            signs: random.once_in(4).then(|| !random.once_in(4)),
            usage: random.once_in(4).then(|| *random.pick(&USAGES)),
            time: time(random),
            permits: random.once_in(8).then(|| *random.pick(&["leaf.test", "other.test"])),
            policies: random.once_in(12),
            extensions: &[],
        };
        match random.below(12) {
            0 => Self { authority: None, ..says },
            1 => Self { authority: Some(false), ..says },
            _ => says,
        }
    }

    /// A certificate at the end of a chain, mostly sound.
    pub fn end(random: &mut Random) -> Self {
        let authority = *random.pick(&[None, None, None, Some(true), Some(false)]);
        Self { authority, length: None, permits: None, ..Self::authority(random) }
    }

    fn params(self, names: &[&str]) -> CertificateParams {
        let mut params = params(names);
        params.is_ca = match (self.authority, self.length) {
            (None, _) => IsCa::NoCa,
            (Some(false), _) => IsCa::ExplicitNoCa,
            (Some(true), None) => IsCa::Ca(BasicConstraints::Unconstrained),
            (Some(true), Some(length)) => IsCa::Ca(BasicConstraints::Constrained(length)),
        };
        params.key_usages = match self.signs {
            None => Vec::new(),
            Some(true) => vec![KeyUsagePurpose::KeyCertSign],
            Some(false) => vec![KeyUsagePurpose::DigitalSignature],
        };
        params.extended_key_usages = self.usage.map(Usage::purposes).unwrap_or_default();
        match self.time {
            Time::Now => {}
            Time::Past => expire(&mut params),
            Time::Future => params.not_before = date_time_ymd(2200, 1, 1),
        }
        if let Some(name) = self.permits {
            let permitted_subtrees = vec![GeneralSubtree::DnsName(name.to_owned())];
            let excluded_subtrees = Vec::new();
            params.name_constraints =
                Some(NameConstraints { permitted_subtrees, excluded_subtrees });
        }
        if self.policies {
            // One policy, 1.2.3.4.
            let content = vec![0x30, 7, 0x30, 5, 6, 3, 0x2a, 3, 4];
            let mut policies = CustomExtension::from_oid_content(&[2, 5, 29, 32], content);
            policies.set_criticality(true);
            params.custom_extensions.push(policies);
        }
        for Extension { number, content, critical } in self.extensions {
            let mut extension = CustomExtension::from_oid_content(number, content.to_vec());
            extension.set_criticality(*critical);
            params.custom_extensions.push(extension);
            params.subject_alt_names.clear();
        }
        params
    }
}

fn time(random: &mut Random) -> Time {
    match random.below(16) {
        0 => Time::Past,
        1 => Time::Future,
        _ => Time::Now,
    }
}

impl Usage {
    fn purposes(self) -> Vec<ExtendedKeyUsagePurpose> {
        use ExtendedKeyUsagePurpose::{Any, ClientAuth, EmailProtection, ServerAuth};
        match self {
            Self::Any => vec![Any],
            Self::Client => vec![ClientAuth],
            Self::Server => vec![ServerAuth],
            Self::Both => vec![ClientAuth, ServerAuth],
            Self::Mail => vec![EmailProtection],
        }
    }
}
