//! What is wrong with a rule, and where.

use std::fmt;

/// A place in the text of a rule, in bytes: `start..end`.
///
/// Both ends lie on character boundaries; an empty span at the end means "here something is
/// missing".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte of the place.
    pub start: usize,
    /// The byte after the place.
    pub end: usize,
}

impl Span {
    /// The place `start..end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// Why a rule cannot be used.
///
/// `Display` shows the message, then the line of the rule with a caret under the place:
///
/// ```text
/// unknown matcher `Hots`; did you mean `Host`?
///     Hots(`a.example`)
///     ^^^^
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    message: String,
    span: Span,
    rule: Box<str>,
}

impl std::error::Error for RuleError {}

impl RuleError {
    pub(crate) fn new(rule: &str, span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span, rule: rule.into() }
    }

    /// The reason alone, on one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The place in the rule that the reason is about.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The whole rule as it was written.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let excerpt = Excerpt::around(&self.rule, self.span);
        writeln!(f, "{}", self.message)?;
        writeln!(f, "    {}", excerpt.text)?;
        write!(
            f,
            "    {:indent$}{:^<width$}",
            "",
            "",
            indent = excerpt.indent,
            width = excerpt.width
        )
    }
}

/// One line of a rule, cut to a readable length, and where the caret goes.
struct Excerpt {
    text: String,
    /// Characters before the caret.
    indent: usize,
    /// Characters under which the caret extends; at least one.
    width: usize,
}

/// How many characters of a long line are shown on each side of the place.
const CONTEXT: usize = 60;

impl Excerpt {
    fn around(rule: &str, span: Span) -> Self {
        let (before, rest) = rule.split_at_checked(span.start).unwrap_or((rule, ""));
        let before = before.rsplit('\n').next().unwrap_or(before);
        let line_rest = rest.split('\n').next().unwrap_or(rest);
        let inside = span.end.saturating_sub(span.start).min(line_rest.len());
        let (inside, after) = line_rest.split_at_checked(inside).unwrap_or((line_rest, ""));

        let skipped = before.chars().count().saturating_sub(CONTEXT);
        let mut text = String::from(if skipped > 0 { "…" } else { "" });
        text.extend(before.chars().skip(skipped).map(printable));
        let indent = text.chars().count();
        text.extend(inside.chars().take(CONTEXT).map(printable));
        let width = (text.chars().count() - indent).max(1);
        if inside.chars().nth(CONTEXT).is_some() {
            text.push('…');
        } else {
            text.extend(after.chars().take(CONTEXT).map(printable));
            if after.chars().nth(CONTEXT).is_some() {
                text.push('…');
            }
        }
        Self { text, indent, width }
    }
}

/// Every character takes one column, so that the caret stays in place.
fn printable(character: char) -> char {
    match character {
        '\t' | '\r' => ' ',
        other if other.is_control() => '\u{fffd}',
        other => other,
    }
}
