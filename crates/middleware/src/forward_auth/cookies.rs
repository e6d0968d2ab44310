//! Names of cookies in `Set-Cookie`.

/// The name of the cookie that a `Set-Cookie` sets, as Go reads it; `None` for what is no cookie.
pub(super) fn name(line: &[u8]) -> Option<&[u8]> {
    let pair = line.split(|&byte| byte == b';').next()?.trim_ascii();
    let place = pair.iter().position(|&byte| byte == b'=')?;
    let (name, value) = pair.split_at_checked(place)?;
    let (name, value) = (name.trim_ascii(), value.get(1..)?);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let value = match value {
        [b'"', inside @ .., b'"'] => inside,
        bare => bare,
    };
    let is_value = |byte: &u8| matches!(byte, 0x20..0x7f) && !b"\";\\".contains(byte);
    let sound = !name.is_empty() && name.iter().all(is_token) && value.iter().all(is_value);
    sound.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_in_go() {
        for (line, expected) in [
            ("a=b", Some("a")),
            (" a = b; Path=/; HttpOnly", Some("a")),
            ("a=", Some("a")),
            ("a=\"b c\"; Secure", Some("a")),
            ("a", None),
            ("=b", None),
            ("a b=c", None),
            ("a=b\\c", None),
            ("", None),
        ] {
            assert_eq!(name(line.as_bytes()), expected.map(str::as_bytes), "{line}");
        }
    }
}
