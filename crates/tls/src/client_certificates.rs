//! The certificates that a client has shown, read once for each connection and only where somebody asks.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::OnceLock,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{CommonState, pki_types::CertificateDer};
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    prelude::FromDer,
    x509::{AttributeTypeAndValue, X509Name},
};

/// The chain that a client has shown, its own certificate first.
#[derive(Clone)]
pub struct ClientCertificates {
    chain: Box<[CertificateDer<'static>]>,
    base64: OnceLock<String>,
    read: OnceLock<Option<Box<[ClientCertificate]>>>,
}

/// What a certificate says of its owner.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate {
    /// Whom it is of.
    pub subject: Name,
    /// Who signed it.
    pub issuer: Name,
    /// Its number, in decimal.
    pub serial: String,
    /// From when on it is good, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is good, in seconds since 1970.
    pub not_after: i64,
    /// Whom it is for besides: names, mail addresses, IP addresses and URIs, in this order.
    pub alternatives: Vec<String>,
}

/// The name of an owner or signer, by the parts that Go knows; each in the certificate's order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Name {
    /// DC.
    pub domain_components: Vec<String>,
    /// C.
    pub countries: Vec<String>,
    /// ST.
    pub provinces: Vec<String>,
    /// L.
    pub localities: Vec<String>,
    /// O.
    pub organizations: Vec<String>,
    /// OU.
    pub units: Vec<String>,
    /// The last one, as in Go; empty if there is none.
    pub serial: String,
    /// CN: the last one, as in Go; empty if there is none.
    pub common: String,
}

impl ClientCertificates {
    /// What the client of a connection has shown: `None` if that was nothing.
    pub fn of(connection: &CommonState) -> Option<Self> {
        connection.peer_certificates().filter(|chain| !chain.is_empty()).map(Self::new)
    }

    /// A chain, the client's own certificate first.
    pub fn new(chain: &[CertificateDer<'static>]) -> Self {
        Self { chain: chain.into(), base64: OnceLock::new(), read: OnceLock::new() }
    }

    /// The certificates (DER) in base64, without lines, joined by commas.
    pub fn base64(&self) -> &str {
        self.base64.get_or_init(|| {
            let encoded = self.chain.iter().map(|certificate| STANDARD.encode(certificate));
            encoded.collect::<Vec<_>>().join(",")
        })
    }

    /// What they say, in the same order; `None` if one of them cannot be read.
    pub fn read(&self) -> Option<&[ClientCertificate]> {
        let read = || self.chain.iter().map(|certificate| read(certificate)).collect();
        self.read.get_or_init(read).as_deref()
    }
}

impl fmt::Debug for ClientCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificates({})", self.chain.len())
    }
}

fn read(der: &[u8]) -> Option<ClientCertificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    Some(ClientCertificate {
        subject: name(certificate.subject())?,
        issuer: name(certificate.issuer())?,
        serial: certificate.tbs_certificate.serial.to_string(),
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
        alternatives: alternatives(&certificate)?,
    })
}

fn name(name: &X509Name<'_>) -> Option<Name> {
    let mut parts = Name::default();
    for attribute in name.iter_attributes() {
        let value = text(attribute)?;
        match attribute.attr_type().to_id_string().as_str() {
            "0.9.2342.19200300.100.1.25" => parts.domain_components.push(value),
            "2.5.4.3" => parts.common = value,
            "2.5.4.5" => parts.serial = value,
            "2.5.4.6" => parts.countries.push(value),
            "2.5.4.7" => parts.localities.push(value),
            "2.5.4.8" => parts.provinces.push(value),
            "2.5.4.10" => parts.organizations.push(value),
            "2.5.4.11" => parts.units.push(value),
            _ => {}
        }
    }
    Some(parts)
}

/// The text of an attribute, in the kinds of strings that Go reads.
fn text(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    const T61: u32 = 20;
    const BMP: u32 = 30;
    let bytes = attribute.as_slice();
    match attribute.attr_value().tag().0 {
        T61 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        BMP => {
            let (units, rest) = bytes.as_chunks::<2>();
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            rest.is_empty().then(|| String::from_utf16_lossy(&units))
        }
        _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
    }
}

/// The alternative names in Go's order: DNS names, mail addresses, IP addresses, URIs.
fn alternatives(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let Some(extension) = certificate.subject_alternative_name().ok()? else {
        return Some(Vec::new());
    };
    let (mut names, mut mails, mut addresses, mut uris) = (vec![], vec![], vec![], vec![]);
    for general in &extension.value.general_names {
        match general {
            GeneralName::DNSName(name) => names.push((*name).to_owned()),
            GeneralName::RFC822Name(name) => mails.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => addresses.push(address(bytes)?.to_string()),
            GeneralName::URI(uri) => uris.push(lower_scheme(uri)),
            _ => {}
        }
    }
    Some([names, mails, addresses, uris].concat())
}

/// An address; one of IPv4 inside IPv6 is shown as IPv4, as in Go.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(bytes).ok()?;
    Some(IpAddr::from(Ipv6Addr::from(octets)).to_canonical())
}

/// A URI as Go shows it: the scheme in small letters.
fn lower_scheme(uri: &str) -> String {
    match uri.split_once(':') {
        Some((scheme, rest)) => format!("{}:{rest}", scheme.to_ascii_lowercase()),
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, SanType};

    use super::*;

    fn der(parameters: &CertificateParams) -> CertificateDer<'static> {
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().into()
    }

    #[test]
    fn a_certificate_says_everything_in_the_order_of_go() {
        let mut parameters = CertificateParams::default();
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, "first");
        name.push(DnType::CountryName, "FR");
        name.push(DnType::OrganizationName, DnValue::BmpString("É".try_into().unwrap()));
        name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), "7");
        name.push(DnType::CustomDnType(vec![0, 9, 2342, 19200300, 100, 1, 25]), "org");
        name.push(DnType::CustomDnType(vec![1, 2, 3]), "nobody knows");
        parameters.distinguished_name = name;
        parameters.serial_number = Some(vec![1, 0, 0, 0, 0, 0, 0, 0, 0].into());
        parameters.subject_alt_names = vec![
            SanType::URI("SPIFFE://edge/A".try_into().unwrap()),
            SanType::IpAddress("::ffff:10.0.0.1".parse().unwrap()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
            SanType::Rfc822Name("me@a.test".try_into().unwrap()),
            SanType::DnsName("a.test".try_into().unwrap()),
        ];
        let certificates = ClientCertificates::new(&[der(&parameters)]);
        let [read] = certificates.read().unwrap() else { panic!("not one") };
        assert_eq!(read.subject, read.issuer);
        let subject = Name {
            domain_components: vec!["org".to_owned()],
            countries: vec!["FR".to_owned()],
            organizations: vec!["É".to_owned()],
            serial: "7".to_owned(),
            common: "first".to_owned(),
            ..Name::default()
        };
        assert_eq!(read.subject, subject);
        assert_eq!(read.serial, "18446744073709551616");
        assert_eq!(
            read.alternatives,
            ["a.test", "me@a.test", "10.0.0.1", "2001:db8::1", "spiffe://edge/A"]
        );
        assert!(read.not_before < read.not_after);
    }

    #[test]
    fn what_cannot_be_read_is_told_and_passed_on_all_the_same() {
        let chain = [CertificateDer::from(&b"no certificate"[..]), CertificateDer::from(&b"?"[..])];
        let certificates = ClientCertificates::new(&chain);
        assert!(certificates.read().is_none());
        assert_eq!(certificates.base64(), "bm8gY2VydGlmaWNhdGU=,Pw==");
    }
}
