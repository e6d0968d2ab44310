use std::{collections::BTreeMap, sync::Arc};

use portway_model::{
    Entry,
    dynamic::{Certificate, ClientAuth, Material, TlsOptions},
};
use rcgen::ExtendedKeyUsagePurpose;
use rustls::{
    AlertDescription, CipherSuite, ClientConfig, Error, ProtocolVersion, SupportedCipherSuite,
    client::Resumption,
    crypto::CryptoProvider,
    version::{TLS12, TLS13},
};

use super::fixtures::*;
use crate::{Certificates, EntryPointTls, Options, Refusal, crypto, facts};

fn serve(certificates: &Arc<Certificates>, written: &[(&str, TlsOptions)]) -> EntryPointTls {
    let options = Options::compile(&options(written), certificates, None).0;
    // Host `<name>.test` for each.
    let hosts: Vec<String> = written.iter().map(|(name, _)| format!("{name}.test")).collect();
    let routers: Vec<(&str, Option<&str>)> =
        hosts.iter().zip(written).map(|(host, (name, _))| (host.as_str(), Some(*name))).collect();
    entry(&routers, &options)
}

/// A trusting client with one version and these suites.
fn client(
    version: &'static rustls::SupportedProtocolVersion,
    suites: &[CipherSuite],
) -> Arc<ClientConfig> {
    let all = &crypto::provider().cipher_suites;
    let find = |id: &CipherSuite| all.iter().find(|suite| suite.suite() == *id).copied();
    let cipher_suites: Vec<SupportedCipherSuite> =
        if suites.is_empty() { all.clone() } else { suites.iter().filter_map(find).collect() };
    let provider = CryptoProvider { cipher_suites, ..CryptoProvider::clone(crypto::provider()) };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(crate::verify::ServerVerifier::ANY))
        .with_no_client_auth();
    Arc::new(config)
}

fn versions(min: &str, max: &str) -> TlsOptions {
    TlsOptions { min_version: min.into(), max_version: max.into(), ..TlsOptions::default() }
}

#[test]
fn versions_are_kept_to() {
    let entry = serve(
        &certificates(&[]),
        &[
            ("any", TlsOptions::default()),
            ("new", versions("VersionTLS13", "")),
            ("old", versions("", "VersionTLS12")),
        ],
    );
    let old = client(&TLS12, &[]);
    let new = client(&TLS13, &[]);
    for (config, name, expected) in [
        (&old, "any.test", Some(ProtocolVersion::TLSv1_2)),
        (&new, "any.test", Some(ProtocolVersion::TLSv1_3)),
        (&old, "new.test", None),
        (&new, "new.test", Some(ProtocolVersion::TLSv1_3)),
        (&old, "old.test", Some(ProtocolVersion::TLSv1_2)),
        (&new, "old.test", None),
    ] {
        let agreed = handshake(&entry, config, name).map(|done| done.server.protocol_version());
        assert_eq!(agreed.ok().flatten(), expected, "{name}");
    }
}

