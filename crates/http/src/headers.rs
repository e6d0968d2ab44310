//! Header fields: an ordered multimap over one text buffer, recycled from request to request.
//!
//! Names are kept in Go's canonical MIME form, which is what Traefik compares and sends; look-ups
//! ignore the letter case. Values are bytes, since servers and clients do send Latin-1.
//!
//! Each field lies in the buffer as the line in which it is written (`Name: value` and CRLF), so
//! that writing a head copies long runs. A bit for each known name answers most look-ups.

mod known;
mod name;
mod syntax;
mod usual;
mod wire;

pub use known::Known;
pub(crate) use known::KnownSet;
pub use name::{
    FieldName, HeaderName, HeaderValue, InvalidName, InvalidValue, NameQuery, StaticName,
};
pub(crate) use syntax::{canonicalize, is_token, is_value, trim};
pub(crate) use wire::BadField;

use crate::words;

/// The fields of one head, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// The known names that are there.
    present: KnownSet,
    /// Whether a name with an underscore may be there.
    underscores: bool,
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

/// Where a field lies: its line begins at `start`, and has its end in its length.
#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    name_length: u32,
    line_length: u32,
    known: Option<Known>,
}

impl Headers {
    /// An empty set; nothing is allocated before the first field comes.
    #[must_use]
    pub const fn new() -> Self {
        Self { text: Vec::new(), entries: Vec::new(), present: KnownSet::EMPTY, underscores: false }
    }

