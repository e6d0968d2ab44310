//! Certificates made on the spot.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    RsaKeySize, SanType, date_time_ymd, string::Ia5String,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate as PEM.
    pub certificate_pem: String,
    /// The key as PKCS #8 PEM.
    pub key_pem: String,
    /// The certificate as DER.
    pub certificate_der: Vec<u8>,
    key_der: Vec<u8>,
    /// What is shown behind it.
    behind: Vec<CertificateDer<'static>>,
}

impl Certificate {
    /// A self-signed certificate for `names` (host names, wildcards or addresses); the first is also the
    /// common name.
    #[must_use]
    pub fn for_names(names: &[&str]) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params(names).self_signed(&key).expect("a self-signed certificate");
        Self::new(&certificate, &key)
    }

    /// A self-signed certificate as it is described.
    #[must_use]
    pub fn made(made: &Made<'_>) -> Self {
        // Otherwise those with the same names and the same key would be the same.
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let key = made.key.pair();
        let mut params = params(made.names);
        params.distinguished_name = rcgen::DistinguishedName::new();
        if !made.common_name.is_empty() {
            params.distinguished_name.push(DnType::CommonName, made.common_name);
        }
        if made.expired {
            expire(&mut params);
        }
        params.serial_number = Some(NUMBER.fetch_add(1, Relaxed).into());
        let certificate = params.self_signed(&key).expect("a self-signed certificate");
        Self::new(&certificate, &key)
    }

    pub(crate) fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            certificate_der: certificate.der().to_vec(),
            key_der: key.serialize_der(),
            behind: Vec::new(),
        }
    }

    /// A certificate and its key (PKCS #8) that were written to files.
    ///
    /// # Panics
    ///
    /// When one of them is no PEM.
    #[must_use]
    pub fn of_files(certificate: &str, key: &str) -> Self {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
        let key_der = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).expect("a key");
        Self {
            certificate_pem: certificate.to_owned(),
            key_pem: key.to_owned(),
            certificate_der: der.to_vec(),
            key_der: key_der.secret_pkcs8_der().to_vec(),
            behind: Vec::new(),
        }
    }

    /// The same with another certificate behind it in the chain.
    #[must_use]
    pub fn followed_by(mut self, other: &Self) -> Self {
        self.behind.push(other.certificate_der.clone().into());
        self
    }

    /// The certificate and its key as rustls takes them.
    #[must_use]
    pub fn identity(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key_der.clone()));
        let own = CertificateDer::from(self.certificate_der.clone());
        ([vec![own], self.behind.clone()].concat(), key)
    }

    /// A TLS server that shows this certificate to everyone.
    #[must_use]
    pub fn server(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let (chain, key) = self.identity();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a matching key");
        Arc::new(config)
    }
}

/// What a self-signed certificate says.
#[derive(Clone, Copy, Debug)]
pub struct Made<'names> {
    /// Empty leaves it out.
    pub common_name: &'names str,
    /// The alternative names: host names, wildcards or addresses.
    pub names: &'names [&'names str],
    /// The kind of its key.
    pub key: Key,
    /// Whether its time is over.
    pub expired: bool,
}

/// Kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// Ed25519.
    Ed25519,
    /// RSA of 2048 bits; always the same key, because making one takes long.
    Rsa,
}

impl Key {
    fn pair(self) -> KeyPair {
        static RSA: LazyLock<String> = LazyLock::new(|| {
            let pair = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048);
            pair.expect("a key").serialize_pem()
        });
        let pair = match self {
            Self::P256 => KeyPair::generate(),
            Self::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            Self::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
            Self::Rsa => KeyPair::from_pem(&RSA),
        };
        pair.expect("a key")
    }
}

pub(crate) fn expire(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
}

pub(crate) fn params(names: &[&str]) -> CertificateParams {
    let (uris, hosts): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.contains("://"));
    let hosts: Vec<String> = hosts.into_iter().map(|name: &&str| (*name).to_owned()).collect();
    let common_name = names.first().copied().unwrap_or_default();
    let mut params = CertificateParams::new(hosts).expect("names of a test certificate");
    for uri in uris {
        let uri = Ia5String::try_from(*uri).expect("a URI");
        params.subject_alt_names.push(SanType::URI(uri));
    }
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

/// Somebody who signs certificates of clients.
#[derive(Debug)]
pub struct Authority {
    /// Its own certificate.
    pub certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// An authority called `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(&[name]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a self-signed certificate");
        Self { certificate: Certificate::new(&certificate, &key), issuer: Issuer::new(params, key) }
    }

    /// The certificate of a client called `name`, valid or expired.
    #[must_use]
    pub fn sign(&self, name: &str, expired: bool) -> Certificate {
        self.issue(&[name], expired, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The certificate of a server called `name`, which is no client.
    #[must_use]
    pub fn sign_server(&self, name: &str) -> Certificate {
        self.issue(&[name], false, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// The certificate of a server with these names (host names, addresses or URIs), valid or expired.
    #[must_use]
    pub fn sign_server_of(&self, names: &[&str], expired: bool) -> Certificate {
        self.issue(names, expired, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn issue(&self, names: &[&str], expired: bool, usage: ExtendedKeyUsagePurpose) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(names);
        params.extended_key_usages = vec![usage];
        if expired {
            expire(&mut params);
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("a signed certificate");
        Certificate::new(&certificate, &key)
    }

    /// An authority called `name` that this one vouches for.
    #[must_use]
    pub fn vouch(&self, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(&[name]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.signed_by(&key, &self.issuer).expect("a signed certificate");
        Self { certificate: Certificate::new(&certificate, &key), issuer: Issuer::new(params, key) }
    }
}
