//! Regular expressions over URLs that mean what they mean to Go's `regexp`.
//!
//! URLs are ASCII but for stray bytes in a query, so an expression over bytes without Unicode has
//! Go's meaning of `\w`, `\d`, `\s` and `\b`. What this engine knows and Go does not, or reads
//! otherwise, is refused.

use regex::bytes::{Regex, RegexBuilder};

/// Compiles an expression; the error is a phrase that says what is wrong with it.
pub(super) fn compile(source: &str) -> Result<Regex, String> {
    refuse_other_dialect(source)?;
    RegexBuilder::new(source).unicode(false).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        // The last line says what is wrong; those before it draw where.
        error => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            reason.strip_prefix("error: ").unwrap_or(reason).to_owned()
        }
    })
}

fn refuse_other_dialect(source: &str) -> Result<(), String> {
    let mut rest = source.as_bytes();
    let mut in_class = false;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, in_class) {
            (b'\\', _) => after_escape(after)?,
            (b'[', false) => {
                in_class = true;
                // A bracket in the first place is a member of the class.
                let after = after.strip_prefix(b"^").unwrap_or(after);
                after.strip_prefix(b"]").unwrap_or(after)
            }
            (b'[', true) => match after.strip_prefix(b":") {
                Some(named) => {
                    let end = named.windows(2).position(|pair| pair == b":]");
                    let end = end.ok_or("[: without :] in a class")?;
                    named.get(end + 2..).unwrap_or_default()
                }
                None => return Err("a [ in a class needs a backslash".to_owned()),
            },
            (b']', true) => {
                in_class = false;
                after
            }
            (b'&' | b'-' | b'~', true) if after.first() == Some(&byte) => {
                return Err(format!("{0}{0} in a class needs a backslash", char::from(byte)));
            }
            (b'(', false) => after_group(after)?,
            _ => after,
        };
    }
    Ok(())
}

/// What follows an escape that means the same in both dialects.
fn after_escape(text: &[u8]) -> Result<&[u8], String> {
    match text {
        [letter @ (b'<' | b'>' | b'u' | b'U'), ..] => {
            Err(format!("invalid escape sequence \\{}", char::from(*letter)))
        }
        [b'b' | b'B', b'{', ..] => Err("a { behind \\b needs a backslash".to_owned()),
        [_, after @ ..] => Ok(after),
        [] => Ok(text),
    }
}

/// What follows the start of a group whose flags are those of Go.
fn after_group(text: &[u8]) -> Result<&[u8], String> {
    let Some(flags) = text.strip_prefix(b"?") else { return Ok(text) };
    if matches!(flags.first(), Some(b'P' | b'<')) {
        return Ok(flags);
    }
    let length = flags.iter().position(|byte| matches!(byte, b':' | b')')).unwrap_or(flags.len());
    let (flags, after) = flags.split_at_checked(length).unwrap_or((flags, b""));
    if flags.iter().all(|flag| b"imsU-".contains(flag)) {
        Ok(after)
    } else {
        Err("invalid or unsupported flags of a group".to_owned())
    }
}
