use std::time::Duration;

use jiff::tz::TimeZone;
use portway_model::static_config::{AccessLogFields, FieldMode};
use serde_json::{Value, json};

use super::fixtures::*;
use crate::{Origin, Reason, Record, Tls, text};

fn default() -> AccessLogFields {
    AccessLogFields::default()
}

fn parsed(record: &Example, fields: &AccessLogFields) -> Value {
    serde_json::from_str(&json_line(record, fields)).unwrap()
}

#[test]
fn a_line_is_traefiks() {
    assert_eq!(
        json_line(&example(), &default()),
        concat!(
            r#"{"ClientAddr":"127.0.0.1:57668","ClientHost":"127.0.0.1","ClientPort":"57668","#,
            r#""ClientUsername":"-","DownstreamContentSize":5,"DownstreamStatus":200,"#,
            r#""Duration":805183,"OriginContentSize":5,"OriginDuration":653297,"OriginStatus":200,"#,
            r#""Overhead":151886,"RequestAddr":"plain.test:8080","RequestContentSize":0,"#,
            r#""RequestCount":17,"RequestHost":"plain.test","RequestMethod":"GET","#,
            r#""RequestPath":"/a?b=c\u0026d=%20x","RequestPort":"8080","RequestProtocol":"HTTP/1.1","#,
            r#""RequestScheme":"http","RetryAttempts":0,"RouterName":"plain@file","#,
            r#""ServiceAddr":"127.0.0.1:28090","ServiceName":"s@file","#,
            r#""ServiceURL":"http://127.0.0.1:28090","StartLocal":"2026-11-23T06:56:33.189817577Z","#,
            r#""StartUTC":"2026-11-23T06:56:33.189817577Z","entryPointName":"web","level":"info","#,
            r#""msg":"","time":"2026-11-23T06:56:33Z"}"#,
            "\n"
        )
    );
}

