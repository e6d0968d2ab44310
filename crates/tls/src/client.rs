//! TLS towards servers: the client side of a servers transport.

use std::{fmt, net::IpAddr, sync::Arc};

use portway_model::{
    Problem,
    dynamic::{ServersTransport, TlsOptions},
};
use rustls::{
    ClientConfig, SignatureScheme,
    client::ResolvesClientCert,
    pki_types::{CertificateDer, ServerName},
    sign::CertifiedKey,
};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::{
    LoadedCertificate,
    chain::Authorities,
    options::settings::{self, Settings},
    pem,
    verify::ServerVerifier,
};

/// The system's authorities, loaded once.
#[derive(Clone)]
pub struct NativeRoots(Arc<Authorities>);

/// How to do TLS with the servers of one transport.
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    /// The same, offering HTTP/2 first; none where that is disabled.
    http2: Option<Arc<ClientConfig>>,
    server_name: Option<ServerName<'static>>,
}

/// A server's host that is neither a DNS name nor an address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is neither a DNS name nor an address: no certificate can be good for it")]
pub struct BadServerName(String);

impl NativeRoots {
    /// Reads the system's authorities from its files, or from `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    ///
    /// Does IO. What could not be read is told in the second value, for the log.
    pub fn load() -> (Self, Vec<String>) {
        let found = rustls_native_certs::load_native_certs();
        let problems = found.errors.iter().map(ToString::to_string).collect();
        (Self::new(found.certs), problems)
    }

    /// These authorities.
    pub fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        Self(Arc::new(Authorities::new(certificates).0))
    }
}

impl fmt::Debug for NativeRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NativeRoots({})", self.0.len())
    }
}

impl ClientTls {
    /// Compiles a transport's TLS settings; `None` with the reason among the problems.
    ///
    /// As in Traefik, an authority or client certificate that cannot be read is left out with a warning.
    /// Where authorities are written, the system's are not used, even if none could be read:
    /// then no server is trusted.
    pub fn compile(
        transport: &ServersTransport,
        native: &NativeRoots,
    ) -> (Option<Self>, Vec<Problem>) {
        let mut problems = Vec::new();
        let server_name = match transport.server_name.as_str() {
            "" => Ok(None),
            written => parse_name(written).map(Some),
        };
        let server_name = match server_name {
            Ok(server_name) => server_name,
            Err(bad) => {
                problems.push(Problem::error("serverName", bad.to_string()));
                return (None, problems);
            }
        };
        let Some(Settings { provider, versions, .. }) = settings(transport, &mut problems) else {
            return (None, problems);
        };
        let certificates = client_certificates(transport, &mut problems);
        let verifier = verifier(transport, native, &mut problems);
        let builder =
            ClientConfig::builder_with_provider(provider.into()).with_protocol_versions(&versions);
        let config = match builder {
            Ok(builder) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_client_cert_resolver(Arc::new(certificates)),
            Err(error) => {
                problems.push(Problem::error("", format!("TLS cannot be set up: {error}")));
                return (None, problems);
            }
        };
        // As Go, nothing is said of protocols where only HTTP/1.1 will do: a server that knows nothing else than HTTP/2
        // by name would refuse the name, and speaks HTTP/1.1 all the same.
        let http2 = (!transport.disable_http2).then(|| {
            let mut config = config.clone();
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            Arc::new(config)
        });
        (Some(Self { config: Arc::new(config), http2, server_name }), problems)
    }

    /// The configuration to run a handshake on, for HTTP/1.1. One for each transport: sessions are resumed
    /// through it.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// The same where the server may choose HTTP/2, unless `disableHTTP2` says no.
    pub fn http2_config(&self) -> &Arc<ClientConfig> {
        self.http2.as_ref().unwrap_or(&self.config)
    }

    /// Whether HTTP/2 may be spoken at all: `disableHTTP2` says no.
    pub fn speaks_http2(&self) -> bool {
        self.http2.is_some()
    }

    /// The name to ask for and to verify: the transport's, else the server's host (a DNS name, or an
    /// address, IPv6 with or without brackets).
    ///
    /// # Errors
    /// When the transport names none and the host is neither.
    pub fn server_name(&self, host: &str) -> Result<ServerName<'static>, BadServerName> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => parse_name(host),
        }
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

