//! Header fields: an ordered multimap over one text buffer, recycled from request to request.
//!
//! Names are kept in Go's canonical MIME form, which is what Traefik compares and sends; look-ups
//! ignore the letter case. Values are bytes, since servers and clients do send Latin-1.

use std::ops::Range;

mod known;
mod name;

pub use known::Known;
pub use name::{FieldName, HeaderName, HeaderValue, InvalidName, InvalidValue, NameQuery};

/// The fields of one head, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    text: Vec<u8>,
    entries: Vec<Entry>,
}

/// One field as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as it is written.
    pub name: &'a str,
    /// The value, without white space around it.
    pub value: &'a [u8],
    /// The classification of the name.
    pub known: Option<Known>,
}

/// A name of no bytes stands for the canonical text of `known`.
#[derive(Debug, Clone, Copy)]
struct Entry {
    known: Option<Known>,
    name: Span,
    value: Span,
}

#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Headers {
    /// An empty set; nothing is allocated before the first field comes.
    #[must_use]
    pub const fn new() -> Self {
        Self { text: Vec::new(), entries: Vec::new() }
    }

    /// Forgets all fields and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
    }

    /// Adds a field after those that are there.
    ///
    /// Control characters in the value become spaces (as Go writes them), so that no value can
    /// begin another line.
    pub fn append(&mut self, name: impl FieldName, value: impl AsRef<[u8]>) {
        let value = self.push_value(value.as_ref());
        let name_span = self.push_name(&name);
        self.entries.push(Entry { known: name.known(), name: name_span, value });
    }

    /// Replaces all fields of this name by one; it takes the place of the first of them.
    ///
    /// The name is written as given, which for [`HeaderName::verbatim`] keeps its letter case;
    /// control characters in the value become spaces.
    pub fn set(&mut self, name: impl FieldName, value: impl AsRef<[u8]>) {
        let Some(first) = self.entries.iter().position(|entry| entry.is(&name, &self.text)) else {
            return self.append(name, value);
        };
        let value = self.push_value(value.as_ref());
        let name_span = self.push_name(&name);
        let text = &self.text;
        let mut index = 0;
        self.entries.retain(|entry| {
            index += 1;
            index <= first + 1 || !entry.is(&name, text)
        });
        if let Some(entry) = self.entries.get_mut(first) {
            *entry = Entry { known: name.known(), name: name_span, value };
        }
    }

    /// Removes all fields of this name; says whether there was one.
    pub fn remove(&mut self, name: impl NameQuery) -> bool {
        let before = self.entries.len();
        let text = &self.text;
        self.entries.retain(|entry| !entry.is(&name, text));
        before != self.entries.len()
    }

    /// Removes all fields for which the predicate holds.
    pub fn remove_where(&mut self, mut predicate: impl FnMut(Field<'_>) -> bool) {
        let text = &self.text;
        self.entries.retain(|entry| !predicate(entry.view(text)));
    }

    /// The value of the first field of this name.
    #[must_use]
    pub fn get(&self, name: impl NameQuery) -> Option<&[u8]> {
        let entry = self.entries.iter().find(|entry| entry.is(&name, &self.text))?;
        Some(entry.value.of(&self.text))
    }

    /// As [`Headers::get`], if the value is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: impl NameQuery) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The values of all fields of this name, in order.
    pub fn get_all<N: NameQuery>(&self, name: N) -> impl Iterator<Item = &[u8]> + use<'_, N> {
        self.entries
            .iter()
            .filter(move |entry| entry.is(&name, &self.text))
            .map(|entry| entry.value.of(&self.text))
    }

    /// Whether a field of this name is there.
    #[must_use]
    pub fn contains(&self, name: impl NameQuery) -> bool {
        self.entries.iter().any(|entry| entry.is(&name, &self.text))
    }

    /// How many fields of this name are there.
    #[must_use]
    pub fn count(&self, name: impl NameQuery) -> usize {
        self.entries.iter().filter(|entry| entry.is(&name, &self.text)).count()
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.entries.iter().map(|entry| entry.view(&self.text))
    }

    /// The number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The elements of a comma-separated list (`Connection`, `Trailer`), over all fields of this
    /// name, without white space and without empty elements.
    pub fn tokens<N: NameQuery>(&self, name: N) -> impl Iterator<Item = &[u8]> + use<'_, N> {
        self.get_all(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(trim)
            .filter(|token| !token.is_empty())
    }

    /// Whether the list holds this element, in any letter case.
    #[must_use]
    pub fn has_token(&self, name: impl NameQuery, token: &str) -> bool {
        self.tokens(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Adds all fields of another set.
    pub fn extend_from(&mut self, other: &Self) {
        for entry in &other.entries {
            let name = if entry.name.is_empty() {
                Span::default()
            } else {
                self.push_text(entry.name.of(&other.text))
            };
            let value = self.push_text(entry.value.of(&other.text));
            self.entries.push(Entry { known: entry.known, name, value });
        }
    }

    /// Adds a field from the wire: checks name and value and canonicalises the name.
    pub(crate) fn push_wire(&mut self, name: &[u8], value: &[u8]) -> Result<Field<'_>, BadField> {
        if !is_token(name) {
            return Err(BadField::Name);
        }
        let value = trim(value);
        if !is_value(value) {
            return Err(BadField::Value);
        }
        let start = self.text.len();
        let mut name_span = self.push_text(name);
        let known = self.text.get_mut(start..).and_then(|written| {
            canonicalize(written);
            Known::classify_canonical(written)
        });
        if known.is_some() {
            self.text.truncate(start);
            name_span = Span::default();
        }
        let value = self.push_text(value);
        let entry = Entry { known, name: name_span, value };
        self.entries.push(entry);
        Ok(entry.view(&self.text))
    }

    /// Appends a folded line to the value that was added last (RFC 9112 §5.2).
    pub(crate) fn unfold_wire(&mut self, value: &[u8]) -> Result<(), BadField> {
        let value = trim(value);
        if !is_value(value) {
            return Err(BadField::Value);
        }
        let Some(last) = self.entries.last_mut() else { return Err(BadField::Name) };
        if !value.is_empty() {
            self.text.push(b' ');
            self.text.extend_from_slice(value);
            last.value.end = offset(self.text.len());
        }
        Ok(())
    }

    /// The fields with their names as bytes, for writing.
    pub(crate) fn wire(&self) -> impl Iterator<Item = (&[u8], &[u8], Option<Known>)> {
        self.entries
            .iter()
            .map(|entry| (entry.name_bytes(&self.text), entry.value.of(&self.text), entry.known))
    }

    /// Writes the names of one known field with another letter case.
    pub(crate) fn respell(&mut self, known: Known, spelling: &'static str) {
        debug_assert!(spelling.eq_ignore_ascii_case(known.as_str()));
        if !self.contains(known) {
            return;
        }
        let span = self.push_text(spelling.as_bytes());
        for entry in self.entries.iter_mut().filter(|entry| entry.known == Some(known)) {
            entry.name = span;
        }
    }

    fn push_name(&mut self, name: &impl FieldName) -> Span {
        match name.known() {
            Some(known) if known.as_str().as_bytes() == name.text() => Span::default(),
            _ => self.push_text(name.text()),
        }
    }

    fn push_value(&mut self, value: &[u8]) -> Span {
        let value = trim(value);
        let start = self.text.len();
        let span = self.push_text(value);
        if !is_value(value) {
            for byte in self.text.iter_mut().skip(start).filter(|byte| !is_value_byte(**byte)) {
                *byte = b' ';
            }
        }
        span
    }

    fn push_text(&mut self, text: &[u8]) -> Span {
        let start = offset(self.text.len());
        self.text.extend_from_slice(text);
        Span { start, end: offset(self.text.len()) }
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len() && self.iter().eq(other.iter())
    }
}

