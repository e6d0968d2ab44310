//! Status codes and ranges of them, as `retry` and `errors` take them.

/// Status codes and ranges of them, such as `500-599` or `404`. Traefik: `types.HTTPCodeRanges`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusRanges(Box<[(i64, i64)]>);

/// A text that is no status code and no range of them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is neither a status code nor a range such as `500-599`")]
pub struct NotAStatusRange(String);

impl StatusRanges {
    /// Reads what the user wrote. As in Traefik, a range with its ends exchanged holds nothing.
    ///
    /// # Errors
    /// With the first text that is neither a number nor two with `-` between them.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, NotAStatusRange> {
        let range = |text: &str| {
            let (low, high) = text.split_once('-').unwrap_or((text, text));
            let pair = low.parse().ok().zip(high.parse().ok());
            pair.ok_or_else(|| NotAStatusRange(text.to_owned()))
        };
        texts.iter().map(|text| range(text.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the status is among them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&i64::from(status)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_ranges_are_read() {
        let ranges = StatusRanges::parse(&["404", "500-502"]).unwrap();
        let inside = [404, 500, 501, 502].map(|status| ranges.contains(status));
        assert_eq!(inside, [true; 4]);
        assert_eq!([403, 405, 499, 503].map(|status| ranges.contains(status)), [false; 4]);
        assert!(!StatusRanges::parse(&["599-500"]).unwrap().contains(550));
        assert!(StatusRanges::parse::<&str>(&[]).unwrap().is_empty());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "5xx", "500-", "-500", "500-501-502", " 500"] {
            assert_eq!(StatusRanges::parse(&[text]), Err(NotAStatusRange(text.to_owned())));
        }
    }
}
