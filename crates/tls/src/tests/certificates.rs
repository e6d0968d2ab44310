use std::{collections::BTreeMap, sync::Arc};

use portway_model::{Entry, Severity, dynamic::Certificate};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{CipherSuite, SignatureScheme};

use super::fixtures::*;
use crate::{BadCertificate, Certificates, LoadedCertificate};

#[track_caller]
fn check(certificates: &Certificates, name: &str, expected: Option<&str>) {
    assert_eq!(certificates.find(name).map(|found| found.identity()), expected, "{name}");
}

#[test]
fn of_an_exact_name_and_a_wildcard_the_last_in_order_of_names_wins() {
    let set = certificates(&[
        named(&["*.example.com"]),
        named(&["www.example.com"]),
        // Traefik walks from the last to the first, so that this one comes after `*.example.com`.
        named(&["*.but.test", "api.example.com"]),
    ]);
    check(&set, "www.example.com", Some("www.example.com"));
    check(&set, "api.example.com", Some("*.example.com"));
    check(&set, "other.example.com", Some("*.example.com"));
    check(&set, "a.but.test", Some("*.but.test,api.example.com"));
}

#[test]
fn names_are_joined_as_traefik_joins_them() {
    // Letter for letter the common name is another one, and stands beside it.
    let set = certificates(&[
        Entry::new(self_signed(&parameters("ONE.test", &["one.test"]))),
        Entry::new(self_signed(&parameters("one.test", &["one.test"]))),
        Entry::new(self_signed(&parameters("", &["two.test", "two.test"]))),
    ]);
    check(&set, "one.test", Some("one.test,one.test"));
    check(&set, "two.test", Some("two.test,two.test"));
}

