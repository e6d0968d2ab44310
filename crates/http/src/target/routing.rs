//! The form of a path that rules are matched against.

use super::escape;

/// Appends the routing path of an escaped path: every escape is decoded unless it stands for one
/// of ``: / ? # [ ] @ ! $ & ' ( ) * + , ; = %`` (Traefik: `withRoutingPath`).
pub fn routing_path(escaped: &str, out: &mut Vec<u8>) {
    let mut rest = escaped.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if let (b'%', [high, low, behind @ ..]) = (*first, after)
            && let Some(byte) = escape::unhex(*high, *low)
        {
            // An escape in small letters is none of Traefik's reserved ones; entry points
            // capitalise them before.
            if is_reserved(byte) && !high.is_ascii_lowercase() && !low.is_ascii_lowercase() {
                out.extend_from_slice(&[b'%', *high, *low]);
            } else {
                out.push(byte);
            }
            rest = behind;
        } else {
            out.push(*first);
        }
    }
}

fn is_reserved(byte: u8) -> bool {
    matches!(
        byte,
        b':' | b'/'
            | b'?'
            | b'#'
            | b'['
            | b']'
            | b'@'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
            | b'%'
    )
}

/// Whether a path holds an escape of one of these bytes, in any letter case (Traefik:
/// `encodedCharacters`).
#[must_use]
pub fn deny_encoded(escaped: &str, denied: &[u8]) -> bool {
    escaped.as_bytes().windows(3).any(|window| match window {
        [b'%', high, low] => escape::unhex(*high, *low).is_some_and(|byte| denied.contains(&byte)),
        _ => false,
    })
}