impl Entry {
    fn is(&self, name: &impl NameQuery, text: &[u8]) -> bool {
        match (self.known, name.known()) {
            (None, None) => self.name.of(text).eq_ignore_ascii_case(name.text()),
            (mine, theirs) => mine == theirs,
        }
    }

    fn view<'a>(&self, text: &'a [u8]) -> Field<'a> {
        Field {
            name: std::str::from_utf8(self.name_bytes(text)).unwrap_or_default(),
            value: self.value.of(text),
            known: self.known,
        }
    }

    fn name_bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        match self.known {
            Some(known) if self.name.is_empty() => known.as_str().as_bytes(),
            _ => self.name.of(text),
        }
    }
}

impl Span {
    fn of(self, text: &[u8]) -> &[u8] {
        let range: Range<usize> = self.start as usize..self.end as usize;
        text.get(range).unwrap_or_default()
    }

    fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// What was wrong with a field from the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadField {
    Name,
    Value,
}

/// Heads are limited to far less than 4 GiB; beyond it spans are empty rather than wrong.
fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// Whether the bytes are a token of RFC 9110 §5.6.2.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_byte(byte))
}

pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or(false)
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a panic is an error")]
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 255")]
        let character = byte as u8;
        table[byte] = character.is_ascii_alphanumeric()
            || matches!(
                character,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        byte += 1;
    }
    table
};

/// Whether the bytes can be a field value: no control character but tab.
///
/// Written without an early exit so that the compiler vectorises it.
pub(crate) fn is_value(text: &[u8]) -> bool {
    !text.iter().fold(false, |bad, &byte| bad | !is_value_byte(byte))
}

fn is_value_byte(byte: u8) -> bool {
    ((byte >= b' ') & (byte != 0x7f)) | (byte == b'\t')
}

/// Brings a valid name into Go's canonical MIME form: a capital after the start and each `-`,
/// small letters elsewhere.
pub(crate) fn canonicalize(name: &mut [u8]) {
    let mut capital = true;
    for byte in name {
        if capital {
            byte.make_ascii_uppercase();
        } else {
            byte.make_ascii_lowercase();
        }
        capital = *byte == b'-';
    }
}

/// Without the spaces and tabs around it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let Some(start) = text.iter().position(|&byte| !is_space(byte)) else { return &[] };
    let end = text.iter().rposition(|&byte| !is_space(byte)).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests;
