//! An authority that says of the certificates it has issued whether they are revoked (RFC 6960), and a client that is
//! told so in its handshake.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, SigningKey as _,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

/// `id-pe-authorityInfoAccess`.
const ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
/// `id-ad-ocsp`.
const OCSP: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
/// `id-pkix-ocsp-basic`.
const BASIC: &[u8] = &[0x06, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// ECDSA with SHA-256.
const ECDSA: &[u8] = &[0x30, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// An authority.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// Who signs an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The authority.
    Authority,
    /// Somebody whom it has allowed to.
    Delegate,
    /// Somebody whom it has given a certificate for something else.
    Servant,
    /// Somebody else.
    Stranger,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saying {
    /// Who signs it.
    pub signer: Signer,
    /// From when it is good, in seconds since 1970.
    pub from: i64,
    /// To when.
    pub to: Option<i64>,
}

impl Authority {
    /// A new authority.
    #[must_use]
    pub fn new() -> Self {
        let mut parameters = named("authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// A certificate for a name that is to be asked about there: its chain and its key as PEM.
    #[must_use]
    pub fn issue(&self, name: &str, responders: &[&str]) -> (String, String) {
        let mut parameters = named(name);
        parameters.subject_alt_names =
            CertificateParams::new(vec![name.to_owned()]).expect("a name").subject_alt_names;
        let describe = |url: &&str| value(0x30, &[OCSP, &value(0x86, &[url.as_bytes()])]);
        let access = value(0x30, &[&responders.iter().flat_map(describe).collect::<Vec<u8>>()]);
        if !responders.is_empty() {
            let extension = CustomExtension::from_oid_content(ACCESS, access);
            parameters.custom_extensions.push(extension);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        (format!("{}{}", certificate.pem(), self.pem), key.serialize_pem())
    }

    /// The answer to a question.
    ///
    /// # Panics
    /// When the question is none.
    #[must_use]
    pub fn answer(&self, question: &[u8], saying: &Saying) -> Vec<u8> {
        let id = (0..4).fold(question, |whole, _| content(whole));
        let from = value(0x18, &[time(saying.from).as_bytes()]);
        let to = saying.to.map(|to| value(0xa0, &[&value(0x18, &[time(to).as_bytes()])]));
        let good = value(0x80, &[]);
        let single = value(0x30, &[id, &good, &from, &to.unwrap_or_default()]);
        let responder = value(0xa2, &[&value(0x04, &[&[7; 20]])]);
        let signed = value(0x30, &[&responder, &from, &value(0x30, &[&single])]);
        let stranger = KeyPair::generate().expect("a key");
        let (key, certificate) = match saying.signer {
            Signer::Authority => (self.issuer.key(), None),
            Signer::Stranger => (&stranger, None),
            Signer::Delegate => {
                (&stranger, Some(self.employ(&stranger, ExtendedKeyUsagePurpose::OcspSigning)))
            }
            Signer::Servant => {
                (&stranger, Some(self.employ(&stranger, ExtendedKeyUsagePurpose::ServerAuth)))
            }
        };
        let signature = key.sign(&signed).expect("a signature");
        let signature = value(0x03, &[&[0], &signature]);
        let certificates =
            certificate.map(|der| value(0xa0, &[&value(0x30, &[&der])])).unwrap_or_default();
        let basic = value(0x30, &[&signed, ECDSA, &signature, &certificates]);
        let bytes = value(0xa0, &[&value(0x30, &[BASIC, &value(0x04, &[&basic])])]);
        value(0x30, &[&value(0x0a, &[&[0]]), &bytes])
    }

    /// A certificate for somebody's key, as DER.
    fn employ(&self, key: &KeyPair, purpose: ExtendedKeyUsagePurpose) -> Vec<u8> {
        let mut parameters = named("somebody");
        parameters.extended_key_usages = vec![purpose];
        parameters.signed_by(key, &self.issuer).expect("a certificate").der().to_vec()
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// An answer that refuses to say anything, with this code.
#[must_use]
pub fn refusal(code: u8) -> Vec<u8> {
    value(0x30, &[&value(0x0a, &[&[code]])])
}

fn named(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

fn time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).expect("a time");
    time.strftime("%Y%m%d%H%M%SZ").to_string()
}

/// A value in DER.
fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("a short value");
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

/// What a value in DER holds.
fn content(whole: &[u8]) -> &[u8] {
    match whole {
        [_, 0x81, _, rest @ ..] | [_, 0x82, _, _, rest @ ..] => rest,
        [_, _, rest @ ..] => rest,
        _ => panic!("no value"),
    }
}

/// The answer that a server shows in a handshake for a name; empty where it shows none.
///
/// # Errors
/// When there is no handshake.
pub fn stapled(address: SocketAddr, name: &str) -> io::Result<Vec<u8>> {
    let recorder = Arc::new(Recorder::default());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&recorder) as _)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut socket = TcpStream::connect(address)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(std::mem::take(&mut *recorder.0.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// Believes everything, and keeps the answer.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<u8>>);

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        answer: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = answer.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}