#[test]
fn facts_are_told_as_go_prints_them() {
    let entry = serve(&certificates(&[]), &[("any", TlsOptions::default())]);
    let done = handshake(&entry, &client(&TLS13, &[]), "Any.test").unwrap();
    assert_eq!(facts::version(&done.server), "1.3");
    assert_eq!(facts::cipher(&done.server), "TLS_AES_128_GCM_SHA256");
    assert_eq!(facts::client_subject(&done.server), None);
    assert_eq!(done.server.server_name(), Some("any.test"));
    let done = handshake(&entry, &client(&TLS12, &[]), "any.test").unwrap();
    assert_eq!(facts::version(&done.server), "1.2");
    assert_eq!(facts::cipher(&done.server), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
}

#[test]
fn aes_comes_first_but_for_clients_that_prefer_chacha() {
    let entry = serve(&certificates(&[]), &[("any", TlsOptions::default())]);
    let (aes256, aes128, chacha) = (
        CipherSuite::TLS13_AES_256_GCM_SHA384,
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    );
    for (offered, expected) in [
        (&[aes256, aes128, chacha][..], "TLS_AES_128_GCM_SHA256"),
        (&[chacha, aes256, aes128], "TLS_CHACHA20_POLY1305_SHA256"),
        (&[aes256, chacha], "TLS_AES_256_GCM_SHA384"),
        (&[chacha, aes256], "TLS_CHACHA20_POLY1305_SHA256"),
    ] {
        let done = handshake(&entry, &client(&TLS13, offered), "any.test").unwrap();
        assert_eq!(facts::cipher(&done.server), expected);
    }
}

#[test]
fn a_client_that_prefers_chacha_gets_the_order_of_go_all_the_same() {
    // Portway's certificate is of ECDSA: what the client put first is for RSA.
    let entry = serve(&certificates(&[]), &[("any", TlsOptions::default())]);
    let offered = [
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ];
    let done = handshake(&entry, &client(&TLS12, &offered), "any.test").unwrap();
    assert_eq!(facts::cipher(&done.server), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
}

#[test]
fn options_with_suites_for_rsa_alone_serve_the_generated_certificate() {
    let rsa = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    let options = TlsOptions { cipher_suites: vec![rsa.into()], ..versions("", "VersionTLS12") };
    let entry = serve(&certificates(&[]), &[("o", options)]);
    let done = handshake(&entry, &client(&TLS12, &[]), "o.test").unwrap();
    assert_eq!(facts::cipher(&done.server), rsa);
}

#[test]
fn weak_suites_leave_tls_1_3() {
    let weak = "TLS_RSA_WITH_AES_128_CBC_SHA";
    let options = TlsOptions { cipher_suites: vec![weak.into()], ..TlsOptions::default() };
    let entry = serve(&certificates(&[]), &[("o", options)]);
    assert!(handshake(&entry, &client(&TLS13, &[]), "o.test").is_ok());
    assert!(handshake(&entry, &client(&TLS12, &[]), "o.test").is_err());
}

#[test]
fn suites_of_tls_1_2_are_kept_to() {
    let chacha = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305";
    let options = TlsOptions { cipher_suites: vec![chacha.into()], ..TlsOptions::default() };
    let entry = serve(&certificates(&[]), &[("o", options)]);
    let done = handshake(&entry, &client(&TLS12, &[]), "o.test").unwrap();
    assert_eq!(facts::cipher(&done.server), "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    let aes = client(&TLS12, &[CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]);
    assert!(handshake(&entry, &aes, "o.test").is_err());
    // TLS 1.3 is not narrowed, as in Go.
    assert!(handshake(&entry, &client(&TLS13, &[]), "o.test").is_ok());
}

#[test]
fn curves_are_kept_to() {
    let options =
        TlsOptions { curve_preferences: vec!["CurveP384".into()], ..TlsOptions::default() };
    let entry = serve(&certificates(&[]), &[("o", options)]);
    let done = handshake(&entry, &client(&TLS13, &[]), "o.test").unwrap();
    let group = done.server.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::secp384r1);
}

#[test]
fn p_521_is_served_where_it_is_named_and_nowhere_else() {
    let p521 = crypto::GROUPS.iter().find(|(name, _)| *name == "CurveP521").unwrap().1.unwrap();
    let provider =
        CryptoProvider { kx_groups: vec![p521], ..CryptoProvider::clone(crypto::provider()) };
    let named = TlsOptions { curve_preferences: vec!["secp521r1".into()], ..Default::default() };
    let all = [("named", named), ("any", TlsOptions::default())];
    let entry = serve(&certificates(&[]), &all);
    for version in [&TLS12, &TLS13] {
        let client = ClientConfig::builder_with_provider(Arc::new(provider.clone()))
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(crate::verify::ServerVerifier::ANY))
            .with_no_client_auth();
        let client = Arc::new(client);
        let done = handshake(&entry, &client, "named.test").unwrap();
        let group = done.server.negotiated_key_exchange_group().unwrap();
        assert_eq!(group.name(), rustls::NamedGroup::secp521r1);
        assert!(handshake(&entry, &client, "any.test").is_err());
    }
}

#[test]
fn the_certificate_follows_the_server_name() {
    let (exact, wildcard, address) =
        (named(&["www.a.test"]), named(&["*.a.test"]), named(&["192.0.2.1"]));
    let default = self_signed(&parameters("", &["default.test"]));
    let entries = [exact.clone(), wildcard.clone(), address.clone()];
    let (set, _) =
        Certificates::compile(&entries, &stores(default.clone()), None, &generated(), now());
    let options = Options::compile(&BTreeMap::new(), &Arc::new(set), None).0;
    let entry = entry(&[], &options);
    let der = |entry: &Certificate| {
        crate::LoadedCertificate::load(entry).unwrap().certified().cert[0].to_vec()
    };
    for (name, local, expected) in [
        ("www.a.test", None, &*exact.spec),
        ("WWW.A.TEST", None, &*exact.spec),
        ("www.a.test.", None, &*exact.spec),
        ("other.a.test", None, &*wildcard.spec),
        ("b.other.a.test", None, &default),
        // A name that was sent is not overruled by the address.
        ("elsewhere.test", Some("192.0.2.1"), &default),
        // An address as the name is not sent at all.
        ("192.0.2.1", Some("192.0.2.1"), &*address.spec),
        ("192.0.2.1", Some("::ffff:192.0.2.1"), &*address.spec),
        ("192.0.2.1", Some("192.0.2.9"), &default),
        ("192.0.2.1", None, &default),
    ] {
        let local = local.map(|local| local.parse().unwrap());
        let done = handshake_at(&entry, &trusting(vec![]), name, local, usize::MAX).unwrap();
        assert_eq!(done.shown(), der(expected), "{name} {local:?}");
    }
}

#[test]
fn strict_options_let_an_address_pass_by_its_certificate_only() {
    let certificates = certificates(&[named(&["192.0.2.1"])]);
    let strict = TlsOptions { sni_strict: true, ..TlsOptions::default() };
    let options = Options::compile(&options(&[("default", strict)]), &certificates, None).0;
    let entry = entry(&[], &options);
    let at = |local: &str| {
        let local = Some(local.parse().unwrap());
        handshake_at(&entry, &trusting(vec![]), "192.0.2.1", local, usize::MAX)
    };
    assert!(at("192.0.2.1").is_ok());
    assert_eq!(at("192.0.2.2").unwrap_err(), Failure::Refused(crate::Refusal::UnknownServerName));
}

#[test]
fn a_hello_in_pieces_is_chosen_by_all_the_same() {
    let certificates = certificates(&[named(&["a.test"])]);
    let entry = serve(&certificates, &[("a", versions("VersionTLS13", ""))]);
    for piece in [1, 2, 5, 64, 600] {
        let done = handshake_at(&entry, &trusting(vec![]), "a.test", None, piece).unwrap();
        assert_eq!(&*done.options, "a", "pieces of {piece}");
    }
}

fn client_auth(kind: &str, authority: Option<&Authority>) -> TlsOptions {
    let authorities =
        authority.iter().map(|authority| Material::inline(authority.pem.clone())).collect();
    let client_auth = ClientAuth { authorities, client_auth_type: kind.into() };
    TlsOptions { client_auth, ..TlsOptions::default() }
}

fn client_parameters() -> rcgen::CertificateParams {
    let mut parameters = parameters("client", &[]);
    parameters.distinguished_name.push(rcgen::DnType::OrganizationName, "Edge, Inc.");
    parameters.distinguished_name.push(rcgen::DnType::CountryName, "FR");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    parameters
}

#[test]
fn the_five_kinds_of_client_authentication() {
    let authority = Authority::new("clients");
    let good = authority.sign(&client_parameters());
    let stranger = Authority::new("strangers").sign(&client_parameters());
    let a = Some(&authority);
    let entry = serve(
        &certificates(&[]),
        &[
            ("none", client_auth("NoClientCert", a)),
            ("request", client_auth("RequestClientCert", None)),
            ("require", client_auth("RequireAnyClientCert", None)),
            ("if-given", client_auth("VerifyClientCertIfGiven", a)),
            ("verify", client_auth("RequireAndVerifyClientCert", a)),
            ("implied", client_auth("", a)),
        ],
    );
    let clients = [trusting(vec![]), trusting(vec![good]), trusting(vec![stranger])];
    // Without a certificate, with a good one, with a stranger's; and whether one is shown.
    for (name, expected) in [
        ("none", [Some(false), Some(false), Some(false)]),
        ("request", [Some(false), Some(true), Some(true)]),
        ("require", [None, Some(true), Some(true)]),
        // The stranger's issuer is not among those named: the client shows nothing.
        ("if-given", [Some(false), Some(true), Some(false)]),
        ("verify", [None, Some(true), None]),
        ("implied", [None, Some(true), None]),
    ] {
        let found = clients.each_ref().map(|client| {
            let done = handshake(&entry, client, &format!("{name}.test")).ok()?;
            Some(facts::client_subject(&done.server).is_some())
        });
        assert_eq!(found, expected, "{name}");
    }
    let done = handshake(&entry, &clients[1], "verify.test").unwrap();
    let subject = facts::client_subject(&done.server);
    assert_eq!(subject.as_deref(), Some("CN=client,O=Edge\\, Inc.,C=FR"));
}

/// A client that shows its certificate whatever issuers the server names.
fn insistent(
    certificate: &Certificate,
    version: &'static rustls::SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let loaded = crate::LoadedCertificate::load(certificate).unwrap();
    let resolver = rustls::sign::SingleCertAndKey::from(loaded.certified());
    let config = ClientConfig::builder_with_provider(Arc::clone(crypto::provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(crate::verify::ServerVerifier::ANY))
        .with_client_cert_resolver(Arc::new(resolver));
    Arc::new(config)
}

#[test]
fn strangers_who_insist_are_refused() {
    let authority = Authority::new("clients");
    let stranger = Authority::new("strangers").sign(&client_parameters());
    let mut expired = client_parameters();
    expired.not_after = rcgen::date_time_ymd(2001, 1, 1);
    expired.not_before = rcgen::date_time_ymd(2000, 1, 1);
    let expired = authority.sign(&expired);
    let a = Some(&authority);
    let entry = serve(
        &certificates(&[]),
        &[
            ("if-given", client_auth("VerifyClientCertIfGiven", a)),
            ("verify", client_auth("RequireAndVerifyClientCert", a)),
        ],
    );
    for version in [&TLS12, &TLS13] {
        for name in ["if-given.test", "verify.test"] {
            for bad in [&stranger, &expired] {
                let failure = handshake(&entry, &insistent(bad, version), name).unwrap_err();
                assert!(
                    matches!(failure, Failure::Server(Error::InvalidCertificate(_))),
                    "{name} {failure:?}"
                );
            }
        }
    }
}

#[test]
fn a_client_certificate_among_the_authorities_is_trusted() {
    // As `openssl req -x509` makes them: self-signed and CA:TRUE.
    let mut parameters = client_parameters();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let own = self_signed(&parameters);
    let client_auth = ClientAuth {
        authorities: vec![own.cert.clone()],
        client_auth_type: "RequireAndVerifyClientCert".into(),
    };
    let options = TlsOptions { client_auth, ..TlsOptions::default() };
    let entry = serve(&certificates(&[]), &[("o", options)]);
    for version in [&TLS12, &TLS13] {
        assert!(handshake(&entry, &insistent(&own, version), "o.test").is_ok());
        let other = self_signed(&parameters);
        assert!(handshake(&entry, &insistent(&other, version), "o.test").is_err());
    }
}

#[test]
fn any_certificate_needs_its_key_and_no_more() {
    let read = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/keys");
        std::fs::read(format!("{folder}/{name}")).unwrap()
    };
    let entry = serve(&certificates(&[]), &[("o", client_auth("RequireAnyClientCert", None))]);
    for (cert, key) in [
        ("version-1.crt", "version-1.key"),
        ("rsa.crt", "rsa-pkcs8.key"),
        ("p384.crt", "p384-pkcs8.key"),
        ("ed25519.crt", "ed25519.key"),
    ] {
        for version in [&TLS12, &TLS13] {
            let own = insistent(&pair(read(cert), read(key)), version);
            let done = handshake(&entry, &own, "o.test");
            assert!(done.is_ok(), "{cert} {version:?} {done:?}");
        }
    }
    // A certificate with another's key.
    let stolen = crate::LoadedCertificate::load(&pair(read("p256.crt"), read("p256-sec1.key")));
    let key = Arc::clone(&stolen.unwrap().certified().key);
    let chain = crate::pem::certificates(&read("version-1.crt")).unwrap();
    let forged = rustls::sign::CertifiedKey::new(chain, key);
    for version in [&TLS12, &TLS13] {
        let config = ClientConfig::builder_with_provider(Arc::clone(crypto::provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(crate::verify::ServerVerifier::ANY))
            .with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(
                forged.clone(),
            )));
        let failure = handshake(&entry, &Arc::new(config), "o.test").unwrap_err();
        assert!(matches!(failure, Failure::Server(Error::InvalidCertificate(_))), "{failure:?}");
    }
}

