//! Integers that begin within a byte (RFC 7541 §5.1).

use super::HpackError;

/// Takes an integer off the front, of which the first byte holds `prefix` bits.
///
/// # Errors
/// When it is incomplete, or larger than anything that could be meant.
pub(super) fn read(input: &mut &[u8], prefix: u32) -> Result<usize, HpackError> {
    let (&first, mut rest) = input.split_first().ok_or(HpackError::Truncated)?;
    let most = (1_u8 << prefix).wrapping_sub(1);
    let mut value = u32::from(first & most);
    if first & most == most {
        let mut shift = 0;
        loop {
            let (&byte, behind) = rest.split_first().ok_or(HpackError::Truncated)?;
            rest = behind;
            // Four bytes make more than any length or index that is taken.
            if shift > 21 {
                return Err(HpackError::Integer);
            }
            value += u32::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    *input = rest;
    Ok(value as usize)
}

/// Writes an integer whose first byte holds `prefix` bits of it, below those of `pattern`.
#[inline]
pub(in crate::h2) fn write(out: &mut Vec<u8>, pattern: u8, prefix: u32, value: usize) {
    let most = (1_usize << prefix) - 1;
    if value < most {
        out.push(pattern | low_byte(value));
    } else {
        write_long(out, pattern, most, value);
    }
}

fn write_long(out: &mut Vec<u8>, pattern: u8, most: usize, value: usize) {
    out.push(pattern | low_byte(most));
    let mut rest = value - most;
    while rest >= 0x80 {
        out.push(low_byte(rest) | 0x80);
        rest >>= 7;
    }
    out.push(low_byte(rest));
}

fn low_byte(value: usize) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_those_of_the_examples() {
        // RFC 7541 C.1
        for (value, prefix, bytes) in
            [(10, 5, &[0b01010][..]), (1337, 5, &[0b11111, 0b1001_1010, 0b1010]), (42, 7, &[42])]
        {
            let mut out = Vec::new();
            write(&mut out, 0, prefix, value);
            assert_eq!(out, bytes);
            assert_eq!(read(&mut &bytes[..], prefix), Ok(value));
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for prefix in 4..=7 {
            for value in (0..300).chain([1 << 14, (1 << 14) + 31, 1 << 20, 1 << 27]) {
                let mut out = Vec::new();
                write(&mut out, 0, prefix, value);
                let mut input = out.as_slice();
                assert_eq!(read(&mut input, prefix), Ok(value));
                assert!(input.is_empty());
            }
        }
    }

    #[test]
    fn endless_and_cut_integers_are_refused() {
        assert_eq!(read(&mut &[0xff, 0x80, 0x80, 0x80, 0x80, 1][..], 7), Err(HpackError::Integer));
        assert_eq!(read(&mut &[0xff, 0x80][..], 7), Err(HpackError::Truncated));
        assert_eq!(read(&mut &[][..], 7), Err(HpackError::Truncated));
    }
}
