use std::collections::BTreeMap;

use super::*;
use crate::testing::{get, listed, request, shown};

fn response(config: &dynamic::Security, fields: &[(&str, &str)], tls: bool) -> Vec<String> {
    let mut headers = Fields::new();
    Security::compile(config, &mut Vec::new()).on_response(&mut headers, &get("/", fields), tls);
    listed(&headers)
}

#[track_caller]
fn check(config: &dynamic::Security, expected: &[&str]) {
    assert_eq!(response(config, &[], false), expected, "{config:?}");
}

#[test]
fn each_setting_has_its_field() {
    let config = dynamic::Security {
        frame_deny: true,
        content_type_nosniff: true,
        browser_xss_filter: true,
        content_security_policy: "default-src 'self'".to_owned(),
        content_security_policy_report_only: "img-src *".to_owned(),
        referrer_policy: "same-origin".to_owned(),
        permissions_policy: "camera=()".to_owned(),
        ..Default::default()
    };
    check(
        &config,
        &[
            "X-Frame-Options: DENY",
            "X-Content-Type-Options: nosniff",
            "X-Xss-Protection: 1; mode=block",
            "Referrer-Policy: same-origin",
            "Permissions-Policy: camera=()",
            "Content-Security-Policy: default-src 'self'",
            "Content-Security-Policy-Report-Only: img-src *",
        ],
    );
    let config = dynamic::Security {
        custom_frame_options_value: "SAMEORIGIN".to_owned(),
        custom_browser_xss_value: "0".to_owned(),
        ..config
    };
    let shown = response(&config, &[], false);
    assert_eq!(shown[0], "X-Frame-Options: SAMEORIGIN");
    assert_eq!(shown[2], "X-Xss-Protection: 0");
}

#[test]
fn what_the_server_said_is_replaced() {
    let config = dynamic::Security { frame_deny: true, ..Default::default() };
    let mut headers = Fields::new();
    headers.append(FRAME_OPTIONS, "a");
    headers.append(FRAME_OPTIONS, "b");
    Security::compile(&config, &mut Vec::new()).on_response(&mut headers, &get("/", &[]), false);
    assert_eq!(listed(&headers), ["X-Frame-Options: DENY"]);
}

#[test]
fn transport_security_is_said_over_tls() {
    let proxied = BTreeMap::from([("X-Proto".to_owned(), "https".to_owned())]);
    let config = dynamic::Security {
        sts_seconds: Some(31),
        sts_include_subdomains: true,
        sts_preload: true,
        ssl_proxy_headers: proxied,
        public_key: "pin".to_owned(),
        ..Default::default()
    };
    let transport = "Strict-Transport-Security: max-age=31; includeSubDomains; preload".to_owned();
    let both = [transport.clone(), "Public-Key-Pins: pin".to_owned()];
    assert_eq!(response(&config, &[], true), both);
    assert_eq!(response(&config, &[("X-Proto", "https")], false), both);
    assert_eq!(response(&config, &[("X-Proto", "HTTPS")], false).len(), 0);
    let forced = dynamic::Security { force_sts_header: true, ..config.clone() };
    assert_eq!(response(&forced, &[], false), [transport]);
    let development = dynamic::Security { is_development: true, ..forced };
    assert_eq!(response(&development, &[], true).len(), 0);
    let none = dynamic::Security { sts_seconds: Some(0), public_key: String::new(), ..config };
    assert_eq!(response(&none, &[], true).len(), 0);
}

#[test]
fn only_allowed_hosts_are_answered() {
    let config = dynamic::Security {
        allowed_hosts: vec!["a.test".to_owned(), "b.test:81".to_owned()],
        hosts_proxy_headers: vec!["X-Host".to_owned(), "X Bad".to_owned(), "X-Other".to_owned()],
        ..Default::default()
    };
    let mut problems = Vec::new();
    let security = Security::compile(&config, &mut problems);
    assert!(shown(&problems)[0].starts_with("Warning headers.hostsProxyHeaders: \"X Bad\": "));
    for (host, fields, expected) in [
        ("a.test", &[][..], true),
        ("A.TEST", &[], true),
        ("a.test:80", &[], false),
        ("b.test:81", &[], true),
        ("c.test", &[], false),
        ("c.test", &[("X-Host", "a.test")], true),
        ("a.test", &[("X-Host", "c.test")], false),
        ("a.test", &[("X-Host", ""), ("X-Other", "c.test")], false),
    ] {
        let request = request("GET", "/", host, fields);
        assert_eq!(security.allows_host(&request), expected, "{host} {fields:?}");
    }
    let development = dynamic::Security { is_development: true, ..config };
    let security = Security::compile(&development, &mut Vec::new());
    assert!(security.allows_host(&request("GET", "/", "c.test", &[])));
}

#[test]
fn each_response_has_a_nonce_of_its_own() {
    let config = dynamic::Security {
        content_security_policy: "script-src $NONCE; style-src $NONCE".to_owned(),
        content_security_policy_report_only: "img-src 100%".to_owned(),
        ..Default::default()
    };
    let (first, second) = (response(&config, &[], false), response(&config, &[], false));
    assert_eq!(first[0], "Content-Security-Policy-Report-Only: img-src 100%");
    let policy = first[1].strip_prefix("Content-Security-Policy: script-src 'nonce-").unwrap();
    let (nonce, rest) = policy.split_once('\'').unwrap();
    assert_eq!((nonce.len(), rest), (22, format!("; style-src 'nonce-{nonce}'").as_str()));
    assert_ne!(first[1], second[1]);
}
