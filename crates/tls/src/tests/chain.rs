//! Which certificates lead to an authority: as Go's `crypto/x509` says.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use portway_model::{
    Problem,
    dynamic::{ClientAuth, Material, ServersTransport, TlsOptions},
};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, UnixTime};

use super::fixtures::*;
use crate::{
    ClientTls, NativeRoots, Options,
    chain::{Authorities, Purpose},
};

/// A certificate with the key that it is of.
struct Link {
    parameters: CertificateParams,
    key: KeyPair,
    der: CertificateDer<'static>,
}

impl Link {
    fn root(parameters: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let der = parameters.self_signed(&key).unwrap().der().clone();
        Self { parameters, key, der }
    }

    /// One that was made elsewhere, as far as what it signs has to know of it.
    fn of_files(name: &str, certificate: &[u8], key: &str) -> Self {
        let der = crate::pem::certificates(certificate).unwrap().remove(0);
        Self { parameters: parameters(name, &[]), key: KeyPair::from_pem(key).unwrap(), der }
    }

    fn sign(&self, parameters: CertificateParams) -> Self {
        self.sign_key(parameters, KeyPair::generate().unwrap())
    }

    fn sign_key(&self, parameters: CertificateParams, key: KeyPair) -> Self {
        let issuer = Issuer::from_params(&self.parameters, &self.key);
        let der = parameters.signed_by(&key, &issuer).unwrap().der().clone();
        Self { parameters, key, der }
    }

    /// Another certificate of the same name and key, signed by itself.
    fn again(&self, parameters: CertificateParams) -> Self {
        let key = KeyPair::from_pem(&self.key.serialize_pem()).unwrap();
        let der = parameters.self_signed(&key).unwrap().der().clone();
        Self { parameters, key, der }
    }

    fn authority(name: &str) -> Self {
        Self::root(authority(name))
    }
}

fn authority(name: &str) -> CertificateParams {
    limited(name, BasicConstraints::Unconstrained)
}

fn says_authority(parameters: &mut CertificateParams) {
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

fn limited(name: &str, constraints: BasicConstraints) -> CertificateParams {
    with(parameters(name, &[]), |parameters| parameters.is_ca = IsCa::Ca(constraints))
}

fn leaf() -> CertificateParams {
    parameters("leaf", &["leaf.test"])
}

fn with(
    mut parameters: CertificateParams,
    change: impl FnOnce(&mut CertificateParams),
) -> CertificateParams {
    change(&mut parameters);
    parameters
}

fn usable_for(usage: ExtendedKeyUsagePurpose) -> impl Fn(&mut CertificateParams) {
    move |parameters| parameters.extended_key_usages = vec![usage.clone()]
}

fn signing_content_alone(parameters: &mut CertificateParams) {
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
}

fn expired(parameters: &mut CertificateParams) {
    parameters.not_before = date_time_ymd(2000, 1, 1);
    parameters.not_after = date_time_ymd(2001, 1, 1);
}

fn not_valid_yet(parameters: &mut CertificateParams) {
    parameters.not_before = date_time_ymd(2200, 1, 1);
    parameters.not_after = date_time_ymd(2201, 1, 1);
}

fn extension(oid: &[u64], content: &[u8]) -> CustomExtension {
    CustomExtension::from_oid_content(oid, content.to_vec())
}

fn critical(oid: &[u64], content: &[u8]) -> CustomExtension {
    let mut extension = extension(oid, content);
    extension.set_criticality(true);
    extension
}

fn permits(name: &str) -> impl Fn(&mut CertificateParams) {
    let permitted_subtrees = vec![GeneralSubtree::DnsName(name.to_owned())];
    move |parameters| {
        let permitted_subtrees = permitted_subtrees.clone();
        let excluded_subtrees = Vec::new();
        parameters.name_constraints =
            Some(NameConstraints { permitted_subtrees, excluded_subtrees });
    }
}

/// Some day of 2100.
fn then() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(4_110_000_000))
}

fn leads(leaf: &Link, between: &[&Link], authorities: &[&Link], purpose: Purpose) -> bool {
    let all = authorities.iter().map(|link| link.der.clone()).collect();
    let between: Vec<_> = between.iter().map(|link| link.der.clone()).collect();
    Authorities::new(all).0.verify(&leaf.der, &between, then(), purpose).is_ok()
}

