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
    for text in ["", "80", "host", ":", ":x", ":70000", ":80/sctp", "::1:80", "[::1:80", ":+80"] {
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
