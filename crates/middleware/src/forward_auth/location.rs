//! Where an answer sends the client, made absolute as Go does it.

use portway_http::Target;

use crate::redirect::url;

/// The URL that a relative one is relative to.
#[derive(Debug)]
pub(super) struct Base {
    scheme: Vec<u8>,
    authority: Vec<u8>,
    path: Vec<u8>,
    query: Option<Vec<u8>>,
}

/// The parts of a URL as written (RFC 3986 §3).
struct Parts<'a> {
    scheme: Option<&'a [u8]>,
    authority: Option<&'a [u8]>,
    path: &'a [u8],
    query: Option<&'a [u8]>,
    fragment: Option<&'a [u8]>,
}

impl Base {
    /// The URL of this server and target.
    pub(super) fn new(server: &str, target: &Target) -> Self {
        let (scheme, authority) = server.split_once("://").unwrap_or(("http", server));
        Self {
            scheme: scheme.into(),
            authority: authority.into(),
            path: target.escaped_path().into(),
            query: target.has_query().then(|| target.query().to_vec()),
        }
    }

    /// The absolute form of a URL (Go: `URL.Parse`), or `None` where it is malformed.
    pub(super) fn resolve(&self, written: &[u8]) -> Option<Vec<u8>> {
        let normal = url::normalize(written)?;
        let parts = Parts::split(&normal);
        let rooted = parts.path.first() == Some(&b'/') || parts.path.is_empty();
        if parts.scheme.is_some() && parts.authority.is_none() && !rooted {
            // It is opaque, such as that of an address of mail.
            return Some(normal);
        }
        let mut out = parts.scheme.unwrap_or(&self.scheme).to_vec();
        out.push(b':');
        let query = if parts.scheme.is_some() || parts.authority.is_some() {
            if let Some(authority) = parts.authority {
                out.extend_from_slice(b"//");
                out.extend_from_slice(authority);
            }
            out.extend(resolved(b"", parts.path));
            parts.query
        } else {
            out.extend_from_slice(b"//");
            out.extend_from_slice(&self.authority);
            out.extend(resolved(&self.path, parts.path));
            match parts.query {
                None if parts.path.is_empty() => self.query.as_deref(),
                query => query,
            }
        };
        for (mark, part) in [(b'?', query), (b'#', parts.fragment)] {
            if let Some(part) = part {
                out.push(mark);
                out.extend_from_slice(part);
            }
        }
        Some(out)
    }
}

impl<'a> Parts<'a> {
    /// The parts of a URL that is in the form in which Go writes it.
    fn split(url: &'a [u8]) -> Self {
        let cut = |text: &'a [u8], at: &[u8]| {
            let place = text.iter().position(|byte| at.contains(byte))?;
            text.split_at_checked(place)
        };
        let (url, fragment) = match cut(url, b"#") {
            Some((url, fragment)) => (url, fragment.get(1..)),
            None => (url, None),
        };
        let (url, query) = match cut(url, b"?") {
            Some((url, query)) => (url, query.get(1..)),
            None => (url, None),
        };
        let (scheme, rest) = match cut(url, b":/") {
            Some((scheme, rest)) if rest.first() == Some(&b':') => {
                (Some(scheme), rest.get(1..).unwrap_or_default())
            }
            _ => (None, url),
        };
        let (authority, path) = match rest.strip_prefix(b"//") {
            Some(rest) => match cut(rest, b"/") {
                Some((authority, path)) => (Some(authority), path),
                None => (Some(rest), &b""[..]),
            },
            None => (None, rest),
        };
        Self { scheme, authority, path, query, fragment }
    }
}

/// A path that is relative to another one, without dot segments (Go: `resolvePath`).
fn resolved(base: &[u8], path: &[u8]) -> Vec<u8> {
    let full = match path.first() {
        None => base.to_vec(),
        Some(b'/') => path.to_vec(),
        Some(_) => {
            let end = base.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
            [base.get(..end).unwrap_or_default(), path].concat()
        }
    };
    if full.is_empty() {
        return full;
    }
    let mut out = b"/".to_vec();
    let mut first = true;
    let mut last: &[u8] = b"";
    for element in full.split(|&byte| byte == b'/') {
        last = element;
        match element {
            b"." => first = false,
            b".." => {
                let slash = out.iter().skip(1).rposition(|&byte| byte == b'/');
                first = slash.is_none();
                out.truncate(slash.map_or(1, |slash| slash + 1));
            }
            _ => {
                if !first {
                    out.push(b'/');
                }
                out.extend_from_slice(element);
                first = false;
            }
        }
    }
    if matches!(last, b"." | b"..") {
        out.push(b'/');
    }
    match out.strip_prefix(b"//") {
        Some(rest) => [b"/", rest].concat(),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: &str) {
        let mut target = Target::default();
        target.set_path_and_query(b"/a/b/verify?x=1").unwrap();
        let base = Base::new("http://auth:8080", &target);
        let resolved = base.resolve(written.as_bytes());
        let resolved = resolved.map(|url| String::from_utf8(url).unwrap());
        assert_eq!(resolved.as_deref().unwrap_or("malformed"), expected, "{written}");
    }

    #[test]
    fn relative_locations_become_absolute_as_in_go() {
        check("http://login.test/x", "http://login.test/x");
        check("HTTPS://login.test", "https://login.test");
        check("http://login.test/a/../b/./c?d#e", "http://login.test/b/c?d#e");
        check("//login.test/x", "http://login.test/x");
        check("/login", "http://auth:8080/login");
        check("login?y", "http://auth:8080/a/b/login?y");
        check("../login", "http://auth:8080/a/login");
        check("../../../..", "http://auth:8080/");
        check("./", "http://auth:8080/a/b/");
        check(".", "http://auth:8080/a/b/");
        check("?y=2", "http://auth:8080/a/b/verify?y=2");
        check("#top", "http://auth:8080/a/b/verify?x=1#top");
        check("/a b", "http://auth:8080/a%20b");
        check("/%zz", "malformed");
        check("http://[bad/", "malformed");
        check("mailto:somebody", "mailto:somebody");
        check("//", "http://auth:8080/a/b/verify?x=1");
    }
}
