//! Regular expressions that mean what they mean to Go's `regexp`.
//!
//! Go and the `regex` crate are of one family but disagree in places: `\d`, `\w`, `\s` and `\b` are
//! ASCII in Go; `\Q…\E`, octal escapes and stacked flags exist only there; class operations
//! (`&&`, `--`), `(?x)` and other extensions exist only here; and the names of Unicode classes
//! differ. So an expression is parsed by Go's grammar ([`translate()`]) and written anew with nothing
//! left to interpretation.
//!
//! Go reads a subject as UTF-8 and takes every byte that is not for one U+FFFD. Subjects such as
//! decoded paths may hold such bytes; they are converted in the same way before matching.

mod class;
mod expression;
mod translate;
mod unicode;

use regex::{Regex, RegexBuilder};

pub use self::expression::{Expression, Found};
use self::translate::{Groups, Translated};

/// A compiled expression.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
}

/// The longest expression that is compiled, in bytes.
const MAX_LENGTH: usize = 64 << 10;

/// The largest compiled program, in bytes.
const MAX_PROGRAM: usize = 10 << 20;

impl Pattern {
    /// Compiles `source`, an expression in Go's syntax.
    ///
    /// The error is a phrase that says what is wrong with it.
    pub(crate) fn compile(source: &[u8]) -> Result<Self, String> {
        Ok(Self { regex: build(&translate(source, Groups::Drop)?.text)? })
    }

    /// Checks `source` without compiling it.
    pub(crate) fn check(source: &[u8]) -> Result<(), String> {
        translate(source, Groups::Drop).map(drop)
    }

    /// Whether the expression matches anywhere in `subject`.
    pub(crate) fn is_match(&self, subject: &[u8]) -> bool {
        match std::str::from_utf8(subject) {
            Ok(text) => self.regex.is_match(text),
            Err(_) => self.regex.is_match(&as_go_reads(subject)),
        }
    }
}

fn translate(source: &[u8], groups: Groups) -> Result<Translated, String> {
    let text = std::str::from_utf8(source).map_err(|_| "it is not UTF-8".to_owned())?;
    if text.len() > MAX_LENGTH {
        return Err(format!("it is longer than {MAX_LENGTH} bytes"));
    }
    translate::translate(text, groups)
}

fn build(translated: &str) -> Result<Regex, String> {
    RegexBuilder::new(translated).size_limit(MAX_PROGRAM).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            format!("it would take more than {} MiB of memory", MAX_PROGRAM >> 20)
        }
        _ => "it nests too deep".to_owned(),
    })
}

/// Every byte that is not part of a character becomes one U+FFFD.
fn as_go_reads(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n(char::REPLACEMENT_CHARACTER, chunk.invalid().len()));
    }
    text
}

#[cfg(test)]
mod tests;
