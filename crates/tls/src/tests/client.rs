use std::sync::Arc;

use portway_model::{
    Problem,
    dynamic::{Certificate, Material, ServersTransport},
};
use rustls::{
    CertificateError, ClientConnection, Error, ServerConfig, ServerConnection,
    pki_types::ServerName,
};

use super::fixtures::*;
use crate::{ClientTls, LoadedCertificate, NativeRoots, crypto};

fn none() -> NativeRoots {
    NativeRoots::new(Vec::new())
}

fn compile(transport: &ServersTransport, native: &NativeRoots) -> ClientTls {
    let (tls, problems) = ClientTls::compile(transport, native);
    assert_eq!(problems, []);
    tls.unwrap()
}

fn trust(pem: &str) -> ServersTransport {
    ServersTransport { root_cas: vec![Material::inline(pem)], ..Default::default() }
}

/// A handshake with a server that shows this certificate.
pub(super) fn handshake(
    tls: &ClientTls,
    host: &str,
    certificate: &Certificate,
) -> Result<(), Error> {
    let loaded = LoadedCertificate::load(certificate).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::clone(crypto::provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(loaded.certified())));
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let name = tls.server_name(host).unwrap();
    let mut client = ClientConnection::new(Arc::clone(tls.config()), name).unwrap();
    for _ in 0..4 {
        let bytes = outgoing(&mut client);
        incoming(&mut server, &bytes);
        // What the client refused comes back here as an alert.
        let _ = server.process_new_packets();
        let bytes = outgoing(&mut server);
        incoming(&mut client, &bytes);
        client.process_new_packets()?;
    }
    assert!(!client.is_handshaking());
    Ok(())
}

#[test]
fn servers_are_verified_by_authority_and_name() {
    let authority = Authority::new("backends");
    let certificate = authority.sign(&parameters("", &["backend.test", "192.0.2.5"]));
    let tls = compile(&trust(&authority.pem), &none());
    assert_eq!(handshake(&tls, "backend.test", &certificate), Ok(()));
    assert_eq!(handshake(&tls, "192.0.2.5", &certificate), Ok(()));
    assert!(matches!(
        handshake(&tls, "other.test", &certificate),
        Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }))
    ));
    let stranger = Authority::new("others").sign(&parameters("", &["backend.test"]));
    assert!(matches!(
        handshake(&tls, "backend.test", &stranger),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    ));
}

