//! The forms that texts may be bound to.

use std::sync::LazyLock;

use regex::Regex;

/// A form of texts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pattern {
    /// Numbers with units; a number without one is seconds.
    Period,
    /// Status codes and ranges of them.
    StatusCodes,
}

impl Pattern {
    /// The regular expression, in the syntax that Go and Rust share.
    pub(super) fn expression(self) -> &'static str {
        match self {
            Self::Period => "^([0-9]+(ns|us|µs|ms|s|m|h)?)+$",
            Self::StatusCodes => "^([1-5][0-9]{2}[,-]?)+$",
        }
    }

    /// What a text of the form is, for error messages.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Period => {
                "a number of seconds or whole numbers with units, such as `30`, `1m30s` or `250ms`"
            }
            Self::StatusCodes => {
                "status codes or ranges of them, such as `404`, `500-599` or `404,500-599`"
            }
        }
    }

    /// Whether a text has the form.
    pub(super) fn matches(self, text: &str) -> bool {
        static PERIOD: LazyLock<Option<Regex>> = LazyLock::new(|| compile(Pattern::Period));
        static STATUS_CODES: LazyLock<Option<Regex>> =
            LazyLock::new(|| compile(Pattern::StatusCodes));
        let compiled = match self {
            Self::Period => &PERIOD,
            Self::StatusCodes => &STATUS_CODES,
        };
        compiled.as_ref().is_some_and(|expression| expression.is_match(text))
    }
}

/// `None` for no expression of ours: a test compiles each.
fn compile(pattern: Pattern) -> Option<Regex> {
    Regex::new(pattern.expression()).ok()
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[track_caller]
    fn check(pattern: Pattern, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(pattern.matches(text), "{text}");
        }
        for text in bad {
            assert!(!pattern.matches(text), "{text}");
        }
    }

    #[test]
    fn periods_have_whole_numbers_and_known_units() {
        let good = ["0", "30", "30s", "1h30m", "5µs", "5us", "1h30"];
        check(Pattern::Period, &good, &["", "-1s", "1.5s", "1d", "1 s", "s", "30s\n"]);
    }

    #[test]
    fn status_codes_have_three_digits() {
        let good = ["404", "500-599", "404,418,500-599", "404,"];
        check(Pattern::StatusCodes, &good, &["", "99", "600", "4xx", "404, 410", "-404"]);
    }
}
