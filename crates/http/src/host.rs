//! The host of a request: which characters it may have and its canonical form.

use crate::words;

/// Whether a `Host` value has only characters that Go accepts
/// (`httpguts.ValidHostHeader`); the empty value is valid (RFC 9112 §3.2).
#[must_use]
pub fn is_valid_host(host: &[u8]) -> bool {
    words::all(host, is_host_byte)
}

/// Letters, digits and `!$%&'()*+,-.:;=[]_~`; without branches, for [`words::all`].
fn is_host_byte(byte: u8) -> bool {
    let among = |first: u8, last: u8| (first <= byte) & (byte <= last);
    among(b'a', b'z')
        | among(b'A', b'[')
        | among(b'$', b'.')
        | among(b'0', b';')
        | (byte == b'!')
        | (byte == b'=')
        | (byte == b']')
        | (byte == b'_')
        | (byte == b'~')
}

/// Whether a host is valid and its own canonical form: small letters, digits, `-` and `.`.
pub(crate) fn is_canonical_name(host: &[u8]) -> bool {
    words::all(host, |byte| {
        let among = |first: u8, last: u8| (first <= byte) & (byte <= last);
        among(b'a', b'z') | among(b'0', b'9') | among(b'-', b'.')
    })
}

/// Splits `host:port`, `[v6]:port` as Go's `net.SplitHostPort` does; `None` where that gives an
/// error (no port, several colons without brackets, stray brackets).
#[must_use]
pub fn split_host_port(authority: &str) -> Option<(&str, &str)> {
    if words::all(authority.as_bytes(), |byte| byte != b':') {
        return None;
    }
    let (before, port) = authority.rsplit_once(':')?;
    let host = if let Some(rest) = before.strip_prefix('[') {
        // The first closing bracket must be followed by the last colon.
        let (inside, after) = rest.split_once(']')?;
        if !after.is_empty() || inside.contains('[') {
            return None;
        }
        inside
    } else {
        if before.contains([':', '[', ']']) {
            return None;
        }
        before
    };
    if port.contains(['[', ']']) { None } else { Some((host, port)) }
}

/// Fills `canonical` with the host that routers compare: without port and brackets, in lower
/// case (Traefik: `requestdecorator`).
pub fn canonical_host(authority: &str, canonical: &mut String) {
    canonical.clear();
    let host = if authority.contains(':') {
        match split_host_port(authority) {
            Some((host, _)) => host,
            None => authority
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .unwrap_or(authority),
        }
    } else {
        authority
    };
    canonical.push_str(host.trim_matches(|c: char| c.is_ascii_whitespace()));
    canonical.make_ascii_lowercase();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_hosts_lose_port_brackets_and_capitals() {
        for (authority, canonical) in [
            ("Example.COM", "example.com"),
            ("example.com:8080", "example.com"),
            ("example.com:", "example.com"),
            ("example.com.", "example.com."),
            ("[::1]:80", "::1"),
            ("[::1]", "::1"),
            ("::1", "::1"),
            ("[::1", "[::1"),
            ("a:b:c", "a:b:c"),
            ("a:xyz", "a"),
            (":80", ""),
            ("", ""),
            ("[a]b:80", "[a]b:80"),
            ("a]:80", "a]:80"),
            ("[[a]:80", "[[a]:80"),
            ("a:[80", "a:[80"),
        ] {
            let mut host = String::from("left over");
            canonical_host(authority, &mut host);
            assert_eq!(host, canonical, "{authority}");
        }
    }

    #[test]
    fn canonical_names_are_valid_and_stay_as_they_are() {
        for byte in 0..=255u8 {
            let name = [byte; 17];
            let simple =
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
            assert_eq!(is_canonical_name(&name), simple, "{byte}");
            if simple {
                let text = std::str::from_utf8(&name).unwrap();
                let mut canonical = String::new();
                canonical_host(text, &mut canonical);
                assert!(is_valid_host(&name) && canonical == text, "{text}");
            }
        }
    }

    #[test]
    fn hosts_with_delimiters_or_controls_are_invalid() {
        for bad in
            ["a b", "a/b", "a@b", "a\\b", "a?b", "a#b", "a\0", "é", "a\"b", "a<b", "a|b", "{a}"]
        {
            assert!(!is_valid_host(bad.as_bytes()), "{bad}");
        }
        for byte in 0..=255u8 {
            let sound = byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte);
            assert_eq!(is_valid_host(&[byte; 20]), sound, "{byte}");
            assert_eq!(is_valid_host(&[byte]), sound, "{byte}");
        }
        for good in ["", "a", "a_b", "a,b", "[::1%25eth0]:80", "xn--a.b", "*.a", "a:b"] {
            assert!(is_valid_host(good.as_bytes()), "{good}");
        }
    }
}