#[test]
fn sessions_resume_on_the_same_options() {
    let entry = serve(&certificates(&[]), &[("a", TlsOptions::default())]);
    for version in [&TLS12, &TLS13] {
        let client = client(version, &[]);
        assert!(!handshake(&entry, &client, "a.test").unwrap().resumed());
        assert!(handshake(&entry, &client, "a.test").unwrap().resumed(), "{version:?}");
    }
}

#[test]
fn sessions_survive_a_change_elsewhere_and_end_with_their_options() {
    let mut written = options(&[("default", TlsOptions::default())]);
    let first = Options::compile(&written, &certificates(&[]), None).0;
    for version in [&TLS12, &TLS13] {
        let client = client(version, &[]);
        handshake(&entry(&[], &first), &client, "a.test").unwrap();
        // Other certificates, other routers, more options: the same keys.
        let with_more = certificates(&[named(&["a.test"])]);
        written.insert("more".to_owned(), Entry::new(TlsOptions::default()));
        let second = Options::compile(&written, &with_more, Some(&first)).0;
        let done = handshake(&entry(&[("b.test", Some("more"))], &second), &client, "a.test");
        assert!(done.unwrap().resumed());
        // Changed settings: new keys.
        let mut changed = written.clone();
        changed.get_mut("default").unwrap().spec_mut().curve_preferences = vec!["X25519".into()];
        let third = Options::compile(&changed, &with_more, Some(&second)).0;
        assert!(!handshake(&entry(&[], &third), &client, "a.test").unwrap().resumed());
    }
}

