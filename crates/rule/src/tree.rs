//! A rule as a tree of matcher calls.

use std::fmt::{self, Display as _};

use crate::error::Span;
use crate::name::MatcherName;

/// A rule as it was written, without its comments, spaces and needless parentheses.
///
/// Chains are flat: `a && b && c` is one [`Tree::And`] of three. `Display` writes a rule that
/// parses into an equal tree (apart from spans).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// True when all are; at least two.
    And(Vec<Tree>),
    /// True when any is; at least two.
    Or(Vec<Tree>),
    /// True when the inner tree is not. Never directly around another `Not`.
    Not(Box<Tree>),
    /// One matcher.
    Call(Call),
}

/// A matcher with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which matcher.
    pub name: MatcherName,
    /// Where the name stands.
    pub name_span: Span,
    /// The arguments, possibly none and possibly empty; [`crate::parse`] refuses those.
    pub arguments: Vec<Argument>,
}

/// A string literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// What the literal means. Bytes, because `"\xff"` is a valid literal.
    pub value: Vec<u8>,
    /// Where the literal stands, with its quotes.
    pub span: Span,
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => {
                join(f, parts, " && ", |part| matches!(part, Self::Or(_) | Self::And(_)))
            }
            Self::Or(parts) => join(f, parts, " || ", |part| matches!(part, Self::Or(_))),
            Self::Not(inner) => match **inner {
                Self::And(_) | Self::Or(_) => write!(f, "!({inner})"),
                Self::Not(_) | Self::Call(_) => write!(f, "!{inner}"),
            },
            Self::Call(call) => call.fmt(f),
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    parts: &[Tree],
    operator: &str,
    needs_parentheses: impl Fn(&Tree) -> bool,
) -> fmt::Result {
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            f.write_str(operator)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            part.fmt(f)?;
        }
    }
    Ok(())
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (position, argument) in self.arguments.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            argument.fmt(f)?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A raw literal drops carriage returns, and Go refuses NUL and the byte order mark anywhere.
        let raw = |text: &&str| !text.contains(['`', '\r', '\0', '\u{feff}']);
        if let Some(text) = std::str::from_utf8(&self.value).ok().filter(raw) {
            return write!(f, "`{text}`");
        }
        f.write_str("\"")?;
        for &byte in &self.value {
            match byte {
                b'"' => f.write_str("\\\"")?,
                b'\\' => f.write_str("\\\\")?,
                b' '..=b'~' => write!(f, "{}", char::from(byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_str("\"")
    }
}
