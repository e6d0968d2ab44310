//! Replacements with `$1`, `${1}` and `${name}`, as Go's `Regexp.Expand` reads them.

use regex::bytes::{Captures, Regex};

/// A parsed replacement.
#[derive(Debug)]
pub(super) struct Template {
    parts: Box<[Part]>,
}

#[derive(Debug)]
enum Part {
    Text(Box<str>),
    /// What this group of the expression has matched.
    Group(usize),
}

impl Template {
    /// Parses a replacement for this expression. Names of groups that it does not have stand for
    /// nothing; a `$` that begins no name stands for itself.
    pub(super) fn parse(mut text: &str, regex: &Regex) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        while let Some((before, after)) = text.split_once('$') {
            plain.push_str(before);
            if let Some(rest) = after.strip_prefix('$') {
                plain.push('$');
                text = rest;
            } else if let Some((name, rest)) = name(after) {
                parts.push(Part::Text(std::mem::take(&mut plain).into()));
                parts.extend(group(name, regex).map(Part::Group));
                text = rest;
            } else {
                plain.push('$');
                text = after;
            }
        }
        plain.push_str(text);
        parts.push(Part::Text(plain.into()));
        Self { parts: parts.into() }
    }

    /// Appends the replacement of one match.
    pub(super) fn expand(&self, captures: &Captures<'_>, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Group(index) => {
                    out.extend_from_slice(
                        captures.get(*index).map_or(b"", |group| group.as_bytes()),
                    );
                }
            }
        }
    }
}

/// The longest name behind a `$`, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('{');
    let body = inside.unwrap_or(text);
    let length = body.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(body.len());
    let (name, rest) = body.split_at_checked(length).filter(|(name, _)| !name.is_empty())?;
    let rest = if inside.is_some() { rest.strip_prefix('}')? } else { rest };
    Some((name, rest))
}

fn group(name: &str, regex: &Regex) -> Option<usize> {
    let leading_zero = name.len() > 1 && name.starts_with('0');
    if !leading_zero && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return name.parse().ok().filter(|index| *index < regex.captures_len());
    }
    regex.capture_names().position(|candidate| candidate == Some(name))
}
