//! Text looked at several bytes at a time.
//!
//! Long texts are looked at in blocks of sixteen bytes, without an early exit inside of them, of
//! which the compiler makes vector instructions. Where it matters which byte it is, eight bytes
//! are worked on as one number, with the answer for each in its highest bit.

use std::str::Utf8Error;

/// How many bytes are looked at together in a long text.
const BLOCK: usize = 16;

const ONES: u64 = u64::MAX / 0xff;
const HIGHEST_BITS: u64 = ONES << 7;

/// Whether the predicate holds for every byte.
#[inline]
pub(crate) fn all(text: &[u8], holds: impl Fn(u8) -> bool + Copy) -> bool {
    let all_of = |block: &[u8; BLOCK]| block.iter().fold(true, |all, &byte| all & holds(byte));
    let (blocks, rest) = text.as_chunks();
    blocks.iter().all(all_of)
        && match text.last_chunk() {
            // To look at some bytes again is cheaper than to look at the others one by one.
            Some(last) if !rest.is_empty() => all_of(last),
            _ => rest.iter().all(|&byte| holds(byte)),
        }
}

/// Whether there are no two bytes side by side of which the predicate holds.
#[inline]
pub(crate) fn no_pair(text: &[u8], wanted: impl Fn(u8, u8) -> bool + Copy) -> bool {
    let none_of = |(firsts, seconds): (&[u8; BLOCK], &[u8; BLOCK])| {
        firsts
            .iter()
            .zip(seconds)
            .fold(true, |none, (&first, &second)| none & !wanted(first, second))
    };
    let Some((_, behind)) = text.split_first() else { return true };
    let (firsts, _) = text.as_chunks();
    let (seconds, rest) = behind.as_chunks();
    firsts.iter().zip(seconds).all(none_of)
        && match (behind.last_chunk(), text.split_last().and_then(|(_, front)| front.last_chunk()))
        {
            (Some(seconds), Some(firsts)) if !rest.is_empty() => none_of((firsts, seconds)),
            _ => {
                let start = text.len() - rest.len() - 1;
                let firsts = text.get(start..).unwrap_or_default();
                !firsts.iter().zip(rest).any(|(&first, &second)| wanted(first, second))
            }
        }
}

/// Makes `text` of bytes, which the caller takes for ASCII, and keeps the memory.
///
/// # Errors
///
/// When they are no UTF-8; the text is then empty.
pub(crate) fn refill(text: &mut String, bytes: &[u8]) -> Result<(), Utf8Error> {
    // Text is checked faster where it is aligned, as the beginning of a buffer is.
    let mut buffer = std::mem::take(text).into_bytes();
    buffer.clear();
    buffer.extend_from_slice(bytes);
    *text = String::from_utf8(buffer).map_err(|error| error.utf8_error())?;
    Ok(())
}

/// Where the first control character lies, DEL and tab among them, or the length of the text.
#[inline]
pub(crate) fn find_control(text: &[u8]) -> usize {
    let is_control = |byte: u8| (byte < b' ') | (byte == 0x7f);
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        if block.iter().fold(false, |any, &byte| any | is_control(byte)) {
            let ([first, second], []) = block.as_chunks() else { break };
            let (first, second) = (controls(first), controls(second));
            let within = if first == 0 { 8 + place(second) } else { place(first) };
            return index * BLOCK + within;
        }
    }
    text.len() - rest.len() + rest.iter().position(|&b| is_control(b)).unwrap_or(rest.len())
}

/// Where the first such byte lies among the first 32, or `None`.
#[inline]
pub(crate) fn find_soon(wanted: u8, text: &[u8]) -> Option<usize> {
    let (words, rest) = text.get(..32).unwrap_or(text).as_chunks();
    for (index, word) in words.iter().enumerate() {
        let differing = u64::from_le_bytes(*word) ^ splat(wanted);
        let found = differing.wrapping_sub(ONES) & !differing & HIGHEST_BITS;
        if found != 0 {
            return Some(index * 8 + place(found));
        }
    }
    Some(words.len() * 8 + rest.iter().position(|&byte| byte == wanted)?)
}

