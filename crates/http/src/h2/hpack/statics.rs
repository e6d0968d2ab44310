//! The fields that every table begins with (RFC 7541 appendix A).

use super::{Name, Pseudo};
use crate::headers::Known;

/// One of them.
pub(super) struct Static {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    pub(super) kind: Name,
}

/// The field of an index from 1 on.
pub(super) fn field(index: usize) -> Option<&'static Static> {
    FIELDS.get(index.checked_sub(1)?)
}

/// The index of a field of this name; 0 for none.
pub(super) fn index_of(known: Known) -> usize {
    usize::from(INDEX_OF.get(known as usize).copied().unwrap_or_default())
}

/// How many there are.
pub(super) const COUNT: usize = FIELDS.len();

static INDEX_OF: [u8; Known::ALL.len()] = indices();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, where a panic is an error, and of numbers below 62"
)]
const fn indices() -> [u8; Known::ALL.len()] {
    let mut indices = [0; Known::ALL.len()];
    let mut index = 0;
    while index < COUNT {
        if let Name::Known(known) = FIELDS[index].kind {
            indices[known as usize] = index as u8 + 1;
        }
        index += 1;
    }
    indices
}

const fn pseudo(name: &'static str, value: &'static str, kind: Pseudo) -> Static {
    Static { name, value, kind: Name::Pseudo(kind) }
}

const fn known(name: &'static str, known: Known) -> Static {
    Static { name, value: "", kind: Name::Known(known) }
}

const fn other(name: &'static str) -> Static {
    Static { name, value: "", kind: Name::Other }
}

const FIELDS: &[Static] = &[
    pseudo(":authority", "", Pseudo::Authority),
    pseudo(":method", "GET", Pseudo::Method),
    pseudo(":method", "POST", Pseudo::Method),
    pseudo(":path", "/", Pseudo::Path),
    pseudo(":path", "/index.html", Pseudo::Path),
    pseudo(":scheme", "http", Pseudo::Scheme),
    pseudo(":scheme", "https", Pseudo::Scheme),
    pseudo(":status", "200", Pseudo::Status),
    pseudo(":status", "204", Pseudo::Status),
    pseudo(":status", "206", Pseudo::Status),
    pseudo(":status", "304", Pseudo::Status),
    pseudo(":status", "400", Pseudo::Status),
    pseudo(":status", "404", Pseudo::Status),
    pseudo(":status", "500", Pseudo::Status),
    other("accept-charset"),
    Static {
        name: "accept-encoding",
        value: "gzip, deflate",
        kind: Name::Known(Known::AcceptEncoding),
    },
    known("accept-language", Known::AcceptLanguage),
    other("accept-ranges"),
    known("accept", Known::Accept),
    other("access-control-allow-origin"),
    other("age"),
    other("allow"),
    known("authorization", Known::Authorization),
    known("cache-control", Known::CacheControl),
    other("content-disposition"),
    known("content-encoding", Known::ContentEncoding),
    other("content-language"),
    known("content-length", Known::ContentLength),
    other("content-location"),
    known("content-range", Known::ContentRange),
    known("content-type", Known::ContentType),
    known("cookie", Known::Cookie),
    known("date", Known::Date),
    known("etag", Known::Etag),
    known("expect", Known::Expect),
    known("expires", Known::Expires),
    other("from"),
    known("host", Known::Host),
    other("if-match"),
    known("if-modified-since", Known::IfModifiedSince),
    known("if-none-match", Known::IfNoneMatch),
    other("if-range"),
    other("if-unmodified-since"),
    known("last-modified", Known::LastModified),
    other("link"),
    known("location", Known::Location),
    other("max-forwards"),
    known("proxy-authenticate", Known::ProxyAuthenticate),
    known("proxy-authorization", Known::ProxyAuthorization),
    known("range", Known::Range),
    known("referer", Known::Referer),
    other("refresh"),
    other("retry-after"),
    known("server", Known::Server),
    known("set-cookie", Known::SetCookie),
    known("strict-transport-security", Known::StrictTransportSecurity),
    known("transfer-encoding", Known::TransferEncoding),
    known("user-agent", Known::UserAgent),
    known("vary", Known::Vary),
    other("via"),
    known("www-authenticate", Known::WwwAuthenticate),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_of_the_kind_that_a_close_look_finds() {
        for field in FIELDS {
            assert_eq!(Name::classify(field.name.as_bytes()), field.kind, "{}", field.name);
        }
    }

    #[test]
    fn known_names_have_their_index() {
        assert_eq!(COUNT, 61);
        for (index, field) in (1..).zip(FIELDS) {
            if let Name::Known(known) = field.kind {
                assert_eq!(index_of(known), index);
            }
        }
        assert_eq!(index_of(Known::XRealIp), 0);
    }
}
