use std::sync::Arc;

use portway_model::{
    Problem,
    dynamic::{ClientAuth, Material, TlsOptions},
};

use super::fixtures::*;
use crate::{Applied, Choice, EntryPointTls, Hello, Options, Refusal};

fn verifying() -> TlsOptions {
    let authorities = vec![Material::inline(Authority::new("clients").pem)];
    let client_auth = ClientAuth { authorities, client_auth_type: String::new() };
    TlsOptions { client_auth, ..TlsOptions::default() }
}

fn compiled() -> Options {
    let bad = TlsOptions { cipher_suites: vec!["nonsense".into()], ..TlsOptions::default() };
    let client_auth =
        ClientAuth { client_auth_type: "RequireAnyClientCert".into(), ..ClientAuth::default() };
    let written = options(&[
        ("any@file", TlsOptions { client_auth, ..TlsOptions::default() }),
        ("modern@file", TlsOptions { min_version: "VersionTLS13".into(), ..Default::default() }),
        ("other@file", TlsOptions::default()),
        ("mutual@file", verifying()),
        ("strict@file", TlsOptions { sni_strict: true, ..Default::default() }),
        ("bad@file", bad),
    ]);
    Options::compile(&written, &certificates(&[named(&["known.test"])]), None).0
}

/// The name of the options chosen, or why not.
fn chosen(entry: &EntryPointTls, name: &str) -> Result<String, Refusal> {
    let server_name = Some(name).filter(|name| !name.is_empty());
    match entry.choose(&Hello { server_name, ..Hello::default() }) {
        Choice::Serve { options, .. } => Ok(options.to_string()),
        Choice::Refuse(refusal) => Err(refusal),
    }
}

#[track_caller]
fn check(entry: &EntryPointTls, name: &str, expected: &str) {
    assert_eq!(chosen(entry, name).as_deref(), Ok(expected), "{name}");
}

fn fine(options: &str) -> Applied {
    Applied { options: options.into(), conflicted: false, problem: None }
}

#[test]
fn options_follow_the_server_name() {
    let entry = entry(
        &[
            ("A.test b.test.", Some("modern@file")),
            ("*.wild.test", Some("other@file")),
            ("exact.wild.test", None),
        ],
        &compiled(),
    );
    for name in ["a.test", "A.TEST", "a.test.", "b.test"] {
        check(&entry, name, "modern@file");
    }
    check(&entry, "x.wild.test", "other@file");
    check(&entry, "x.y.wild.test", "default");
    check(&entry, "exact.wild.test", "default");
    check(&entry, "unknown.test", "default");
    check(&entry, "", "default");
}

#[test]
fn a_host_with_different_options_falls_back_to_the_default_ones() {
    let (entry, applied) = applied(
        &[
            ("a.test only.test", Some("modern@file")),
            ("A.test", Some("other@file")),
            ("a.test", None),
            ("b.test", Some("modern@file")),
        ],
        &compiled(),
    );
    check(&entry, "a.test", "default");
    check(&entry, "only.test", "default");
    check(&entry, "b.test", "modern@file");
    let conflict = Problem::warning(
        "tls.options",
        "router's TLSOptions configuration is conflicting with other routers on the same \
         entrypoint and host, default TLS options will be used instead",
    );
    let fallen = |problem| Applied { options: "default".into(), conflicted: true, problem };
    assert_eq!(
        applied,
        [fallen(Some(conflict.clone())), fallen(Some(conflict)), fallen(None), fine("modern@file")]
    );
}

#[test]
fn a_conflict_elsewhere_does_not_lower_a_hosts_options() {
    let (entry, applied) = applied(
        &[
            ("a.test b.test", Some("modern@file")),
            ("a.test", Some("other@file")),
            ("b.test", Some("modern@file")),
        ],
        &compiled(),
    );
    check(&entry, "b.test", "modern@file");
    // The first router's requests for b.test are then misdirected: the names differ.
    assert_eq!(&*applied[0].options, "default");
    assert_eq!(&*applied[2].options, "modern@file");
}

#[test]
fn a_dot_at_the_end_makes_another_name_that_comes_first() {
    let routers = [("a.test", Some("modern@file")), ("a.test.", Some("other@file"))];
    let (entry, applied) = applied(&routers, &compiled());
    assert_eq!(applied, [fine("modern@file"), fine("other@file")]);
    check(&entry, "a.test", "other@file");
}

