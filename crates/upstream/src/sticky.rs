//! Sticky cookies: which candidate a client had before. Traefik: `sticky.cookie`.
//!
//! Names and values are those of Traefik, so that cookies that it gave hold here, and the other way round.

use std::{collections::HashMap, fmt::Write};

use foldhash::fast::FixedState;
use portway_http::{Headers, Known};
use portway_model::dynamic::{Cookie, Sticky as Config};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Hexadecimal digits of the hash that is a cookie's value.
const DIGITS: usize = 16;

/// A compiled `sticky.cookie`.
#[derive(Debug)]
pub(crate) struct Sticky {
    name: Box<str>,
    /// By what a cookie can say.
    known: HashMap<Box<str>, Place, FixedState>,
    /// The value of `Set-Cookie` that leads to each candidate.
    cookies: Box<[Box<str>]>,
}

/// What a cookie says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    /// The candidate's number.
    pub(crate) candidate: usize,
    /// Whether it says so in a form that is not given any more.
    pub(crate) is_old: bool,
}

impl Sticky {
    /// Compiles stickiness to candidates with these names; `None` where clients do not stay. `service` is the
    /// qualified name of theirs.
    pub(crate) fn compile<'n>(
        service: &str,
        config: Option<&Config>,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Option<Self> {
        let cookie = config?.cookie.as_ref()?;
        let cookie_name = cookie_name(cookie, service);
        let attributes = attributes(cookie);
        let mut known = HashMap::default();
        for (candidate, name) in names.clone().enumerate() {
            // What Traefik gave before: the name itself, its hash, and that hash hashed once more.
            let old = fnv(name);
            for value in [fnv(&old), old, name.to_owned()] {
                known.insert(value.into(), Place { candidate, is_old: true });
            }
        }
        for (candidate, name) in names.clone().enumerate() {
            known.insert(sha256(name).into(), Place { candidate, is_old: false });
        }
        let set = |name| format!("{cookie_name}={}{attributes}", sha256(name)).into();
        let cookies = names.map(set).collect();
        Some(Self { name: cookie_name.into(), known, cookies })
    }

    /// What the request's cookie says; the first one of that name counts.
    pub(crate) fn place(&self, headers: &Headers) -> Option<Place> {
        let lines =
            headers.get_all(Known::Cookie).flat_map(|line| line.split(|byte| *byte == b';'));
        let value = lines.filter_map(pair).find(|(name, _)| *name == self.name.as_bytes())?.1;
        self.known.get(str::from_utf8(value).ok()?).copied()
    }

    /// The value of `Set-Cookie` that leads to a candidate.
    pub(crate) fn cookie(&self, candidate: usize) -> Option<&str> {
        self.cookies.get(candidate).map(|cookie| &**cookie)
    }
}

