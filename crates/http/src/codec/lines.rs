//! Lines of a head as they arrive.

use super::HeadLimits;
use crate::headers::{BadField, Headers, Known};

/// Where the reading of a head stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lines {
    /// Where the line begins that is being read.
    start: usize,
    /// Up to where no line feed was found.
    searched: usize,
}

/// What came of asking for a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A line without its end.
    Text(&'a [u8]),
    /// The line is not complete.
    Partial,
    /// Its end is not CRLF.
    BareEnd,
    /// It does not fit into the limit.
    TooLong,
}

impl Lines {
    /// The next line of `buffer`, which holds the message from its first byte on.
    pub(super) fn next<'a>(
        &mut self,
        buffer: &'a [u8],
        limits: &HeadLimits,
        bare_line_feeds: bool,
    ) -> Line<'a> {
        let unread = buffer.get(self.searched..).unwrap_or_default();
        let Some(found) = memchr::memchr(b'\n', unread) else {
            self.searched = buffer.len();
            return if buffer.len() > limits.most_bytes() { Line::TooLong } else { Line::Partial };
        };
        let feed = self.searched + found;
        if feed >= limits.most_bytes() {
            return Line::TooLong;
        }
        let line = buffer.get(self.start..feed).unwrap_or_default();
        self.start = feed + 1;
        self.searched = self.start;
        match line.split_last() {
            Some((b'\r', text)) => Line::Text(text),
            _ if bare_line_feeds => Line::Text(line),
            _ => Line::BareEnd,
        }
    }

    /// Adds fields the quick way, as far as it goes; says whether the last one is `Host`.
    ///
    /// A line of which a part was searched before is not taken: nobody shall make a part be
    /// searched again and again.
    pub(super) fn take_usual(
        &mut self,
        buffer: &[u8],
        limits: &HeadLimits,
        headers: &mut Headers,
    ) -> bool {
        let end = buffer.len().min(limits.most_bytes());
        let Some(unread) = buffer.get(self.start..end).filter(|_| self.searched == self.start)
        else {
            return false;
        };
        let usual = headers.push_usual(unread, limits.fields);
        self.start += usual.length;
        self.searched = self.start;
        usual.host
    }

    /// How many bytes the lines read so far have.
    pub(super) fn consumed(&self) -> usize {
        self.start
    }
}

/// Why a field line is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadLine {
    Folded,
    Name,
    Blank,
    Value,
    TooMany,
}

/// Adds the field of a line to `headers`; returns its name if it is a known one.
pub(super) fn push_field(
    line: &[u8],
    headers: &mut Headers,
    limits: &HeadLimits,
) -> Result<Option<Known>, BadLine> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(BadLine::Folded);
    }
    if headers.len() >= limits.fields {
        return Err(BadLine::TooMany);
    }
    let colon = line.iter().position(|&byte| byte == b':').ok_or(BadLine::Name)?;
    let (name, value) = line.split_at_checked(colon).ok_or(BadLine::Name)?;
    headers.push_wire(name, value.get(1..).unwrap_or_default()).map_err(|bad| match bad {
        BadField::Name if name.contains(&b' ') => BadLine::Blank,
        BadField::Name => BadLine::Name,
        BadField::Value => BadLine::Value,
    })
}