/// Whether a certificate is taken, which has to be the same for clients and servers.
fn is_taken(leaf: &Link, between: &[&Link], authorities: &[&Link]) -> bool {
    let [client, server] = [Purpose::Client, Purpose::Server]
        .map(|purpose| leads(leaf, between, authorities, purpose));
    assert_eq!(client, server, "clients and servers differ");
    client
}

fn version_1_client() -> Link {
    let certificate = include_bytes!("keys/version-1-client.crt");
    Link::of_files("client", certificate, include_str!("keys/version-1-client.key"))
}

fn version_1_authority() -> CertificateDer<'static> {
    crate::pem::certificates(include_bytes!("keys/version-1-authority.crt")).unwrap().remove(0)
}

#[test]
fn certificates_of_version_1_are_taken_from_their_authority() {
    let client = version_1_client();
    let verify = |authority| {
        Authorities::new(vec![authority]).0.verify(&client.der, &[], then(), Purpose::Client)
    };
    assert_eq!(verify(version_1_authority()), Ok(()));
    assert!(verify(Link::authority("authority").der).is_err(), "of the same name");
}

#[test]
fn a_trusted_certificate_of_version_1_vouches_and_one_between_does_not() {
    let client = version_1_client();
    let signed = client.sign(leaf());
    assert!(is_taken(&signed, &[], &[&client]));
    let authority = Link { der: version_1_authority(), ..Link::authority("authority") };
    assert!(is_taken(&client, &[], &[&authority]));
    assert!(!is_taken(&signed, &[&client], &[&authority]));
}

#[test]
fn what_webpki_does_not_take_is_taken() {
    let root = Link::authority("root");
    let policies =
        [0x30, 0x0a, 0x30, 0x08, 0x06, 0x06, 0x2a, 0x03, 0x04, 0x05, 0x06, 0x07].as_slice();
    for (what, parameters) in [
        ("CA:TRUE", authority("leaf")),
        ("any usage", with(leaf(), usable_for(ExtendedKeyUsagePurpose::Any))),
        (
            "critical policies",
            with(leaf(), |leaf| {
                leaf.custom_extensions.push(critical(&[2, 5, 29, 32], policies));
            }),
        ),
    ] {
        let between = root.sign(authority("between"));
        assert!(is_taken(&root.sign(parameters.clone()), &[], &[&root]), "{what}");
        assert!(
            is_taken(&between.sign(parameters), &[&between], &[&root]),
            "{what}, below another"
        );
    }
}

#[test]
fn the_order_and_the_number_of_intermediates_do_not_matter() {
    let root = Link::authority("root");
    let mut chain = vec![root.sign(authority("0"))];
    for name in 1..9 {
        let next = chain.last().unwrap().sign(authority(&name.to_string()));
        chain.push(next);
    }
    let leaf = chain.last().unwrap().sign(leaf());
    let mut between: Vec<&Link> = chain.iter().collect();
    assert!(is_taken(&leaf, &between, &[&root]));
    between.swap(2, 7);
    between.reverse();
    assert!(is_taken(&leaf, &between, &[&root]));
    between.remove(4);
    assert!(!is_taken(&leaf, &between, &[&root]));
}

#[test]
fn a_certificate_that_is_itself_trusted_is_taken_and_vouches_for_nobody() {
    let pinned = Link::root(leaf());
    assert!(is_taken(&pinned, &[], &[&pinned]));
    let says_no = |parameters: &mut CertificateParams| parameters.is_ca = IsCa::ExplicitNoCa;
    let explicit = Link::root(with(parameters("pinned", &[]), says_no));
    assert!(is_taken(&explicit, &[], &[&explicit]));
    for authority in [&pinned, &explicit] {
        let signed = authority.sign(parameters("signed", &[]));
        assert!(!is_taken(&signed, &[], &[authority]));
        assert!(!is_taken(&signed, &[authority], &[authority]));
        assert!(!is_taken(&authority.sign(self::authority("signed")), &[], &[authority]));
    }
}

