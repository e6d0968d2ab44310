//! The path that path matchers see.

/// A `%` that is not followed by two hexadecimal digits; the request deserves a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a `%` in the path is not followed by two hexadecimal digits")]
pub struct DanglingPercent;

/// Writes the routing path of the escaped path `raw` into `out`, which is cleared first.
///
/// Every escape is decoded except those of the reserved characters `:/?#[]@!$&'()*+,;=` and of `%`
/// itself, which stay as they are (in upper case): a rule that guards `/admin/` is not reached
/// around by `/admin%2F`. The result need not be UTF-8. `raw` is expected normalised and
/// sanitised.
///
/// Traefik: `withRoutingPath`.
///
/// # Errors
///
/// [`DanglingPercent`]; `out` then holds what came before.
pub fn routing_path(raw: &[u8], out: &mut Vec<u8>) -> Result<(), DanglingPercent> {
    out.clear();
    let mut rest = raw;
    while let Some(place) = memchr::memchr(b'%', rest) {
        let (plain, escaped) = rest.split_at_checked(place).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let [_, high, low, after @ ..] = escaped else { return Err(DanglingPercent) };
        match byte(*high, *low).ok_or(DanglingPercent)? {
            reserved if is_reserved(reserved) => {
                out.extend([b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
            }
            decoded => out.push(decoded),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// The byte that two hexadecimal digits stand for.
pub(crate) fn byte(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// RFC 3986 §2.2, and the percent sign.
fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: &[u8]) {
        let mut out = b"old".to_vec();
        routing_path(raw.as_bytes(), &mut out).unwrap();
        assert_eq!(out, expected);
    }

    #[test]
    fn unreserved_escapes_are_decoded() {
        check("/foo%20bar", b"/foo bar");
        check("/%C3%A9", "/é".as_bytes());
        check("/%FF", b"/\xff");
        check("/", b"/");
    }

    #[test]
    fn reserved_escapes_stay() {
        check("/foo%2Fbar", b"/foo%2Fbar");
        check("/foo%20%2Fbar", b"/foo %2Fbar");
        check("/%2fx", b"/%2Fx");
        check("/%252F", b"/%252F");
        let all = "%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25";
        check(all, all.as_bytes());
    }

    #[test]
    fn dangling_percent_is_an_error() {
        for raw in ["/%", "/%2", "/%zz", "/a%2"] {
            assert_eq!(
                routing_path(raw.as_bytes(), &mut Vec::new()),
                Err(DanglingPercent),
                "{raw}"
            );
        }
    }
}
