//! The names of matchers in both syntaxes, their accepted spellings, and the nearest to a typo.

use std::fmt;

/// Which set of matchers a rule is read with.
///
/// Traefik: a router's `ruleSyntax`, or the static `core.defaultRuleSyntax`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// The deprecated syntax of Traefik 2: templates in braces, several arguments mean "or".
    V2,
    /// The syntax of Traefik 3.
    V3,
}

impl Syntax {
    /// Reads a `ruleSyntax` value: `v2` is [`Syntax::V2`], everything else is [`Syntax::V3`], as in
    /// Traefik.
    #[must_use]
    pub fn of_router(value: &str) -> Self {
        if value == "v2" { Self::V2 } else { Self::V3 }
    }

    /// The matchers of this syntax.
    pub(crate) fn matchers(self) -> &'static [MatcherName] {
        use MatcherName as M;
        match self {
            Self::V3 => &[
                M::Host,
                M::HostRegexp,
                M::Path,
                M::PathPrefix,
                M::PathRegexp,
                M::Method,
                M::Header,
                M::HeaderRegexp,
                M::Query,
                M::QueryRegexp,
                M::ClientIP,
            ],
            Self::V2 => &[
                M::Host,
                M::HostHeader,
                M::HostRegexp,
                M::Path,
                M::PathPrefix,
                M::Method,
                M::Headers,
                M::HeadersRegexp,
                M::Query,
                M::ClientIP,
            ],
        }
    }

    fn other(self) -> Self {
        match self {
            Self::V2 => Self::V3,
            Self::V3 => Self::V2,
        }
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
        })
    }
}

/// The name of a matcher, of either syntax.
#[expect(missing_docs, reason = "each variant is the name that it stands for")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatcherName {
    Host,
    HostHeader,
    HostRegexp,
    Path,
    PathPrefix,
    PathRegexp,
    Method,
    Header,
    Headers,
    HeaderRegexp,
    HeadersRegexp,
    Query,
    QueryRegexp,
    ClientIP,
}

impl MatcherName {
    /// The name as Traefik's documentation writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "Host",
            Self::HostHeader => "HostHeader",
            Self::HostRegexp => "HostRegexp",
            Self::Path => "Path",
            Self::PathPrefix => "PathPrefix",
            Self::PathRegexp => "PathRegexp",
            Self::Method => "Method",
            Self::Header => "Header",
            Self::Headers => "Headers",
            Self::HeaderRegexp => "HeaderRegexp",
            Self::HeadersRegexp => "HeadersRegexp",
            Self::Query => "Query",
            Self::QueryRegexp => "QueryRegexp",
            Self::ClientIP => "ClientIP",
        }
    }

    /// The matcher that `word` names in `syntax`.
    ///
    /// Four spellings are accepted: as documented, all lower case, all upper case, and a capital
    /// followed by lower case.
    pub(crate) fn parse(word: &str, syntax: Syntax) -> Option<Self> {
        syntax.matchers().iter().copied().find(|name| name.is_spelled(word))
    }

    /// What the other syntax has for a matcher that only one of them knows.
    fn counterpart(self) -> Self {
        match self {
            Self::HostHeader => Self::Host,
            Self::Headers => Self::Header,
            Self::HeadersRegexp => Self::HeaderRegexp,
            Self::Header => Self::Headers,
            Self::HeaderRegexp => Self::HeadersRegexp,
            Self::PathRegexp => Self::Path,
            Self::QueryRegexp => Self::Query,
            shared => shared,
        }
    }

    fn is_spelled(self, word: &str) -> bool {
        let name = self.as_str();
        if !word.eq_ignore_ascii_case(name) {
            return false;
        }
        let mut letters = word.bytes();
        let first_is_upper = letters.next().is_some_and(|letter| letter.is_ascii_uppercase());
        let rest_is_lower = letters.all(|letter| letter.is_ascii_lowercase());
        word == name
            || rest_is_lower
            || (first_is_upper && word.bytes().all(|letter| letter.is_ascii_uppercase()))
    }
}

impl fmt::Display for MatcherName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The sentence for a word that names no matcher of `syntax`.
pub(crate) fn unknown(word: &str, syntax: Syntax) -> String {
    let other = syntax.other();
    if let Some(name) = MatcherName::parse(word, other) {
        let instead = name.counterpart();
        return format!("`{name}` is a matcher of the {other} syntax; {syntax} has `{instead}`");
    }
    match nearest(word, syntax) {
        Some(nearest) => format!("unknown matcher `{word}`; did you mean `{nearest}`?"),
        None => {
            let all: Vec<_> = syntax.matchers().iter().map(|name| name.as_str()).collect();
            format!("unknown matcher `{word}`; {syntax} has {}", all.join(", "))
        }
    }
}

/// The matcher whose name is nearest to `word`, if any is near.
fn nearest(word: &str, syntax: Syntax) -> Option<MatcherName> {
    const LONGEST: usize = 32;
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    syntax
        .matchers()
        .iter()
        .map(|&name| (distance(&lower, &name.as_str().to_ascii_lowercase()), name))
        .filter(|&(distance, name)| distance <= 1 + name.as_str().len() / 3)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// How many letters must be inserted, removed, changed or swapped to turn `left` into `right`.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous_letter = None;
    for (row, letter) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, &other) in right.iter().enumerate() {
            let at =
                |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX - 1);
            let change = at(&last, column) + usize::from(letter != other);
            let mut best = change.min(at(&last, column + 1) + 1).min(at(&current, column) + 1);
            let swapped = column > 0
                && previous_letter == Some(other)
                && right.get(column - 1) == Some(&letter);
            if swapped {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
        previous_letter = Some(letter);
    }
    last.last().copied().unwrap_or(usize::MAX)
}
