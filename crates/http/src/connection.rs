//! What a connection becomes after a message: kept, closed, or switched to another protocol.

use crate::headers::{Headers, Known};
use crate::version::Version;

/// Whether the sender of this head wants the connection to persist (RFC 9112 §9.3).
pub(crate) fn wants_keep_alive(version: Version, headers: &Headers) -> bool {
    if !headers.contains(Known::Connection) {
        return version != Version::Http10;
    }
    if headers.has_token(Known::Connection, "close") {
        return false;
    }
    // As in Go, the first line counts.
    let first = headers.get(Known::Connection).unwrap_or_default();
    let asked = |token: &[u8]| token.trim_ascii().eq_ignore_ascii_case(b"keep-alive");
    version != Version::Http10 || first.split(|&byte| byte == b',').any(asked)
}

/// The protocol to which a head asks to switch: the value of `Upgrade`, if `Connection` names it.
///
/// An offer of `h2c` is none (as in Traefik 3.7.15): HTTP/2 spoken through the tunnel would pass
/// every router by. Nor is a value that is not printable ASCII.
#[must_use]
pub fn upgrade_type(headers: &Headers) -> Option<&[u8]> {
    let protocol = headers.get(Known::Upgrade)?;
    let sound = !protocol.is_empty() && protocol.iter().all(|byte| matches!(byte, b' '..=b'~'));
    (sound && !offers_h2c(protocol) && headers.has_token(Known::Connection, "upgrade"))
        .then_some(protocol)
}

fn offers_h2c(protocols: &[u8]) -> bool {
    protocols
        .split(|&byte| byte == b',')
        .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"h2c"))
}

/// Whether a request asks for a WebSocket.
#[must_use]
pub fn is_websocket(headers: &Headers) -> bool {
    upgrade_type(headers).is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

/// Spells `Sec-WebSocket-*` as RFC 6455 does; some servers compare the case (Traefik:
/// `cleanWebSocketHeaders`).
pub fn websocket_header_case(headers: &mut Headers) {
    headers.respell(Known::SecWebsocketKey, "Sec-WebSocket-Key");
    headers.respell(Known::SecWebsocketExtensions, "Sec-WebSocket-Extensions");
    headers.respell(Known::SecWebsocketAccept, "Sec-WebSocket-Accept");
    headers.respell(Known::SecWebsocketProtocol, "Sec-WebSocket-Protocol");
    headers.respell(Known::SecWebsocketVersion, "Sec-WebSocket-Version");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in fields {
            headers.push_wire(name.as_bytes(), value.as_bytes()).unwrap();
        }
        headers
    }

    #[test]
    fn persistence_follows_version_and_connection() {
        for (version, connection, kept) in [
            (Version::Http11, None, true),
            (Version::Http11, Some("close"), false),
            (Version::Http11, Some("Keep-Alive, CLOSE"), false),
            (Version::Http11, Some("upgrade"), true),
            (Version::Http10, None, false),
            (Version::Http10, Some("Keep-Alive"), true),
            (Version::Http10, Some("keep-alive, close"), false),
            (Version::Http10, Some("upgrade"), false),
        ] {
            let fields: Vec<_> =
                connection.map(|value| ("connection", value)).into_iter().collect();
            assert_eq!(
                wants_keep_alive(version, &headers(&fields)),
                kept,
                "{version} {connection:?}"
            );
        }
    }

    #[test]
    fn an_upgrade_needs_both_fields() {
        let both = headers(&[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")]);
        assert_eq!(upgrade_type(&both), Some(&b"WebSocket"[..]));
        assert!(is_websocket(&both));
        assert_eq!(upgrade_type(&headers(&[("upgrade", "websocket")])), None);
        assert_eq!(upgrade_type(&headers(&[("connection", "upgrade")])), None);
        for protocol in ["", "h2c", "H2C", "websocket, h2c", "h2c ,websocket", "caf\u{e9}"] {
            let fields = headers(&[("connection", "upgrade"), ("upgrade", protocol)]);
            assert_eq!(upgrade_type(&fields), None, "{protocol}");
        }
    }

    #[test]
    fn websocket_names_are_respelled() {
        let mut fields = headers(&[("sec-websocket-key", "k"), ("SEC-WEBSOCKET-VERSION", "13")]);
        websocket_header_case(&mut fields);
        let names: Vec<_> = fields.iter().map(|field| field.name.to_owned()).collect();
        assert_eq!(names, ["Sec-WebSocket-Key", "Sec-WebSocket-Version"]);
        assert_eq!(fields.get(Known::SecWebsocketKey), Some(&b"k"[..]));
    }
}
