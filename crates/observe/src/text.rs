//! Text of strangers, written so that it stays inside its field.

/// Appends `value` between quotes as Go's `encoding/json` writes it: `<`, `>`, `&` and control characters
/// escaped, invalid UTF-8 as `\ufffd`.
pub(crate) fn json(line: &mut Vec<u8>, value: &[u8]) {
    line.push(b'"');
    json_inner(line, value);
    line.push(b'"');
}

/// The same without quotes, to write one value in parts. A part must not end inside a character.
pub(crate) fn json_inner(line: &mut Vec<u8>, value: &[u8]) {
    if value.is_ascii() {
        return json_ascii(line, value);
    }
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\u{2028}' => line.extend_from_slice(br"\u2028"),
                '\u{2029}' => line.extend_from_slice(br"\u2029"),
                ascii if ascii.is_ascii() => {
                    let mut byte = [0; 4];
                    json_ascii(line, ascii.encode_utf8(&mut byte).as_bytes());
                }
                other => line.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        // Go replaces each byte of an invalid sequence.
        for _ in chunk.invalid() {
            line.extend_from_slice(br"\ufffd");
        }
    }
}

fn json_ascii(line: &mut Vec<u8>, mut value: &[u8]) {
    let special = |byte: &u8| *byte < 0x20 || matches!(*byte, b'"' | b'\\' | b'<' | b'>' | b'&');
    while let Some(position) = value.iter().position(special) {
        let (plain, rest) = value.split_at(position);
        line.extend_from_slice(plain);
        let Some((byte, rest)) = rest.split_first() else { return };
        match byte {
            b'"' => line.extend_from_slice(br#"\""#),
            b'\\' => line.extend_from_slice(br"\\"),
            b'\n' => line.extend_from_slice(br"\n"),
            b'\r' => line.extend_from_slice(br"\r"),
            b'\t' => line.extend_from_slice(br"\t"),
            0x08 => line.extend_from_slice(br"\b"),
            0x0c => line.extend_from_slice(br"\f"),
            other => {
                line.extend_from_slice(br"\u00");
                hexadecimal(line, *other);
            }
        }
        value = rest;
    }
    line.extend_from_slice(value);
}

/// Appends `value` to a line of the Common Log Format: quotes get a backslash where the field is quoted,
/// as in Traefik; control characters are written `\x0a` and invalid UTF-8 as U+FFFD, so that no field can end
/// the line or turn it into something else on a terminal.
pub(crate) fn common(line: &mut Vec<u8>, value: &[u8], quoted: bool) {
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' if quoted => line.extend_from_slice(br#"\""#),
                control if control.is_control() => {
                    for byte in control.encode_utf8(&mut [0; 4]).bytes() {
                        line.extend_from_slice(br"\x");
                        hexadecimal(line, byte);
                    }
                }
                other => line.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        for _ in chunk.invalid() {
            line.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

fn hexadecimal(line: &mut Vec<u8>, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        line.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
    }
}

/// Appends a whole number.
pub(crate) fn number(line: &mut Vec<u8>, number: impl itoa::Integer) {
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Host and port as Go's `net.SplitHostPort` tells them apart; what has no port is all host, and `-`.
pub(crate) fn split_host(address: &[u8]) -> (&[u8], &[u8]) {
    let whole = (address, &b"-"[..]);
    let Some(colon) = address.iter().rposition(|byte| *byte == b':') else { return whole };
    let Some((host, [_, port @ ..])) = address.split_at_checked(colon) else { return whole };
    match host {
        [b'[', inner @ .., b']'] if !inner.iter().any(|byte| matches!(byte, b'[' | b']')) => {
            (inner, port)
        }
        _ if host.iter().any(|byte| matches!(byte, b':' | b'[' | b']')) => whole,
        _ if port.iter().any(|byte| matches!(byte, b'[' | b']')) => whole,
        _ => (host, port),
    }
}

/// Appends a header's name as Go canonicalises it: `x-FOO-bar` as `X-Foo-Bar`.
pub(crate) fn header_name(line: &mut Vec<u8>, name: &str) {
    let mut upper = true;
    for byte in name.bytes() {
        // Names are tokens: nothing in them needs an escape but `&`, which nobody sends.
        match byte {
            b'&' => line.extend_from_slice(br"\u0026"),
            _ if upper => line.push(byte.to_ascii_uppercase()),
            _ => line.push(byte.to_ascii_lowercase()),
        }
        upper = byte == b'-';
    }
}
