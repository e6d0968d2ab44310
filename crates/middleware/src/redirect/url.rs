//! URLs as Go's `url.Parse` reads them and `URL.String` writes them.

use std::net::Ipv6Addr;

use portway_http::Target;

/// The URL in the form in which Go writes it, or `None` where Go finds it malformed.
pub(crate) fn normalize(text: &[u8]) -> Option<Vec<u8>> {
    let (url, fragment) = cut(text, b'#').unwrap_or((text, b""));
    if url.iter().any(u8::is_ascii_control) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() + 8);
    write_url(url, &mut out)?;
    if !fragment.is_empty() {
        out.push(b'#');
        write_fragment(fragment, &mut out)?;
    }
    Some(out)
}

fn write_url(url: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (scheme, rest) = split_scheme(url)?;
    out.extend(scheme.iter().map(u8::to_ascii_lowercase));
    if !scheme.is_empty() {
        out.push(b':');
    }
    let (path, query) = cut(rest, b'?').map_or((rest, None), |(path, query)| (path, Some(query)));
    if path.first() != Some(&b'/') && !scheme.is_empty() {
        // A rootless path is opaque and passes as it is.
        out.extend_from_slice(path);
        write_query(query, out);
        return Some(());
    }
    if path.first() != Some(&b'/') && first_segment(path).contains(&b':') {
        return None;
    }
    let rooted = (!scheme.is_empty() || !path.starts_with(b"///")).then_some(path);
    let (authority, path) = match rooted.and_then(|path| path.strip_prefix(b"//")) {
        Some(rest) => {
            let end = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end)?;
            (Some(authority), path)
        }
        None => (None, path),
    };
    let mut target = Target::default();
    target.set_escaped_path(path).ok()?;
    let path = target.escaped_path();
    if let Some(authority) = authority {
        let (user, host) = parse_authority(&scheme.to_ascii_lowercase(), authority)?;
        if !host.is_empty() || user.is_some() || (!path.is_empty() && !scheme.is_empty()) {
            out.extend_from_slice(b"//");
        }
        if let Some(user) = user {
            out.extend_from_slice(&user);
            out.push(b'@');
        }
        out.extend_from_slice(&host);
    }
    if out.is_empty() && first_segment(path.as_bytes()).contains(&b':') {
        out.extend_from_slice(b"./");
    }
    out.extend_from_slice(path.as_bytes());
    write_query(query, out);
    Some(())
}

fn write_query(query: Option<&[u8]>, out: &mut Vec<u8>) {
    if let Some(query) = query {
        out.push(b'?');
        out.extend_from_slice(query);
    }
}

/// The scheme, empty if there is none, and what is behind its colon; `None` for `:rest`.
fn split_scheme(url: &[u8]) -> Option<(&[u8], &[u8])> {
    for (position, byte) in url.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if position > 0 => {}
            b':' if position == 0 => return None,
            b':' => return cut(url, b':'),
            _ => break,
        }
    }
    Some((b"", url))
}

/// User information and host, each as it is written again.
fn parse_authority(scheme: &[u8], authority: &[u8]) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
    let Some(at) = authority.iter().rposition(|&byte| byte == b'@') else {
        return Some((None, parse_host(scheme, authority)?));
    };
    let (user, host) = authority.split_at_checked(at)?;
    let host = parse_host(scheme, host.get(1..)?)?;
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !user.iter().all(valid) {
        return None;
    }
    let mut out = Vec::with_capacity(user.len());
    let (name, password) = cut(user, b':').map_or((user, None), |(name, rest)| (name, Some(rest)));
    escape(&unescape(name, Component::User)?, Component::User, &mut out);
    if let Some(password) = password {
        out.push(b':');
        escape(&unescape(password, Component::User)?, Component::User, &mut out);
    }
    Some((Some(out), host))
}

