//! Expressions whose groups are asked for, for those who replace what matches.

use std::ops::Range;

use regex::{Captures, Regex};

use super::{as_go_reads, build, translate, translate::Groups};

/// An expression in Go's syntax that finds what matches, and what its groups match.
#[derive(Clone, Debug)]
pub struct Expression {
    regex: Regex,
    /// The names of groups from the first on; empty for those without.
    names: Box<[Box<str>]>,
}

/// One match in a subject.
#[derive(Debug)]
pub struct Found<'s> {
    subject: &'s [u8],
    captures: Captures<'s>,
    /// Where the text that was searched is not the subject: the length of the subject up to each byte of the text.
    offsets: Option<&'s [usize]>,
}

impl Expression {
    /// Compiles `source`.
    ///
    /// # Errors
    ///
    /// A phrase that says what is wrong with it.
    pub fn compile(source: &str) -> Result<Self, String> {
        let translated = translate(source.as_bytes(), Groups::Keep)?;
        Ok(Self { regex: build(&translated.text)?, names: translated.names.into() })
    }

    /// The numbers of the groups of this name; Go allows several.
    pub fn groups_named<'e>(&'e self, name: &'e str) -> impl Iterator<Item = usize> + 'e {
        let named = self.names.iter().enumerate();
        named.filter(move |(_, known)| &***known == name).map(|(index, _)| index + 1)
    }

    /// How many groups there are, the whole match among them.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.names.len() + 1
    }

    /// Whether the expression matches anywhere in `subject`.
    #[must_use]
    pub fn is_match(&self, subject: &[u8]) -> bool {
        match std::str::from_utf8(subject) {
            Ok(text) => self.regex.is_match(text),
            Err(_) => self.regex.is_match(&as_go_reads(subject)),
        }
    }

    /// Where the expression matches first.
    #[must_use]
    pub fn find(&self, subject: &[u8]) -> Option<Range<usize>> {
        match std::str::from_utf8(subject) {
            Ok(text) => self.regex.find(text).map(|found| found.range()),
            Err(_) => {
                let range = self.regex.find(&as_go_reads(subject))?.range();
                let offsets = offsets(subject);
                Some(*offsets.get(range.start)?..*offsets.get(range.end)?)
            }
        }
    }

    /// Replaces every match (Go: `ReplaceAllString`) by what `expand` appends; `None` if there is none.
    pub fn replace_all(
        &self,
        subject: &[u8],
        expand: impl Fn(&Found<'_>, &mut Vec<u8>),
    ) -> Option<Vec<u8>> {
        match std::str::from_utf8(subject) {
            Ok(text) => self.replace_in(subject, text, None, expand),
            Err(_) => {
                let offsets = offsets(subject);
                self.replace_in(subject, &as_go_reads(subject), Some(&offsets), expand)
            }
        }
    }

    fn replace_in(
        &self,
        subject: &[u8],
        text: &str,
        offsets: Option<&[usize]>,
        expand: impl Fn(&Found<'_>, &mut Vec<u8>),
    ) -> Option<Vec<u8>> {
        let mut matches = self.regex.captures_iter(text).peekable();
        matches.peek()?;
        let mut out = Vec::with_capacity(subject.len());
        let mut end = 0;
        for captures in matches {
            let found = Found { subject, captures, offsets };
            let Some(whole) = found.range(0) else { continue };
            out.extend_from_slice(subject.get(end..whole.start).unwrap_or_default());
            expand(&found, &mut out);
            end = whole.end;
        }
        out.extend_from_slice(subject.get(end..).unwrap_or_default());
        Some(out)
    }
}

impl<'s> Found<'s> {
    /// What the group of this number matched; 0 is the whole match.
    #[must_use]
    pub fn group(&self, number: usize) -> Option<&'s [u8]> {
        self.subject.get(self.range(number)?)
    }

    fn range(&self, number: usize) -> Option<Range<usize>> {
        let range = self.captures.get(number)?.range();
        match self.offsets {
            None => Some(range),
            Some(offsets) => Some(*offsets.get(range.start)?..*offsets.get(range.end)?),
        }
    }
}

/// For each place in what [`as_go_reads`] makes of `bytes`, and for its end, the place in `bytes`.
fn offsets(bytes: &[u8]) -> Vec<usize> {
    let mut offsets = Vec::with_capacity(bytes.len() * 2);
    let mut place = 0;
    for chunk in bytes.utf8_chunks() {
        offsets.extend(place..place + chunk.valid().len());
        place += chunk.valid().len();
        for _ in chunk.invalid() {
            offsets.extend(std::iter::repeat_n(place, char::REPLACEMENT_CHARACTER.len_utf8()));
            place += 1;
        }
    }
    offsets.push(place);
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replaces each match by its groups in brackets.
    #[track_caller]
    fn check(source: &str, subject: &[u8], expected: &[u8]) {
        let expression = Expression::compile(source).unwrap();
        let count = expression.group_count();
        let replaced = expression.replace_all(subject, |found, out| {
            for number in 1..count {
                out.push(b'[');
                out.extend_from_slice(found.group(number).unwrap_or(b"-"));
                out.push(b']');
            }
        });
        assert_eq!(replaced.as_deref(), Some(expected), "{source} in {subject:?}");
        assert!(expression.is_match(subject));
    }

    #[test]
    fn groups_have_the_numbers_of_go() {
        check("(a)(?:b)(?P<n>c)", b"xabcy", b"x[a][c]y");
        check("((a)|(b))+", b"ab", b"[b][a][b]");
        check(r"(?P<1>a)(?P<1>b)", b"ab", b"[a][b]");
        check(r"\((.*)\)", b"f(x)", b"f[x]");
        check("(a{2}){2}(.)", b"aaaab", b"[aa][b]");
        check("(x)?", b"ab", b"[-]a[-]b[-]");
    }

    #[test]
    fn repetitions_take_as_much_as_in_go() {
        check("^(a+?)(a*)$", b"aaa", b"[a][aa]");
        check("(?U)^(a+)(a*?)$", b"aaa", b"[a][aa]");
        check("(?U:(a+))(a*)", b"aaa", b"[a][aa]");
        check("(a{1,2}?)(a*)", b"aaa", b"[a][aa]");
        check("/(.*)/(.*)", b"/a/b/c", b"[a/b][c]");
    }

    #[test]
    fn characters_are_whole_and_other_bytes_one_each() {
        check("/(.)(.*)", "/éa".as_bytes(), "[é][a]".as_bytes());
        check("/(.)(.*)", b"/\xff\xe2\x82", b"[\xff][\xe2\x82]");
        check("(é)", b"\xff\xc3\xa9\xff", b"\xff[\xc3\xa9]\xff");
    }

    #[test]
    fn the_first_match_is_found_where_it_is() {
        let found =
            |source: &str, subject: &[u8]| Expression::compile(source).unwrap().find(subject);
        assert_eq!(found("b+", b"abbc"), Some(1..3));
        assert_eq!(found("b+", b"\xffabb"), Some(2..4));
        assert_eq!(found("b+", b"\xff"), None);
    }

    #[test]
    fn names_may_stand_twice() {
        let expression = Expression::compile("(?P<a>x)(y)(?<a>z)").unwrap();
        assert_eq!(expression.groups_named("a").collect::<Vec<_>>(), [1, 3]);
        assert_eq!(expression.groups_named("b").count(), 0);
        assert_eq!(expression.group_count(), 4);
    }
}
