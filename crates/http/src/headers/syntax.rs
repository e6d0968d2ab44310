//! Which bytes names and values may have, and the canonical form of names.

use crate::words;

/// Whether the bytes are a token of RFC 9110 §5.6.2.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| canonical_byte(byte, false) != 0)
}

/// Whether the bytes can be a field value: no control character but tab.
pub(crate) fn is_value(text: &[u8]) -> bool {
    words::all(text, is_value_byte)
}

pub(super) fn is_value_byte(byte: u8) -> bool {
    ((byte >= b' ') & (byte != 0x7f)) | (byte == b'\t')
}

/// Brings a valid name into Go's canonical MIME form: a capital after the start and each `-`,
/// small letters elsewhere.
pub(crate) fn canonicalize(name: &mut [u8]) {
    let mut capital = true;
    for byte in name {
        *byte = canonical_byte(*byte, capital);
        capital = *byte == b'-';
    }
}

/// Without the spaces and tabs around it.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// The form that a byte of a name has in canonical names, as a capital or not; 0 for bytes that
/// no name has.
pub(super) fn canonical_byte(byte: u8, capital: bool) -> u8 {
    let table = if capital { &CAPITALS } else { &SMALL };
    table.get(usize::from(byte)).copied().unwrap_or(0)
}

static CAPITALS: [u8; 256] = forms(true);
static SMALL: [u8; 256] = forms(false);

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a panic is an error")]
const fn forms(capital: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 255")]
        let byte = index as u8;
        let token = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
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
        if token && capital {
            table[index] = byte.to_ascii_uppercase();
        } else if token {
            table[index] = byte.to_ascii_lowercase();
        }
        index += 1;
    }
    table
}
