//! Moments as text, worked out once a second.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, tz::TimeZone};

use crate::text;

/// Writes moments; remembers the last second it wrote.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    zone: TimeZone,
    seconds: i64,
    /// `2026-11-23T06:56:33`, in UTC and in the local zone.
    utc: String,
    local: String,
    /// `Z` or `+02:00`.
    offset: String,
    /// `23/Nov/2026:06:56:33 +0000`.
    common: String,
}

impl Moments {
    pub(crate) fn new(zone: TimeZone) -> Self {
        let (utc, local, offset) = (String::new(), String::new(), String::new());
        Self { zone, seconds: i64::MIN, utc, local, offset, common: String::new() }
    }

    /// As in Common Log Format lines, in UTC.
    pub(crate) fn common(&mut self, line: &mut Vec<u8>, at: SystemTime) {
        self.turn(at);
        line.extend_from_slice(self.common.as_bytes());
    }

    /// RFC 3339 with the nanoseconds that are not zero, in UTC.
    pub(crate) fn utc(&mut self, line: &mut Vec<u8>, at: SystemTime) {
        let nanoseconds = self.turn(at);
        line.extend_from_slice(self.utc.as_bytes());
        fraction(line, nanoseconds);
        line.push(b'Z');
    }

    /// RFC 3339 with the nanoseconds that are not zero, in the local zone.
    pub(crate) fn local(&mut self, line: &mut Vec<u8>, at: SystemTime) {
        let nanoseconds = self.turn(at);
        line.extend_from_slice(self.local.as_bytes());
        fraction(line, nanoseconds);
        line.extend_from_slice(self.offset.as_bytes());
    }

    /// RFC 3339 with whole seconds, in the local zone.
    pub(crate) fn local_second(&mut self, line: &mut Vec<u8>, at: SystemTime) {
        self.turn(at);
        line.extend_from_slice(self.local.as_bytes());
        line.extend_from_slice(self.offset.as_bytes());
    }

    /// Works out the second of a moment if it is another one; the nanoseconds inside it.
    fn turn(&mut self, at: SystemTime) -> u32 {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
        if seconds != self.seconds {
            self.seconds = seconds;
            let timestamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
            let utc = timestamp.to_zoned(TimeZone::UTC);
            let local = timestamp.to_zoned(self.zone.clone());
            // Once a second: the strings may be made anew.
            self.utc = utc.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            self.common = utc.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string();
            self.local = local.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            self.offset = if local.offset().seconds() == 0 {
                "Z".to_owned()
            } else {
                local.strftime("%:z").to_string()
            };
        }
        since.subsec_nanos()
    }
}

/// Appends `.189817577`, without trailing zeros; nothing at all for zero.
fn fraction(line: &mut Vec<u8>, nanoseconds: u32) {
    if nanoseconds == 0 {
        return;
    }
    line.push(b'.');
    // A leading 1 keeps the zeros in front.
    let start = line.len();
    text::number(line, 1_000_000_000 + nanoseconds);
    line.remove(start);
    while line.last() == Some(&b'0') {
        line.pop();
    }
}
