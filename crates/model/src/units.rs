//! Units that users write: periods of time.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer};

/// A period of time as Go writes it: `1m30s`, `250ms`, `-1s`; a plain number means seconds.
///
/// Nanoseconds, signed as in Go, because Traefik gives negative values a meaning of their own.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Period {
    /// Nanoseconds.
    pub nanoseconds: i64,
}

/// A text that is no period.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{0}` is no duration; write a number of seconds or units, such as `30s`, `1m30s` or `250ms`"
)]
pub struct NotAPeriod(String);

impl Period {
    /// A period of whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self { nanoseconds: seconds.saturating_mul(1_000_000_000) }
    }

    /// A period of whole milliseconds.
    pub const fn milliseconds(milliseconds: i64) -> Self {
        Self { nanoseconds: milliseconds.saturating_mul(1_000_000) }
    }

    /// Parses Go's `time.ParseDuration` syntax, or a plain whole number of seconds.
    ///
    /// # Errors
    /// When the text is neither, or overflows 64-bit nanoseconds.
    pub fn parse(text: &str) -> Result<Self, NotAPeriod> {
        let fail = || NotAPeriod(text.to_owned());
        if let Ok(seconds) = text.parse::<i64>() {
            let nanoseconds = seconds.checked_mul(1_000_000_000).ok_or_else(fail)?;
            return Ok(Self { nanoseconds });
        }
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        if rest.is_empty() {
            return Err(fail());
        }
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let (amount, after) = part(rest).ok_or_else(fail)?;
            total += amount;
            rest = after;
        }
        let signed = if negative { -total } else { total };
        i64::try_from(signed).map(|nanoseconds| Self { nanoseconds }).map_err(|_| fail())
    }

    /// The period as a positive duration; `None` when it is zero or negative.
    pub fn positive(self) -> Option<Duration> {
        u64::try_from(self.nanoseconds).ok().filter(|n| *n > 0).map(Duration::from_nanos)
    }
}

/// One `<number><unit>` part: its nanoseconds and what follows.
fn part(text: &str) -> Option<(i128, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at_checked(digits)?;
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, after) = rest.split_at_checked(unit_end)?;
    let nanoseconds: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || whole.len() > 18 {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let kept = fraction.get(..fraction.len().min(18))?;
    let part: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    let scale = 10_i128.pow(u32::try_from(kept.len()).ok()?);
    Some((whole * nanoseconds + part * nanoseconds / scale, after))
}

impl fmt::Display for Period {
    /// Go's `Duration.String`: `1h0m0s`, `1m30s`, `250ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanoseconds < 0 { "-" } else { "" };
        let all = self.nanoseconds.unsigned_abs();
        if all == 0 {
            return f.write_str("0s");
        }
        if all < 1_000_000_000 {
            let (unit, size) = match all {
                0..1_000 => ("ns", 1),
                1_000..1_000_000 => ("µs", 1_000),
                _ => ("ms", 1_000_000),
            };
            return write!(f, "{sign}{}{unit}", decimal(all / size, all % size, size));
        }
        let seconds = all / 1_000_000_000;
        f.write_str(sign)?;
        if seconds >= 3_600 {
            write!(f, "{}h", seconds / 3_600)?;
        }
        if seconds >= 60 {
            write!(f, "{}m", seconds / 60 % 60)?;
        }
        write!(f, "{}s", decimal(seconds % 60, all % 1_000_000_000, 1_000_000_000))
    }
}

/// `whole` and `rest / size` as a decimal fraction without trailing zeros.
fn decimal(whole: u64, rest: u64, size: u64) -> String {
    if rest == 0 {
        return whole.to_string();
    }
    let width = size.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Period;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(Period::parse(text).map(|period| period.to_string()), Ok(shown.to_owned()));
    }

    #[test]
    fn periods_read_and_print_as_in_go() {
        check("10", "10s");
        check("1m30s", "1m30s");
        check("90s", "1m30s");
        check("1h", "1h0m0s");
        check("1.5h", "1h30m0s");
        check("250ms", "250ms");
        check("1.25ms", "1.25ms");
        check("1500ms", "1.5s");
        check("-1s", "-1s");
        check("0", "0s");
        check("2h45m", "2h45m0s");
        check("10us", "10µs");
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in ["", "s", "1x", "1 s", "1h-1m", ".s", "9999999999999999999", "abc", "-"] {
            assert!(Period::parse(text).is_err(), "{text}");
        }
    }
}