fn parse_host(scheme: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let host = match text.iter().rposition(|&byte| byte == b'[') {
        Some(0) => {
            let close = text.iter().rposition(|&byte| byte == b']')?;
            let address = text.get(1..close)?;
            let port = text.get(close + 1..)?;
            if !is_optional_port(port) {
                return None;
            }
            [b"[", parse_address(address)?.as_slice(), b"]", port].concat()
        }
        Some(_) => return None,
        None => {
            let first = text.iter().position(|&byte| byte == b':');
            let last = text.iter().rposition(|&byte| byte == b':');
            // Lists of hosts with ports are common in schemes other than these.
            let strict = scheme == b"http" || scheme == b"https";
            let colon = if strict { first } else { last };
            if !is_optional_port(colon.and_then(|colon| text.get(colon..)).unwrap_or_default()) {
                return None;
            }
            unescape(text, Component::Host)?
        }
    };
    let mut out = Vec::with_capacity(host.len());
    escape(&host, Component::Host, &mut out);
    Some(out)
}

/// The address between brackets, decoded; it may have a zone behind `%25`.
fn parse_address(text: &[u8]) -> Option<Vec<u8>> {
    let zone = text.windows(3).position(|window| window == b"%25").unwrap_or(text.len());
    let (address, zone) = text.split_at_checked(zone)?;
    let mut decoded = unescape(address, Component::Host)?;
    decoded.extend(unescape(zone, Component::Zone)?);
    let (address, zone) =
        cut(&decoded, b'%').map_or((decoded.as_slice(), None), |(a, zone)| (a, Some(zone)));
    std::str::from_utf8(address).ok()?.parse::<Ipv6Addr>().ok()?;
    if zone.is_some_and(<[u8]>::is_empty) { None } else { Some(decoded) }
}

/// Nothing, or a colon and any number of digits.
fn is_optional_port(port: &[u8]) -> bool {
    match port.split_first() {
        None => true,
        Some((b':', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    }
}

fn write_fragment(fragment: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let decoded = unescape(fragment, Component::Fragment)?;
    let sound = |byte: &u8| Component::Fragment.allows(*byte) || b"!$&'()*+,;=:@[]%".contains(byte);
    if fragment.iter().all(sound) {
        out.extend_from_slice(fragment);
    } else {
        escape(&decoded, Component::Fragment, out);
    }
    Some(())
}

/// The parts of a URL that escape differently (Go: `encoding`).
#[derive(Clone, Copy, PartialEq)]
enum Component {
    Host,
    Zone,
    User,
    Fragment,
}

impl Component {
    /// Whether a byte stands for itself.
    fn allows(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || match self {
                Self::Host | Self::Zone => b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte),
                Self::User => b"-_.~$&+,;=".contains(&byte),
                Self::Fragment => b"-_.~$&+,/:;=?@!()*".contains(&byte),
            }
    }
}

fn escape(text: &[u8], component: Component, out: &mut Vec<u8>) {
    for &byte in text {
        if component.allows(byte) {
            out.push(byte);
        } else {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' - 10 + nibble };
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

fn unescape(text: &[u8], component: Component) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let (digits, behind) = after.split_at_checked(2)?;
            let value = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            let sign = digits.first() == Some(&b'+');
            let percent = digits == b"25";
            let refused = match component {
                Component::Host => value < 0x80 && !percent,
                Component::Zone => !percent && value != b' ' && !Component::Host.allows(value),
                Component::User | Component::Fragment => false,
            };
            if refused || sign {
                return None;
            }
            out.push(value);
            rest = behind;
        } else {
            let host = matches!(component, Component::Host | Component::Zone);
            if host && byte < 0x80 && !component.allows(byte) {
                return None;
            }
            out.push(byte);
            rest = after;
        }
    }
    Some(out)
}

fn first_segment(path: &[u8]) -> &[u8] {
    cut(path, b'/').map_or(path, |(segment, _)| segment)
}

/// What is before and behind the first such byte.
fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = text.iter().position(|&byte| byte == at)?;
    let (before, rest) = text.split_at_checked(position)?;
    Some((before, rest.get(1..)?))
}

#[cfg(test)]
mod tests;
