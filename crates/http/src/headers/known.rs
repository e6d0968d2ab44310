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
const SLOTS: usize = 256;

/// Each name at the slot of its hash; no two share one.
static BY_HASH: [Option<(Known, &str)>; SLOTS] = place_by_hash();

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a panic is an error")]
const fn place_by_hash() -> [Option<(Known, &'static str)>; SLOTS] {
    let mut table = [None; SLOTS];
    let mut index = 0;
    while index < COUNT {
        let name = Known::ALL[index];
        let slot = slot(name.as_str().as_bytes());
        assert!(table[slot].is_none(), "two known names share a slot: choose other factors");
        table[slot] = Some((name, name.as_str()));
        index += 1;
    }
    table
}

/// A hash of the length, the first and the last two bytes that ignores the letter case. The
/// factors were found by trial.
const fn slot(name: &[u8]) -> usize {
    let ([first, ..], [.., before_last, last]) = (name, name) else { return 0 };
    let hash = name.len().wrapping_mul(215)
        + (*first | 0x20) as usize * 66
        + (*before_last | 0x20) as usize * 66
        + (*last | 0x20) as usize * 146;
    hash >> 4 & (SLOTS - 1)
}

impl Known {
    /// The known name that equals these bytes in any letter case.
    #[must_use]
    pub fn classify(name: &[u8]) -> Option<Self> {
        let (known, text) = Self::candidate(name)?;
        text.as_bytes().eq_ignore_ascii_case(name).then_some(known)
    }

    /// As [`Known::classify`], for a name that is in canonical form already.
    pub(crate) fn classify_canonical(name: &[u8]) -> Option<Self> {
        let (known, text) = Self::candidate(name)?;
        (text.as_bytes() == name).then_some(known)
    }

    /// The only known name that these bytes could be, and its text.
    fn candidate(name: &[u8]) -> Option<(Self, &'static str)> {
        BY_HASH.get(slot(name)).copied().flatten()
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
        assert_eq!(Known::classify(b"H"), None);
    }
}