#[test]
fn a_client_that_understands_rsa_alone_gets_a_generated_certificate_of_rsa() {
    let generated = generated();
    let first = generated.certified(&[], &[SignatureScheme::ECDSA_NISTP256_SHA256]);
    assert!(Arc::ptr_eq(&first, &generated.certificate().certified()));
    let schemes = [SignatureScheme::RSA_PSS_SHA256];
    let second = generated.certified(&[], &schemes);
    assert!(second.key.choose_scheme(&schemes).is_some());
    let suites =
        [CipherSuite::TLS13_AES_128_GCM_SHA256, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
    let both = [SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256];
    assert!(Arc::ptr_eq(&second, &generated.clone().certified(&suites, &both)));
    assert!(Arc::ptr_eq(&first, &generated.certified(&suites[..1], &both)));
}

#[test]
fn a_wildcard_stands_for_one_label() {
    let set = certificates(&[named(&["*.example.com"])]);
    check(&set, "a.example.com", Some("*.example.com"));
    check(&set, "a.b.example.com", None);
    check(&set, "example.com", None);
}

#[test]
fn letter_case_and_a_trailing_dot_do_not_matter() {
    let set = certificates(&[named(&["Www.Example.Com"]), named(&["*.EXAMPLE.org"])]);
    check(&set, "wWw.eXample.com", Some("www.example.com"));
    check(&set, "www.example.com.", Some("www.example.com"));
    check(&set, "A.Example.Org.", Some("*.example.org"));
}

#[test]
fn the_common_name_and_addresses_are_names_too() {
    let set = certificates(&[Entry::new(self_signed(&parameters(
        "Common.Test",
        &["alternative.test", "192.0.2.7", "2001:db8::7"],
    )))]);
    let all = "192.0.2.7,2001:db8::7,alternative.test,common.test";
    check(&set, "common.test", Some(all));
    check(&set, "alternative.test", Some(all));
    for address in ["192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"] {
        let found = set.find_address(address.parse().unwrap());
        assert_eq!(found.map(|found| found.identity()), Some(all), "{address}");
    }
    assert!(set.find_address("192.0.2.8".parse().unwrap()).is_none());
}

#[test]
fn of_certificates_that_share_a_name_the_last_in_order_of_names_wins() {
    let one = named(&["a.test", "shared.test"]);
    let two = named(&["b.test", "shared.test"]);
    for order in [[one.clone(), two.clone()], [two, one]] {
        check(&certificates(&order), "shared.test", Some("b.test,shared.test"));
    }
}

#[test]
fn of_certificates_with_the_same_names_the_first_stays() {
    let (first, second) = (named(&["a.test"]), named(&["a.test"]));
    let entries = [first.clone(), second, first.clone()];
    let (set, problems) =
        Certificates::compile(&entries, &BTreeMap::new(), None, &generated(), now());
    let shown = set.find("a.test").unwrap().certified().cert[0].to_vec();
    let expected = LoadedCertificate::load(&first.spec).unwrap();
    assert_eq!(shown, expected.certified().cert[0].to_vec());
    // The same certificate again is no mistake.
    assert_eq!(problems.certificates[0], []);
    assert_eq!(problems.certificates[2], []);
    assert_eq!(problems.certificates[1][0].severity, Severity::Warning);
    assert_eq!(
        problems.certificates[1][0].message,
        "another certificate for the same names `a.test` came first: this one is not served"
    );
}

#[test]
fn unchanged_material_is_not_parsed_again() {
    let entries = [named(&["a.test"]), Entry::new(pair("x", "y"))];
    let generated = generated();
    let stores = stores(self_signed(&parameters("", &["default.test"])));
    let (first, before) = Certificates::compile(&entries, &stores, None, &generated, now());
    let added = [entries[1].clone(), named(&["b.test"]), entries[0].clone()];
    let (second, after) = Certificates::compile(&added, &stores, Some(&first), &generated, now());
    let same = |name| {
        std::ptr::eq(first.find(name).unwrap().as_ref(), second.find(name).unwrap().as_ref())
    };
    assert!(same("a.test"));
    assert!(std::sync::Arc::ptr_eq(first.default_certificate(), second.default_certificate()));
    assert_eq!(before.certificates[1], after.certificates[0]);
}

#[test]
fn the_default_is_the_stores_or_generated() {
    let generated = generated();
    let (set, _) = Certificates::compile(&[], &BTreeMap::new(), None, &generated, now());
    assert!(std::sync::Arc::ptr_eq(set.default_certificate(), generated.certificate()));

    let stores_ = stores(self_signed(&parameters("", &["mine.test"])));
    let (set, _) = Certificates::compile(&[], &stores_, None, &generated, now());
    assert_eq!(set.default_certificate().identity(), "mine.test");
    // It is good for no name: a strict choice refuses it.
    check(&set, "mine.test", None);

    let (set, problems) =
        Certificates::compile(&[], &stores(pair("nonsense", "")), None, &generated, now());
    assert!(std::sync::Arc::ptr_eq(set.default_certificate(), generated.certificate()));
    let problem = &problems.stores["default"][0];
    assert_eq!(problem.field, "defaultCertificate.certFile");
    assert_eq!(problem.severity, Severity::Error);
}

#[test]
fn other_stores_have_no_effect_and_say_so() {
    let mut entry = named(&["a.test"]);
    entry.spec_mut().stores = vec!["mine".to_owned()];
    let stores = BTreeMap::from([("mine".to_owned(), Entry::default())]);
    let (set, problems) = Certificates::compile(&[entry], &stores, None, &generated(), now());
    check(&set, "a.test", None);
    assert_eq!(problems.certificates[0][0].field, "stores");
    assert_eq!(problems.stores["mine"][0].severity, Severity::Warning);
}

#[test]
fn the_generated_certificate_looks_like_traefiks() {
    let generated = generated();
    let names: Vec<&str> = generated.certificate().names().collect();
    assert_eq!(names.len(), 2);
    let (random, rest) = names[0].split_once(".traefik.default").unwrap();
    assert_eq!((random.len(), random.find('.'), rest), (65, Some(32), ""));
    assert_eq!(names[1], "traefik default cert");
    let year = generated.certificate().not_after() - i64::try_from(now().as_secs()).unwrap();
    assert!((31_535_000..=31_536_000).contains(&year), "{year}");
    assert!(generated.certificate().problem_at(now()).is_none());
}

#[test]
fn expired_certificates_are_served_with_a_warning() {
    let dated = |from, to| {
        let mut parameters = parameters("", &["old.test"]);
        parameters.not_before = date_time_ymd(from, 1, 1);
        parameters.not_after = date_time_ymd(to, 1, 1);
        Entry::new(self_signed(&parameters))
    };
    for (from, to, what) in [(2001, 2002, "expired"), (3001, 3002, "is not valid yet")] {
        let (set, problems) =
            Certificates::compile(&[dated(from, to)], &BTreeMap::new(), None, &generated(), now());
        check(&set, "old.test", Some("old.test"));
        assert_eq!(problems.certificates[0][0].severity, Severity::Warning);
        assert_eq!(
            problems.certificates[0][0].message,
            format!("the certificate for `old.test` {what}; clients will refuse it")
        );
    }
}

#[test]
fn every_form_of_key_is_read() {
    // Made by OpenSSL: `genrsa`, `genrsa -traditional`, `ecparam -genkey`, `genpkey`.
    for (cert, key) in [
        ("rsa.crt", "rsa-pkcs8.key"),
        ("rsa.crt", "rsa-pkcs1.key"),
        ("p256.crt", "p256-sec1.key"),
        ("p384.crt", "p384-pkcs8.key"),
        ("ed25519.crt", "ed25519.key"),
        ("version-1.crt", "version-1.key"),
    ] {
        let read = |name| std::fs::read(format!("{FIXTURES}/{name}")).unwrap();
        let loaded = LoadedCertificate::load(&pair(read(cert), read(key)));
        assert_eq!(
            loaded.map(|loaded| loaded.identity().to_owned()),
            Ok("test".to_owned()),
            "{key}"
        );
    }
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/keys");

/// A section's base64 under another heading.
fn headed(pem: &str, heading: &str) -> String {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let body: Vec<&str> = lines.collect();
    format!("-----BEGIN {heading}-----\n{}\n-----END {heading}-----\n", body.join("\n"))
}

#[test]
fn keys_are_known_by_what_they_are() {
    let read = |name| std::fs::read_to_string(format!("{FIXTURES}/{name}")).unwrap();
    for (certificate, key) in [
        ("rsa.crt", "rsa-pkcs1.key"),
        ("rsa.crt", "rsa-pkcs8.key"),
        ("p256.crt", "p256-sec1.key"),
        ("p384.crt", "p384-pkcs8.key"),
        ("ed25519.crt", "ed25519.key"),
    ] {
        for heading in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            // Without the parameters of the curve, which come first in some files.
            let key = read(key);
            let start = key.rfind("-----BEGIN").unwrap();
            let loaded =
                LoadedCertificate::load(&pair(read(certificate), headed(&key[start..], heading)));
            assert!(loaded.is_ok(), "{certificate}, {heading}: {loaded:?}");
        }
    }
}

#[test]
fn sections_that_begin_where_another_ends_are_read() {
    let good = self_signed(&CertificateParams::new(["a.test".to_owned()]).unwrap());
    let [cert, key] =
        [good.cert.content, good.key.content].map(|text| String::from_utf8(text).unwrap());
    let (cert, key) = (cert.trim_end(), key.trim_end());
    for glued in [format!("{cert}{cert}{cert}{key}"), format!("{cert}\n{cert}{cert}")] {
        assert_eq!(crate::pem::certificates(glued.as_bytes()).unwrap().len(), 3);
    }
    let glued = format!("{cert}{key}");
    assert!(LoadedCertificate::load(&pair(glued.as_str(), glued.as_str())).is_ok());
}

#[test]
fn every_bad_certificate_says_what_to_mend() {
    let good = self_signed(&CertificateParams::new(["a.test".to_owned()]).unwrap());
    let (cert, key) = (good.cert.content, good.key.content);
    let other = KeyPair::generate().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let cut = |bytes: &[u8]| text(bytes).replace("-----END", "");
    let read = |name| std::fs::read(format!("{FIXTURES}/{name}")).unwrap();

    #[track_caller]
    fn check(cert: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>, field: &str, message: &str) {
        let bad = LoadedCertificate::load(&pair(cert, key)).unwrap_err();
        assert_eq!((bad.field(), bad.to_string().as_str()), (field, message));
    }
    let c = "certFile";
    check("", key.clone(), c, "the certificate is empty");
    check(
        "/no/such/file",
        key.clone(),
        c,
        "the certificate is not PEM: no `-----BEGIN CERTIFICATE-----` is in it",
    );
    check(
        other.serialize_pem(),
        key.clone(),
        c,
        "a private key stands where the certificate belongs",
    );
    check(
        cut(&cert),
        key.clone(),
        c,
        "the certificate's PEM is damaged: a section does not end or is no base64",
    );
    check(
        [0x30, 0x82, 1, 2],
        key.clone(),
        c,
        "the certificate is DER, not PEM; convert it with `openssl x509 -inform der -in FILE`",
    );
    check(
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        key.clone(),
        c,
        "the certificate is PEM but no X.509 certificate",
    );
    let k = "keyFile";
    check(cert.clone(), " \n", k, "the private key is empty");
    check(
        cert.clone(),
        "nonsense",
        k,
        "the private key is not PEM: no `-----BEGIN PRIVATE KEY-----` is in it",
    );
    check(
        cert.clone(),
        [0x30, 0x82, 1, 2],
        k,
        "the private key is DER, not PEM; convert it with `openssl pkey -inform der -in FILE`",
    );
    check(
        cert.clone(),
        cut(&key),
        k,
        "the private key's PEM is damaged: a section does not end or is no base64",
    );
    check(cert.clone(), cert.clone(), k, "a certificate stands where the private key belongs");
    for name in ["encrypted-pkcs8.key", "encrypted-pkcs1.key"] {
        check(
            cert.clone(),
            read(name),
            k,
            "the private key is encrypted; decrypt it with `openssl pkey -in FILE`",
        );
    }
    let unsupported = "the private key is damaged or of no served kind: RSA of 2048 to 8192 bits, \
                       ECDSA on P-256, P-384 or P-521, Ed25519";
    check(
        cert.clone(),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        k,
        unsupported,
    );
    check(cert.clone(), read("rsa-1024.key"), k, unsupported);
    check(cert, other.serialize_pem(), k, "the private key does not belong to the certificate");
}

#[test]
fn a_bad_certificate_costs_only_itself() {
    let entries = [named(&["a.test"]), Entry::new(pair("x", "y")), named(&["b.test"])];
    let (set, problems) =
        Certificates::compile(&entries, &BTreeMap::new(), None, &generated(), now());
    check(&set, "a.test", Some("a.test"));
    check(&set, "b.test", Some("b.test"));
    assert_eq!(problems.certificates[1], [BadCertificate::NotPem.problem()]);
}

#[test]
fn a_certificate_without_names_is_not_served_and_says_so() {
    let (set, problems) =
        Certificates::compile(&[named(&[])], &BTreeMap::new(), None, &generated(), now());
    check(&set, "", None);
    assert_eq!(
        problems.certificates[0][0].message,
        "the certificate holds no name: it is not served"
    );
}

#[test]
fn nothing_prints_a_key() {
    let entry = named(&["a.test"]);
    let loaded = LoadedCertificate::load(&entry.spec).unwrap();
    assert_eq!(format!("{loaded:?}"), "LoadedCertificate(a.test)");
    let set = certificates(std::slice::from_ref::<Entry<Certificate>>(&entry));
    assert!(!format!("{set:?}").contains("PRIVATE"));
    assert!(format!("{:?}", generated()).starts_with("LoadedCertificate("));
}