#[test]
fn a_server_certificate_among_the_authorities_is_trusted_for_its_names() {
    // As `openssl req -x509` makes them: self-signed and CA:TRUE.
    let mut parameters = parameters("", &["backend.test"]);
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let own = self_signed(&parameters);
    let pem = String::from_utf8(own.cert.content.clone()).unwrap();
    let tls = compile(&trust(&pem), &none());
    assert_eq!(handshake(&tls, "backend.test", &own), Ok(()));
    assert!(handshake(&tls, "other.test", &own).is_err());
    assert!(handshake(&tls, "backend.test", &self_signed(&parameters)).is_err());
    parameters.not_before = rcgen::date_time_ymd(2000, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let expired = self_signed(&parameters);
    let pem = String::from_utf8(expired.cert.content.clone()).unwrap();
    assert!(handshake(&compile(&trust(&pem), &none()), "backend.test", &expired).is_err());
}

#[test]
fn the_systems_authorities_serve_where_none_are_written() {
    let authority = Authority::new("system");
    let certificate = authority.sign(&parameters("", &["backend.test"]));
    let native = NativeRoots::new(crate::pem::certificates(authority.pem.as_bytes()).unwrap());
    let tls = compile(&ServersTransport::default(), &native);
    assert_eq!(handshake(&tls, "backend.test", &certificate), Ok(()));
    let tls = compile(&trust(&Authority::new("mine").pem), &native);
    assert!(handshake(&tls, "backend.test", &certificate).is_err());
}

#[test]
fn skipping_verification_takes_any_certificate_of_any_version() {
    let transport = ServersTransport { insecure_skip_verify: true, ..Default::default() };
    let tls = compile(&transport, &none());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/keys");
    let read = |name: &str| std::fs::read(format!("{folder}/{name}")).unwrap();
    let old = pair(read("version-1.crt"), read("version-1.key"));
    assert_eq!(handshake(&tls, "other.test", &old), Ok(()));
}

#[test]
fn the_transports_server_name_is_asked_for_and_verified() {
    let authority = Authority::new("backends");
    let certificate = authority.sign(&parameters("", &["real.test"]));
    let transport = ServersTransport { server_name: "real.test".into(), ..trust(&authority.pem) };
    let tls = compile(&transport, &none());
    assert_eq!(handshake(&tls, "192.0.2.77", &certificate), Ok(()));
    assert_eq!(tls.server_name("x").unwrap(), ServerName::try_from("real.test").unwrap());
}

#[test]
fn hosts_are_names_or_addresses() {
    let tls =
        compile(&ServersTransport { insecure_skip_verify: true, ..Default::default() }, &none());
    let address = |text: &str| ServerName::from(text.parse::<std::net::IpAddr>().unwrap());
    assert_eq!(tls.server_name("[::1]"), Ok(address("::1")));
    assert_eq!(tls.server_name("fe80::1%eth0"), Ok(address("fe80::1")));
    assert_eq!(tls.server_name("127.0.0.1"), Ok(address("127.0.0.1")));
    assert_eq!(
        tls.server_name("not a name").unwrap_err().to_string(),
        "`not a name` is neither a DNS name nor an address: no certificate can be good for it"
    );
}

#[test]
fn what_cannot_be_read_is_reported() {
    let bad = ServersTransport { server_name: "a b".into(), ..Default::default() };
    let (tls, problems) = ClientTls::compile(&bad, &none());
    assert!(tls.is_none());
    assert_eq!(problems[0].field, "serverName");

    let authority = Authority::new("backends");
    let transport = ServersTransport {
        root_cas: vec![Material::inline("nonsense"), Material::inline(authority.pem.as_str())],
        certificates: vec![pair("", "")],
        ..Default::default()
    };
    let (tls, problems) = ClientTls::compile(&transport, &none());
    assert_eq!(
        problems,
        [
            Problem::warning("certificates[0].certFile", "the certificate is empty"),
            Problem::warning(
                "rootCAs[0]",
                "the certificate is not PEM: no `-----BEGIN CERTIFICATE-----` is in it"
            ),
        ]
    );
    let certificate = authority.sign(&parameters("", &["backend.test"]));
    assert_eq!(handshake(&tls.unwrap(), "backend.test", &certificate), Ok(()));
}

#[test]
fn authorities_that_cannot_be_read_are_not_replaced_by_the_systems() {
    let authority = Authority::new("system");
    let certificate = authority.sign(&parameters("", &["backend.test"]));
    let native = NativeRoots::new(crate::pem::certificates(authority.pem.as_bytes()).unwrap());
    let (tls, problems) = ClientTls::compile(&trust("nonsense"), &native);
    assert_eq!(problems.len(), 2);
    assert!(matches!(
        handshake(&tls.unwrap(), "backend.test", &certificate),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    ));
}

#[test]
fn http_2_is_offered_where_it_is_spoken() {
    let tls =
        compile(&ServersTransport { insecure_skip_verify: true, ..Default::default() }, &none());
    assert!(tls.config().alpn_protocols.is_empty());
    assert_eq!(tls.http2_config().alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
}

#[test]
fn a_server_must_carry_the_uri_that_is_asked_for() {
    let authority = Authority::new("backends");
    let with = |uri: &str| {
        let mut parameters = parameters("", &["backend.test"]);
        let uri = rcgen::SanType::URI(uri.try_into().unwrap());
        parameters.subject_alt_names.push(uri);
        authority.sign(&parameters)
    };
    let (right, wrong) = (with("spiffe://a/right"), with("spiffe://a/wrong"));
    let refused = Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
    let asks =
        ServersTransport { peer_cert_uri: "spiffe://a/right".into(), ..trust(&authority.pem) };
    let tls = compile(&asks, &none());
    assert_eq!(handshake(&tls, "backend.test", &right), Ok(()));
    assert_eq!(handshake(&tls, "backend.test", &wrong), refused);
    let without = authority.sign(&parameters("", &["backend.test"]));
    assert_eq!(handshake(&tls, "backend.test", &without), refused);
    assert!(handshake(&tls, "other.test", &right).is_err(), "the name counts too");

    // As in Traefik, the name does not count here, but the authority does.
    let tls = compile(&ServersTransport { insecure_skip_verify: true, ..asks }, &none());
    assert_eq!(handshake(&tls, "other.test", &right), Ok(()));
    assert_eq!(handshake(&tls, "other.test", &wrong), refused);
    let mut foreign = parameters("", &["backend.test"]);
    foreign.subject_alt_names.push(rcgen::SanType::URI("spiffe://a/right".try_into().unwrap()));
    let foreign = Authority::new("others").sign(&foreign);
    assert!(matches!(
        handshake(&tls, "backend.test", &foreign),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    ));
}

/// The version and suite that are agreed on with a server that takes all.
fn agreed(transport: &ServersTransport) -> Option<(rustls::ProtocolVersion, String)> {
    let tls = compile(transport, &none());
    let certificate = Authority::new("backends").sign(&parameters("", &["backend.test"]));
    let loaded = LoadedCertificate::load(&certificate).unwrap();
    let resolver = rustls::sign::SingleCertAndKey::from(loaded.certified());
    let server = ServerConfig::builder_with_provider(Arc::clone(crypto::provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let name = tls.server_name("backend.test").unwrap();
    let mut client = ClientConnection::new(Arc::clone(tls.config()), name).unwrap();
    for _ in 0..4 {
        let bytes = outgoing(&mut client);
        incoming(&mut server, &bytes);
        server.process_new_packets().ok()?;
        let bytes = outgoing(&mut server);
        incoming(&mut client, &bytes);
        client.process_new_packets().ok()?;
    }
    let suite = server.negotiated_cipher_suite()?.suite();
    Some((server.protocol_version()?, format!("{suite:?}")))
}

#[test]
fn versions_and_suites_are_those_that_are_written() {
    let skips = ServersTransport { insecure_skip_verify: true, ..Default::default() };
    let version = |transport: &ServersTransport| agreed(transport).unwrap().0;
    assert_eq!(version(&skips), rustls::ProtocolVersion::TLSv1_3);
    let new = ServersTransport { min_version: "VersionTLS13".into(), ..skips.clone() };
    assert_eq!(version(&new), rustls::ProtocolVersion::TLSv1_3);
    let old = ServersTransport { max_version: "VersionTLS12".into(), ..skips };
    assert_eq!(version(&old), rustls::ProtocolVersion::TLSv1_2);
    for suite in
        ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"]
    {
        let one = ServersTransport { cipher_suites: vec![suite.into()], ..old.clone() };
        assert_eq!(agreed(&one).unwrap().1, suite);
    }
}

#[test]
fn versions_and_suites_that_are_not_understood_are_errors() {
    let field = |transport: &ServersTransport| {
        let (tls, problems) = ClientTls::compile(transport, &none());
        assert!(tls.is_none() && problems.iter().any(Problem::is_error), "{problems:?}");
        problems[0].field.clone()
    };
    let none = ServersTransport::default;
    assert_eq!(field(&ServersTransport { min_version: "TLS12".into(), ..none() }), "minVersion");
    assert_eq!(field(&ServersTransport { max_version: "1.2".into(), ..none() }), "maxVersion");
    let old = "VersionTLS11".to_owned();
    assert_eq!(field(&ServersTransport { max_version: old, ..none() }), "maxVersion");
    let unknown = vec!["TLS_NOPE".to_owned()];
    assert_eq!(field(&ServersTransport { cipher_suites: unknown, ..none() }), "cipherSuites[0]");
}