fn parse_name(host: &str) -> Result<ServerName<'static>, BadServerName> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    // A zone tells the way to an address, not its name.
    let bare = bare.split_once('%').map_or(bare, |(address, _)| address);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(ServerName::from(address));
    }
    ServerName::try_from(host.to_owned()).map_err(|_| BadServerName(host.to_owned()))
}

/// Versions and suites; `None` with the reasons among the problems. What is not understood is an error: servers could
/// be spoken to by less than was asked for.
fn settings(transport: &ServersTransport, problems: &mut Vec<Problem>) -> Option<Settings> {
    let options = TlsOptions {
        cipher_suites: transport.cipher_suites.clone(),
        min_version: transport.min_version.clone(),
        max_version: transport.max_version.clone(),
        ..TlsOptions::default()
    };
    for (field, written) in
        [("minVersion", &options.min_version), ("maxVersion", &options.max_version)]
    {
        let known = written.is_empty() || settings::is_version(written);
        if !known {
            let message = format!("`{written}` is no version of TLS; one is `VersionTLS12`");
            problems.push(Problem::error(field, message));
            return None;
        }
    }
    settings::compile(&options, "no server is spoken to", problems)
}

fn verifier(
    transport: &ServersTransport,
    native: &NativeRoots,
    problems: &mut Vec<Problem>,
) -> ServerVerifier {
    let skips = transport.insecure_skip_verify;
    if skips && transport.peer_cert_uri.is_empty() {
        return ServerVerifier::ANY;
    }
    let authorities = if transport.root_cas.is_empty() {
        Arc::clone(&native.0)
    } else {
        let (authorities, unusable) = Authorities::new(authorities(transport, problems));
        problems.extend(unusable.map(|remark| Problem::warning("rootCAs", remark)));
        Arc::new(authorities)
    };
    if authorities.is_empty() {
        problems.push(Problem::warning(
            "rootCAs",
            "no authority can be used: no server's certificate will be trusted",
        ));
    }
    let peer_uri = Some(transport.peer_cert_uri.clone()).filter(|uri| !uri.is_empty());
    ServerVerifier { authorities: Some(authorities), for_name: !skips, peer_uri }
}

fn authorities(
    transport: &ServersTransport,
    problems: &mut Vec<Problem>,
) -> Vec<CertificateDer<'static>> {
    let mut all = Vec::new();
    for (position, material) in transport.root_cas.iter().enumerate() {
        match pem::certificates(&material.content) {
            Ok(certificates) => all.extend(certificates),
            Err(bad) => {
                problems.push(Problem::warning(format!("rootCAs[{position}]"), bad.to_string()));
            }
        }
    }
    all
}

fn client_certificates(
    transport: &ServersTransport,
    problems: &mut Vec<Problem>,
) -> ClientCertificates {
    let mut all = Vec::new();
    for (position, material) in transport.certificates.iter().enumerate() {
        match LoadedCertificate::load(material) {
            Ok(loaded) => all.push(loaded.certified()),
            Err(bad) => {
                let field = format!("certificates[{position}].{}", bad.field());
                problems.push(Problem::warning(field, bad.to_string()));
            }
        }
    }
    ClientCertificates(all)
}

/// The certificates to choose from when a server asks for one.
#[derive(Debug)]
struct ClientCertificates(Vec<Arc<CertifiedKey>>);

impl ResolvesClientCert for ClientCertificates {
    /// The first one with a key that the server takes and from an issuer that it named, as in Go.
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0
            .iter()
            .find(|certificate| {
                certificate.key.choose_scheme(schemes).is_some()
                    && (issuers.is_empty() || is_issued_by(&certificate.cert, issuers))
            })
            .cloned()
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Whether a certificate of the chain was issued by one of the names (DER).
fn is_issued_by(chain: &[CertificateDer<'_>], issuers: &[&[u8]]) -> bool {
    chain.iter().any(|certificate| {
        X509Certificate::from_der(certificate)
            .is_ok_and(|(_, certificate)| issuers.contains(&certificate.issuer().as_raw()))
    })
}