#[test]
fn a_renewed_authority_vouches_beside_its_expired_certificate() {
    let old = Link::root(with(authority("root"), expired));
    let new = old.again(authority("root"));
    let leaf = new.sign(leaf());
    assert!(is_taken(&leaf, &[], &[&old, &new]));
    assert!(is_taken(&leaf, &[], &[&new, &old]));
    assert!(!is_taken(&leaf, &[], &[&old]));
    assert!(!is_taken(&leaf, &[&new], &[&old]), "vouched for by itself");
}

#[test]
fn nobody_vouches_for_another_certificate_of_their_own() {
    let root = Link::authority("root");
    assert!(!is_taken(&root.again(authority("root")), &[], &[&root]));
    assert!(!is_taken(&root.again(parameters("root", &[])), &[], &[&root]));
    assert!(is_taken(&root.again(parameters("root", &["other.test"])), &[], &[&root]));
}

#[test]
fn authorities_that_must_not_vouch_do_not() {
    for (what, root) in [
        ("expired", with(authority("root"), expired)),
        ("not valid yet", with(authority("root"), not_valid_yet)),
        ("without keyCertSign", with(authority("root"), signing_content_alone)),
        ("for mail", with(authority("root"), usable_for(ExtendedKeyUsagePurpose::EmailProtection))),
        ("without basicConstraints", parameters("root", &[])),
    ] {
        let root = Link::root(root);
        assert!(!is_taken(&root.sign(leaf()), &[], &[&root]), "{what}");
        let trusted = Link::authority("trusted");
        let between = trusted.sign(root.parameters.clone());
        let below = between.sign(leaf());
        assert!(!is_taken(&below, &[&between], &[&trusted]), "{what}, between");
        let below = between.sign(authority("leaf"));
        assert!(!is_taken(&below, &[&between], &[&trusted]), "{what}, between, CA:TRUE");
    }
}

#[test]
fn usages_count_for_all_of_a_chain() {
    use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
    for (usage, client, server) in [(ClientAuth, true, false), (ServerAuth, false, true)] {
        let check = |leaf: &Link, between: &[&Link], root: &Link, what: &str| {
            assert_eq!(leads(leaf, between, &[root], Purpose::Client), client, "{what}");
            assert_eq!(leads(leaf, between, &[root], Purpose::Server), server, "{what}");
        };
        let limit = usable_for(usage);
        let root = Link::authority("root");
        check(&root.sign(with(leaf(), &limit)), &[], &root, "leaf");
        check(&root.sign(with(authority("leaf"), &limit)), &[], &root, "leaf, CA:TRUE");
        let between = root.sign(with(authority("between"), &limit));
        check(&between.sign(leaf()), &[&between], &root, "between");
        let any = usable_for(ExtendedKeyUsagePurpose::Any);
        check(&between.sign(with(leaf(), any)), &[&between], &root, "any below");
        let root = Link::root(with(authority("root"), &limit));
        check(&root.sign(leaf()), &[], &root, "authority");
        check(&root.sign(authority("leaf")), &[], &root, "authority over CA:TRUE");
    }
}

#[test]
fn lengths_of_paths_are_kept_to() {
    for (length, depth, taken) in
        [(0, 0, true), (0, 1, false), (1, 1, true), (1, 2, false), (2, 2, true)]
    {
        let root = Link::root(limited("root", BasicConstraints::Constrained(length)));
        let trusted = Link::authority("trusted");
        let between = trusted.sign_key(
            root.parameters.clone(),
            KeyPair::from_pem(&root.key.serialize_pem()).unwrap(),
        );
        let mut chain = Vec::new();
        for name in 0..depth {
            let above = chain.last().unwrap_or(&root);
            chain.push(above.sign(authority(&name.to_string())));
        }
        for leaf in [leaf(), authority("leaf")] {
            let leaf = chain.last().unwrap_or(&root).sign(leaf);
            let mut links: Vec<&Link> = chain.iter().collect();
            assert_eq!(is_taken(&leaf, &links, &[&root]), taken, "{length}, {depth}");
            links.push(&between);
            assert_eq!(is_taken(&leaf, &links, &[&trusted]), taken, "{length}, {depth}, between");
        }
    }
}

