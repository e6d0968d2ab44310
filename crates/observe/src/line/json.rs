//! One JSON object a line, with Traefik's keys, in Traefik's order: that of their bytes.
//!
//! Headers come in the order in which they were sent, with those of one name joined by commas.

use std::{io::Write, time::Duration};

use portway_model::static_config::FieldMode;

use super::{Field, REDACTED, Record, Writing, same, text};

/// Appends the line of a record.
pub(crate) fn write<'a, Q, O, D>(mut writing: Writing<'_>, record: &Record<'a, Q, O, D>)
where
    Q: Iterator<Item = (&'a str, &'a [u8])> + Clone,
    O: Iterator<Item = (&'a str, &'a [u8])> + Clone,
    D: Iterator<Item = (&'a str, &'a [u8])> + Clone,
{
    let w = &mut writing;
    w.line.push(b'{');
    client(w, record);
    response(w, record);
    request(w, record);
    routing(w, record);
    start(w, record);
    tls(w, record);
    headers(w, "downstream_", &record.response_headers);
    w.string(Field::EntryPointName, "entryPointName", record.entry_point.as_bytes());
    w.line.extend_from_slice(br#""level":"info","msg":"","#);
    headers(w, "origin_", &record.origin_headers);
    headers(w, "request_", &record.request_headers);
    w.line.extend_from_slice(br#""time":""#);
    let end = record.start.checked_add(record.duration).unwrap_or(record.start);
    w.end_moments.local_second(w.line, end);
    w.line.extend_from_slice(b"\"}\n");
}

fn client<Q, O, D>(w: &mut Writing<'_>, record: &Record<'_, Q, O, D>) {
    // Writing to a vector cannot fail.
    let address = record.client.ip().to_canonical();
    w.value(Field::ClientAddr, "ClientAddr", |w| {
        let client = std::net::SocketAddr::new(address, record.client.port());
        let _ = write!(w.line, "\"{client}\"");
    });
    w.value(Field::ClientHost, "ClientHost", |w| match record.forwarded_for {
        Some(forwarded) => text::json(w.line, forwarded),
        None => {
            let _ = write!(w.line, "\"{address}\"");
        }
    });
    w.value(Field::ClientPort, "ClientPort", |w| {
        let _ = write!(w.line, "\"{}\"", record.client.port());
    });
    let username = record.username.unwrap_or("-");
    w.string(Field::ClientUsername, "ClientUsername", username.as_bytes());
}

/// `DownstreamContentSize` to `Overhead`, and Portway's reason.
fn response<Q, O, D>(w: &mut Writing<'_>, record: &Record<'_, Q, O, D>) {
    w.number(Field::DownstreamContentSize, "DownstreamContentSize", record.response_size);
    w.number(Field::DownstreamStatus, "DownstreamStatus", record.status);
    w.number(Field::Duration, "Duration", record.duration.as_nanos());
    let origin = record.origin;
    let size = origin.map_or(0, |origin| origin.size);
    if size != record.response_size && record.response_size != 0 {
        w.value(Field::GzipRatio, "GzipRatio", |w| ratio(w.line, size, record.response_size));
    }
    let spent = origin.map_or(Duration::ZERO, |origin| origin.duration);
    w.number(Field::OriginContentSize, "OriginContentSize", size);
    w.number(Field::OriginDuration, "OriginDuration", spent.as_nanos());
    w.number(Field::OriginStatus, "OriginStatus", origin.map_or(0, |origin| origin.status));
    let overhead = record.duration.saturating_sub(spent);
    w.number(Field::Overhead, "Overhead", overhead.as_nanos());
    if let Some(reason) = record.reason {
        w.string(Field::Reason, "Reason", reason.as_str().as_bytes());
        if !record.reason_detail.is_empty() {
            w.string(Field::ReasonDetail, "ReasonDetail", record.reason_detail.as_bytes());
        }
    }
}

fn request<Q, O, D>(w: &mut Writing<'_>, record: &Record<'_, Q, O, D>) {
    let split = record.host.map(text::split_host);
    if let Some(host) = record.host {
        w.string(Field::RequestAddr, "RequestAddr", host);
    }
    w.number(Field::RequestContentSize, "RequestContentSize", record.request_size);
    w.number(Field::RequestCount, "RequestCount", w.count);
    if let Some((host, _)) = split {
        w.string(Field::RequestHost, "RequestHost", host);
    }
    w.string(Field::RequestMethod, "RequestMethod", record.method.as_bytes());
    w.value(Field::RequestPath, "RequestPath", |w| {
        w.line.push(b'"');
        super::path(w.line, record, w.chosen.query, text::json_inner);
        w.line.push(b'"');
    });
    if let Some((_, port)) = split {
        w.string(Field::RequestPort, "RequestPort", port);
    }
    w.string(Field::RequestProtocol, "RequestProtocol", record.protocol.as_bytes());
    let scheme = if record.tls.is_some() { "https" } else { "http" };
    w.string(Field::RequestScheme, "RequestScheme", scheme.as_bytes());
    w.number(Field::RetryAttempts, "RetryAttempts", record.retry_attempts);
}

fn routing<Q, O, D>(w: &mut Writing<'_>, record: &Record<'_, Q, O, D>) {
    if let Some(router) = record.router {
        w.string(Field::RouterName, "RouterName", router.as_bytes());
    }
    if let Some(served) = record.served {
        w.string(Field::ServiceAddr, "ServiceAddr", served.address.as_bytes());
        w.string(Field::ServiceName, "ServiceName", served.service.as_bytes());
        w.string(Field::ServiceUrl, "ServiceURL", served.url.as_bytes());
    }
}

fn start<Q, O, D>(w: &mut Writing<'_>, record: &Record<'_, Q, O, D>) {
    w.value(Field::StartLocal, "StartLocal", |w| {
        w.line.push(b'"');
        w.moments.local(w.line, record.start);
        w.line.push(b'"');
    });
    w.value(Field::StartUtc, "StartUTC", |w| {
        w.line.push(b'"');
        w.moments.utc(w.line, record.start);
        w.line.push(b'"');
    });
}

fn tls<Q, O, D>(w: &mut Writing<'_>, record: &Record<'_, Q, O, D>) {
    let Some(tls) = record.tls else { return };
    w.string(Field::TlsCipher, "TLSCipher", tls.cipher.as_bytes());
    if let Some(subject) = tls.client_subject {
        w.string(Field::TlsClientSubject, "TLSClientSubject", subject.as_bytes());
    }
    w.string(Field::TlsVersion, "TLSVersion", tls.version.as_bytes());
}

/// Each header that may be told, once, with all its values.
fn headers<'a, I>(w: &mut Writing<'_>, prefix: &str, headers: &I)
where
    I: Iterator<Item = (&'a str, &'a [u8])> + Clone,
{
    if !w.chosen.any_header() {
        return;
    }
    for (position, (name, _)) in headers.clone().enumerate() {
        let mode = w.chosen.header(name);
        let known = || headers.clone().take(position).any(|(other, _)| same(other, name));
        if mode == FieldMode::Drop || known() {
            continue;
        }
        w.line.push(b'"');
        w.line.extend_from_slice(prefix.as_bytes());
        text::header_name(w.line, name);
        w.line.extend_from_slice(b"\":\"");
        if mode == FieldMode::Redact {
            w.line.extend_from_slice(REDACTED);
        } else {
            let values = headers.clone().filter(|(other, _)| same(other, name));
            for (position, (_, value)) in values.enumerate() {
                if position > 0 {
                    w.line.push(b',');
                }
                text::json_inner(w.line, value);
            }
        }
        w.line.extend_from_slice(b"\",");
    }
}

/// A quotient as Go prints a float: without a fraction where it has none.
fn ratio(line: &mut Vec<u8>, size: u64, sent: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a ratio of sizes is an estimate")]
    let ratio = size as f64 / sent as f64;
    // Writing to a vector cannot fail.
    let _ = write!(line, "{ratio}");
}

impl Writing<'_> {
    /// A key with its value, if it may be told.
    fn value(&mut self, field: Field, key: &str, value: impl FnOnce(&mut Self)) {
        let mode = self.chosen.field(field);
        if mode == FieldMode::Drop {
            return;
        }
        self.line.push(b'"');
        self.line.extend_from_slice(key.as_bytes());
        self.line.extend_from_slice(b"\":");
        if mode == FieldMode::Redact {
            text::json(self.line, REDACTED);
        } else {
            value(self);
        }
        self.line.push(b',');
    }

    fn string(&mut self, field: Field, key: &str, value: &[u8]) {
        self.value(field, key, |w| text::json(w.line, value));
    }

    fn number(&mut self, field: Field, key: &str, number: impl itoa::Integer) {
        self.value(field, key, |w| text::number(w.line, number));
    }
}
