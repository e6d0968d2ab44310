//! Names that are met often or that rules depend on, classified once so that lookups compare
//! integers.

macro_rules! known {
    ($($variant:ident = $text:literal,)*) => {
        /// A frequent field name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Known {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl Known {
            /// All of them, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in Go's canonical MIME form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

known! {
    Accept = "Accept",
    AcceptEncoding = "Accept-Encoding",
    AcceptLanguage = "Accept-Language",
    AltSvc = "Alt-Svc",
    Authorization = "Authorization",
    CacheControl = "Cache-Control",
    Connection = "Connection",
    ContentEncoding = "Content-Encoding",
    ContentLength = "Content-Length",
    ContentRange = "Content-Range",
    ContentType = "Content-Type",
    Cookie = "Cookie",
    Date = "Date",
    Etag = "Etag",
    Expect = "Expect",
    Expires = "Expires",
    Forwarded = "Forwarded",
    Host = "Host",
    Http2Settings = "Http2-Settings",
    IfModifiedSince = "If-Modified-Since",
    IfNoneMatch = "If-None-Match",
    KeepAlive = "Keep-Alive",
    LastModified = "Last-Modified",
    Location = "Location",
    Origin = "Origin",
    Pragma = "Pragma",
    ProxyAuthenticate = "Proxy-Authenticate",
    ProxyAuthorization = "Proxy-Authorization",
    ProxyConnection = "Proxy-Connection",
    Range = "Range",
    Referer = "Referer",
    SecWebsocketAccept = "Sec-Websocket-Accept",
    SecWebsocketExtensions = "Sec-Websocket-Extensions",
    SecWebsocketKey = "Sec-Websocket-Key",
    SecWebsocketProtocol = "Sec-Websocket-Protocol",
    SecWebsocketVersion = "Sec-Websocket-Version",
    Server = "Server",
    SetCookie = "Set-Cookie",
    StrictTransportSecurity = "Strict-Transport-Security",
    Te = "Te",
    Trailer = "Trailer",
    TransferEncoding = "Transfer-Encoding",
    Upgrade = "Upgrade",
    UpgradeInsecureRequests = "Upgrade-Insecure-Requests",
    UserAgent = "User-Agent",
    Vary = "Vary",
    WwwAuthenticate = "Www-Authenticate",
    XContentTypeOptions = "X-Content-Type-Options",
    XForwardedFor = "X-Forwarded-For",
    XForwardedHost = "X-Forwarded-Host",
    XForwardedMethod = "X-Forwarded-Method",
    XForwardedPort = "X-Forwarded-Port",
    XForwardedPrefix = "X-Forwarded-Prefix",
    XForwardedProto = "X-Forwarded-Proto",
    XForwardedScheme = "X-Forwarded-Scheme",
    XForwardedServer = "X-Forwarded-Server",
    XForwardedTlsClientCert = "X-Forwarded-Tls-Client-Cert",
    XForwardedTlsClientCertInfo = "X-Forwarded-Tls-Client-Cert-Info",
    XForwardedUri = "X-Forwarded-Uri",
    XRealIp = "X-Real-Ip",
    XScheme = "X-Scheme",
}

/// A set of known names, one bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct KnownSet(u64);

impl KnownSet {
    pub(crate) const EMPTY: Self = Self(0);

    pub(crate) const fn of(names: &[Known]) -> Self {
        let mut set = 0;
        let mut rest = names;
        while let [first, others @ ..] = rest {
            set |= 1 << *first as u8;
            rest = others;
        }
        Self(set)
    }

    pub(crate) const fn contains(self, name: Known) -> bool {
        self.0 & 1 << name as u8 != 0
    }

    pub(crate) const fn meets(self, names: Self) -> bool {
        self.0 & names.0 != 0
    }

    pub(crate) const fn with(self, name: Known) -> Self {
        Self(self.0 | 1 << name as u8)
    }

    pub(crate) const fn without(self, name: Known) -> Self {
        Self(self.0 & !(1 << name as u8))
    }

    pub(crate) const fn insert(&mut self, name: Known) {
        *self = self.with(name);
    }

    pub(crate) const fn insert_all(&mut self, names: Self) {
        self.0 |= names.0;
    }

    pub(crate) const fn remove(&mut self, name: Known) {
        *self = self.without(name);
    }

    pub(crate) const fn remove_all(&mut self, names: Self) {
        self.0 &= !names.0;
    }
}

const _: () = assert!(COUNT <= 64, "a set of known names has 64 bits");

const COUNT: usize = Known::ALL.len();
const LONGEST: usize = 32;

/// Names sorted by length, and for each length the index where its names begin.
struct ByLength {
    names: [Known; COUNT],
    starts: [usize; LONGEST + 2],
}

static BY_LENGTH: ByLength = sort_by_length();

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a panic is an error")]
const fn sort_by_length() -> ByLength {
    let mut table = ByLength { names: [Known::Host; COUNT], starts: [0; LONGEST + 2] };
    let (mut length, mut filled) = (0, 0);
    while length <= LONGEST {
        table.starts[length] = filled;
        let mut index = 0;
        while index < COUNT {
            let name = Known::ALL[index];
            assert!(name.as_str().len() <= LONGEST, "a known name is longer than LONGEST");
            if name.as_str().len() == length {
                table.names[filled] = name;
                filled += 1;
            }
            index += 1;
        }
        length += 1;
    }
    table.starts[LONGEST + 1] = filled;
    table
}

impl Known {
    /// The known name that equals these bytes in any letter case.
    #[must_use]
    pub fn classify(name: &[u8]) -> Option<Self> {
        Self::of_length(name.len())
            .iter()
            .copied()
            .find(|known| known.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    /// As [`Known::classify`], for a name that is in canonical form already.
    pub(crate) fn classify_canonical(name: &[u8]) -> Option<Self> {
        Self::of_length(name.len()).iter().copied().find(|known| known.as_str().as_bytes() == name)
    }

    fn of_length(length: usize) -> &'static [Self] {
        let bounds = BY_LENGTH.starts.get(length).zip(BY_LENGTH.starts.get(length + 1));
        bounds.and_then(|(&start, &end)| BY_LENGTH.names.get(start..end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_canonical_and_found_in_any_case() {
        for &known in Known::ALL {
            let text = known.as_str();
            let mut canonical = text.to_ascii_lowercase().into_bytes();
            crate::headers::canonicalize(&mut canonical);
            assert_eq!(canonical, text.as_bytes());
            assert_eq!(Known::classify(text.to_ascii_uppercase().as_bytes()), Some(known));
            assert_eq!(Known::classify_canonical(text.as_bytes()), Some(known));
        }
    }

    #[test]
    fn other_names_are_unknown() {
        for name in ["", "Hos", "Hostt", "X-Forwarded_For", "X-Forwarded-Tls-Client-Cert-Info-More"]
        {
            assert_eq!(Known::classify(name.as_bytes()), None, "{name}");
        }
        assert_eq!(Known::classify(&[b'x'; 4096]), None);
    }
}
