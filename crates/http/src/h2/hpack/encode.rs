//! Writing blocks of fields.
//!
//! A field enters the table when it comes for the second time within a while, so that values that
//! never come again push nothing out. Fields that could be secret never enter it: how well they
//! compress would tell about them (RFC 7541 §7.1).

use std::collections::VecDeque;

use super::decode::DEFAULT_SIZE;
use super::table::{NewName, Table};
use super::{Name, huffman, integer, statics};
use crate::headers::Known;

/// Whether a field may enter the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// Where it comes again.
    Repeated,
    /// No, as it hardly comes again.
    Unrepeated,
    /// Never, and nobody on the way may either (RFC 7541 §6.2.3).
    Secret,
}

impl Keeping {
    /// What is done with fields of a name.
    fn of(known: Option<Known>, value: &[u8]) -> Self {
        match known {
            Some(
                Known::Authorization
                | Known::Cookie
                | Known::ProxyAuthorization
                | Known::SetCookie
                | Known::SecWebsocketKey
                | Known::XForwardedTlsClientCert,
            ) => Self::Secret,
            Some(
                Known::ContentLength
                | Known::ContentRange
                | Known::Etag
                | Known::IfModifiedSince
                | Known::IfNoneMatch
                | Known::LastModified
                | Known::Location,
            ) => Self::Unrepeated,
            _ if value.len() > LONGEST => Self::Unrepeated,
            _ => Self::Repeated,
        }
    }
}

/// What an entry of the table is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    /// Of name and value.
    hash: u32,
    /// The name's place in the static table, or 0.
    index: u32,
}

/// Writes the blocks of one direction of a connection, in their order.
#[derive(Debug, Clone)]
pub struct Encoder {
    table: Table,
    /// What the entries of the table are found by.
    marks: VecDeque<Mark>,
    /// The hashes of fields that came of late, and where the next one goes.
    recent: [u32; RECENT],
    next_recent: usize,
    /// The most that we use of what the peer allows.
    most: usize,
    /// The smallest size since the last block, where the size was changed.
    shrunk: Option<usize>,
}

