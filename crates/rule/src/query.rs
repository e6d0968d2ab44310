//! Query strings as Go's `url.ParseQuery` reads them, pair by pair, without building a map.

use crate::path::byte;

/// Go 1.26 reads no pair at all from a query with more pairs than this.
const MAX_PAIRS: usize = 10_000;

/// The decoded pairs of `query`, in order.
///
/// A pair with a raw `;` or a bad escape in either half is left out, as is an empty one.
pub(crate) fn pairs(query: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let too_many = memchr::memchr_iter(b'&', query).nth(MAX_PAIRS - 1).is_some();
    let query = if too_many { &[] } else { query };
    query.split(|&byte| byte == b'&').filter_map(|text| {
        if text.is_empty() || text.contains(&b';') {
            return None;
        }
        let middle = memchr::memchr(b'=', text).unwrap_or(text.len());
        let (name, value) = text.split_at_checked(middle)?;
        let pair = Pair { name, value: value.get(1..).unwrap_or_default() };
        (is_well_formed(pair.name) && is_well_formed(pair.value)).then_some(pair)
    })
}

/// A pair whose escapes are known to be good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

impl Pair<'_> {
    /// Whether the decoded name is `name`.
    pub(crate) fn is_named(&self, name: &[u8]) -> bool {
        decoded(self.name).eq(name.iter().copied())
    }

    /// Whether the decoded value is `value`.
    pub(crate) fn has_value(&self, value: &[u8]) -> bool {
        decoded(self.value).eq(value.iter().copied())
    }

    /// The decoded value.
    pub(crate) fn value(&self) -> impl Iterator<Item = u8> {
        decoded(self.value)
    }
}

fn is_well_formed(text: &[u8]) -> bool {
    memchr::memchr_iter(b'%', text).all(|place| {
        matches!(text.get(place + 1..), Some([high, low, ..])
            if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

fn decoded(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut bytes = text.iter().copied();
    std::iter::from_fn(move || match bytes.next()? {
        b'+' => Some(b' '),
        b'%' => byte(bytes.next()?, bytes.next()?),
        plain => Some(plain),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Vec<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        pairs(query.as_bytes())
            .map(|pair| (text(decoded(pair.name).collect()), text(pair.value().collect())))
            .collect()
    }

    #[track_caller]
    fn check(query: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(read(query), expected, "{query}");
    }

    #[test]
    fn pairs_are_decoded() {
        check("a=1&b=2", &[("a", "1"), ("b", "2")]);
        check("a=x+y%21&%61=", &[("a", "x y!"), ("a", "")]);
        check("a", &[("a", "")]);
        check("a=b=c", &[("a", "b=c")]);
        check("=x", &[("", "x")]);
        check("&&", &[]);
        check("", &[]);
    }

    #[test]
    fn bad_pairs_are_left_out() {
        check("a=%zz&b=2", &[("b", "2")]);
        check("%=1&b=2", &[("b", "2")]);
        check("a=1;c=3&b=2", &[("b", "2")]);
        check("a=%2", &[]);
    }

    #[test]
    fn a_query_with_too_many_pairs_has_none() {
        assert_eq!(read(&"a&".repeat(MAX_PAIRS - 1)).len(), MAX_PAIRS - 1);
        assert_eq!(read(&"a&".repeat(MAX_PAIRS)).len(), 0);
    }
}