#[test]
fn tickets_do_not_cross_options() {
    let authority = Authority::new("clients");
    let certificates = certificates(&[]);
    let written = options(&[
        ("open", TlsOptions::default()),
        ("request", client_auth("RequestClientCert", None)),
        ("verify", client_auth("RequireAndVerifyClientCert", Some(&authority))),
    ]);
    let options = Options::compile(&written, &certificates, None).0;
    let stranger = Authority::new("strangers").sign(&client_parameters());
    for version in [&TLS12, &TLS13] {
        for first in ["open", "request"] {
            // The client resumes by name, so the same host moves from one to the other.
            let before = entry(&[("a.test", Some(first))], &options);
            let after = entry(&[("a.test", Some("verify"))], &options);
            let client = insistent(&stranger, version);
            assert!(!handshake(&before, &client, "a.test").unwrap().resumed());
            assert!(handshake(&before, &client, "a.test").unwrap().resumed());
            let failure = handshake(&after, &client, "a.test").unwrap_err();
            assert!(
                matches!(failure, Failure::Server(Error::InvalidCertificate(_))),
                "{first} {failure:?}"
            );
        }
    }
}

#[test]
fn a_new_authority_ends_sessions() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let certificates = certificates(&[]);
    let compile = |authority: &Authority, carried: Option<&Options>| {
        let options = client_auth("RequireAndVerifyClientCert", Some(authority));
        Options::compile(&self::options(&[("default", options)]), &certificates, carried).0
    };
    let first = compile(&old, None);
    let second = compile(&new, Some(&first));
    for version in [&TLS12, &TLS13] {
        let client = insistent(&old.sign(&client_parameters()), version);
        handshake(&entry(&[], &first), &client, "a.test").unwrap();
        assert!(handshake(&entry(&[], &first), &client, "a.test").unwrap().resumed());
        assert!(handshake(&entry(&[], &second), &client, "a.test").is_err());
    }
}

