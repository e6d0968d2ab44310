//! The Huffman code of strings (RFC 7541 §5.2, appendix B).
//!
//! The code is canonical: the codes of one length are consecutive numbers, in the order of their
//! symbols, so that the lengths alone say everything. Nearly all that is met has codes of 5 to 8
//! bits, which one table finds from a byte of input; the others are found by their length.

use std::slice::IterMut;

use super::HpackError;

/// Decodes a string and appends it.
///
/// # Errors
/// When it holds the end symbol, or does not end with a padding of less than a byte of ones.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) -> Result<(), HpackError> {
    let start = out.len();
    // The shortest codes have five bits.
    out.resize(start + text.len() * 8 / 5, 0);
    let room = out.get_mut(start..).unwrap_or_default();
    let decoded = decode_into(text, room.iter_mut());
    let left = decoded.as_ref().map_or(0, |left| *left);
    out.truncate(out.len() - left);
    decoded.map(drop)
}

/// Fills the slots from the first on, and returns how many are left.
fn decode_into(mut rest: &[u8], mut slots: IterMut<'_, u8>) -> Result<usize, HpackError> {
    // The next bits, from the highest on, and how many of them are certain.
    let (mut bits, mut count) = (0_u64, 0_u32);
    loop {
        if let Some(word) = rest.first_chunk() {
            // What comes in beyond the certain bits comes in again with the next word.
            bits |= u64::from_be_bytes(*word) >> count;
            let taken = (63 - count) / 8;
            count += taken * 8;
            rest = rest.get(taken as usize..).unwrap_or_default();
        } else {
            while count <= 56
                && let Some((&byte, behind)) = rest.split_first()
            {
                bits |= u64::from(byte) << (56 - count);
                count += 8;
                rest = behind;
            }
        }
        loop {
            let [first, ..] = bits.to_be_bytes();
            let (symbol, length) = SHORT.get(usize::from(first)).copied().unwrap_or_default();
            let length = u32::from(length);
            if length > count {
                break;
            }
            let Some(slot) = slots.next() else { break };
            *slot = symbol;
            bits <<= length;
            count -= length;
        }
        if rest.is_empty() || count >= 30 {
            match long(bits, count).and_then(|found| Some((found, slots.next()?))) {
                Some(((symbol, length), slot)) => {
                    *slot = symbol;
                    bits <<= length;
                    count -= length;
                }
                None if rest.is_empty() && count < 8 && bits.leading_ones() >= count => {
                    return Ok(slots.len());
                }
                None => return Err(HpackError::Huffman),
            }
        }
    }
}

/// The symbol of a code of more than 8 bits at the front, and its length.
fn long(bits: u64, count: u32) -> Option<(u8, u32)> {
    for length in 9..=30.min(count) {
        let group = GROUPS.get(length as usize)?;
        let code = usize::try_from(bits >> (64 - length)).ok()?;
        if let Some(place) = code.checked_sub(group.code)
            && place < group.count
        {
            let symbol = SORTED.get(group.start + place).copied()?;
            // The end symbol is none.
            return Some((u8::try_from(symbol).ok()?, length));
        }
    }
    None
}

/// How many bytes a string has when encoded.
pub(super) fn encoded_length(text: &[u8]) -> usize {
    let bits: usize = text
        .iter()
        .map(|&byte| usize::from(LENGTHS.get(usize::from(byte)).copied().unwrap_or_default()))
        .sum();
    bits.div_ceil(8)
}

/// Encodes a string and appends it.
pub(super) fn encode(text: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut count) = (0_u64, 0);
    for &byte in text {
        let (code, length) = CODES.get(usize::from(byte)).copied().unwrap_or_default();
        bits = bits << length | u64::from(code);
        count += u32::from(length);
        if count >= 32 {
            count -= 32;
            out.extend_from_slice(&low_word(bits >> count));
        }
    }
    let padding = (8 - count % 8) % 8;
    bits = bits << padding | ((1 << padding) - 1);
    let last = low_word(bits << (32 - count - padding));
    out.extend_from_slice(last.get(..count.div_ceil(8) as usize).unwrap_or_default());
}

