use std::time::Duration;

use portway_model::static_config::{AccessLogFields, FieldMode};

use super::fixtures::*;
use crate::Record;

fn default() -> AccessLogFields {
    AccessLogFields::default()
}

fn all_headers() -> AccessLogFields {
    fields(modes(FieldMode::Keep, &[]), modes(FieldMode::Keep, &[]))
}

#[test]
fn a_line_is_traefiks() {
    assert_eq!(
        common_line(&example(), &default()),
        "127.0.0.1 - - [23/Nov/2026:06:56:33 +0000] \"GET /a?b=c&d=%20x HTTP/1.1\" 200 5 \"-\" \"-\" \
         17 \"plain@file\" \"http://127.0.0.1:28090\" 0ms\n"
    );
    assert_eq!(
        common_line(&unrouted(), &default()),
        "127.0.0.1 - - [23/Nov/2026:06:56:33 +0000] \"GET /a?b=c&d=%20x HTTP/1.1\" 404 19 \"-\" \"-\" \
         17 \"-\" \"-\" 0ms\n"
    );
}

#[test]
fn the_generic_form_ends_after_the_user_agent() {
    let record = Record {
        username: Some("test"),
        request_headers: headers(&[("user-agent", "ua \"q\""), ("Referer", "http://x/")]),
        ..example()
    };
    assert_eq!(
        generic_line(&record, &all_headers()),
        "127.0.0.1 - test [23/Nov/2026:06:56:33 +0000] \"GET /a?b=c&d=%20x HTTP/1.1\" 200 5 \
         \"http://x/\" \"ua \\\"q\\\"\"\n"
    );
}

#[test]
fn headers_follow_their_modes() {
    let with = |mode| {
        let record = Record {
            request_headers: headers(&[("User-Agent", "a"), ("user-agent", "b")]),
            ..example()
        };
        let fields =
            fields(modes(FieldMode::Keep, &[]), modes(FieldMode::Drop, &[("USER-agent", mode)]));
        generic_line(&record, &fields).split(" 5 ").nth(1).unwrap().to_owned()
    };
    assert_eq!(with(FieldMode::Keep), "\"-\" \"a,b\"\n");
    assert_eq!(with(FieldMode::Redact), "\"-\" \"REDACTED\"\n");
    assert_eq!(with(FieldMode::Drop), "\"-\" \"-\"\n");
}

#[test]
fn dropped_fields_leave_a_dash() {
    let none = fields(modes(FieldMode::Drop, &[]), modes(FieldMode::Drop, &[]));
    let record = Record { duration: Duration::from_secs(2), ..example() };
    assert_eq!(
        common_line(&record, &none),
        "- - - [-] \"- - -\" - - \"-\" \"-\" - \"-\" \"-\" 0ms\n"
    );
    let some = fields(
        modes(
            FieldMode::Drop,
            &[
                ("startlocal", FieldMode::Keep),
                ("ClientHost", FieldMode::Redact),
                ("DURATION", FieldMode::Keep),
            ],
        ),
        modes(FieldMode::Drop, &[]),
    );
    assert_eq!(
        common_line(&record, &some),
        "REDACTED - - [23/Nov/2026:06:56:33 +0000] \"- - -\" - - \"-\" \"-\" - \"-\" \"-\" 2000ms\n"
    );
}

#[test]
fn the_client_is_who_was_forwarded_for() {
    let record = Record { forwarded_for: Some(b"1.1.1.1, 9.9.9.9"), ..example() };
    assert!(common_line(&record, &default()).starts_with("1.1.1.1, 9.9.9.9 - - ["));
    let record = Record { client: "[::ffff:10.0.0.1]:5".parse().unwrap(), ..example() };
    assert!(common_line(&record, &default()).starts_with("10.0.0.1 - - ["));
    let record = Record { client: "[2001:db8::1]:5".parse().unwrap(), ..example() };
    assert!(common_line(&record, &default()).starts_with("2001:db8::1 - - ["));
}

#[test]
fn no_line_can_be_forged() {
    let record = Record {
        username: Some("a\n127.0.0.1 - b\u{1b}[31m"),
        query: Some(b"q=\" 200 5\r\n\xff"),
        router: Some("r\"\n"),
        request_headers: headers(&[("User-Agent", "x\r\ny\u{85}\"z")]),
        ..example()
    };
    let line = common_line(&record, &all_headers());
    assert_eq!(
        line,
        "127.0.0.1 - a\\x0a127.0.0.1 - b\\x1b[31m [23/Nov/2026:06:56:33 +0000] \
         \"GET /a?q=\\\" 200 5\\x0d\\x0a\u{fffd} HTTP/1.1\" 200 5 \"-\" \"x\\x0d\\x0ay\\xc2\\x85\\\"z\" \
         17 \"r\\\"\\x0a\" \"http://127.0.0.1:28090\" 0ms\n"
    );
    assert_eq!(line.matches('\n').count(), 1);
}

#[test]
fn queries_are_kept_dropped_or_redacted() {
    let with = |mode| {
        let record = Record { query: Some(b"a=1&token=x=y&flag&=z"), ..example() };
        let fields = AccessLogFields { query_parameters: mode, ..default() };
        let line = common_line(&record, &fields);
        line.split('"').nth(1).unwrap().to_owned()
    };
    assert_eq!(with(FieldMode::Keep), "GET /a?a=1&token=x=y&flag&=z HTTP/1.1");
    assert_eq!(with(FieldMode::Drop), "GET /a HTTP/1.1");
    assert_eq!(with(FieldMode::Redact), "GET /a?a=REDACTED&token=REDACTED&flag&=REDACTED HTTP/1.1");
}