#[test]
fn a_router_without_hosts_gets_the_default_options() {
    let (entry, applied) = applied(&[("", Some("modern@file")), ("", None)], &compiled());
    check(&entry, "any.test", "default");
    let warning = Problem::warning(
        "tls.options",
        "no domain found in rule R, the TLS option modern@file cannot be applied",
    );
    assert_eq!(
        applied,
        [
            Applied { options: "default".into(), conflicted: true, problem: Some(warning) },
            fine("default")
        ]
    );
}

#[test]
fn giving_up_client_certificates_is_an_error() {
    for routers in [
        vec![("a.test", Some("mutual@file")), ("a.test", None)],
        vec![("", Some("mutual@file"))],
        vec![("a.test", Some("any@file")), ("a.test", None)],
        vec![("", Some("any@file"))],
    ] {
        let (_, applied) = applied(&routers, &compiled());
        let problem = applied[0].problem.as_ref().unwrap();
        assert_eq!(problem.severity, portway_model::Severity::Error, "{routers:?}");
    }
}

#[test]
fn hosts_of_unusable_options_are_refused() {
    let (entry, applied) = applied(
        &[("a.test", Some("bad@file")), ("b.test", Some("modren@file")), ("c.test", Some("zz"))],
        &compiled(),
    );
    for name in ["a.test", "b.test", "c.test"] {
        assert_eq!(chosen(&entry, name), Err(Refusal::InvalidOptions), "{name}");
    }
    check(&entry, "d.test", "default");
    let messages: Vec<_> =
        applied.iter().map(|applied| applied.problem.as_ref().unwrap().message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "building TLS config: invalid CipherSuite: nonsense",
            "unknown TLS options: modren@file; did you mean modern@file?",
            "unknown TLS options: zz",
        ]
    );
    assert_eq!(Refusal::InvalidOptions.alert(), None);
}

#[test]
fn invalid_default_options_refuse_every_other_name() {
    let bad = TlsOptions { cipher_suites: vec!["nonsense".into()], ..TlsOptions::default() };
    let written = options(&[("default", bad), ("o@file", TlsOptions::default())]);
    let options = Options::compile(&written, &certificates(&[]), None).0;
    let entry = entry(&[("a.test", Some("o@file")), ("b.test", None)], &options);
    check(&entry, "a.test", "o@file");
    for name in ["b.test", "c.test", ""] {
        assert_eq!(chosen(&entry, name), Err(Refusal::InvalidOptions), "{name}");
    }
}

#[test]
fn strict_options_refuse_names_without_a_certificate() {
    let strict = Some("strict@file");
    let entry = entry(&[("known.test", strict), ("unknown.test", strict)], &compiled());
    check(&entry, "known.test", "strict@file");
    assert_eq!(chosen(&entry, "unknown.test"), Err(Refusal::UnknownServerName));
    assert_eq!(Refusal::UnknownServerName.alert(), Some(&[21, 3, 3, 0, 2, 2, 112][..]));
}

#[test]
fn a_star_stands_for_every_name_that_nobody_claims() {
    let entry = entry(&[("*", Some("modern@file")), ("a.test", None)], &compiled());
    check(&entry, "other.test", "modern@file");
    check(&entry, "", "modern@file");
    check(&entry, "a.test", "default");
}

#[test]
fn a_router_without_hosts_does_not_lower_what_every_name_gets() {
    let routers = [("*", Some("any@file")), ("", None)];
    let (entry, applied) = applied(&routers, &compiled());
    assert_eq!(applied, [fine("any@file"), fine("default")]);
    check(&entry, "other.test", "any@file");
    check(&entry, "", "any@file");
}

#[test]
fn the_order_of_routers_does_not_matter() {
    let mut routers = vec![
        ("a.test c.test", Some("modern@file")),
        ("a.test b.test", Some("other@file")),
        ("b.test c.test", None),
        ("d.test", Some("other@file")),
        ("", Some("modern@file")),
    ];
    let options = compiled();
    let names = ["a.test", "b.test", "c.test", "d.test", "e.test", ""];
    let expected: Vec<_> =
        names.iter().map(|name| chosen(&entry(&routers, &options), name)).collect();
    for _ in 0..routers.len() {
        routers.rotate_left(1);
        let entry = entry(&routers, &options);
        let found: Vec<_> = names.iter().map(|name| chosen(&entry, name)).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn the_applied_name_is_the_connections_name() {
    // The 421 check compares them.
    let (entry, applied) = applied(&[("a.test", Some("modern@file"))], &compiled());
    let Choice::Serve { options, .. } =
        entry.choose(&Hello { server_name: Some("a.test"), ..Hello::default() })
    else {
        panic!("refused");
    };
    assert_eq!(options, applied[0].options);
    assert!(Arc::strong_count(&options) > 1);
}
