//! The quick way for fields as nearly everybody sends them.
//!
//! It takes only lines that need no second thought; any other goes the careful way of
//! [`Headers::push_wire`], which alone decides what is refused.

use super::wire::canonicalize_checked;
use super::{Entry, Headers, Known, LINE_END, offset};
use crate::words::{find_control, find_soon};

/// What the quick way took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usual {
    /// How many bytes the lines have.
    pub(crate) length: usize,
    /// Whether the last of them is `Host`, which only one may be.
    pub(crate) host: bool,
}

impl Headers {
    /// Adds the fields of complete lines at the start of `text`: up to the first that is not
    /// `Name: value` and CRLF, with one space and no more around the value and no control
    /// character in it, or up to `Host`.
    pub(crate) fn push_usual(&mut self, text: &[u8], most_fields: usize) -> Usual {
        let mut usual = Usual { length: 0, host: false };
        while !usual.host
            && self.entries.len() < most_fields
            && let Some(rest) = text.get(usual.length..)
            && let Some(entry) = self.push_first(rest)
        {
            usual.length += entry.line_length as usize;
            usual.host = entry.known == Some(Known::Host);
            self.entries.push(entry);
        }
        usual
    }

    /// Takes the first line.
    #[inline]
    fn push_first(&mut self, text: &[u8]) -> Option<Entry> {
        let colon = find_soon(b':', text)?;
        let (name, rest) = text.split_at_checked(colon)?;
        let end = find_control(rest);
        let ([b':', b' ', first, ..], Some((b"\r\n", _))) =
            (rest, rest.get(end..)?.split_at_checked(LINE_END.len()))
        else {
            return None;
        };
        let last = rest.get(end.checked_sub(1)?)?;
        // An empty value begins with the end of the line.
        if *first <= b' ' || *last == b' ' {
            return None;
        }
        let start = self.text.len();
        let line = text.get(..colon + end + LINE_END.len())?;
        self.text.extend_from_slice(line);
        // Most senders write known names in canonical form, which needs no check.
        let mut known = Known::classify_canonical(name);
        if known.is_none() {
            let written = self.text.get_mut(start..start + colon)?;
            let Some(underscore) = canonicalize_checked(written) else {
                self.text.truncate(start);
                return None;
            };
            self.underscores |= underscore;
            known = Known::classify_canonical(written);
        }
        if let Some(known) = known {
            self.present.insert(known);
        }
        Some(Entry {
            start: offset(start),
            name_length: offset(colon),
            line_length: offset(line.len()),
            known,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What the quick way takes, the careful way takes with the same outcome.
        #[test]
        fn both_ways_agree(line in prop_oneof![
            "[A-Za-z0-9_-]{1,40}: ?[ -~\t]{0,40}\r\n",
            "(Host|hOST|ETag|X-Forwarded-For|x_y|A b|X:|[ -~]{0,5}): [ -~\x00-\x1fé]{1,6}\r\n",
            "[ -~\r\n]{0,30}",
        ], behind in "(\r\n|A: b\r\n)?") {
            let (mut quick, mut careful) = (Headers::new(), Headers::new());
            let lines = line + &behind;
            let usual = quick.push_usual(lines.as_bytes(), 1);
            if usual.length > 0 {
                let (text, _) = lines.split_once("\r\n").unwrap();
                prop_assert_eq!(usual.length, text.len() + 2);
                let (name, value) = text.split_once(':').unwrap();
                let known = careful.push_wire(name.as_bytes(), value.as_bytes()).unwrap();
                prop_assert_eq!(usual.host, known == Some(Known::Host));
                prop_assert_eq!(&quick.text, &careful.text);
                prop_assert_eq!(quick.underscores, careful.underscores);
                prop_assert_eq!(quick.present, careful.present);
            } else {
                prop_assert!(quick.is_empty() && quick.text.is_empty());
            }
        }
    }

    #[test]
    fn lines_are_taken_up_to_one_that_is_not_usual() {
        let mut headers = Headers::new();
        let usual = headers.push_usual(b"a: b\r\nETag: \"c\"\r\nd:e\r\n\r\n", 9);
        assert_eq!(usual, Usual { length: 17, host: false });
        assert_eq!(headers.text, b"A: b\r\nEtag: \"c\"\r\n");
        let usual = headers.push_usual(b"Host: a\r\nHost: b\r\n", 9);
        assert_eq!(usual, Usual { length: 9, host: true });
        assert_eq!(headers.push_usual(b"a: b\r\n", 3).length, 0);
        for line in
            ["a: b", "a: b\n", "a: b\r", "a:\r\n", "a: \r\n", "a:  b\r\n", "a: b \r\n", " a: b\r\n"]
        {
            assert_eq!(Headers::new().push_usual(line.as_bytes(), 9).length, 0, "{line:?}");
        }
    }
}