/// The name of a service's cookie: the one written, or one made of the service's qualified name.
pub fn cookie_name(cookie: &Cookie, service: &str) -> String {
    if cookie.name.is_empty() {
        let hash = Sha1::digest(format!("_TRAEFIK_BACKEND_{service}"));
        let [a, b, c, ..]: [u8; 20] = hash.into();
        return format!("_{a:02x}{b:02x}{:x}", c >> 4);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^`|~".contains(c);
    cookie.name.chars().map(|c| if fits(c) { c } else { '_' }).collect()
}

/// What stands behind the value, in the order in which Go writes it.
fn attributes(cookie: &Cookie) -> String {
    let mut text = String::new();
    let path: String =
        cookie.path.chars().filter(|c| matches!(c, ' '..='~') && *c != ';').collect();
    if !cookie.path.is_empty() {
        text.push_str("; Path=");
        text.push_str(&path);
    }
    if let Some(domain) = cookie.usable_domain() {
        text.push_str("; Domain=");
        text.push_str(domain);
    }
    match cookie.max_age {
        0 => {}
        age => text.push_str(&format!("; Max-Age={}", age.max(0))),
    }
    if cookie.http_only {
        text.push_str("; HttpOnly");
    }
    if cookie.secure {
        text.push_str("; Secure");
    }
    if let Some(policy) = cookie.same_site_policy() {
        text.push_str("; SameSite=");
        text.push_str(policy);
    }
    text
}

/// A name and its value out of a `Cookie` field, as Go reads them; `None` where Go passes over them.
fn pair(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let part = part.trim_ascii();
    let middle = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
    let (name, value) = part.split_at_checked(middle)?;
    let value = value.strip_prefix(b"=").unwrap_or(value);
    let value = match value {
        [b'"', inner @ .., b'"'] => inner,
        value => value,
    };
    let fits = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    value.iter().all(fits).then_some((name.trim_ascii(), value))
}

/// The hash of a name that is a cookie's value.
fn sha256(name: &str) -> String {
    let mut digits = String::with_capacity(DIGITS);
    for byte in Sha256::digest(name).iter().take(DIGITS / 2) {
        // Writing cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The hash that Traefik gave before: FNV-1 with 64 bits, in hexadecimal digits without leading zeros.
fn fnv(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    format!("{hash:x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://127.0.0.1:1";

    fn compiled(cookie: Cookie) -> Sticky {
        let config = Config { cookie: Some(cookie) };
        Sticky::compile("e@file", Some(&config), [URL, "http://b"].into_iter()).unwrap()
    }

    #[track_caller]
    fn check_set(cookie: Cookie, expected: &str) {
        assert_eq!(compiled(cookie).cookie(0), Some(expected));
    }

    /// Seen on Traefik 3.7.15.
    #[test]
    fn cookies_are_those_of_traefik() {
        check_set(Cookie::default(), "_1ffd5=10d8eb39449320b2; Path=/");
        check_set(
            Cookie {
                name: "a b;é".to_owned(),
                secure: true,
                http_only: true,
                same_site: "None".to_owned(),
                max_age: -1,
                path: String::new(),
                domain: ".ex.com".to_owned(),
            },
            "a_b__=10d8eb39449320b2; Domain=ex.com; Max-Age=0; HttpOnly; Secure; SameSite=None",
        );
        check_set(
            Cookie {
                path: "/a;b\"é c".to_owned(),
                domain: "bad_domain".to_owned(),
                same_site: "weird".to_owned(),
                max_age: 10,
                ..Cookie::default()
            },
            "_1ffd5=10d8eb39449320b2; Path=/ab\" c; Max-Age=10",
        );
    }

    #[test]
    fn without_a_cookie_nobody_stays() {
        assert!(Sticky::compile("s", None, std::iter::empty()).is_none());
        assert!(Sticky::compile("s", Some(&Config::default()), std::iter::empty()).is_none());
    }

    #[track_caller]
    fn check(lines: &[&str], expected: Option<(usize, bool)>) {
        let sticky = compiled(Cookie { name: "c".to_owned(), ..Cookie::default() });
        let mut headers = Headers::new();
        lines.iter().for_each(|line| headers.append(Known::Cookie, line));
        let place = sticky.place(&headers);
        assert_eq!(place.map(|place| (place.candidate, place.is_old)), expected, "{lines:?}");
    }

    #[test]
    fn cookies_lead_to_their_candidates() {
        check(&["c=10d8eb39449320b2"], Some((0, false)));
        check(&["a=b; c=10d8eb39449320b2;d"], Some((0, false)));
        check(&["a=b", " c =\"10d8eb39449320b2\""], Some((0, false)));
        check(&[&format!("c={}", sha256("http://b"))], Some((1, false)));
        check(&[], None);
        check(&["c"], None);
        check(&["C=10d8eb39449320b2"], None);
        check(&["c=10D8EB39449320B2"], None);
        check(&["c= 10d8eb39449320b2"], None);
    }

    #[test]
    fn the_first_valid_cookie_counts() {
        check(&["c=nobody; c=10d8eb39449320b2"], None);
        check(&["c=a\\b; c=10d8eb39449320b2"], Some((0, false)));
    }

    #[test]
    fn old_forms_lead_there_too() {
        check(&[&format!("c={URL}")], Some((0, true)));
        check(&[&format!("c={}", fnv(URL))], Some((0, true)));
        check(&[&format!("c={}", fnv(&fnv(URL)))], Some((0, true)));
        // FNV's own test vector.
        assert_eq!(fnv("a"), "af63bd4c8601b7be");
    }
}
