//! Reading blocks of fields.

use super::table::{NewName, Table};
use super::{Field, Name, huffman, integer, is_sound};

/// Why a block cannot be read; nothing behind it on the connection can be read either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HpackError {
    /// An integer is larger than anything that could be meant.
    #[error("an integer is too large")]
    Integer,
    /// The block ends within a field.
    #[error("a field is cut off")]
    Truncated,
    /// A string is none of the Huffman code, or wrongly padded.
    #[error("a string is not of the Huffman code")]
    Huffman,
    /// There is no field of this index.
    #[error("no field has this index")]
    Index,
    /// A change of the table's size is larger than allowed, or not at the start of a block.
    #[error("the table changes its size where it must not")]
    TableSize,
}

/// Reads the blocks of one direction of a connection, in their order.
#[derive(Debug, Clone)]
pub struct Decoder {
    table: Table,
    /// What the peer may make the table's size at most.
    most: usize,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Decoder {
    /// A decoder of which the peer was told that its table may have this size.
    ///
    /// Until the peer has read that, and as long as it does not say otherwise, the table has the
    /// 4096 bytes that it has without a word.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let table = Table::new(DEFAULT_SIZE);
        Self { table, most: most.max(DEFAULT_SIZE), name: Vec::new(), value: Vec::new() }
    }

    /// Reads a complete block and hands over its fields in order.
    ///
    /// # Errors
    /// See [`HpackError`].
    pub fn decode(
        &mut self,
        mut block: &[u8],
        mut take: impl FnMut(Field<'_>),
    ) -> Result<(), HpackError> {
        let mut begun = false;
        while let Some(&first) = block.first() {
            if first & 0x80 != 0 {
                let index = integer::read(&mut block, 7)?;
                take(self.table.field(index).ok_or(HpackError::Index)?);
            } else if first & 0x40 != 0 {
                self.take_literal(&mut block, 6, true, &mut take)?;
            } else if first & 0x20 == 0 {
                self.take_literal(&mut block, 4, false, &mut take)?;
            } else {
                let most = integer::read(&mut block, 5)?;
                if begun || most > self.most {
                    return Err(HpackError::TableSize);
                }
                self.table.resize(most);
                continue;
            }
            begun = true;
        }
        Ok(())
    }

    /// A field whose value, and perhaps name, is spelled out.
    fn take_literal(
        &mut self,
        block: &mut &[u8],
        prefix: u32,
        keep: bool,
        take: &mut impl FnMut(Field<'_>),
    ) -> Result<(), HpackError> {
        let index = integer::read(block, prefix)?;
        if index == 0 {
            let name = string(block, &mut self.name)?;
            let value = string(block, &mut self.value)?;
            let kind = Name::classify(name);
            let sound = is_sound(value);
            take(Field { name, value, kind, sound });
            if keep {
                self.table.insert(NewName::Text(name, kind), value, sound);
            }
            return Ok(());
        }
        let Field { name, kind, .. } = self.table.field(index).ok_or(HpackError::Index)?;
        let value = string(block, &mut self.value)?;
        let sound = is_sound(value);
        take(Field { name, value, kind, sound });
        if keep {
            let name = match super::statics::field(index) {
                Some(field) => NewName::Text(field.name.as_bytes(), field.kind),
                None => NewName::OfEntry(index - super::statics::COUNT - 1),
            };
            self.table.insert(name, value, sound);
        }
        Ok(())
    }
}

/// Takes a string off the front (RFC 7541 §5.2); `room` is for one that must be decoded.
fn string<'r, 'a: 'r>(block: &mut &'a [u8], room: &'r mut Vec<u8>) -> Result<&'r [u8], HpackError> {
    let &first = block.first().ok_or(HpackError::Truncated)?;
    let length = integer::read(block, 7)?;
    let (text, rest) = block.split_at_checked(length).ok_or(HpackError::Truncated)?;
    *block = rest;
    if first & 0x80 == 0 {
        return Ok(text);
    }
    room.clear();
    huffman::decode(text, room)?;
    Ok(room)
}

/// The size that a table has without a word.
pub(super) const DEFAULT_SIZE: usize = 4096;