fn low_word(bits: u64) -> [u8; 4] {
    let [.., a, b, c, d] = bits.to_be_bytes();
    [a, b, c, d]
}

/// The codes of one length.
#[derive(Clone, Copy)]
struct Group {
    /// The first of them.
    code: usize,
    /// How many there are.
    count: usize,
    /// Where their symbols begin in [`SORTED`].
    start: usize,
}

/// The number of bits of the code of each symbol; the last is the end symbol.
#[rustfmt::skip]
static LENGTHS: [u8; 257] = LENGTH_OF;
#[rustfmt::skip]
const LENGTH_OF: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// The code of each symbol and its length.
static CODES: [(u32, u8); 257] = TABLES.codes;
/// The symbol of the code with which a byte begins, and its length; more than there is of anything
/// where the code is longer than that.
static SHORT: [(u8, u8); 256] = TABLES.short;
/// The symbols in the order of their codes.
static SORTED: [u16; 257] = TABLES.sorted;
/// The codes by their length.
static GROUPS: [Group; 31] = TABLES.groups;

struct Tables {
    codes: [(u32, u8); 257],
    short: [(u8, u8); 256],
    sorted: [u16; 257],
    groups: [Group; 31],
}

const TABLES: Tables = tables();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, where a panic is an error, and of numbers below 257"
)]
const fn tables() -> Tables {
    let mut tables = Tables {
        codes: [(0, 0); 257],
        short: [(0, u8::MAX); 256],
        sorted: [0; 257],
        groups: [Group { code: 0, count: 0, start: 0 }; 31],
    };
    let (mut code, mut placed) = (0_usize, 0);
    let mut length = 1;
    while length <= 30 {
        code <<= 1;
        tables.groups[length] = Group { code, count: 0, start: placed };
        let mut symbol = 0;
        while symbol < 257 {
            if LENGTH_OF[symbol] as usize == length {
                tables.codes[symbol] = (code as u32, length as u8);
                tables.sorted[placed] = symbol as u16;
                tables.groups[length].count += 1;
                if length <= 8 {
                    let first = code << (8 - length);
                    let mut index = first;
                    while index < first + (1 << (8 - length)) {
                        tables.short[index] = (symbol as u8, length as u8);
                        index += 1;
                    }
                }
                code += 1;
                placed += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &[u8]) -> Result<Vec<u8>, HpackError> {
        let mut out = Vec::new();
        decode(text, &mut out).map(|()| out)
    }

    fn encoded(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(text, &mut out);
        out
    }

    #[test]
    fn strings_are_those_of_the_examples() {
        // RFC 7541 C.4.1 and C.6.1
        for (text, bytes) in [
            (
                &b"www.example.com"[..],
                &[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff][..],
            ),
            (b"302", &[0x64, 0x02]),
            (b"private", &[0xae, 0xc3, 0x77, 0x1a, 0x4b]),
        ] {
            assert_eq!(encoded(text), bytes);
            assert_eq!(decoded(bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn the_end_symbol_and_bad_paddings_are_refused() {
        let end = [0xff; 4];
        assert_eq!(decoded(&end), Err(HpackError::Huffman));
        // "a" is 00011: padded with zeros, with eight bits, and with ones as it must be.
        assert_eq!(decoded(&[0b0001_1000]), Err(HpackError::Huffman));
        assert_eq!(decoded(&[0b0001_1111, 0xff]), Err(HpackError::Huffman));
        assert_eq!(decoded(&[0b0001_1111]), Ok(b"a".to_vec()));
        assert_eq!(decoded(&[0xff]), Err(HpackError::Huffman));
        assert_eq!(decoded(&[]), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..100),
            "[ -~]{0,100}".prop_map(String::into_bytes),
        ]) {
            let bytes = encoded(&text);
            prop_assert_eq!(bytes.len(), encoded_length(&text));
            prop_assert_eq!(decoded(&bytes), Ok(text));
        }

        #[test]
        fn what_is_decoded_is_encoded_in_no_other_way(bytes: Vec<u8>) {
            if let Ok(text) = decoded(&bytes) {
                prop_assert_eq!(encoded(&text), bytes);
            }
        }
    }
}
