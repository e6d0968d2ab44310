//! Fields as lines: taking them from the wire and writing them to it.

use super::syntax::{canonical_byte, is_value, is_value_byte, trim};
use super::{Entry, FieldName, Headers, Known, KnownSet, LINE_END, SEPARATOR, offset};
use crate::words::canonical_word;

/// What was wrong with a field from the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadField {
    Name,
    Value,
}

impl Headers {
    /// Adds a field from the wire: checks name and value and canonicalises the name, which it
    /// returns if it is a known one.
    pub(crate) fn push_wire(
        &mut self,
        name: &[u8],
        value: &[u8],
    ) -> Result<Option<Known>, BadField> {
        let value = trim(value);
        if !is_value(value) {
            return Err(BadField::Value);
        }
        let start = self.text.len();
        self.text.reserve(name.len() + SEPARATOR.len() + value.len() + LINE_END.len());
        self.text.extend_from_slice(name);
        // Most senders write known names in canonical form, which needs no check.
        let mut known = Known::classify_canonical(name);
        if known.is_none() {
            let written = self.text.get_mut(start..).unwrap_or_default();
            let Some(underscore) = canonicalize_checked(written) else {
                self.text.truncate(start);
                return Err(BadField::Name);
            };
            self.underscores |= underscore;
            known = Known::classify_canonical(written);
        }
        let entry = self.end_line(start, value, known);
        self.entries.push(entry);
        Ok(known)
    }

    /// Adds a field of HTTP/2, whose name is a token in small letters of which it is known what it
    /// is, and whose value is trimmed and without control characters.
    pub(crate) fn push_small(
        &mut self,
        name: &[u8],
        value: &[u8],
        known: Option<Known>,
    ) -> Result<(), BadField> {
        debug_assert!(is_value(value) && trim(value) == value);
        let start = self.text.len();
        self.text.reserve(name.len() + SEPARATOR.len() + value.len() + LINE_END.len());
        if let Some(known) = known {
            debug_assert!(known.as_str().as_bytes().eq_ignore_ascii_case(name));
            self.text.extend_from_slice(known.as_str().as_bytes());
        } else {
            self.text.extend_from_slice(name);
            let written = self.text.get_mut(start..).unwrap_or_default();
            let Some(underscore) = canonicalize_checked(written) else {
                self.text.truncate(start);
                return Err(BadField::Name);
            };
            self.underscores |= underscore;
        }
        let entry = self.end_line(start, value, known);
        self.entries.push(entry);
        Ok(())
    }

    /// Appends a folded line to the value that was added last (RFC 9112 §5.2).
    pub(crate) fn unfold_wire(&mut self, value: &[u8]) -> Result<(), BadField> {
        let value = trim(value);
        if !is_value(value) {
            return Err(BadField::Value);
        }
        self.extend_last(b" ", value)
    }

    /// Appends to the value that was added last, unless it is nothing.
    pub(crate) fn extend_last(&mut self, between: &[u8], value: &[u8]) -> Result<(), BadField> {
        debug_assert!(is_value(value) && trim(value) == value);
        let Some(last) = self.entries.last_mut() else { return Err(BadField::Name) };
        debug_assert_eq!(last.end(), self.text.len());
        if !value.is_empty() {
            self.text.truncate(self.text.len().saturating_sub(LINE_END.len()));
            self.text.extend_from_slice(between);
            self.text.extend_from_slice(value);
            self.text.extend_from_slice(LINE_END);
            last.line_length = offset(last.line_length as usize + between.len() + value.len());
        }
        Ok(())
    }

    /// Whether the field that was added last has this name.
    pub(crate) fn ends_with(&self, name: Known) -> bool {
        self.entries.last().is_some_and(|last| last.known == Some(name))
    }

    /// Makes one field of all of this name, behind the others; nothing is left of what they were.
    pub(crate) fn join(&mut self, name: Known, between: &[u8]) {
        let joined = self.get_all(name).collect::<Vec<_>>().join(between);
        self.remove(name);
        let mut text = Vec::with_capacity(self.text.len());
        for entry in &mut self.entries {
            let line = self.text.get(entry.start as usize..entry.end()).unwrap_or_default();
            entry.start = offset(text.len());
            text.extend_from_slice(line);
        }
        self.text = text;
        self.append(name, joined);
    }