#[test]
fn a_line_with_headers_is_traefiks() {
    let origin = [
        ("content-length", "5"),
        ("Date", "Mon, 23 Nov 2026 06:56:33 GMT"),
        ("Server", "BaseHTTP/0.6 Python/3.11.7"),
        ("X-Multi", "a"),
        ("x-multi", "b"),
    ];
    let record = Record {
        origin_headers: headers(&origin),
        response_headers: headers(&origin),
        request_headers: headers(&[
            ("REFERER", "http://x/<&>€"),
            ("User-Agent", "ua \"q\" \\ back\tTab"),
            ("X-Multi", "1"),
            ("x-secret", "s"),
            ("X-MULTI", "2"),
        ]),
        ..example()
    };
    let fields = fields(
        modes(FieldMode::Keep, &[]),
        modes(FieldMode::Keep, &[("X-Secret", FieldMode::Redact), ("date", FieldMode::Drop)]),
    );
    let line = json_line(&record, &fields);
    let (_, rest) = line.split_once(r#","downstream_"#).unwrap();
    assert_eq!(
        rest,
        concat!(
            r#"Content-Length":"5","downstream_Server":"BaseHTTP/0.6 Python/3.11.7","#,
            r#""downstream_X-Multi":"a,b","entryPointName":"web","level":"info","msg":"","#,
            r#""origin_Content-Length":"5","origin_Server":"BaseHTTP/0.6 Python/3.11.7","#,
            r#""origin_X-Multi":"a,b","request_Referer":"http://x/\u003c\u0026\u003e€","#,
            r#""request_User-Agent":"ua \"q\" \\ back\tTab","request_X-Multi":"1,2","#,
            r#""request_X-Secret":"REDACTED","time":"2026-11-23T06:56:33Z"}"#,
            "\n"
        )
    );
}

#[test]
fn a_request_that_portway_answered_says_why() {
    let value = parsed(&unrouted(), &default());
    assert_eq!(value["Reason"], "NoRouter");
    for (key, expected) in [
        ("GzipRatio", json!(0)),
        ("OriginContentSize", json!(0)),
        ("OriginDuration", json!(0)),
        ("OriginStatus", json!(0)),
        ("Overhead", json!(805_183)),
        ("DownstreamStatus", json!(404)),
    ] {
        assert_eq!(value[key], expected, "{key}");
    }
    for absent in ["RouterName", "ServiceName", "ServiceURL", "ServiceAddr", "ReasonDetail"] {
        assert_eq!(value.get(absent), None, "{absent}");
    }
    let record = Record {
        reason: Some(Reason::RouterClosed),
        reason_detail: "middleware \"x@file\"",
        ..unrouted()
    };
    assert_eq!(parsed(&record, &default())["ReasonDetail"], "middleware \"x@file\"");
}

#[test]
fn a_request_without_a_host_has_no_request_addr() {
    let value = parsed(&Record { host: None, ..example() }, &default());
    for absent in ["RequestAddr", "RequestHost", "RequestPort"] {
        assert_eq!(value.get(absent), None, "{absent}");
    }
}

#[test]
fn hosts_and_ports_are_told_apart_as_in_go() {
    for (address, host, port) in [
        ("plain.test:8080", "plain.test", "8080"),
        ("plain.test", "plain.test", "-"),
        ("plain.test:", "plain.test", ""),
        ("[::1]:80", "::1", "80"),
        ("[::1]", "[::1]", "-"),
        ("::1", "::1", "-"),
        ("[a:80", "[a:80", "-"),
        ("a]:80", "a]:80", "-"),
        ("", "", "-"),
    ] {
        let split = text::split_host(address.as_bytes());
        assert_eq!(split, (host.as_bytes(), port.as_bytes()), "{address}");
    }
}

#[test]
fn users_and_tls_are_told() {
    let tls = Tls {
        version: "1.3",
        cipher: "TLS_AES_128_GCM_SHA256",
        client_subject: Some(r"CN=client,O=Edge\, Inc.,C=FR"),
    };
    let record = Record { username: Some(""), tls: Some(tls), ..example() };
    let line = json_line(&record, &default());
    assert!(line.contains(r#""ClientUsername":"","#));
    assert!(line.contains(r#""RequestScheme":"https","#));
    assert!(line.contains(concat!(
        r#","TLSCipher":"TLS_AES_128_GCM_SHA256","TLSClientSubject":"CN=client,O=Edge\\, Inc.,C=FR","#,
        r#""TLSVersion":"1.3","entryPointName":"#
    )));
    let record = Record { forwarded_for: Some(b"1.1.1.1, 9.9.9.9"), ..example() };
    assert_eq!(parsed(&record, &default())["ClientHost"], "1.1.1.1, 9.9.9.9");
}

#[test]
fn a_compressed_response_has_a_ratio() {
    let origin = Origin { status: 200, size: 15, duration: Duration::ZERO };
    let with = |response_size| Record { origin: Some(origin), response_size, ..example() };
    assert_eq!(parsed(&with(6), &default())["GzipRatio"], 2.5);
    assert_eq!(parsed(&with(15), &default()).get("GzipRatio"), None);
    assert_eq!(parsed(&with(0), &default()).get("GzipRatio"), None);
}

#[test]
fn fields_follow_their_modes() {
    let fields_ = fields(
        modes(
            FieldMode::Drop,
            &[
                ("clientaddr", FieldMode::Keep),
                ("RequestPath", FieldMode::Redact),
                ("DownstreamStatus", FieldMode::Redact),
                ("entrypointname", FieldMode::Keep),
            ],
        ),
        modes(FieldMode::Drop, &[]),
    );
    assert_eq!(
        json_line(&example(), &fields_),
        concat!(
            r#"{"ClientAddr":"127.0.0.1:57668","DownstreamStatus":"REDACTED","#,
            r#""RequestPath":"REDACTED","entryPointName":"web","level":"info","msg":"","#,
            r#""time":"2026-11-23T06:56:33Z"}"#,
            "\n"
        )
    );
}

#[test]
fn every_field_has_one_name_and_one_bit() {
    let mut bits = 0_u64;
    for (field, name) in crate::fields::FIELDS {
        let bit = 1 << (field as u8);
        assert_eq!(bits & bit, 0, "{name}");
        bits |= bit;
        let only = fields(
            modes(FieldMode::Drop, &[(name, FieldMode::Redact)]),
            modes(FieldMode::Drop, &[]),
        );
        let record = Record {
            tls: Some(Tls { version: "1.3", cipher: "c", client_subject: Some("s") }),
            reason_detail: "d",
            reason: Some(Reason::NoRouter),
            response_size: 6,
            ..example()
        };
        let value = parsed(&record, &only);
        assert_eq!(value[name], "REDACTED");
        assert_eq!(value.as_object().unwrap().len(), 4, "{name}");
    }
}

#[test]
fn what_is_hostile_stays_inside_its_value() {
    let hostile = "\u{0}\u{8}\u{c}\n\r\t\u{1f}\"\\<>&\u{2028}\u{2029}\u{7f}é";
    let mut bytes = hostile.as_bytes().to_vec();
    bytes.extend_from_slice(b"\xff\xe2\x82");
    let mut line = Vec::new();
    text::json(&mut line, &bytes);
    let line = String::from_utf8(line).unwrap();
    assert_eq!(
        line,
        concat!(
            r#""\u0000\b\f\n\r\t\u001f\"\\\u003c\u003e\u0026\u2028\u2029"#,
            "\u{7f}é",
            r#"\ufffd\ufffd\ufffd""#
        )
    );
    let value: String = serde_json::from_str(&line).unwrap();
    assert_eq!(value, format!("{hostile}\u{fffd}\u{fffd}\u{fffd}"));
}

#[test]
fn moments_are_written_as_in_go() {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let record = Record {
        start: start() - Duration::from_nanos(817_577),
        duration: Duration::from_millis(900),
        ..example()
    };
    let line = json_line_in(&record, &default(), zone.clone());
    assert!(line.contains(r#""StartLocal":"2026-11-23T07:56:33.189+01:00""#), "{line}");
    assert!(line.contains(r#""StartUTC":"2026-11-23T06:56:33.189Z""#), "{line}");
    // The line's own time is that of the end.
    assert!(line.contains(r#""time":"2026-11-23T07:56:34+01:00""#), "{line}");
    let whole = Record { start: start() - Duration::from_nanos(189_817_577), ..example() };
    let line = json_line_in(&whole, &default(), zone);
    assert!(line.contains(r#""StartUTC":"2026-11-23T06:56:33Z""#), "{line}");
}
