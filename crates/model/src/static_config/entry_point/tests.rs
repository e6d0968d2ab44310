use serde_json::json;

use super::*;

#[track_caller]
fn check(text: &str, host: &str, port: u16, protocol: Protocol) {
    let address = Address::parse(text).unwrap();
    assert_eq!((address.host.as_str(), address.port, address.protocol), (host, port, protocol));
    assert_eq!(address.to_string(), text);
}

#[test]
fn addresses_read_as_in_traefik() {
    check(":80", "", 80, Protocol::Tcp);
    check(":8000/tcp", "", 8000, Protocol::Tcp);
    check("127.0.0.1:0/TCP", "127.0.0.1", 0, Protocol::Tcp);
    check("[::1]:443", "::1", 443, Protocol::Tcp);
    check("localhost:53/udp", "localhost", 53, Protocol::Udp);
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "80",
        "host",
        ":",
        ":x",
        ":70000",
        ":80/sctp",
        "::1:80",
        "[::1:80",
        ":+80",
        "127.1:80",
        "0:80",
        "1.2.3.0x4:80",
    ] {
        assert!(Address::parse(text).is_err(), "{text}");
    }
}

#[test]
fn an_entry_point_prints_as_in_traefiks_api() {
    // As Traefik 3.7.15 answers for an entry point that has only an address.
    let shown = serde_json::to_value(EntryPoint::new(Address::on_port(80))).unwrap();
    let expected = json!({
        "address": ":80",
        "transport": {
            "lifeCycle": {"graceTimeOut": "10s"},
            "respondingTimeouts": {"readTimeout": "1m0s", "idleTimeout": "3m0s"}
        },
        "forwardedHeaders": {},
        "http": {"sanitizePath": true, "maxHeaderBytes": 1_048_576},
        "http2": {
            "maxConcurrentStreams": 250,
            "maxDecoderHeaderTableSize": 4096,
            "maxEncoderHeaderTableSize": 4096
        },
        "udp": {"timeout": "3s"}
    });
    assert_eq!(shown, expected);
}

#[test]
fn every_field_prints_as_in_traefiks_api() {
    // What Traefik 3.7.15 was started with, and what it answers.
    let text = r#"
address: "127.0.0.1:28002/tcp"
asDefault: true
reusePort: true
allowACMEByPass: true
transport:
  lifeCycle: {requestAcceptGraceTimeout: 1s, graceTimeOut: 5s}
  respondingTimeouts: {readTimeout: 1, writeTimeout: 2, idleTimeout: 3}
  keepAliveMaxTime: 4s
  keepAliveMaxRequests: 7
proxyProtocol: {insecure: true, trustedIPs: [10.0.0.1]}
forwardedHeaders: {insecure: true, trustedIPs: [10.0.0.0/8], connection: [foo], notAppendXForwardedFor: true}
http:
  redirections: {entryPoint: {to: traefik, scheme: http, permanent: false, priority: 5}}
  middlewares: [a@file]
  tls: {options: x, certResolver: y, domains: [{main: a.b, sans: [c.d]}]}
  encodeQuerySemicolons: true
  sanitizePath: false
  aliasHeadersStrategy: delete
  maxHeaderBytes: 1000
  encodedCharacters: {allowEncodedSlash: false, allowEncodedHash: false}
http2: {maxConcurrentStreams: 5}
http3: {advertisedPort: 1}
udp: {timeout: 1s}
observability: {accessLogs: false, metrics: false, tracing: false, traceVerbosity: detailed}
"#;
    let expected = r#"{"address":"127.0.0.1:28002/tcp","allowACMEByPass":true,"reusePort":true,"asDefault":true,
        "transport":{"lifeCycle":{"requestAcceptGraceTimeout":"1s","graceTimeOut":"5s"},
        "respondingTimeouts":{"readTimeout":"1s","writeTimeout":"2s","idleTimeout":"3s"},
        "keepAliveMaxTime":"4s","keepAliveMaxRequests":7},
        "proxyProtocol":{"insecure":true,"trustedIPs":["10.0.0.1"]},
        "forwardedHeaders":{"insecure":true,"trustedIPs":["10.0.0.0/8"],"connection":["foo"],
        "notAppendXForwardedFor":true},
        "http":{"redirections":{"entryPoint":{"to":"traefik","scheme":"http","priority":5}},
        "middlewares":["a@file"],
        "tls":{"options":"x","certResolver":"y","domains":[{"main":"a.b","sans":["c.d"]}]},
        "encodedCharacters":{"allowEncodedBackSlash":true,"allowEncodedNullCharacter":true,
        "allowEncodedSemicolon":true,"allowEncodedPercent":true,"allowEncodedQuestionMark":true},
        "encodeQuerySemicolons":true,"sanitizePath":false,"maxHeaderBytes":1000,
        "aliasHeadersStrategy":"delete"},
        "http2":{"maxConcurrentStreams":5,"maxDecoderHeaderTableSize":4096,"maxEncoderHeaderTableSize":4096},
        "http3":{"advertisedPort":1},"udp":{"timeout":"1s"},
        "observability":{"accessLogs":false,"metrics":false,"tracing":false,"traceVerbosity":"detailed"}}"#;
    let indented = text.replace('\n', "\n    ");
    let file = format!("entryPoints:\n  full:{indented}\n  traefik: {{address: ':1'}}\n");
    let source = crate::options::from_file("a.yml", &file).unwrap();
    let (config, diagnostics) = crate::options::assemble([source]);
    assert!(diagnostics.iter().all(|d| d.severity == crate::Severity::Warning), "{diagnostics:?}");
    let shown = serde_json::to_value(&config.entry_points["full"]).unwrap();
    assert_eq!(shown, serde_json::from_str::<serde_json::Value>(expected).unwrap());
}
