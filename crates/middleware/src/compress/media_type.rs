//! Media types, read as Go's `mime.ParseMediaType` reads them.

/// A media type.
#[derive(Debug)]
pub(crate) struct MediaType<'a> {
    /// The type and subtype as written; empty where there is none.
    pub(crate) name: &'a [u8],
    /// Whether it is well-formed with its parameters.
    pub(crate) sound: bool,
    /// Why it is not, in Go's words.
    pub(crate) reason: Option<&'static str>,
}

/// Reads a media type with its parameters.
pub(crate) fn media_type(text: &[u8]) -> MediaType<'_> {
    let end = text.iter().position(|&byte| byte == b';').unwrap_or(text.len());
    let (name, parameters) = text.split_at_checked(end).unwrap_or((text, b""));
    let name = name.trim_ascii();
    match check_name(name).and_then(|()| check_parameters(parameters)) {
        Ok(()) => MediaType { name, sound: true, reason: None },
        // The name counts all the same.
        Err(reason @ INVALID_PARAMETER) => MediaType { name, sound: false, reason: Some(reason) },
        Err(reason) => MediaType { name: b"", sound: false, reason: Some(reason) },
    }
}

const INVALID_PARAMETER: &str = "mime: invalid media parameter";

fn check_name(name: &[u8]) -> Result<(), &'static str> {
    let (kind, rest) = token(name);
    if kind.is_empty() {
        return Err("mime: no media type");
    }
    let Some((&first, rest)) = rest.split_first() else { return Ok(()) };
    if first != b'/' {
        return Err("mime: expected slash after first token");
    }
    match token(rest) {
        (b"", _) => Err("mime: expected token after slash"),
        (_, b"") => Ok(()),
        _ => Err("mime: unexpected content after media subtype"),
    }
}

fn check_parameters(mut rest: &[u8]) -> Result<(), &'static str> {
    let mut seen: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() || rest.trim_ascii_end() == b";" {
            return Ok(());
        }
        let (name, value, behind) = parameter(rest).ok_or(INVALID_PARAMETER)?;
        if seen.iter().any(|(other, given)| *other == name && *given != value) {
            return Err("mime: duplicate parameter name");
        }
        seen.push((name, value));
        rest = behind;
    }
}

/// A parameter with the semicolon before it, and what is behind it.
fn parameter(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>, &[u8])> {
    let rest = text.strip_prefix(b";")?.trim_ascii_start();
    let (name, rest) = token(rest);
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (value, rest) = match rest.strip_prefix(b"\"") {
        Some(quoted) => quoted_value(quoted)?,
        None => match token(rest) {
            (b"", _) => return None,
            (value, rest) => (value.to_vec(), rest),
        },
    };
    Some((name.to_ascii_lowercase(), value, rest))
}

/// A quoted text behind its first quote, and what is behind it.
fn quoted_value(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut rest = text;
    loop {
        let (&byte, behind) = rest.split_first()?;
        match (byte, behind.split_first()) {
            (b'"', _) => return Some((value, behind)),
            (b'\r' | b'\n', _) => return None,
            // Other backslashes are those of paths that some browser sends.
            (b'\\', Some((&next, behind))) if b"()<>@,;:\\\"/[]?=".contains(&next) => {
                value.push(next);
                rest = behind;
            }
            _ => {
                value.push(byte);
                rest = behind;
            }
        }
    }
}

/// The token that a text begins with, and the rest.
fn token(text: &[u8]) -> (&[u8], &[u8]) {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let end = text.iter().position(|byte| !is_part(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, b""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str, reason: Option<&str>) {
        let read = media_type(text.as_bytes());
        let (read, told) = (String::from_utf8_lossy(read.name).into_owned(), read.reason);
        assert_eq!((read.as_str(), told), (name, reason), "{text}");
    }

    #[test]
    fn media_types_are_read_as_in_go() {
        check("text/html", "text/html", None);
        check(" Text/HTML ; charset=utf-8", "Text/HTML", None);
        check("text", "text", None);
        check("text/plain;", "text/plain", None);
        check("text/plain; a=\"x\\\"y\";b = c ;", "text/plain", None);
        check("text/plain; a=1; A=1", "text/plain", None);
        check("text/plain; a=1; a=2", "", Some("mime: duplicate parameter name"));
        for parameters in ["; a", "; =b", ";;", "; a=\"b", "; a=", " ;a=b c"] {
            check(&format!("text/plain{parameters}"), "text/plain", Some(INVALID_PARAMETER));
        }
        check("", "", Some("mime: no media type"));
        check("/html", "", Some("mime: no media type"));
        check("text html", "", Some("mime: expected slash after first token"));
        check("text/", "", Some("mime: expected token after slash"));
        check("text/a/b", "", Some("mime: unexpected content after media subtype"));
    }
}
