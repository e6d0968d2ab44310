//! The parameters of a list.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A decoded query. The first parameter of a name counts; broken escapes drop theirs, as in Go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    /// Reads a query. A `;` separates as `&` does: Traefik replaces it before routing.
    pub(crate) fn parse(text: &'a str) -> Self {
        let pairs = text
            .split(['&', ';'])
            .filter_map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((decode(name)?, decode(value)?))
            })
            .collect();
        Self { pairs }
    }

    /// The value of a parameter; empty when there is none.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.pairs.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    unescape(&spaced).map(|text| Cow::Owned(text.into_owned()))
}

/// Decodes percent escapes once; `None` when one is broken.
pub(crate) fn unescape(text: &str) -> Option<Cow<'_, str>> {
    let whole = text.split('%').skip(1).all(|after| {
        after.get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    whole.then(|| percent_decode_str(text).decode_utf8_lossy())
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[track_caller]
    fn check(query: &str, search: &str) {
        assert_eq!(Query::parse(query).value("search"), search);
    }

    #[test]
    fn the_first_value_of_a_name_counts() {
        check("search=a&search=b", "a");
        check("x=1;search=a", "a");
        check("search", "");
        check("SEARCH=a", "");
    }

    #[test]
    fn escapes_are_decoded_once() {
        check("search=a%2526+b", "a%26 b");
        check("se%61rch=%C3%A9", "é");
    }

    #[test]
    fn a_parameter_with_a_broken_escape_is_dropped() {
        check("search=a%&search=b", "b");
        check("search=%4", "");
        check("search=%é", "");
        check("search=%+1", "");
    }
}
