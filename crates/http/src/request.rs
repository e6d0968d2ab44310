//! The head of a request, in the one form that every part of the router reads.

use std::net::IpAddr;

use crate::answer::Answer;
use crate::body::BodyFraming;
use crate::connection;
use crate::forwarded::ForwardedRules;
use crate::headers::{Headers, Known};
use crate::host::canonical_host;
use crate::method::Method;
use crate::refusal::Reason;
use crate::status::Status;
use crate::target::Target;
use crate::version::Version;

/// The head of a request. Recycled: parsing into it keeps its memory.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: Target,
    /// The version in which the request came.
    pub version: Version,
    /// The fields without `Host`, `Transfer-Encoding`; `Content-Length` is among them for
    /// matchers and middlewares, but what is sent is [`Request::body`].
    pub headers: Headers,
    /// How the body is delimited.
    pub body: BodyFraming,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the client wants to send another request on the connection.
    pub keep_alive: bool,
    pub(crate) authority: String,
    host: String,
}

/// What the entry point does with header names that alias others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AliasHeaders {
    /// They pass.
    #[default]
    Keep,
    /// They are removed.
    Delete,
    /// The request is answered with 400.
    Reject,
}

/// How an entry point brings requests into canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanonicalRules {
    /// Whether dot segments and repeated slashes are removed (Traefik: `http.sanitizePath`).
    pub sanitize_path: bool,
    /// Whether a `;` in the query is data (`%3B`) and not a separator (Traefik:
    /// `http.encodeQuerySemicolons`).
    pub encode_query_semicolons: bool,
    /// Names with `_` or another sign for `-` (Traefik: `http.aliasHeadersStrategy`).
    pub aliases: AliasHeaders,
    /// Names with `_` alone (Traefik: `http.underscoreHeadersStrategy`).
    pub underscores: AliasHeaders,
}

/// Whether a server that makes variables of names could take it for another name: `X_Real_Ip` and
/// `X.Real.Ip` for `X-Real-Ip`.
fn is_alias(name: &str) -> bool {
    !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn has_underscore(name: &str) -> bool {
    name.contains('_')
}

impl Default for CanonicalRules {
    fn default() -> Self {
        Self {
            sanitize_path: true,
            encode_query_semicolons: false,
            aliases: AliasHeaders::Keep,
            underscores: AliasHeaders::Keep,
        }
    }
}

impl Request {
    /// An empty request to parse into.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.method = Method::Get;
        self.target.clear();
        self.version = Version::Http11;
        self.headers.clear();
        self.body = BodyFraming::None;
        self.expects_continue = false;
        self.keep_alive = false;
        self.authority.clear();
        self.host.clear();
    }

    /// The bytes of its memory, which [`Self::clear`] keeps.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let host = self.authority.capacity() + self.host.capacity();
        self.headers.capacity() + self.target.capacity() + host
    }

    /// The host as it was sent, with its port; may be empty.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host that routers compare: in lower case, without port and brackets; may be empty.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Sets the host; `false`, and nothing changes, if it holds characters that no host has.
    #[must_use]
    pub fn set_authority(&mut self, authority: &str) -> bool {
        if !crate::host::is_valid_host(authority.as_bytes()) {
            return false;
        }
        self.authority.clear();
        self.authority.push_str(authority);
        self.refresh_host();
        true
    }

    pub(crate) fn refresh_host(&mut self) {
        canonical_host(&self.authority, &mut self.host);
    }

    /// As [`Self::refresh_host`], for an authority that is its own canonical form.
    pub(crate) fn copy_host(&mut self) {
        self.host.clear();
        self.host.push_str(&self.authority);
    }

    /// Brings a parsed request into the canonical form of its entry point: underscore names,
    /// fragment check, path normalisation, path sanitising, semicolons of the query (Traefik:
    /// `newHTTPServer`, in this order).
    ///
    /// # Errors
    ///
    /// The reason and the answer, after which the connection can go on.
    pub fn canonicalize(&mut self, rules: &CanonicalRules) -> Result<(), (Reason, Answer)> {
        self.heed_names(rules.aliases, is_alias)?;
        self.heed_names(rules.underscores, has_underscore)?;
        if self.target.has_fragment() {
            return Err((Reason::Fragment, Answer::empty(Status::BAD_REQUEST)));
        }
        self.target.normalize();
        if rules.sanitize_path {
            self.target.clean();
        }
        self.target.settle_semicolons(rules.encode_query_semicolons);
        Ok(())
    }

    /// Does what is to become of headers with such names.
    fn heed_names(
        &mut self,
        strategy: AliasHeaders,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<(), (Reason, Answer)> {
        match strategy {
            AliasHeaders::Keep => {}
            AliasHeaders::Delete => {
                self.headers.remove_where(|field| is_meant(field.name));
            }
            AliasHeaders::Reject => {
                if self.headers.iter().any(|field| is_meant(field.name)) {
                    let answer = Answer::error(Status::BAD_REQUEST, "Bad Request");
                    return Err((Reason::UnderscoreInHeader, answer));
                }
            }
        }
        Ok(())
    }

    /// Brings the `X-Forwarded-*` fields into order for a request of `peer`; see
    /// [`ForwardedRules::apply`].
    pub fn apply_forwarded(&mut self, rules: &ForwardedRules, peer: IpAddr, tls: bool) {
        rules.apply(&mut self.headers, &self.authority, peer, tls);
    }

    /// The protocol to which the client asks to switch.
    #[must_use]
    pub fn upgrade(&self) -> Option<&[u8]> {
        connection::upgrade_type(&self.headers)
    }

    /// Becomes what a server of HTTP/1.1 is asked where a client opens a tunnel of this protocol over HTTP/2
    /// (RFC 8441 §5).
    pub fn become_upgrade(&mut self, protocol: &str, key: &str) {
        self.method = Method::Get;
        self.body = BodyFraming::None;
        self.headers.append(Known::Connection, "Upgrade");
        self.headers.append(Known::Upgrade, protocol);
        self.headers.set(Known::SecWebsocketKey, key);
    }

    /// Whether the client asks for a WebSocket.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        connection::is_websocket(&self.headers)
    }
}
