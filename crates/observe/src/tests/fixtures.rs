use std::{
    collections::BTreeMap,
    iter::Copied,
    slice::Iter,
    time::{Duration, SystemTime},
};

use jiff::tz::TimeZone;
use portway_model::static_config::{AccessLogFields, FieldMode, FieldModes};

use crate::{
    Origin, Record, Served,
    fields::Chosen,
    line::{Writing, common, json},
    moment::Moments,
};

pub(super) type Headers = Copied<Iter<'static, (&'static str, &'static [u8])>>;
pub(super) type Example = Record<'static, Headers, Headers, Headers>;

pub(super) fn headers(list: &[(&'static str, &'static str)]) -> Headers {
    let list: Vec<(&'static str, &'static [u8])> =
        list.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    Vec::leak(list).iter().copied()
}

/// 2026-11-23T06:56:33.189817577Z.
pub(super) fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_795_416_993, 189_817_577)
}

/// The request of which Traefik wrote the lines that tests compare with.
pub(super) fn example() -> Example {
    Record {
        entry_point: "web",
        client: "127.0.0.1:57668".parse().unwrap(),
        forwarded_for: None,
        username: None,
        method: "GET",
        host: Some(b"plain.test:8080"),
        path: b"/a",
        query: Some(b"b=c&d=%20x"),
        protocol: "HTTP/1.1",
        tls: None,
        start: start(),
        duration: Duration::from_nanos(805_183),
        status: 200,
        request_size: 0,
        response_size: 5,
        origin: Some(Origin { status: 200, size: 5, duration: Duration::from_nanos(653_297) }),
        router: Some("plain@file"),
        served: Some(Served {
            service: "s@file",
            url: "http://127.0.0.1:28090",
            address: "127.0.0.1:28090",
        }),
        retry_attempts: 0,
        reason: None,
        reason_detail: "",
        request_headers: headers(&[]),
        origin_headers: headers(&[]),
        response_headers: headers(&[]),
    }
}

/// A request that no router took.
pub(super) fn unrouted() -> Example {
    Record {
        status: 404,
        response_size: 19,
        origin: None,
        router: None,
        served: None,
        reason: Some(crate::Reason::NoRouter),
        ..example()
    }
}

pub(super) fn modes(default: FieldMode, names: &[(&str, FieldMode)]) -> FieldModes {
    let names: BTreeMap<String, FieldMode> =
        names.iter().map(|(name, mode)| ((*name).to_owned(), *mode)).collect();
    FieldModes { default_mode: default, names }
}

/// Fields by mode, headers by mode.
pub(super) fn fields(fields: FieldModes, headers: FieldModes) -> AccessLogFields {
    AccessLogFields {
        default_mode: fields.default_mode,
        names: fields.names,
        headers,
        query_parameters: FieldMode::Keep,
    }
}

fn line(fields: &AccessLogFields, zone: TimeZone, write: impl FnOnce(Writing<'_>)) -> String {
    let mut line = Vec::new();
    let mut moments = Moments::new(zone);
    let mut end_moments = moments.clone();
    write(Writing {
        line: &mut line,
        chosen: &Chosen::new(fields),
        moments: &mut moments,
        end_moments: &mut end_moments,
        count: 17,
    });
    String::from_utf8(line).unwrap()
}

pub(super) fn common_line(record: &Example, fields: &AccessLogFields) -> String {
    line(fields, TimeZone::UTC, |writing| common::write(writing, record, false))
}

pub(super) fn generic_line(record: &Example, fields: &AccessLogFields) -> String {
    line(fields, TimeZone::UTC, |writing| common::write(writing, record, true))
}

pub(super) fn json_line(record: &Example, fields: &AccessLogFields) -> String {
    json_line_in(record, fields, TimeZone::UTC)
}

pub(super) fn json_line_in(record: &Example, fields: &AccessLogFields, zone: TimeZone) -> String {
    line(fields, zone, |writing| json::write(writing, record))
}
