use portway_model::{
    Entry, Problem, Severity,
    dynamic::{ClientAuth, Material, TlsOptions},
};

use super::fixtures::*;
use crate::Options;

/// The problems of options, and whether they can be used.
fn compile(options: TlsOptions) -> (bool, Vec<Problem>) {
    let (compiled, mut problems) =
        Options::compile(&self::options(&[("o@file", options)]), &certificates(&[]), None);
    (compiled.get("o@file").is_some(), problems.remove("o@file").unwrap_or_default())
}

#[track_caller]
fn refused(options: TlsOptions, field: &str, message: &str) {
    let (usable, problems) = compile(options);
    assert_eq!(problems, [Problem::error(field, message)]);
    assert!(!usable);
}

#[track_caller]
fn warned(options: TlsOptions, field: &str, message: &str) {
    let (usable, problems) = compile(options);
    assert_eq!(problems, [Problem::warning(field, message)]);
    assert!(usable);
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn versions(min: &str, max: &str) -> TlsOptions {
    TlsOptions { min_version: min.into(), max_version: max.into(), ..TlsOptions::default() }
}

fn suites(list: &[&str]) -> TlsOptions {
    TlsOptions { cipher_suites: strings(list), ..TlsOptions::default() }
}

fn curves(list: &[&str]) -> TlsOptions {
    TlsOptions { curve_preferences: strings(list), ..TlsOptions::default() }
}

fn client_auth(kind: &str, authorities: &[&str]) -> TlsOptions {
    let authorities = authorities.iter().map(|pem| Material::inline(*pem)).collect();
    let client_auth = ClientAuth { authorities, client_auth_type: kind.into() };
    TlsOptions { client_auth, ..TlsOptions::default() }
}

#[test]
fn nothing_written_is_no_problem() {
    assert_eq!(compile(TlsOptions::default()), (true, vec![]));
    assert_eq!(compile(versions("VersionTLS12", "VersionTLS13")), (true, vec![]));
    assert_eq!(compile(versions("VersionTLS13", "VersionTLS13")), (true, vec![]));
}

#[test]
fn versions_below_tls_1_2_are_reported() {
    warned(
        versions("VersionTLS10", ""),
        "minVersion",
        "`VersionTLS10` is not served: TLS 1.2 is the least",
    );
    refused(
        versions("", "VersionTLS11"),
        "maxVersion",
        "`VersionTLS11` is not served, TLS 1.2 is the least: the hosts of these options are refused",
    );
    refused(
        versions("VersionTLS13", "VersionTLS12"),
        "maxVersion",
        "`VersionTLS12` is below `VersionTLS13`",
    );
}

#[test]
fn an_unknown_version_has_no_effect_and_says_so() {
    warned(
        versions("VersionTLS31", ""),
        "minVersion",
        "no effect: unknown version VersionTLS31; did you mean VersionTLS13?",
    );
}

#[test]
fn suites_are_known_by_name() {
    assert_eq!(compile(suites(&["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"])), (true, vec![]));
    refused(
        suites(&["TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265"]),
        "cipherSuites[1]",
        "invalid CipherSuite: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265; \
         did you mean TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256?",
    );
    let weak = "TLS_RSA_WITH_AES_128_CBC_SHA";
    warned(
        suites(&[weak, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]),
        "cipherSuites",
        "TLS_RSA_WITH_AES_128_CBC_SHA are never offered, as they lack forward secrecy or \
         authenticated encryption",
    );
    warned(
        suites(&[weak]),
        "cipherSuites",
        "TLS_RSA_WITH_AES_128_CBC_SHA are never offered, as they lack forward secrecy or \
         authenticated encryption",
    );
    refused(
        TlsOptions { max_version: "VersionTLS12".into(), ..suites(&["TLS_AES_128_GCM_SHA256"]) },
        "cipherSuites",
        "no suite is left for the versions allowed: the hosts of these options are refused",
    );
}

#[test]
fn suites_that_choose_nothing_are_reported() {
    let new = "TLS_AES_128_GCM_SHA256";
    let alone = "only suites of TLS 1.3 are named, all of which are offered anyway: \
                 TLS 1.2 is not spoken";
    warned(suites(&[new, "TLS_CHACHA20_POLY1305_SHA256"]), "cipherSuites", alone);
    let old = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    assert_eq!(compile(suites(&[new, old])), (true, vec![]));
    for suite in [new, old] {
        warned(
            TlsOptions { min_version: "VersionTLS13".into(), ..suites(&[suite]) },
            "cipherSuites",
            "no effect: TLS 1.3 is spoken alone, and all of its suites are offered",
        );
    }
}

#[test]
fn authorities_that_nobody_is_verified_by_are_reported() {
    let authority = Authority::new("good").pem;
    for (kind, effect) in [
        ("NoClientCert", "no effect"),
        ("RequestClientCert", "clients are told of them, and any certificate is taken"),
        ("RequireAnyClientCert", "clients are told of them, and any certificate is taken"),
    ] {
        warned(
            client_auth(kind, &[&authority]),
            "clientAuth.caFiles",
            &format!("`{kind}` verifies nobody by these authorities: {effect}"),
        );
    }
    for kind in ["", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] {
        assert_eq!(compile(client_auth(kind, &[&authority])), (true, vec![]), "{kind}");
    }
}

#[test]
fn each_text_of_authorities_must_have_one() {
    let authority = Authority::new("good").pem;
    let none = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for kind in ["NoClientCert", "RequestClientCert", "RequireAnyClientCert", ""] {
        refused(
            client_auth(kind, &[&authority, none]),
            "clientAuth.caFiles[1]",
            "none of its certificates can be used",
        );
    }
    let (good, _) = compile(client_auth("", &[&format!("{authority}{none}")]));
    assert!(good, "one is enough");
}

#[test]
fn curves_are_known_by_both_names() {
    let known = ["CurveP256", "secp384r1", "X25519", "X25519MLKEM768", "SecP256r1MLKEM768"];
    assert_eq!(compile(curves(&known)), (true, vec![]));
    assert_eq!(compile(curves(&["CurveP521", "secp521r1"])), (true, vec![]));
    let large = "SecP384r1MLKEM1024";
    warned(curves(&[large, "CurveP256"]), "curvePreferences", &format!("not served: {large}"));
    refused(
        curves(&[large]),
        "curvePreferences",
        &format!("only curves that are not served: {large}"),
    );
    refused(
        curves(&["CurveP255"]),
        "curvePreferences[0]",
        "invalid CurveID in curvePreferences: CurveP255; did you mean CurveP256?",
    );
}

#[test]
fn verifying_clients_needs_an_authority() {
    for kind in ["VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] {
        refused(
            client_auth(kind, &[]),
            "clientAuth.caFiles",
            &format!("invalid clientAuthType: {kind}, CAFiles is required"),
        );
    }
    refused(
        client_auth("RequestClientCerts", &[]),
        "clientAuth.clientAuthType",
        "unknown client auth type \"RequestClientCerts\"; did you mean RequestClientCert?",
    );
    refused(
        client_auth("", &[&Authority::new("good").pem, "nonsense"]),
        "clientAuth.caFiles[1]",
        "the certificate is not PEM: no `-----BEGIN CERTIFICATE-----` is in it",
    );
    for kind in ["NoClientCert", "RequestClientCert", "RequireAnyClientCert"] {
        assert_eq!(compile(client_auth(kind, &[])), (true, vec![]), "{kind}");
    }
}

#[test]
fn protocols_are_offered_as_they_are_written() {
    let offered = |list: &[&str]| {
        let options = TlsOptions { alpn_protocols: strings(list), ..TlsOptions::default() };
        let (compiled, mut problems) =
            Options::compile(&self::options(&[("o", options)]), &certificates(&[]), None);
        let protocols = compiled.get("o").unwrap().config().alpn_protocols.clone();
        (protocols, problems.remove("o").unwrap_or_default())
    };
    let (http1, http2) = (b"http/1.1".to_vec(), b"h2".to_vec());
    assert_eq!(offered(&[]), (vec![http2.clone(), http1.clone()], vec![]));
    let acme = b"acme-tls/1".to_vec();
    assert_eq!(offered(&["http/1.1", "acme-tls/1"]), (vec![http1.clone(), acme], vec![]));
    assert_eq!(offered(&["h2"]), (vec![http2], vec![]));
    let (protocols, problems) = offered(&[""]);
    assert_eq!(protocols, [http1]);
    assert_eq!(problems[0].field, "alpnProtocols[0]");
    let (protocols, problems) = offered(&["h2", "HTTP/1.1", "own"]);
    assert_eq!(protocols, [&b"h2"[..], b"HTTP/1.1", b"own"]);
    let message = "`HTTP/1.1` is another protocol: letters count; did you mean `http/1.1`?";
    assert_eq!(problems, [Problem::warning("alpnProtocols[1]", message)]);
}

#[test]
fn options_disabled_by_their_source_are_refused() {
    let disabled =
        Entry::new(TlsOptions::default()).with(vec![Problem::error("clientAuth", "no Secret")]);
    let (compiled, problems) =
        Options::compile(&[("o".to_owned(), disabled)].into(), &certificates(&[]), None);
    assert!(compiled.get("o").is_none());
    assert_eq!(compiled.refused("o"), Some("no Secret"));
    // The reason is there already.
    assert!(problems.is_empty());
}

#[test]
fn invalid_default_options_are_not_replaced_by_the_built_in_ones() {
    let certificates = certificates(&[]);
    let (built_in, _) = Options::compile(&options(&[]), &certificates, None);
    assert!(built_in.get("default").is_some());
    let written = options(&[("default", suites(&["nonsense"]))]);
    let (compiled, problems) = Options::compile(&written, &certificates, None);
    assert!(compiled.get("default").is_none());
    assert_eq!(problems["default"][0].severity, Severity::Error);
}
