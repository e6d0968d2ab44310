//! The fields that were sent before, the newest first (RFC 7541 §2.3.2).

use std::collections::VecDeque;

use super::{Field, Name, OVERHEAD, size, statics};

/// A dynamic table. Nothing is allocated before the first field enters it; then it holds up to
/// twice the text that fits into it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// The text of all entries, the newest last, behind that of some which have left.
    text: Vec<u8>,
    /// How much text was cut off the front since the beginning.
    cut: usize,
    /// The newest first.
    entries: VecDeque<Entry>,
    size: usize,
    most: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where its text begins, counted from the beginning of all text.
    start: usize,
    name_length: usize,
    value_length: usize,
    kind: Name,
    sound: bool,
}

/// The name of a field that enters.
#[derive(Debug, Clone, Copy)]
pub(super) enum NewName<'a> {
    /// That of the entry at this place.
    OfEntry(usize),
    Text(&'a [u8], Name),
}

impl Table {
    pub(super) const fn new(most: usize) -> Self {
        Self { text: Vec::new(), cut: 0, entries: VecDeque::new(), size: 0, most }
    }

    /// The field of an index: the static ones from 1 to 61, then the entries.
    pub(super) fn field(&self, index: usize) -> Option<Field<'_>> {
        if let Some(field) = statics::field(index) {
            let (name, value) = (field.name.as_bytes(), field.value.as_bytes());
            return Some(Field { name, value, kind: field.kind, sound: true });
        }
        self.entry(index.checked_sub(statics::COUNT + 1)?)
    }

    /// The entry at a place; the newest is at 0.
    pub(super) fn entry(&self, place: usize) -> Option<Field<'_>> {
        let entry = self.entries.get(place)?;
        let text = self.text.get(entry.start - self.cut..)?;
        let (name, rest) = text.split_at_checked(entry.name_length)?;
        let value = rest.get(..entry.value_length)?;
        Some(Field { name, value, kind: entry.kind, sound: entry.sound })
    }

    /// Changes how much fits; returns how many entries had to leave.
    pub(super) fn resize(&mut self, most: usize) -> usize {
        self.most = most;
        self.make_room(0)
    }

    /// How much fits.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Adds a field; returns how many entries had to leave, and whether it came in: one that is
    /// larger than the table empties it (RFC 7541 §4.4).
    pub(super) fn insert(&mut self, name: NewName<'_>, value: &[u8], sound: bool) -> (usize, bool) {
        let (name_length, kind) = match name {
            NewName::Text(text, kind) => (text.len(), kind),
            NewName::OfEntry(place) => match self.entries.get(place) {
                Some(entry) => (entry.name_length, entry.kind),
                None => return (0, false),
            },
        };
        let size = name_length + value.len() + OVERHEAD;
        if size > self.most {
            return (self.make_room(self.most + 1), false);
        }
        if self.text.len() + name_length + value.len() > 2 * self.most {
            self.cut_front();
        }
        // The name may be that of an entry which leaves now; its text is still there.
        let start = self.text.len();
        match name {
            NewName::Text(text, _) => self.text.extend_from_slice(text),
            NewName::OfEntry(place) => {
                let from = self.entries.get(place).map_or(start, |entry| entry.start - self.cut);
                self.text.extend_from_within(from..(from + name_length).min(start));
            }
        }
        self.text.extend_from_slice(value);
        let left = self.make_room(size);
        let start = start + self.cut;
        self.entries.push_front(Entry {
            start,
            name_length,
            value_length: value.len(),
            kind,
            sound,
        });
        self.size += size;
        (left, true)
    }

    /// Lets the oldest entries leave until so much fits in.
    fn make_room(&mut self, wanted: usize) -> usize {
        let mut left = 0;
        while self.size + wanted > self.most
            && let Some(entry) = self.entries.pop_back()
        {
            self.size -= entry.name_length + entry.value_length + OVERHEAD;
            left += 1;
        }
        left
    }

    /// Cuts off the text of entries that have left.
    fn cut_front(&mut self) {
        let start = match self.entries.back() {
            Some(oldest) => oldest.start - self.cut,
            None => self.text.len(),
        };
        self.text.drain(..start);
        self.cut += start;
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        debug_assert_eq!(
            self.size,
            (0..self.entries.len())
                .filter_map(|place| self.entry(place))
                .map(|field| size(field.name, field.value))
                .sum::<usize>()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(table: &Table) -> Vec<String> {
        (0..table.entries.len())
            .filter_map(|place| table.entry(place))
            .map(|field| String::from_utf8([field.name, b"=", field.value].concat()).unwrap())
            .collect()
    }

    fn insert(table: &mut Table, name: &str, value: &str) -> (usize, bool) {
        table.insert(NewName::Text(name.as_bytes(), Name::Other), value.as_bytes(), true)
    }

    #[test]
    fn the_oldest_leave_when_the_table_is_full() {
        let mut table = Table::new(80);
        assert_eq!(insert(&mut table, "aa", "1111"), (0, true));
        assert_eq!(insert(&mut table, "bb", "2222"), (0, true));
        assert_eq!(shown(&table), ["bb=2222", "aa=1111"]);
        assert_eq!(insert(&mut table, "c", ""), (1, true));
        assert_eq!(shown(&table), ["c=", "bb=2222"]);
        assert_eq!(table.resize(40), 1);
        assert_eq!(shown(&table), ["c="]);
        assert_eq!(insert(&mut table, "d", "too large for it"), (1, false));
        assert!(shown(&table).is_empty() && table.size == 0);
    }

    #[test]
    fn a_name_may_be_that_of_an_entry_which_leaves_for_it() {
        let mut table = Table::new(40);
        insert(&mut table, "name", "1");
        for value in ["2", "3", "4"].repeat(50) {
            assert_eq!(table.insert(NewName::OfEntry(0), value.as_bytes(), true), (1, true));
            assert_eq!(shown(&table), [format!("name={value}")]);
            assert!(table.text.len() <= 80);
        }
        assert_eq!(table.insert(NewName::OfEntry(1), b"x", true), (0, false));
    }

    #[test]
    fn the_text_of_entries_that_have_left_is_cut_off() {
        let mut table = Table::new(4096);
        for round in 0..10_000 {
            insert(&mut table, "name", &round.to_string());
            assert!(table.text.len() <= 2 * 4096);
            assert_eq!(table.field(62).unwrap().value, round.to_string().as_bytes());
        }
        assert!(table.text.capacity() <= 4 * 4096);
    }
}
