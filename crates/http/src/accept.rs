//! Which of several media types a client wants (RFC 9110 §12.5.1).

use std::cmp::Reverse;

use crate::headers::{Headers, Known};

/// How many media ranges of a request are read; those after them do not count.
const MAX_RANGES: usize = 64;

/// The place of the one that the client wants most among media types in lower case, such as `text/html`; `None` where
/// it takes none of them. A client that does not say what it takes gets the first one.
///
/// Of several that are wanted equally, that counts which is named more closely (`text/html` before `text/*` before
/// `*/*`), then that which the client names first, then that which stands first.
#[must_use]
pub fn preferred_type(headers: &Headers, offers: &[&str]) -> Option<usize> {
    let written = headers.get_all(Known::Accept).flat_map(|value| split(value, b','));
    let ranges: Vec<Range<'_>> = written.take(MAX_RANGES).filter_map(Range::parse).collect();
    if ranges.is_empty() {
        return (!offers.is_empty()).then_some(0);
    }
    let rank = |(place, offer): (usize, &&str)| {
        // The closest range says how much a type is wanted, whatever others say.
        let fitting = ranges.iter().enumerate().filter_map(|(named, range)| {
            Some((range.closeness(offer)?, Reverse(named), range.weight))
        });
        let (closeness, named, weight) = fitting.max()?;
        (weight > 0).then_some((weight, closeness, named, Reverse(place)))
    };
    let best = offers.iter().enumerate().filter_map(rank).max()?;
    Some(best.3.0)
}

/// A media range, and how much it is wanted.
#[derive(Debug)]
struct Range<'a> {
    kind: &'a [u8],
    subtype: &'a [u8],
    /// From 0, not at all, to 1000.
    weight: u16,
    /// Whether it takes only what has parameters that are not offered.
    special: bool,
}

impl<'a> Range<'a> {
    /// `None` for what is none, which does not count.
    fn parse(text: &'a [u8]) -> Option<Self> {
        let mut parts = split(text, b';');
        let name = parts.next()?;
        let slash = name.iter().position(|&byte| byte == b'/')?;
        let (kind, subtype) =
            (name.get(..slash)?.trim_ascii(), name.get(slash + 1..)?.trim_ascii());
        if kind.is_empty() || subtype.is_empty() || (kind == b"*" && subtype != b"*") {
            return None;
        }
        let mut range = Self { kind, subtype, weight: 1000, special: false };
        for parameter in parts {
            let is = |name: &[u8]| {
                let start = parameter.get(..name.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(name))
            };
            if is(b"q=") {
                range.weight = weight(parameter.get(2..)?)?;
                // What follows the weight says nothing of the type.
                break;
            }
            // All that is offered in text is UTF-8, and nobody wants another one for himself.
            range.special |= !parameter.is_empty() && !is(b"charset=");
        }
        Some(range)
    }

    /// How closely it names a type; `None` where it is another one.
    fn closeness(&self, offer: &str) -> Option<u8> {
        let (kind, subtype) = offer.split_once('/')?;
        let is = |wanted: &[u8], given: &str| wanted.eq_ignore_ascii_case(given.as_bytes());
        match () {
            () if self.special => None,
            () if self.kind == b"*" => Some(0),
            () if !is(self.kind, kind) => None,
            () if self.subtype == b"*" => Some(1),
            () => is(self.subtype, subtype).then_some(2),
        }
    }
}

/// A weight (RFC 9110 §12.4.2) in thousandths.
fn weight(text: &[u8]) -> Option<u16> {
    let (whole, digits) = match text {
        [whole] => (whole, &b""[..]),
        [whole, b'.', digits @ ..] if digits.len() <= 3 => (whole, digits),
        _ => return None,
    };
    let mut weight = match whole {
        b'0' => 0,
        b'1' => 1000,
        _ => return None,
    };
    for (digit, unit) in digits.iter().zip([100, 10, 1]) {
        weight += u16::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?) * unit;
    }
    (weight <= 1000).then_some(weight)
}

/// The parts between separators that stand in no quotes, without blanks around them.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |&byte| {
        if escaped {
            escaped = false;
        } else if quoted && byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            quoted = !quoted;
        }
        byte == separator && !quoted
    });
    parts.map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: [&str; 3] = ["text/plain", "application/json", "text/html"];

    #[track_caller]
    fn check(accept: &[&str], expected: Option<&str>) {
        let mut headers = Headers::new();
        accept.iter().for_each(|value| headers.append(Known::Accept, value));
        let preferred = preferred_type(&headers, &OFFERS).map(|place| OFFERS[place]);
        assert_eq!(preferred, expected, "{accept:?}");
    }

    #[test]
    fn who_does_not_say_what_it_takes_gets_the_first() {
        for accept in [&[][..], &[""], &["*/*"], &["nonsense"], &["text/html;q=2"], &["*/html"]] {
            check(accept, Some("text/plain"));
        }
        assert_eq!(preferred_type(&Headers::new(), &[]), None);
    }

    #[test]
    fn browsers_get_pages_and_programs_data() {
        let chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        check(&[chrome], Some("text/html"));
        check(&["application/json"], Some("application/json"));
        check(&["application/json, text/plain, */*"], Some("application/json"));
        check(&["text/plain, application/json"], Some("text/plain"));
        check(&["application/*"], Some("application/json"));
        check(&["text/*, application/json;q=0.5"], Some("text/plain"));
        check(&["TEXT/HTML ; Q=1.000"], Some("text/html"));
        check(&["application/json; charset=utf-8"], Some("application/json"));
    }

    #[test]
    fn weights_count_and_the_closest_range_says_them() {
        check(&["text/html;q=0.2, application/json;q=0.25"], Some("application/json"));
        check(&["text/*;q=0.9, text/html;q=0.1, application/json;q=0.5"], Some("text/plain"));
        check(&["*/*, text/plain;q=0, application/json;q=0"], Some("text/html"));
        check(&["text/*;q=1, text/plain;q=0.999, */*;q=0.1"], Some("text/html"));
        check(&["application/json;q=0.5;ext=1", "text/html;q=0.6"], Some("text/html"));
        for nothing in ["image/png", "text/html;q=0", "*/*;q=0", "text/html;q=0.000", "text/xml"] {
            check(&[nothing], None);
        }
    }

    #[test]
    fn what_is_malformed_does_not_count() {
        for weight in ["1.001", "0.1234", "-1", "", "x", "1.", "0.5.5", "2"] {
            let expected = if weight == "1." { "text/html" } else { "application/json" };
            let accept = format!("text/html;q={weight}, application/json;q=0.9");
            check(&[&accept], Some(expected));
        }
        check(
            &["text/html;a=\",application/json;q=0\\\",\", application/json;q=0.1"],
            Some("application/json"),
        );
        check(&["text/html;level=1, application/json;q=0.1"], Some("application/json"));
    }

    #[test]
    fn very_many_ranges_are_not_read() {
        let many = "image/png,".repeat(MAX_RANGES) + "text/html";
        check(&[&many], None);
    }
}
