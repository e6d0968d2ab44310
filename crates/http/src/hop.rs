//! Fields that belong to one hop and are not passed on (RFC 9110 §7.6.1), as Go's
//! `ReverseProxy` removes them.

use crate::body::BodyFraming;
use crate::connection::upgrade_type;
use crate::headers::{HeaderName, HeaderValue, Headers, Known, KnownSet};

/// Removes the fields of the hop from a request; what an upgrade and trailers need stays.
///
/// `Te` stays only as `trailers`. `Trailer` stays for a chunked body. An upgrade keeps
/// `Connection: Upgrade` and `Upgrade`.
pub fn remove_request_hop_by_hop(headers: &mut Headers, body: BodyFraming) {
    let trailers = headers.has_token(Known::Te, "trailers");
    let upgrade = upgrade_type(headers).and_then(|protocol| HeaderValue::parse(protocol).ok());
    remove_hop_by_hop(headers, body);
    if trailers {
        headers.append(Known::Te, "trailers");
    }
    if let Some(protocol) = upgrade {
        headers.append(Known::Connection, "Upgrade");
        headers.append(Known::Upgrade, &protocol);
    }
}

/// Removes the fields of the hop from a response other than 101, whose fields all pass.
pub fn remove_response_hop_by_hop(headers: &mut Headers, body: BodyFraming) {
    // Go's client takes `Connection` away once it says `close`, and then nothing is named by it.
    if headers.has_token(Known::Connection, "close") {
        headers.remove(Known::Connection);
    }
    remove_hop_by_hop(headers, body);
}

fn remove_hop_by_hop(headers: &mut Headers, body: BodyFraming) {
    remove_connection_options(headers);
    let keeps_trailer = body == BodyFraming::Chunked;
    headers.remove_all(if keeps_trailer { HOP_BY_HOP.without(Known::Trailer) } else { HOP_BY_HOP });
}

/// Removes the fields that `Connection` names. The usual names, which are removed or handled in
/// any case, are passed over so that nothing is collected for them.
fn remove_connection_options(headers: &mut Headers) {
    let usual = |token: &[u8]| {
        [&b"close"[..], b"keep-alive", b"upgrade", b"te"]
            .iter()
            .any(|usual| usual.eq_ignore_ascii_case(token))
    };
    if headers.every_token(Known::Connection, usual) {
        return;
    }
    let named: Vec<HeaderName> = headers
        .tokens(Known::Connection)
        .filter_map(|token| HeaderName::parse(std::str::from_utf8(token).ok()?).ok())
        .collect();
    for name in &named {
        headers.remove(name);
    }
}

const HOP_BY_HOP: KnownSet = KnownSet::of(&[
    Known::Connection,
    Known::Http2Settings,
    Known::KeepAlive,
    Known::ProxyAuthenticate,
    Known::ProxyAuthorization,
    Known::ProxyConnection,
    Known::Te,
    Known::Trailer,
    Known::TransferEncoding,
    Known::Upgrade,
]);

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(fields: &[(&str, &str)], body: BodyFraming) -> Vec<String> {
        let mut headers = Headers::new();
        for (name, value) in fields {
            headers.push_wire(name.as_bytes(), value.as_bytes()).unwrap();
        }
        remove_request_hop_by_hop(&mut headers, body);
        let shown = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        headers.iter().map(|field| format!("{}: {}", field.name, shown(field.value))).collect()
    }

    #[test]
    fn hop_by_hop_fields_and_those_that_connection_names_are_removed() {
        let fields = [
            ("connection", "keep-alive, x-secret, Proxy-Authorization"),
            ("connection", "x-other,, (bad)"),
            ("x-secret", "1"),
            ("x-other", "1"),
            ("keep-alive", "timeout=5"),
            ("http2-settings", "AAMAAABk"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic x"),
            ("proxy-authenticate", "Basic"),
            ("te", "gzip"),
            ("trailer", "x-sum"),
            ("upgrade", "h2c"),
            ("accept", "*/*"),
        ];
        assert_eq!(stripped(&fields, BodyFraming::None), ["Accept: */*"]);
    }

    #[test]
    fn te_trailers_and_the_trailer_of_a_chunked_body_stay() {
        let fields = [("te", "gzip, trailers"), ("trailer", "x-sum")];
        assert_eq!(stripped(&fields, BodyFraming::Chunked), ["Trailer: x-sum", "Te: trailers"]);
        assert_eq!(stripped(&fields, BodyFraming::Length(1)), ["Te: trailers"]);
    }

    #[test]
    fn an_upgrade_stays() {
        let fields = [("connection", "foo, upgrade"), ("upgrade", "websocket"), ("foo", "1")];
        assert_eq!(
            stripped(&fields, BodyFraming::None),
            ["Connection: Upgrade", "Upgrade: websocket"]
        );
    }
}