#[test]
fn a_resumed_session_knows_its_client() {
    let authority = Authority::new("clients");
    let options = client_auth("", Some(&authority));
    let entry = serve(&certificates(&[]), &[("o", options)]);
    let client = trusting(vec![authority.sign(&client_parameters())]);
    handshake(&entry, &client, "o.test").unwrap();
    let done = handshake(&entry, &client, "o.test").unwrap();
    assert!(done.resumed());
    assert!(facts::client_subject(&done.server).unwrap().starts_with("CN=client"));
}

#[test]
fn disabled_tickets_mean_no_resumption() {
    let options = TlsOptions { disable_session_tickets: true, ..TlsOptions::default() };
    let entry = serve(&certificates(&[]), &[("o", options)]);
    for version in [&TLS12, &TLS13] {
        let client = client(version, &[]);
        for _ in 0..2 {
            assert!(!handshake(&entry, &client, "o.test").unwrap().resumed());
        }
    }
}

#[test]
fn a_protocol_is_agreed_on_where_both_know_one() {
    let http2 = TlsOptions { alpn_protocols: vec!["h2".into()], ..TlsOptions::default() };
    let entry = serve(&certificates(&[]), &[("o", TlsOptions::default()), ("http2", http2)]);
    let at = |name: &str, protocols: &[&[u8]]| {
        let mut config = ClientConfig::clone(&trusting(vec![]));
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        config.resumption = Resumption::disabled();
        handshake(&entry, &Arc::new(config), name)
            .map(|done| done.server.alpn_protocol().map(<[u8]>::to_vec))
    };
    let with = |protocols: &[&[u8]]| at("o.test", protocols);
    assert_eq!(with(&[b"http/1.1", b"h2"]), Ok(Some(b"h2".to_vec())));
    assert_eq!(with(&[b"http/1.1"]), Ok(Some(b"http/1.1".to_vec())));
    assert_eq!(with(&[]), Ok(None));
    // As in Go, a client of HTTP/1.1 alone is served where HTTP/2 alone is offered, and nobody else.
    assert_eq!(at("http2.test", &[b"http/1.1"]), Ok(None));
    assert_eq!(at("http2.test", &[b"http/1.1", b"h2"]), Ok(Some(b"h2".to_vec())));
    for failure in [with(&[b"h3"]), at("http2.test", &[b"http/1.0"])] {
        let failure = failure.unwrap_err();
        assert!(
            matches!(failure, Failure::Server(Error::NoApplicationProtocol))
                || failure
                    == Failure::Client(Error::AlertReceived(
                        AlertDescription::NoApplicationProtocol
                    )),
            "{failure:?}"
        );
    }
    let failure = with(&[b"http/1.1", b"acme-tls/1"]).unwrap_err();
    assert_eq!(failure, Failure::Refused(Refusal::NoChallenge));
}