impl Encoder {
    /// An encoder that uses a table of at most this size.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let table = Table::new(DEFAULT_SIZE);
        let mut encoder = Self {
            table,
            marks: VecDeque::new(),
            recent: [0; RECENT],
            next_recent: 0,
            most,
            shrunk: None,
        };
        encoder.allow(DEFAULT_SIZE);
        encoder
    }

    /// The peer allows a table of this size.
    pub fn allow(&mut self, most: usize) {
        let most = most.min(self.most);
        if most == self.table.most() {
            return;
        }
        let left = self.table.resize(most);
        self.forget(left);
        self.shrunk = Some(self.shrunk.unwrap_or(most).min(most));
    }

    /// Begins a block; a change of the table's size is written first (RFC 7541 §4.2).
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        let Some(smallest) = self.shrunk.take() else { return };
        if smallest < self.table.most() {
            integer::write(out, 0x20, 5, smallest);
        }
        integer::write(out, 0x20, 5, self.table.most());
    }

    /// Writes a field of a head.
    pub fn field(&mut self, out: &mut Vec<u8>, known: Option<Known>, name: &[u8], value: &[u8]) {
        let index = known.map_or(0, statics::index_of);
        self.write(out, index, name, value, Keeping::of(known, value));
    }

    /// Writes a field of which nothing is there yet but its name and value.
    pub fn known(&mut self, out: &mut Vec<u8>, known: Known, value: &[u8]) {
        self.field(out, Some(known), known.as_str().as_bytes(), value);
    }

    /// Writes the field of an index, one of the static table.
    pub(in crate::h2) fn index(&mut self, out: &mut Vec<u8>, index: usize) {
        integer::write(out, 0x80, 7, index);
    }

    /// Writes a field with the name of an index, one of the static table, or with this name in any
    /// letter case where the index is 0.
    pub(in crate::h2) fn write(
        &mut self,
        out: &mut Vec<u8>,
        index: usize,
        name: &[u8],
        value: &[u8],
        keeping: Keeping,
    ) {
        // The text of the table is in small letters, which compares at once.
        let name = statics::field(index).map_or(name, |field| field.name.as_bytes());
        match keeping {
            Keeping::Repeated => {
                let mark = mark(index, name, value);
                if let Some(place) = self.find(mark, name, value) {
                    return integer::write(out, 0x80, 7, statics::COUNT + 1 + place);
                }
                if self.comes_again(mark.hash) {
                    integer::write(out, 0x40, 6, index);
                    self.keep(mark, name, value);
                } else {
                    integer::write(out, 0, 4, index);
                }
            }
            Keeping::Unrepeated => integer::write(out, 0, 4, index),
            Keeping::Secret => integer::write(out, 0x10, 4, index),
        }
        if index == 0 {
            write_name(out, name);
        }
        write_string(out, value);
    }

    /// Where the table has this field.
    fn find(&self, mark: Mark, name: &[u8], value: &[u8]) -> Option<usize> {
        let (front, back) = self.marks.as_slices();
        let place = front.iter().chain(back).position(|&other| other == mark)?;
        let entry = self.table.entry(place)?;
        let is_named = mark.index != 0 || entry.name.eq_ignore_ascii_case(name);
        (is_named && entry.value == value).then_some(place)
    }

    /// Whether the field came of late; from now on it did.
    fn comes_again(&mut self, hash: u32) -> bool {
        if self.recent.contains(&hash) {
            return true;
        }
        if let Some(place) = self.recent.get_mut(self.next_recent) {
            *place = hash;
        }
        self.next_recent = (self.next_recent + 1) % RECENT;
        false
    }

    fn keep(&mut self, mark: Mark, name: &[u8], value: &[u8]) {
        let mut small = [0; LONGEST];
        let Some(small) = small.get_mut(..name.len()) else { return };
        small.copy_from_slice(name);
        small.make_ascii_lowercase();
        let (left, came_in) = self.table.insert(NewName::Text(small, Name::Other), value, true);
        self.forget(left);
        if came_in {
            self.marks.push_front(mark);
        }
    }

    fn forget(&mut self, left: usize) {
        self.marks.truncate(self.marks.len().saturating_sub(left));
    }
}

/// A name in small letters; names are short, and plain text is the quickest to read.
fn write_name(out: &mut Vec<u8>, name: &[u8]) {
    integer::write(out, 0, 7, name.len());
    out.extend(name.iter().map(u8::to_ascii_lowercase));
}

/// A string in the Huffman code, where that makes it shorter.
fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    let length = huffman::encoded_length(text);
    if length < text.len() {
        integer::write(out, 0x80, 7, length);
        huffman::encode(text, out);
    } else {
        integer::write(out, 0, 7, text.len());
        out.extend_from_slice(text);
    }
}

/// A quick hash; what it finds is compared, and never 0, which is nobody's. The name stands in its index, if it has
/// one.
fn mark(index: usize, name: &[u8], value: &[u8]) -> Mark {
    let mut hash = mix(index as u64, value.len() as u64);
    if index == 0 {
        hash = mix_text(mix(hash, name.len() as u64), name);
    }
    let [.., a, b, c, d] = mix_text(hash, value).to_le_bytes();
    // The static table has 61 entries.
    Mark {
        hash: u32::from_le_bytes([a, b, c, d]) | 1,
        index: u32::try_from(index).unwrap_or_default(),
    }
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}

fn mix_text(hash: u64, text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks();
    let hash = words.iter().fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    match (rest, text.last_chunk()) {
        ([], _) => hash,
        // The last word overlaps the one before: rather than to take the others one by one.
        (_, Some(last)) => mix(hash, u64::from_le_bytes(*last)),
        _ => rest.iter().fold(hash, |hash, &byte| mix(hash, u64::from(byte))),
    }
}

/// The longest name and value that enter the table: more would push out too many others.
const LONGEST: usize = 256;
/// How many fields are remembered until they come again.
const RECENT: usize = 64;