    /// Writes the lines of all fields but those of `skipped` names.
    pub(crate) fn write(&self, out: &mut Vec<u8>, skipped: KnownSet) {
        let mut run = 0..0;
        for entry in &self.entries {
            if entry.known.is_some_and(|known| skipped.contains(known)) {
                continue;
            }
            let start = entry.start as usize;
            if start != run.end {
                out.extend_from_slice(self.text.get(run).unwrap_or_default());
                run = start..start;
            }
            run.end = entry.end();
        }
        out.extend_from_slice(self.text.get(run).unwrap_or_default());
    }

    /// Spells one known name with other letter cases.
    pub(crate) fn respell(&mut self, known: Known, spelling: &'static str) {
        debug_assert!(spelling.eq_ignore_ascii_case(known.as_str()));
        if !self.contains(known) {
            return;
        }
        for entry in self.entries.iter().filter(|entry| entry.known == Some(known)) {
            let start = entry.start as usize;
            if let Some(name) = self.text.get_mut(start..start + entry.name_length as usize)
                && name.len() == spelling.len()
            {
                name.copy_from_slice(spelling.as_bytes());
            }
        }
    }

    /// Adds a line to the text, but no entry.
    pub(super) fn push_line(&mut self, name: &impl FieldName, value: &[u8]) -> Entry {
        let value = trim(value);
        if is_value(value) {
            return self.push_clean_line(name, value);
        }
        let clean = |byte: &u8| if is_value_byte(*byte) { *byte } else { b' ' };
        self.push_clean_line(name, &value.iter().map(clean).collect::<Vec<_>>())
    }

    /// The same for a value without control characters.
    pub(super) fn push_clean_line(&mut self, name: &impl FieldName, value: &[u8]) -> Entry {
        debug_assert!(is_value(value));
        let start = self.text.len();
        let known = name.known();
        self.text.extend_from_slice(name.text());
        self.underscores |= known.is_none() && name.text().contains(&b'_');
        self.end_line(start, value, known)
    }

    /// Writes what follows the name in the line that begins at `start`.
    #[inline]
    fn end_line(&mut self, start: usize, value: &[u8], known: Option<Known>) -> Entry {
        let name_length = self.text.len() - start;
        if let Some(known) = known {
            self.present.insert(known);
        }
        self.text.extend_from_slice(SEPARATOR);
        self.text.extend_from_slice(value);
        self.text.extend_from_slice(LINE_END);
        Entry {
            start: offset(start),
            name_length: offset(name_length),
            line_length: offset(self.text.len() - start),
            known,
        }
    }
}

/// Brings a name into canonical form in the pass that checks it; says whether it holds an
/// underscore, or `None` if it is no name.
pub(super) fn canonicalize_checked(name: &mut [u8]) -> Option<bool> {
    if name.is_empty() {
        return None;
    }
    if canonicalize_plain(name) {
        return Some(false);
    }
    let (mut capital, mut bad, mut underscore) = (true, false, false);
    for byte in name {
        *byte = canonical_byte(*byte, capital);
        bad |= *byte == 0;
        underscore |= *byte == b'_';
        capital = *byte == b'-';
    }
    (!bad).then_some(underscore)
}

/// The same for names of letters, digits and `-` that fill a word; `false`, and nothing is said
/// about the name, if it is another.
fn canonicalize_plain(name: &mut [u8]) -> bool {
    let mut after_hyphen = true;
    let mut written = 0;
    while let Some(word) = name.get_mut(written..).and_then(<[u8]>::first_chunk_mut) {
        let canonical = canonical_word(u64::from_le_bytes(*word), after_hyphen);
        let Some((canonical, hyphen)) = canonical else { return false };
        *word = canonical.to_le_bytes();
        after_hyphen = hyphen;
        written += word.len();
    }
    if written == name.len() {
        return true;
    }
    // The last word overlaps the one before, which changes nothing in what they share.
    let Some((_, [before, word @ ..])) = name.split_last_chunk_mut::<9>() else { return false };
    let Some((canonical, _)) = canonical_word(u64::from_le_bytes(*word), *before == b'-') else {
        return false;
    };
    *word = canonical.to_le_bytes();
    true
}
