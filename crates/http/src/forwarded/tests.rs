//! What is believed of a peer, and what is written.

use super::*;

fn headers(fields: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in fields {
        headers.push_wire(name.as_bytes(), value.as_bytes()).unwrap();
    }
    headers
}

fn shown(headers: &Headers) -> Vec<String> {
    let mut lines: Vec<_> = headers
        .iter()
        .map(|field| format!("{}: {}", field.name, String::from_utf8_lossy(field.value)))
        .collect();
    lines.sort();
    lines
}

fn everybody() -> TrustedPeers {
    TrustedPeers { insecure: true, ..TrustedPeers::default() }
}

fn trusting() -> ForwardedRules {
    ForwardedRules { peers: everybody(), ..ForwardedRules::default() }
}

fn peer() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

#[track_caller]
fn check(rules: &ForwardedRules, given: &[(&str, &str)], host: &str, tls: bool, expected: &[&str]) {
    let mut fields = headers(given);
    rules.apply(&mut fields, host, peer(), tls);
    assert_eq!(shown(&fields), expected);
}

#[test]
fn a_peer_that_is_not_trusted_is_not_believed_in_any_spelling() {
    let given = [
        ("x-forwarded-for", "1.1.1.1"),
        ("X_Forwarded_For", "1.1.1.1"),
        ("x_forwarded-proto", "https"),
        ("X-FORWARDED_HOST", "evil"),
        ("x-real-ip", "1.1.1.1"),
        ("X_REAL_IP", "1.1.1.1"),
        ("x-forwarded-tls-client-cert", "c"),
        ("x_forwarded_tls_client_cert_info", "c"),
        ("x-forwarded-uri", "/"),
        ("x-forwarded-method", "PUT"),
        ("x-forwarded-prefix", "/p"),
        ("x-forwarded-server", "s"),
        ("x-forwarded-scheme", "https"),
        ("x-scheme", "https"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-other", "kept"),
        ("x-request-id", "kept"),
        ("forwarded", "kept"),
    ];
    let expected = [
        "Forwarded: kept",
        "X-Forwarded-Host: a.test:8080",
        "X-Forwarded-Other: kept",
        "X-Forwarded-Port: 8080",
        "X-Forwarded-Proto: http",
        // Not managed by Traefik 3.7.
        "X-Forwarded-Scheme: https",
        "X-Real-Ip: 192.0.2.7",
        "X-Request-Id: kept",
        "X-Scheme: https",
    ];
    check(&ForwardedRules::default(), &given, "a.test:8080", false, &expected);
}

#[test]
fn what_a_trusted_peer_says_stays_except_for_the_server() {
    let rules = ForwardedRules {
        peers: TrustedPeers {
            networks: vec!["192.0.2.0/24".parse().unwrap()],
            ..TrustedPeers::default()
        },
        server: Some(HeaderValue::parse("me").unwrap()),
        ..ForwardedRules::default()
    };
    let given = [
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-for", "2.2.2.2, 3.3.3.3"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-server", "one"),
        ("x-forwarded-server", "two"),
        ("x_forwarded_for", "7"),
        ("x-real-ip", "9.9.9.9"),
    ];
    let expected = [
        "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3",
        "X-Forwarded-Host: a.test",
        "X-Forwarded-Port: 443",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Server: me",
        "X-Real-Ip: 9.9.9.9",
        "X_forwarded_for: 7",
    ];
    check(&rules, &given, "a.test", false, &expected);
}

#[test]
fn lines_of_which_the_last_is_empty_are_joined_as_they_are() {
    let name = "x-forwarded-for";
    let mut fields = headers(&[(name, "1.1.1.1"), (name, ""), (name, "")]);
    trusting().apply(&mut fields, "a.test", peer(), false);
    append_forwarded_for(&mut fields, peer());
    let values: Vec<_> = fields.get_all(Known::XForwardedFor).collect();
    assert_eq!(values, [b"1.1.1.1, , , 192.0.2.7"]);
}

#[test]
fn trust_sees_through_mapped_addresses() {
    let rules = TrustedPeers {
        networks: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        ..TrustedPeers::default()
    };
    assert!(rules.trusts("::ffff:192.0.2.9".parse().unwrap()));
    assert!(rules.trusts("2001:db8::1".parse().unwrap()));
    assert!(!rules.trusts("192.0.3.1".parse().unwrap()));
    assert!(!rules.trusts("::1".parse().unwrap()));
}

#[test]
fn empty_fields_count_as_absent() {
    let given = [("x-real-ip", ""), ("x-forwarded-host", ""), ("x-forwarded-proto", "")];
    let expected = [
        "X-Forwarded-Host: a.test",
        "X-Forwarded-Port: 443",
        "X-Forwarded-Proto: https",
        "X-Real-Ip: 192.0.2.7",
    ];
    check(&trusting(), &given, "a.test", true, &expected);
}

