//! Which fields and headers are written, kept in a form that costs a line next to nothing.

use portway_model::static_config::{AccessLogFields, AccessLogFormat, FieldMode, FieldModes};

/// Which headers a log needs, so that nobody gathers others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Needs {
    /// Some of the request's.
    pub request_headers: bool,
    /// Some of the response's, the service's and the one sent.
    pub response_headers: bool,
}

/// Traefik's fields, and Portway's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Field {
    ClientAddr,
    ClientHost,
    ClientPort,
    ClientUsername,
    DownstreamContentSize,
    DownstreamStatus,
    Duration,
    EntryPointName,
    GzipRatio,
    OriginContentSize,
    OriginDuration,
    OriginStatus,
    Overhead,
    Reason,
    ReasonDetail,
    RequestAddr,
    RequestContentSize,
    RequestCount,
    RequestHost,
    RequestMethod,
    RequestPath,
    RequestPort,
    RequestProtocol,
    RequestScheme,
    RetryAttempts,
    RouterName,
    ServiceAddr,
    ServiceName,
    ServiceUrl,
    StartLocal,
    StartUtc,
    TlsCipher,
    TlsClientSubject,
    TlsVersion,
}

/// Every field with its name.
pub(crate) const FIELDS: [(Field, &str); 34] = [
    (Field::ClientAddr, "ClientAddr"),
    (Field::ClientHost, "ClientHost"),
    (Field::ClientPort, "ClientPort"),
    (Field::ClientUsername, "ClientUsername"),
    (Field::DownstreamContentSize, "DownstreamContentSize"),
    (Field::DownstreamStatus, "DownstreamStatus"),
    (Field::Duration, "Duration"),
    (Field::EntryPointName, "entryPointName"),
    (Field::GzipRatio, "GzipRatio"),
    (Field::OriginContentSize, "OriginContentSize"),
    (Field::OriginDuration, "OriginDuration"),
    (Field::OriginStatus, "OriginStatus"),
    (Field::Overhead, "Overhead"),
    (Field::Reason, "Reason"),
    (Field::ReasonDetail, "ReasonDetail"),
    (Field::RequestAddr, "RequestAddr"),
    (Field::RequestContentSize, "RequestContentSize"),
    (Field::RequestCount, "RequestCount"),
    (Field::RequestHost, "RequestHost"),
    (Field::RequestMethod, "RequestMethod"),
    (Field::RequestPath, "RequestPath"),
    (Field::RequestPort, "RequestPort"),
    (Field::RequestProtocol, "RequestProtocol"),
    (Field::RequestScheme, "RequestScheme"),
    (Field::RetryAttempts, "RetryAttempts"),
    (Field::RouterName, "RouterName"),
    (Field::ServiceAddr, "ServiceAddr"),
    (Field::ServiceName, "ServiceName"),
    (Field::ServiceUrl, "ServiceURL"),
    (Field::StartLocal, "StartLocal"),
    (Field::StartUtc, "StartUTC"),
    (Field::TlsCipher, "TLSCipher"),
    (Field::TlsClientSubject, "TLSClientSubject"),
    (Field::TlsVersion, "TLSVersion"),
];

/// What becomes of each field and header.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    kept: u64,
    redacted: u64,
    headers: FieldModes,
    any_header: bool,
    pub(crate) query: FieldMode,
}

impl Chosen {
    pub(crate) fn new(fields: &AccessLogFields) -> Self {
        let (mut kept, mut redacted) = (0, 0);
        for (field, name) in FIELDS {
            let named = fields.names.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            match named.map_or(fields.default_mode, |(_, mode)| *mode) {
                FieldMode::Keep => kept |= bit(field),
                FieldMode::Redact => redacted |= bit(field),
                FieldMode::Drop => {}
            }
        }
        let headers = fields.headers.clone();
        let any_header = headers
            .names
            .values()
            .chain([&headers.default_mode])
            .any(|mode| *mode != FieldMode::Drop);
        Self { kept, redacted, headers, any_header, query: fields.query_parameters }
    }

    pub(crate) fn field(&self, field: Field) -> FieldMode {
        match () {
            () if self.kept & bit(field) != 0 => FieldMode::Keep,
            () if self.redacted & bit(field) != 0 => FieldMode::Redact,
            () => FieldMode::Drop,
        }
    }

    pub(crate) fn header(&self, name: &str) -> FieldMode {
        let named = self.headers.names.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map_or(self.headers.default_mode, |(_, mode)| *mode)
    }

    /// Whether some header may be written.
    pub(crate) fn any_header(&self) -> bool {
        self.any_header
    }

    pub(crate) fn needs(&self, format: AccessLogFormat) -> Needs {
        let json = format == AccessLogFormat::Json;
        Needs { request_headers: self.any_header, response_headers: self.any_header && json }
    }
}

fn bit(field: Field) -> u64 {
    1 << (field as u8)
}
