//! Expressions, and replacements with `$1`, `${1}` and `${name}` as Go's `Regexp.Expand` reads them.

use portway_model::Problem;
use portway_rule::{Expression, Found};

/// A parsed replacement.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Box<[Part]>,
}

#[derive(Debug)]
enum Part {
    Text(Box<str>),
    /// What the first of these groups of the expression that has matched anything has matched.
    Group(Box<[usize]>),
}

impl Template {
    /// Parses a replacement for this expression. Names of groups that it does not have stand for
    /// nothing; a `$` that begins no name stands for itself.
    pub(crate) fn parse(mut text: &str, expression: &Expression) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        while let Some((before, after)) = text.split_once('$') {
            plain.push_str(before);
            if let Some(rest) = after.strip_prefix('$') {
                plain.push('$');
                text = rest;
            } else if let Some((name, rest)) = name(after) {
                parts.push(Part::Text(std::mem::take(&mut plain).into()));
                parts.push(Part::Group(groups(name, expression)));
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

    /// Replaces every match of `expression`, for which this was parsed; `None` if there is none.
    pub(crate) fn replace_all(&self, expression: &Expression, subject: &[u8]) -> Option<Vec<u8>> {
        expression.replace_all(subject, |found, out| self.expand(found, out))
    }

    /// Appends the replacement of one match.
    fn expand(&self, found: &Found<'_>, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Group(numbers) => {
                    let matched = numbers.iter().find_map(|number| found.group(*number));
                    out.extend_from_slice(matched.unwrap_or_default());
                }
            }
        }
    }
}

/// Compiles an expression; one that is none is an error.
pub(crate) fn expression(source: &str, problems: &mut Vec<Problem>) -> Option<Expression> {
    let refused = |reason| {
        let message = format!("error parsing regexp: {reason}: `{source}`");
        problems.push(Problem::error("", message));
    };
    Expression::compile(source).map_err(refused).ok()
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

fn groups(name: &str, expression: &Expression) -> Box<[usize]> {
    let leading_zero = name.len() > 1 && name.starts_with('0');
    if !leading_zero && name.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = name.parse().ok().filter(|number| *number < expression.group_count());
        return number.into_iter().collect();
    }
    expression.groups_named(name).collect()
}
