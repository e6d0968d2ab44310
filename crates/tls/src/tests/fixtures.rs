//! Certificates made on the spot, and handshakes in memory.

use std::{collections::BTreeMap, net::IpAddr, ops::DerefMut, sync::Arc, time::SystemTime};

use portway_model::{
    Entry, Problem,
    dynamic::{Certificate, Material, TlsOptions, TlsStore},
};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, SanType};
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, Error, HandshakeKind, ServerConnection,
    SideData,
    pki_types::{ServerName, UnixTime},
    server::Acceptor,
};

use crate::{
    Applied, Certificates, Choice, EntryPointTls, GeneratedDefault, Hello, Options, Refusal,
    TlsRouter,
};

pub(super) fn now() -> UnixTime {
    UnixTime::now()
}

pub(super) fn generated() -> GeneratedDefault {
    GeneratedDefault::generate(SystemTime::now()).unwrap()
}

/// Parameters of a certificate: a common name, DNS names and addresses.
pub(super) fn parameters(common_name: &str, names: &[&str]) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    if !common_name.is_empty() {
        parameters.distinguished_name.push(DnType::CommonName, common_name);
    }
    parameters.subject_alt_names = names
        .iter()
        .map(|name| match name.parse() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        })
        .collect();
    parameters
}

pub(super) fn self_signed(parameters: &CertificateParams) -> Certificate {
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    pair(certificate.pem(), key.serialize_pem())
}

pub(super) fn pair(cert: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Certificate {
    Certificate { cert: Material::inline(cert), key: Material::inline(key), stores: Vec::new() }
}

/// A self-signed certificate for these names.
pub(super) fn named(names: &[&str]) -> Entry<Certificate> {
    Entry::new(self_signed(&parameters("", names)))
}

/// An authority that signs clients and servers.
pub(super) struct Authority {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut parameters = parameters(name, &[]);
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(parameters, key) }
    }

    pub(super) fn sign(&self, parameters: &CertificateParams) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        pair(certificate.pem(), key.serialize_pem())
    }
}

pub(super) fn certificates(entries: &[Entry<Certificate>]) -> Arc<Certificates> {
    let (certificates, problems) =
        Certificates::compile(entries, &BTreeMap::new(), None, &generated(), now());
    assert_eq!(problems.certificates, vec![Vec::<Problem>::new(); entries.len()]);
    Arc::new(certificates)
}

pub(super) fn stores(certificate: Certificate) -> BTreeMap<String, Entry<TlsStore>> {
    let store = TlsStore { default_certificate: Some(certificate) };
    BTreeMap::from([("default".to_owned(), Entry::new(store))])
}

pub(super) fn options(written: &[(&str, TlsOptions)]) -> BTreeMap<String, Entry<TlsOptions>> {
    written
        .iter()
        .map(|(name, options)| ((*name).to_owned(), Entry::new(options.clone())))
        .collect()
}

/// One entry point: a router for each (host, options name).
pub(super) fn entry(routers: &[(&str, Option<&str>)], options: &Options) -> EntryPointTls {
    applied(routers, options).0
}

pub(super) fn applied(
    routers: &[(&str, Option<&str>)],
    options: &Options,
) -> (EntryPointTls, Vec<Applied>) {
    let hosts: Vec<Vec<String>> = routers
        .iter()
        .map(|(hosts, _)| hosts.split_whitespace().map(str::to_owned).collect())
        .collect();
    let routers: Vec<TlsRouter<'_>> = routers
        .iter()
        .zip(&hosts)
        .map(|((_, options), hosts)| TlsRouter { rule: "R", hosts, options: *options })
        .collect();
    EntryPointTls::compile(&routers, options)
}

/// Why a handshake came to nothing.
#[derive(Debug, PartialEq)]
pub(super) enum Failure {
    Refused(Refusal),
    Server(Error),
    Client(Error),
}

/// A finished handshake.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) client: ClientConnection,
    pub(super) server: ServerConnection,
    pub(super) options: Arc<str>,
}

impl Done {
    pub(super) fn resumed(&self) -> bool {
        self.server.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// The leaf that the client was shown.
    pub(super) fn shown(&self) -> &[u8] {
        self.client.peer_certificates().unwrap()[0].as_ref()
    }
}

pub(super) fn handshake(
    entry: &EntryPointTls,
    client: &Arc<ClientConfig>,
    name: &str,
) -> Result<Done, Failure> {
    handshake_at(entry, client, name, None, usize::MAX)
}

/// A handshake whose first flight comes in pieces of `piece` bytes.
pub(super) fn handshake_at(
    entry: &EntryPointTls,
    client: &Arc<ClientConfig>,
    name: &str,
    local: Option<IpAddr>,
    piece: usize,
) -> Result<Done, Failure> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let flight = outgoing(&mut client);
    let mut acceptor = Acceptor::default();
    let mut accepted = None;
    for mut bytes in flight.chunks(piece) {
        assert!(accepted.is_none(), "accepted before the whole hello was read");
        while !bytes.is_empty() {
            acceptor.read_tls(&mut bytes).unwrap();
        }
        accepted = acceptor.accept().unwrap();
    }
    let accepted = accepted.unwrap();
    let choice = entry.choose(&Hello::new(&accepted.client_hello(), local));
    let (config, options) = match choice {
        Choice::Serve { config, options } => (config, options),
        Choice::Refuse(refusal) => return Err(Failure::Refused(refusal)),
    };
    let mut server =
        accepted.into_connection(config).map_err(|(error, _)| Failure::Server(error))?;
    let mut failure = None;
    for _ in 0..8 {
        let bytes = outgoing(&mut server);
        incoming(&mut client, &bytes);
        if let Err(error) = client.process_new_packets() {
            failure.get_or_insert(Failure::Client(error));
        }
        let bytes = outgoing(&mut client);
        incoming(&mut server, &bytes);
        if let Err(error) = server.process_new_packets() {
            failure.get_or_insert(Failure::Server(error));
        }
    }
    match failure {
        Some(failure) => Err(failure),
        None => {
            assert!(!client.is_handshaking() && !server.is_handshaking());
            Ok(Done { client, server, options })
        }
    }
}

/// All that one side has to send.
pub(super) fn outgoing<S: SideData>(
    connection: &mut impl DerefMut<Target = ConnectionCommon<S>>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut bytes).unwrap();
    }
    bytes
}

/// Gives one side all that the other sent.
pub(super) fn incoming<S: SideData>(
    connection: &mut impl DerefMut<Target = ConnectionCommon<S>>,
    mut bytes: &[u8],
) {
    while !bytes.is_empty() {
        connection.read_tls(&mut bytes).unwrap();
    }
}

/// A client that trusts everyone and shows the certificates given.
pub(super) fn trusting(certificates: Vec<Certificate>) -> Arc<ClientConfig> {
    let transport = portway_model::dynamic::ServersTransport {
        insecure_skip_verify: true,
        certificates,
        ..Default::default()
    };
    let (tls, problems) =
        crate::ClientTls::compile(&transport, &crate::NativeRoots::new(Vec::new()));
    assert_eq!(problems, []);
    Arc::clone(tls.unwrap().config())
}