#[test]
fn damaged_expired_and_foreign_certificates_are_refused() {
    let root = Link::authority("root");
    let stranger = Link::authority("stranger").sign(leaf());
    assert!(!is_taken(&stranger, &[], &[&root]));
    let namesake = Link::authority("root");
    for parameters in [leaf(), authority("leaf")] {
        assert!(!is_taken(&namesake.sign(parameters.clone()), &[], &[&root]));
        assert!(is_taken(&namesake.sign(parameters.clone()), &[], &[&root, &namesake]));
        assert!(!is_taken(&root.sign(with(parameters.clone(), expired)), &[], &[&root]));
        assert!(!is_taken(&root.sign(with(parameters.clone(), not_valid_yet)), &[], &[&root]));
        let mut damaged = root.sign(parameters.clone());
        let mut bytes = damaged.der.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        damaged.der = bytes.clone().into();
        assert!(!is_taken(&damaged, &[], &[&root]));
        *bytes.last_mut().unwrap() ^= 1;
        bytes.push(0);
        damaged.der = bytes.into();
        assert!(!is_taken(&damaged, &[], &[&root]), "data behind it");
    }
}

#[test]
fn critical_extensions_must_be_understood_and_none_comes_twice() {
    let root = Link::authority("root");
    // An otherName: Go knows nothing of such names.
    let other_name = [0x30, 0x0a, 0xa0, 0x08, 0x06, 0x02, 0x2a, 0x03, 0xa0, 0x02, 0x05, 0x00];
    let unknown = [1, 3, 6, 1, 4, 1, 1].as_slice();
    for (what, extensions, taken) in [
        ("unknown", vec![extension(unknown, &[5, 0])], true),
        ("unknown, critical", vec![critical(unknown, &[5, 0])], false),
        ("usages of nothing", vec![extension(&[2, 5, 29, 37], &[0x30, 0])], true),
        ("usages, damaged", vec![extension(&[2, 5, 29, 37], &[0x30, 1])], false),
        ("usage, damaged", vec![extension(&[2, 5, 29, 15], &[3, 0])], false),
        ("twice", vec![extension(unknown, &[5, 0]), extension(unknown, &[5, 0])], false),
        ("other name", vec![extension(&[2, 5, 29, 17], &other_name)], true),
        ("other name, critical", vec![critical(&[2, 5, 29, 17], &other_name)], false),
    ] {
        for mut leaf in [parameters("leaf", &[]), authority("leaf")] {
            leaf.custom_extensions = extensions.clone();
            assert_eq!(is_taken(&root.sign(leaf), &[], &[&root]), taken, "{what}");
        }
    }
}

#[test]
fn policies_that_must_be_explicit_are() {
    let root = Link::authority("root");
    let (demand, named) = ([0x30, 3, 0x80, 1, 0], [0x30, 6, 0x30, 4, 6, 2, 0x2a, 3]);
    let demand = [false, true].map(|must| {
        let make = if must { critical } else { extension };
        vec![make(&[2, 5, 29, 36], &demand)]
    });
    let policy = vec![extension(&[2, 5, 29, 32], &named)];
    let any = vec![extension(&[2, 5, 29, 32], &[0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0])];
    let inhibits = vec![critical(&[2, 5, 29, 54], &[2, 1, 0])];
    let saying = |mut parameters: CertificateParams, extensions: &[&Vec<CustomExtension>]| {
        parameters.custom_extensions = extensions.iter().copied().flatten().cloned().collect();
        parameters
    };
    for demand in &demand {
        for (above, below, taken) in [
            (&[demand][..], &[][..], false),
            (&[], &[demand], false),
            (&[demand, &policy], &[], false),
            (&[demand], &[&policy], false),
            (&[demand, &policy], &[&policy], true),
            (&[demand, &any], &[&policy], true),
            (&[demand, &any], &[&any], true),
            (&[demand, &any, &inhibits], &[&any], false),
            (&[demand, &policy, &inhibits], &[&policy], true),
            (&[&policy], &[demand, &policy], true),
        ] {
            for end in [leaf(), authority("leaf")] {
                let between = root.sign(saying(authority("between"), above));
                let end = between.sign(saying(end, below));
                assert_eq!(is_taken(&end, &[&between], &[&root]), taken);
            }
        }
    }
}