    /// Forgets all fields and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
        self.present = KnownSet::EMPTY;
        self.underscores = false;
    }

    /// The bytes of its memory.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    /// Gives back the memory that the fields do not need.
    pub fn shrink_to_fit(&mut self) {
        self.text.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    /// Adds a field after those that are there.
    ///
    /// Control characters in the value become spaces (as Go writes them), so that no value can
    /// begin another line.
    pub fn append(&mut self, name: impl FieldName, value: impl AsRef<[u8]>) {
        let entry = self.push_line(&name, value.as_ref());
        self.entries.push(entry);
    }

    /// Replaces all fields of this name by one; it takes the place of the first of them.
    ///
    /// The name is written as given, which for [`HeaderName::verbatim`] keeps its letter case;
    /// control characters in the value become spaces.
    pub fn set(&mut self, name: impl FieldName, value: impl AsRef<[u8]>) {
        let absent = self.surely_lacks(&name);
        let entry = self.push_line(&name, value.as_ref());
        if absent { self.entries.push(entry) } else { self.replace(&name, entry) }
    }

    /// Adds a field in the place of all of its name, and of all whose names differ from it only by `_` for `-`:
    /// servers that map both to one variable must not be told two stories.
    pub fn set_alone(&mut self, name: impl FieldName, value: impl AsRef<[u8]>) {
        if self.underscores || name.text().contains(&b'_') {
            let folded = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
            self.remove_where(|field| {
                field.name.as_bytes().iter().map(folded).eq(name.text().iter().map(folded))
            });
        } else {
            self.remove(&name);
        }
        self.append(name, value);
    }

    /// As [`Headers::set`], for a value that needs no check, without control characters: it stays
    /// as it is, where `set` trims.
    pub(crate) fn set_clean(&mut self, name: Known, value: &[u8]) {
        let absent = self.surely_lacks(&name);
        let entry = self.push_clean_line(&name, value);
        if absent { self.entries.push(entry) } else { self.replace(&name, entry) }
    }

    /// Puts an entry into the place of the first of its name, and takes the others away.
    fn replace(&mut self, name: &impl FieldName, entry: Entry) {
        let text = &self.text;
        let is_named = |entry: &Entry| entry.is(name, text);
        let Some(first) = self.entries.iter().position(is_named) else {
            return self.entries.push(entry);
        };
        let mut index = 0;
        self.entries.retain(|entry| {
            index += 1;
            index <= first + 1 || !is_named(entry)
        });
        if let Some(place) = self.entries.get_mut(first) {
            *place = entry;
        }
    }

    /// Removes all fields of this name; says whether there was one.
    pub fn remove(&mut self, name: impl NameQuery) -> bool {
        if self.surely_lacks(&name) {
            return false;
        }
        let before = self.entries.len();
        let text = &self.text;
        self.entries.retain(|entry| !entry.is(&name, text));
        if let Some(known) = name.known() {
            self.present.remove(known);
        }
        before != self.entries.len()
    }

    /// Takes the only field of this name out; says whether it was there.
    pub(crate) fn remove_only(&mut self, name: Known) -> bool {
        let Some(place) = self.position(&name) else { return false };
        self.entries.remove(place);
        debug_assert_eq!(self.position(&name), None);
        self.present.remove(name);
        true
    }

    /// Removes all fields for which the predicate holds.
    pub fn remove_where(&mut self, mut predicate: impl FnMut(Field<'_>) -> bool) {
        let text = &self.text;
        let mut present = KnownSet::EMPTY;
        self.entries.retain(|entry| {
            let keep = !predicate(entry.view(text));
            if let (true, Some(known)) = (keep, entry.known) {
                present.insert(known);
            }
            keep
        });
        self.present = present;
    }

    /// Removes all fields of these names.
    pub(crate) fn remove_all(&mut self, names: KnownSet) {
        if self.present.meets(names) {
            self.entries.retain(|entry| !entry.known.is_some_and(|known| names.contains(known)));
            self.present.remove_all(names);
        }
    }

    /// The value of the first field of this name.
    #[must_use]
    pub fn get(&self, name: impl NameQuery) -> Option<&[u8]> {
        let entry = self.entries.get(self.position(&name)?)?;
        Some(entry.value(&self.text))
    }

    /// As [`Headers::get`], if the value is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: impl NameQuery) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The values of all fields of this name, in order.
    pub fn get_all<N: NameQuery>(&self, name: N) -> impl Iterator<Item = &[u8]> + use<'_, N> {
        let entries = if self.surely_lacks(&name) { &[] } else { self.entries.as_slice() };
        entries
            .iter()
            .filter(move |entry| entry.is(&name, &self.text))
            .map(|entry| entry.value(&self.text))
    }

    /// Whether a field of this name is there.
    #[must_use]
    pub fn contains(&self, name: impl NameQuery) -> bool {
        match name.known() {
            Some(known) => self.present.contains(known),
            None => self.position(&name).is_some(),
        }
    }

    /// Whether a name with an underscore may be there.
    pub(crate) fn may_have_underscores(&self) -> bool {
        self.underscores
    }

    /// How many fields of this name are there.
    #[must_use]
    pub fn count(&self, name: impl NameQuery) -> usize {
        self.get_all(name).count()
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> + Clone {
        self.entries.iter().map(|entry| entry.view(&self.text))
    }

    /// All fields in order, each with what its name is, the name and the value. Names are ASCII.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (Option<Known>, &[u8], &[u8])> {
        let text = &self.text;
        self.entries.iter().map(move |entry| (entry.known, entry.name(text), entry.value(text)))
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

    /// Whether the predicate holds for every element of such a list, of which each field has
    /// mostly one.
    pub(crate) fn every_token(&self, name: impl NameQuery, holds: impl Fn(&[u8]) -> bool) -> bool {
        let holds = |element| {
            let token = trim(element);
            token.is_empty() || holds(token)
        };
        self.get_all(name).all(|value| {
            if words::all(value, |byte| byte != b',') {
                holds(value)
            } else {
                value.split(|&byte| byte == b',').all(holds)
            }
        })
    }

    /// Whether the list holds this element, in any letter case.
    #[must_use]
    pub fn has_token(&self, name: impl NameQuery, token: &str) -> bool {
        !self.every_token(name, |element| !element.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Adds all fields of another set.
    pub fn extend_from(&mut self, other: &Self) {
        for entry in &other.entries {
            let start = offset(self.text.len());
            self.text.extend_from_slice(entry.line(&other.text));
            self.entries.push(Entry { start, ..*entry });
        }
        self.present.insert_all(other.present);
        self.underscores |= other.underscores;
    }

    /// Puts all fields of another set before those that are there.
    pub fn put_before(&mut self, other: &Self) {
        let mut joined = other.clone();
        joined.extend_from(self);
        *self = joined;
    }

    /// Puts those fields of another set before those that are there whose names are not there.
    pub fn put_missing_before(&mut self, other: &Self) {
        let mut missing = other.clone();
        missing.remove_where(|field| match field.known {
            Some(known) => self.contains(known),
            None => self.iter().any(|one| one.name.eq_ignore_ascii_case(field.name)),
        });
        self.put_before(&missing);
    }

    fn position(&self, name: &impl NameQuery) -> Option<usize> {
        if self.surely_lacks(name) {
            return None;
        }
        self.entries.iter().position(|entry| entry.is(name, &self.text))
    }

    /// Known names that are not there need no search.
    fn surely_lacks(&self, name: &impl NameQuery) -> bool {
        name.known().is_some_and(|known| !self.present.contains(known))
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
            (None, None) => self.name(text).eq_ignore_ascii_case(name.text()),
            (mine, theirs) => mine == theirs,
        }
    }

    fn view<'a>(&self, text: &'a [u8]) -> Field<'a> {
        Field {
            name: std::str::from_utf8(self.name(text)).unwrap_or_default(),
            value: self.value(text),
            known: self.known,
        }
    }

    fn name<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        text.get(start..start + self.name_length as usize).unwrap_or_default()
    }

    fn value<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize + self.name_length as usize + SEPARATOR.len();
        text.get(start..self.end() - LINE_END.len()).unwrap_or_default()
    }

    fn line<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.get(self.start as usize..self.end()).unwrap_or_default()
    }

    /// Where its line ends.
    fn end(&self) -> usize {
        self.start as usize + self.line_length as usize
    }
}

const SEPARATOR: &[u8] = b": ";
const LINE_END: &[u8] = b"\r\n";

/// Heads are limited to far less than 4 GiB; beyond it fields read as empty rather than wrong.
fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