#[test]
fn a_request_without_host_gets_no_forwarded_host() {
    let expected = ["X-Forwarded-Port: 80", "X-Forwarded-Proto: http", "X-Real-Ip: 192.0.2.7"];
    check(&trusting(), &[], "", false, &expected);
}

#[test]
fn websockets_have_their_own_schemes_and_ports() {
    let given = [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")];
    for (tls, scheme, port) in [(false, "ws", "80"), (true, "wss", "443")] {
        let mut fields = headers(&given);
        trusting().apply(&mut fields, "a.test", peer(), tls);
        assert_eq!(fields.get_str(Known::XForwardedProto), Some(scheme));
        assert_eq!(fields.get_str(Known::XForwardedPort), Some(port));
        assert_eq!(fields.get_str(Known::Connection), Some("Upgrade"));
        assert_eq!(fields.get_str(Known::Upgrade), Some("websocket"));
    }
}

#[test]
fn ports_come_from_the_host() {
    for (host, port) in
        [("[::1]:8443", "8443"), ("[::1]", "80"), ("a:xyz", "xyz"), ("a:1:2", "80"), ("a:", "80")]
    {
        let mut fields = Headers::new();
        trusting().apply(&mut fields, host, peer(), false);
        assert_eq!(fields.get_str(Known::XForwardedPort), Some(port), "{host}");
    }
}

#[test]
fn scheme_headers_are_written_on_request() {
    let rules = ForwardedRules { peers: everybody(), scheme_headers: true, ..Default::default() };
    let mut fields = headers(&[("x-scheme", "left over")]);
    rules.apply(&mut fields, "a", peer(), true);
    assert_eq!(fields.get_str(Known::XForwardedScheme), Some("https"));
    assert_eq!(fields.get_str(Known::XScheme), Some("https"));
}

#[test]
fn connection_removes_what_it_names_but_nothing_managed() {
    let rules = ForwardedRules {
        peers: everybody(),
        connection: vec![HeaderName::parse("x-keep").unwrap()],
        ..ForwardedRules::default()
    };
    let mut fields = headers(&[
        ("connection", "x-keep, x-drop, X-Forwarded-For, x_real_ip, close, TE"),
        ("x-keep", "1"),
        ("x-drop", "1"),
        ("x-forwarded-for", "1.1.1.1"),
        ("x_real_ip", "1"),
        ("te", "trailers"),
    ]);
    rules.apply(&mut fields, "a", peer(), false);
    assert_eq!(fields.get_str(Known::Connection), Some("X-Keep"));
    assert!(fields.contains("x-keep") && !fields.contains("x-drop") && !fields.contains(Known::Te));
    assert!(fields.contains(Known::XForwardedFor) && fields.contains("x_real_ip"));
}

#[test]
fn connection_without_upgrade_vanishes() {
    for value in ["close", "keep-alive", "foo", "", "Upgrade, HTTP2-Settings"] {
        let mut fields = headers(&[
            ("connection", value),
            ("upgrade", "h2c"),
            ("keep-alive", "5"),
            ("http2-settings", "AA"),
        ]);
        trusting().apply(&mut fields, "a", peer(), false);
        assert!(!fields.contains(Known::Connection), "{value}");
    }
}

#[test]
fn the_peer_is_appended_to_forwarded_for() {
    let mut fields = Headers::new();
    append_forwarded_for(&mut fields, "::ffff:192.0.2.7".parse().unwrap());
    assert_eq!(fields.get_str(Known::XForwardedFor), Some("192.0.2.7"));
    append_forwarded_for(&mut fields, "2001:db8::1".parse().unwrap());
    assert_eq!(fields.get_str(Known::XForwardedFor), Some("192.0.2.7, 2001:db8::1"));
    let mut fields = headers(&[("x-forwarded-for", "a"), ("x-forwarded-for", "")]);
    append_forwarded_for(&mut fields, peer());
    assert_eq!(fields.get_str(Known::XForwardedFor), Some("a, , 192.0.2.7"));
    assert_eq!(fields.count(Known::XForwardedFor), 1);
}

#[test]
fn addresses_are_written_as_usual() {
    for address in
        ["0.0.0.0", "1.20.255.100", "10.9.99.101", "255.255.255.255", "::1", "2001:db8::7"]
    {
        let parsed: IpAddr = address.parse().unwrap();
        assert_eq!(AddressText::new().format(parsed), address.as_bytes());
    }
    let longest: IpAddr = "1111:2222:3333:4444:5555:6666:7777:8888".parse().unwrap();
    assert_eq!(AddressText::new().format(longest), longest.to_string().as_bytes());
}