#[test]
fn names_are_kept_to() {
    let root = Link::root(with(authority("root"), permits("leaf.test")));
    let trusted = Link::authority("trusted");
    let between = trusted.sign(root.parameters.clone());
    let other = || parameters("leaf", &["other.test"]);
    assert!(is_taken(&root.sign(leaf()), &[], &[&root]));
    assert!(is_taken(&between.sign(leaf()), &[&between], &[&trusted]));
    for parameters in [other(), with(other(), says_authority)] {
        assert!(!is_taken(&root.sign(parameters.clone()), &[], &[&root]));
        assert!(!is_taken(&between.sign(parameters), &[&between], &[&trusted]));
    }
}

#[test]
fn constraints_do_not_go_with_an_expired_certificate_that_has_none() {
    let constrained = Link::root(with(authority("root"), permits("leaf.test")));
    let free = constrained.again(with(authority("root"), expired));
    for authorities in [[&constrained, &free], [&free, &constrained]] {
        assert!(is_taken(&constrained.sign(leaf()), &[], &authorities));
        let other = constrained.sign(parameters("leaf", &["other.test"]));
        assert!(!is_taken(&other, &[], &authorities));
    }
}

#[test]
fn a_search_without_end_ends() {
    // All of one name, and none of them signed by the authority.
    let root = Link::authority("root");
    let links: Vec<Link> = (0..12).map(|_| Link::authority("same")).collect();
    let mut between = Vec::new();
    for above in &links {
        for below in &links {
            let key = KeyPair::from_pem(&below.key.serialize_pem()).unwrap();
            between.push(above.sign_key(authority("same"), key));
        }
    }
    let begun = std::time::Instant::now();
    let leaf = links[0].sign(leaf());
    assert!(!is_taken(&leaf, &between.iter().collect::<Vec<_>>(), &[&root]));
    // Without a bound it would take longer than anybody can wait.
    assert!(begun.elapsed() < Duration::from_secs(60));
}

fn told(authority: &Link) -> Vec<Problem> {
    let authorities = vec![Material::inline(text(authority))];
    let client_auth = ClientAuth { authorities, client_auth_type: String::new() };
    let written = TlsOptions { client_auth, ..TlsOptions::default() };
    let (_, mut problems) = Options::compile(&options(&[("o", written)]), &certificates(&[]), None);
    problems.remove("o").unwrap_or_default()
}

/// PEM.
fn text(link: &Link) -> String {
    let base64 = STANDARD.encode(&link.der);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

#[test]
fn authorities_that_vouch_for_nobody_are_told() {
    let warn = |message: &str| vec![Problem::warning("clientAuth.caFiles", message)];
    let is_none = "`CN=root` is no authority (CA:TRUE, and keyCertSign where usages are named): \
                   it is trusted, and nothing that it signs";
    for (parameters, expected) in [
        (authority("root"), Vec::new()),
        (with(authority("root"), expired), warn("`CN=root` has expired: it vouches for nobody")),
        (
            with(authority("root"), not_valid_yet),
            warn("`CN=root` is not valid yet: it vouches for nobody"),
        ),
        (with(authority("root"), signing_content_alone), warn(is_none)),
        (parameters("root", &[]), warn(is_none)),
    ] {
        assert_eq!(told(&Link::root(parameters)), expected);
    }
}

#[test]
fn servers_are_taken_and_refused_alike() {
    let root = Link::authority("root");
    let is_taken = |server: &Link, root: &Link| {
        let root_cas = vec![Material::inline(text(root))];
        let transport = ServersTransport { root_cas, ..Default::default() };
        let tls = ClientTls::compile(&transport, &NativeRoots::new(Vec::new())).0.unwrap();
        let shown = pair(text(server), server.key.serialize_pem());
        super::client::handshake(&tls, "leaf.test", &shown).is_ok()
    };
    let of_an_authority = with(leaf(), says_authority);
    for server in [leaf(), of_an_authority] {
        assert!(is_taken(&root.sign(server.clone()), &root));
        let pinned = Link::root(server.clone());
        assert!(is_taken(&pinned, &pinned));
        for bad in [
            with(authority("root"), expired),
            with(authority("root"), signing_content_alone),
            with(authority("root"), usable_for(ExtendedKeyUsagePurpose::ClientAuth)),
            parameters("root", &[]),
        ] {
            let bad = Link::root(bad);
            assert!(!is_taken(&bad.sign(server.clone()), &bad));
        }
    }
    let unnamed = root.sign(parameters("leaf.test", &[]));
    assert!(!is_taken(&unnamed, &root), "a common name is no name of a server");
}