/// Marks the first control character; what comes behind it may be marked wrongly.
fn controls(word: &[u8; 8]) -> u64 {
    let word = u64::from_le_bytes(*word);
    let differing = word ^ splat(0x7f);
    let low = word.wrapping_sub(splat(b' ')) & !word;
    let delete = differing.wrapping_sub(ONES) & !differing;
    (low | delete) & HIGHEST_BITS
}

/// The place of the first marked byte.
const fn place(marks: u64) -> usize {
    marks.trailing_zeros() as usize / 8
}

const fn splat(byte: u8) -> u64 {
    ONES * byte as u64
}

/// Brings eight bytes of a name into Go's canonical form: a capital after `-`, small letters
/// elsewhere. `after_hyphen` says what comes before them, and in the result, whether the last of
/// them is one. `None` if there is anything but letters, digits and `-`.
pub(crate) fn canonical_word(word: u64, after_hyphen: bool) -> Option<(u64, bool)> {
    // Sums stay within their bytes, since no byte is beyond ASCII.
    let at_least = |word: u64, least: u8| word.wrapping_add(splat(0x80 - least));
    let small = word | splat(0x20);
    let letters = at_least(small, b'a') & !at_least(small, b'z' + 1);
    let digits = at_least(word, b'0') & !at_least(word, b'9' + 1);
    let hyphens = !at_least(word ^ splat(b'-'), 1);
    let good = (letters | digits | hyphens) & !word & HIGHEST_BITS;
    if good != HIGHEST_BITS {
        return None;
    }
    let letters = letters & HIGHEST_BITS;
    let hyphens = hyphens & HIGHEST_BITS;
    let capitals = letters & (hyphens << 8 | u64::from(after_hyphen) << 7);
    let canonical = (word | letters >> 2) ^ capitals >> 2;
    Some((canonical, hyphens >> 63 == 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn one_byte_is_found_wherever_it_is(length in 0usize..70, at in 0usize..70, byte: u8) {
            let mut text = vec![b'a'; length];
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
            let found = at < length;
            let control = found && byte.is_ascii_control();
            prop_assert_eq!(find_control(&text), if control { at } else { length });
            let soon = found && at < 32 && byte != b'a';
            prop_assert_eq!(find_soon(byte, &text).filter(|_| byte != b'a'), soon.then_some(at));
            prop_assert_eq!(all(&text, |b| b == b'a'), !found || byte == b'a');
        }

        #[test]
        fn what_is_found_is_the_first(text in "[\0-\x7fé]{0,70}") {
            let text = text.as_bytes();
            let first = |wanted: &dyn Fn(u8) -> bool| text.iter().position(|&byte| wanted(byte));
            let control = first(&|byte| byte.is_ascii_control()).unwrap_or(text.len());
            prop_assert_eq!(find_control(text), control);
            for wanted in [b':', b'\0', 0x7f, 0x80, 0xc3] {
                let soon = first(&|byte| byte == wanted).filter(|&place| place < 32);
                prop_assert_eq!(find_soon(wanted, text), soon);
            }
        }

        #[test]
        fn pairs_are_found_wherever_they_are(text in "[ab]{0,70}", length in 0usize..70, at in 0usize..70) {
            let wanted = |first: u8, second: u8| (first == b'a') & (second != b'b');
            let naive = |text: &[u8]| !text.windows(2).any(|pair| wanted(pair[0], pair[1]));
            prop_assert_eq!(no_pair(text.as_bytes(), wanted), naive(text.as_bytes()));
            let mut text = vec![b'b'; length];
            text.iter_mut().skip(at).take(2).for_each(|byte| *byte = b'a');
            prop_assert_eq!(no_pair(&text, wanted), naive(&text));
        }

        #[test]
        fn words_are_spelled_like_their_bytes(
            word in prop_oneof![any::<[u8; 8]>(), "[A-Za-z0-9-]{8}".prop_map(|text| {
                *text.as_bytes().first_chunk().unwrap()
            })],
            after_hyphen: bool,
        ) {
            let mut expected = word;
            let mut capital = after_hyphen;
            for byte in &mut expected {
                *byte = if capital { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
                capital = *byte == b'-';
            }
            let plain = word.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let expected = plain.then_some((u64::from_le_bytes(expected), capital));
            prop_assert_eq!(canonical_word(u64::from_le_bytes(word), after_hyphen), expected);
        }
    }
}
