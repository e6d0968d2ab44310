//! The log and the access log out of a tree.

use super::group;
use crate::{
    Fields, Node, Problem, nearest,
    static_config::{
        AccessLog, AccessLogFields, AccessLogFilters, AccessLogFormat, FieldMode, FieldModes,
        Level, Log, LogFormat, StatusRange,
    },
};

pub(super) fn log(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Log {
    let levels = [
        ("TRACE", Level::Trace),
        ("DEBUG", Level::Debug),
        ("INFO", Level::Info),
        ("WARN", Level::Warn),
        ("ERROR", Level::Error),
        ("FATAL", Level::Error),
        ("PANIC", Level::Error),
    ];
    let mut fields = Fields::open(node, path, problems);
    Log {
        level: fields.choice("level", &levels).unwrap_or_default(),
        format: fields
            .choice("format", &[("common", LogFormat::Common), ("json", LogFormat::Json)])
            .unwrap_or_default(),
        file_path: fields.string("filePath"),
        no_color: fields.boolean("noColor").unwrap_or_default(),
    }
}

pub(super) fn access_log(node: &Node, path: &str, problems: &mut Vec<Problem>) -> AccessLog {
    let formats = [
        ("common", AccessLogFormat::Common),
        ("genericCLF", AccessLogFormat::GenericClf),
        ("json", AccessLogFormat::Json),
    ];
    let mut fields = Fields::open(node, path, problems);
    AccessLog {
        file_path: fields.string("filePath"),
        format: fields.choice("format", &formats).unwrap_or_default(),
        buffering_size: fields
            .scalar("bufferingSize", "a number of lines", |text| text.parse().ok())
            .unwrap_or_default(),
        filters: fields.section("filters", filters),
        fields: group(&mut fields, "fields", access_log_fields),
        add_internals: fields.boolean("addInternals").unwrap_or_default(),
    }
}

fn filters(node: &Node, path: &str, problems: &mut Vec<Problem>) -> AccessLogFilters {
    let mut fields = Fields::open(node, path, problems);
    let mut status_codes = Vec::new();
    for text in fields.strings("statusCodes") {
        match StatusRange::parse(&text) {
            Some(range) => status_codes.push(range),
            None => {
                let message =
                    format!("expected statuses such as `404` or `200-299`, found `{text}`");
                fields.report("statusCodes", Problem::error, message);
            }
        }
    }
    AccessLogFilters {
        status_codes,
        retry_attempts: fields.boolean("retryAttempts").unwrap_or_default(),
        min_duration: fields.period("minDuration").unwrap_or_default(),
    }
}

fn access_log_fields(node: &Node, path: &str, problems: &mut Vec<Problem>) -> AccessLogFields {
    let default = AccessLogFields::default();
    let mut fields = Fields::open(node, path, problems);
    AccessLogFields {
        default_mode: fields.choice("defaultMode", MODES).unwrap_or(default.default_mode),
        names: fields.map("names", named_mode),
        headers: fields.section("headers", headers).unwrap_or(default.headers),
        query_parameters: fields
            .section("queryParameters", |node, path, problems| {
                Fields::open(node, path, problems).choice("defaultMode", MODES)
            })
            .flatten()
            .unwrap_or(default.query_parameters),
    }
}

fn headers(node: &Node, path: &str, problems: &mut Vec<Problem>) -> FieldModes {
    let mut fields = Fields::open(node, path, problems);
    FieldModes {
        default_mode: fields.choice("defaultMode", MODES).unwrap_or(FieldMode::Drop),
        names: fields.map("names", named_mode),
    }
}

fn named_mode(node: &Node, path: &str, problems: &mut Vec<Problem>) -> FieldMode {
    let text = node.as_text().unwrap_or_default();
    let found = MODES.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, mode)| *mode).unwrap_or_else(|| {
        let names = MODES.iter().map(|(word, _)| *word);
        let message = match nearest(text, names) {
            Some(near) => format!("unknown mode `{text}`; did you mean `{near}`?"),
            None => format!("expected one of `keep`, `drop`, `redact`, found `{text}`"),
        };
        problems.push(Problem::error(path, message).at(node.at));
        FieldMode::Drop
    })
}

const MODES: &[(&str, FieldMode)] =
    &[("keep", FieldMode::Keep), ("drop", FieldMode::Drop), ("redact", FieldMode::Redact)];
