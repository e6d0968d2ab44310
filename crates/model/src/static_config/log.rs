//! Portway's own log and the access log.

use std::collections::BTreeMap;

use crate::Period;

/// Portway's own log. Traefik: `log`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The least severe messages that are written, default `ERROR`.
    pub level: Level,
    /// How a message looks.
    pub format: LogFormat,
    /// The file it goes to; empty means standard output.
    pub file_path: String,
    /// Whether lines of a terminal have no colours.
    pub no_color: bool,
}

/// How severe a message is. Traefik: `log.level`, in any letter case.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// Every step.
    Trace,
    /// What helps to find faults.
    Debug,
    /// What happens.
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong. Traefik's `FATAL` and `PANIC` read as this.
    #[default]
    Error,
}

/// How a message of the log looks. Traefik: `log.format`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Common,
    /// One JSON object a line.
    Json,
}

/// One line for each request. Traefik: `accessLog`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessLog {
    /// The file it goes to; empty means standard output.
    pub file_path: String,
    /// How a line looks.
    pub format: AccessLogFormat,
    /// Lines that may wait for the writer; 0 means that each is written at once.
    pub buffering_size: usize,
    /// Which requests are written; any filter that fits is enough.
    pub filters: Option<AccessLogFilters>,
    /// Which fields are written.
    pub fields: AccessLogFields,
    /// Whether requests to internal services are written too.
    pub add_internals: bool,
}

/// How a line of the access log looks. Traefik: `accessLog.format`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AccessLogFormat {
    /// The Common Log Format with Traefik's own fields after it.
    #[default]
    Common,
    /// The Common Log Format, ended after the user agent.
    GenericClf,
    /// One JSON object a line.
    Json,
}

/// Which requests are written. Traefik: `accessLog.filters`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessLogFilters {
    /// Statuses that are written.
    pub status_codes: Vec<StatusRange>,
    /// Whether requests that were retried are written.
    pub retry_attempts: bool,
    /// Requests that took longer are written; zero means no such filter.
    pub min_duration: Period,
}

/// Statuses from the first to the last, both included; written `200-299` or `404`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StatusRange {
    /// The first status.
    pub first: u16,
    /// The last status.
    pub last: u16,
}

impl StatusRange {
    /// Parses `200-299` or `404`; `None` when it is neither or ends before it begins.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = Self { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? };
        (range.first >= 100 && range.first <= range.last && range.last <= 999).then_some(range)
    }

    /// Whether a status lies inside.
    pub fn contains(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }
}

/// Which fields are written. Traefik: `accessLog.fields`.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessLogFields {
    /// Fields that are not named, default keep.
    pub default_mode: FieldMode,
    /// Fields by name.
    pub names: BTreeMap<String, FieldMode>,
    /// Request and response headers, default drop; names in any letter case.
    pub headers: FieldModes,
    /// Values of the query's parameters in `RequestPath`, default keep.
    pub query_parameters: FieldMode,
}

impl Default for AccessLogFields {
    fn default() -> Self {
        Self {
            default_mode: FieldMode::Keep,
            names: BTreeMap::new(),
            headers: FieldModes { default_mode: FieldMode::Drop, names: BTreeMap::new() },
            query_parameters: FieldMode::Keep,
        }
    }
}

/// What becomes of named headers and of all others.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldModes {
    /// Those that are not named.
    pub default_mode: FieldMode,
    /// Those that are.
    pub names: BTreeMap<String, FieldMode>,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldMode {
    /// It is written.
    Keep,
    /// It is left out.
    Drop,
    /// It is written as `REDACTED`.
    Redact,
}
