//! The Common Log Format as Traefik writes it: `common` goes on where `genericCLF` ends.

use std::io::Write;

use portway_model::static_config::FieldMode;

use super::{Field, REDACTED, Record, Writing, same, text};

/// Appends the line of a record.
pub(crate) fn write<'a, Q, O, D>(
    mut writing: Writing<'_>,
    record: &Record<'a, Q, O, D>,
    generic: bool,
) where
    Q: Iterator<Item = (&'a str, &'a [u8])> + Clone,
{
    let w = &mut writing;
    client_host(w, record);
    w.line.extend_from_slice(b" - ");
    let username = record.username.filter(|name| !name.is_empty());
    w.bare(Field::ClientUsername, username.map(str::as_bytes));
    w.line.extend_from_slice(b" [");
    start(w, record);
    w.line.extend_from_slice(b"] \"");
    w.bare(Field::RequestMethod, Some(record.method.as_bytes()));
    w.line.push(b' ');
    request_path(w, record);
    w.line.push(b' ');
    w.bare(Field::RequestProtocol, Some(record.protocol.as_bytes()));
    w.line.extend_from_slice(b"\" ");
    w.figure(Field::DownstreamStatus, record.status);
    w.line.push(b' ');
    w.figure(Field::DownstreamContentSize, record.response_size);
    w.line.push(b' ');
    w.header(record, "Referer");
    w.line.push(b' ');
    w.header(record, "User-Agent");
    if !generic {
        w.line.push(b' ');
        w.figure(Field::RequestCount, w.count);
        w.line.push(b' ');
        w.quoted(Field::RouterName, record.router);
        w.line.push(b' ');
        w.quoted(Field::ServiceUrl, record.served.map(|served| served.url));
        w.line.push(b' ');
        // Traefik writes 0 where the duration is dropped.
        let kept = w.chosen.field(Field::Duration) == FieldMode::Keep;
        text::number(w.line, if kept { record.duration.as_millis() } else { 0 });
        w.line.extend_from_slice(b"ms");
    }
    w.line.push(b'\n');
}

fn client_host<Q, O, D>(w: &mut Writing<'_>, record: &Record<'_, Q, O, D>) {
    match (w.chosen.field(Field::ClientHost), record.forwarded_for) {
        (FieldMode::Keep, None) => {
            // Writing to a vector cannot fail.
            let _ = write!(w.line, "{}", record.client.ip().to_canonical());
        }
        (_, forwarded) => w.bare(Field::ClientHost, Some(forwarded.unwrap_or_default())),
    }
}

/// The start in UTC, whether that is kept as `StartUTC` or as `StartLocal`.
fn start<Q, O, D>(w: &mut Writing<'_>, record: &Record<'_, Q, O, D>) {
    let kept = |field| w.chosen.field(field) == FieldMode::Keep;
    if kept(Field::StartUtc) || kept(Field::StartLocal) {
        w.moments.common(w.line, record.start);
    } else {
        w.line.push(b'-');
    }
}

fn request_path<Q, O, D>(w: &mut Writing<'_>, record: &Record<'_, Q, O, D>) {
    match w.chosen.field(Field::RequestPath) {
        // Traefik leaves the quotes of a query alone; here they are escaped, as in its other quoted
        // fields, so that no query can end the request line.
        FieldMode::Keep => super::path(w.line, record, w.chosen.query, |line, part| {
            text::common(line, part, true);
        }),
        _ => w.bare(Field::RequestPath, None),
    }
}

impl Writing<'_> {
    /// A value without quotes around it; `-` where there is none.
    fn bare(&mut self, field: Field, value: Option<&[u8]>) {
        match (self.chosen.field(field), value.filter(|value| !value.is_empty())) {
            (FieldMode::Keep, Some(value)) => text::common(self.line, value, false),
            (FieldMode::Redact, _) => self.line.extend_from_slice(REDACTED),
            _ => self.line.push(b'-'),
        }
    }

    fn figure(&mut self, field: Field, number: impl itoa::Integer) {
        match self.chosen.field(field) {
            FieldMode::Keep => text::number(self.line, number),
            _ => self.bare(field, None),
        }
    }

    /// A value with quotes around it; `"-"` where there is none.
    fn quoted(&mut self, field: Field, value: Option<&str>) {
        let mode = self.chosen.field(field);
        self.line.push(b'"');
        match (mode, value.filter(|value| !value.is_empty())) {
            (FieldMode::Keep, Some(value)) => text::common(self.line, value.as_bytes(), true),
            (FieldMode::Redact, _) => self.line.extend_from_slice(REDACTED),
            _ => self.line.push(b'-'),
        }
        self.line.push(b'"');
    }

    fn header<'a, Q, O, D>(&mut self, record: &Record<'a, Q, O, D>, name: &str)
    where
        Q: Iterator<Item = (&'a str, &'a [u8])> + Clone,
    {
        let mode = self.chosen.header(name);
        let values = || record.request_headers.clone().filter(|(other, _)| same(other, name));
        self.line.push(b'"');
        if mode == FieldMode::Drop || values().all(|(_, value)| value.is_empty()) {
            self.line.push(b'-');
        } else if mode == FieldMode::Redact {
            self.line.extend_from_slice(REDACTED);
        } else {
            for (position, (_, value)) in values().enumerate() {
                if position > 0 {
                    self.line.push(b',');
                }
                text::common(self.line, value, true);
            }
        }
        self.line.push(b'"');
    }
}
