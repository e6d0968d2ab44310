//! Heads of HTTP/2 to and from the types of this crate (RFC 9113 §8).
//!
//! Frames, HPACK and pseudo-header rules are the `h2` crate's; it hands over heads as the `http` crate's types.

use http::header::{CONTENT_LENGTH, COOKIE, DATE, HeaderMap, HeaderName, HeaderValue};
use http::{Uri, request, response, uri};

use crate::body::BodyFraming;
use crate::chunked::is_forbidden_trailer;
use crate::codec::framing::{BadFraming, settle_trailer, stated_framing};
use crate::codec::{HeadLimits, ResponseHead};
use crate::headers::{Headers, Known, KnownSet};
use crate::host::is_valid_host;
use crate::method::Method;
use crate::refusal::Reason;
use crate::request::Request;
use crate::response::{Response, ResponseError};
use crate::status::Status;
use crate::version::Version;

/// A head that cannot be sent over HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the head cannot be written in HTTP/2")]
pub struct Unwritable;

impl Request {
    /// Becomes the request of a head that came over HTTP/2; `ended` says that no body follows.
    ///
    /// One that opens a WebSocket (RFC 8441 §5) becomes what a server of HTTP/1.1 is asked: `websocket_key` is
    /// given for it then.
    ///
    /// # Errors
    /// The reason why it is answered with 400 or 431.
    pub fn take_http2(
        &mut self,
        head: &request::Parts,
        ended: bool,
        limits: &HeadLimits,
        websocket_key: Option<&str>,
    ) -> Result<(), Reason> {
        self.clear();
        self.version = Version::Http2;
        self.keep_alive = true;
        self.method =
            Method::parse(head.method.as_str().as_bytes()).map_err(|_| Reason::InvalidMethod)?;
        if websocket_key.is_some() && self.method == Method::Connect {
            self.method = Method::Get;
        }
        if head.headers.len() > limits.fields {
            return Err(Reason::HeadTooLarge);
        }
        take_fields(&head.headers, &mut self.headers)?;
        let target = match head.uri.path_and_query() {
            Some(target) if self.method != Method::Connect => target.as_str(),
            _ => head.uri.authority().map_or("", |authority| authority.as_str()),
        };
        self.target.parse(target.as_bytes(), &self.method, &mut self.authority)?;
        self.take_host(head.uri.authority().map(|authority| authority.as_str()))?;
        if let Some(key) = websocket_key {
            self.headers.append(Known::Connection, "Upgrade");
            self.headers.append(Known::Upgrade, "websocket");
            self.headers.set(Known::SecWebsocketKey, key);
            return Ok(());
        }
        let stated = stated_framing(self.version, &mut self.headers);
        self.body = match stated.map_err(|_| Reason::InvalidContentLength)? {
            BodyFraming::None | BodyFraming::Length(0) if ended => stated.unwrap_or_default(),
            BodyFraming::None => BodyFraming::Chunked,
            stated => stated,
        };
        settle_trailer(&mut self.headers, self.body, b",").map_err(|_| Reason::ForbiddenTrailer)?;
        self.expects_continue =
            !self.body.is_empty() && self.headers.has_token(Known::Expect, "100-continue");
        Ok(())
    }

    /// The authority has precedence over `Host`, as in Go.
    fn take_host(&mut self, authority: Option<&str>) -> Result<(), Reason> {
        let host = match authority {
            Some(authority) => authority.as_bytes(),
            None => self.headers.get(Known::Host).unwrap_or_default(),
        };
        let valid = std::str::from_utf8(host).ok().filter(|host| is_valid_host(host.as_bytes()));
        let host = valid.ok_or(Reason::MalformedHost)?.to_owned();
        self.headers.remove(Known::Host);
        self.authority = host;
        self.refresh_host();
        Ok(())
    }

    /// The head of this request to a server that speaks HTTP/2, with this host.
    ///
    /// # Errors
    /// When host or target hold what the `http` crate refuses.
    pub fn to_http2(&self, scheme: &str, host: &str) -> Result<http::Request<()>, Unwritable> {
        let mut target = Vec::new();
        self.target.write_request_uri(&mut target);
        let target = uri::PathAndQuery::from_maybe_shared(target).map_err(|_| Unwritable)?;
        let uri = Uri::builder().scheme(scheme).authority(host).path_and_query(target);
        let method = http::Method::from_bytes(self.method.as_str().as_bytes());
        let mut request = http::Request::new(());
        *request.method_mut() = method.map_err(|_| Unwritable)?;
        *request.uri_mut() = uri.build().map_err(|_| Unwritable)?;
        *request.version_mut() = http::Version::HTTP_2;
        give_fields(&self.headers, OF_CONNECTIONS.with(Known::Host), request.headers_mut())?;
        match self.body {
            BodyFraming::Length(length) => set_length(request.headers_mut(), length),
            BodyFraming::None if self.method.announces_empty_body() => {
                set_length(request.headers_mut(), 0);
            }
            _ => {}
        }
        Ok(request)
    }
}

impl Response {
    /// Becomes the response of a head that came over HTTP/2 to a request of this method; `ended` says that no
    /// body follows.
    ///
    /// # Errors
    /// See [`ResponseError`].
    pub fn take_http2(
        &mut self,
        head: &response::Parts,
        method: &Method,
        ended: bool,
    ) -> Result<(), ResponseError> {
        self.clear();
        self.version = Version::Http2;
        self.keep_alive = true;
        self.status = Status::new(head.status.as_u16()).ok_or(ResponseError::StatusLine)?;
        take_fields(&head.headers, &mut self.headers).map_err(|_| ResponseError::Header)?;
        let stated = stated_framing(self.version, &mut self.headers);
        let stated = stated.map_err(|bad| match bad {
            BadFraming::Length => ResponseError::ContentLength,
            _ => ResponseError::TransferEncoding,
        })?;
        self.body = match stated {
            _ if *method == Method::Head || !self.status.allows_body() => BodyFraming::None,
            BodyFraming::None if ended => BodyFraming::Length(0),
            BodyFraming::None => BodyFraming::Chunked,
            stated => stated,
        };
        settle_trailer(&mut self.headers, self.body, b", ").map_err(|_| ResponseError::Trailer)
    }
}

impl ResponseHead<'_> {
    /// This head to a client that speaks HTTP/2.
    ///
    /// # Errors
    /// When it holds what the `http` crate refuses.
    pub fn to_http2(&self) -> Result<http::Response<()>, Unwritable> {
        let mut response = http::Response::new(());
        let status = http::StatusCode::from_u16(self.status.code());
        *response.status_mut() = status.map_err(|_| Unwritable)?;
        let mut skipped = OF_CONNECTIONS;
        if self.body != BodyFraming::None || !self.status.allows_body() {
            skipped.insert(Known::ContentLength);
        }
        if self.status.code() == 304 {
            skipped.insert(Known::ContentType);
        }
        give_fields(self.headers, skipped, response.headers_mut())?;
        if let BodyFraming::Length(length) = self.body
            && self.status.allows_body()
        {
            set_length(response.headers_mut(), length);
        }
        let dated = self.headers.contains(Known::Date) || self.status.code() < 200;
        if !dated && let Ok(date) = HeaderValue::from_bytes(self.date) {
            response.headers_mut().insert(DATE, date);
        }
        Ok(response)
    }
}

/// Trailers that came over HTTP/2, without those that must not come as such.
#[must_use]
pub fn trailers_from_http2(fields: &HeaderMap) -> Headers {
    let mut trailers = Headers::new();
    // What is malformed is left out: `h2` refuses it before.
    let _ = take_fields(fields, &mut trailers);
    trailers.remove_where(|field| is_forbidden_trailer(field.name, field.known));
    trailers
}

/// Trailers to a peer that speaks HTTP/2.
#[must_use]
pub fn trailers_to_http2(trailers: &Headers) -> HeaderMap {
    let mut fields = HeaderMap::new();
    let mut allowed = trailers.clone();
    allowed.remove_where(|field| is_forbidden_trailer(field.name, field.known));
    // Names and values of ours are valid there, too.
    let _ = give_fields(&allowed, OF_CONNECTIONS, &mut fields);
    fields
}

/// Fields that HTTP/2 has no use for (RFC 9113 §8.2.2); lengths are written from the framing.
const OF_CONNECTIONS: KnownSet = KnownSet::of(&[
    Known::Connection,
    Known::KeepAlive,
    Known::ProxyConnection,
    Known::TransferEncoding,
    Known::Upgrade,
]);

/// Takes over fields; crumbs of cookies become one (RFC 9113 §8.2.3).
fn take_fields(fields: &HeaderMap, headers: &mut Headers) -> Result<(), Reason> {
    let mut push = |name: &HeaderName, value: &[u8]| {
        let pushed = headers.push_wire(name.as_str().as_bytes(), value);
        pushed.map(drop).map_err(|_| Reason::MalformedHeader)
    };
    for name in fields.keys() {
        let mut values = fields.get_all(name).iter().map(HeaderValue::as_bytes);
        if *name == COOKIE {
            let crumbs: Vec<_> = values.collect();
            push(name, &crumbs.join(b"; ".as_slice()))?;
        } else {
            values.try_for_each(|value| push(name, value))?;
        }
    }
    Ok(())
}

fn give_fields(
    headers: &Headers,
    skipped: KnownSet,
    fields: &mut HeaderMap,
) -> Result<(), Unwritable> {
    for field in headers.iter() {
        if field.known.is_some_and(|known| skipped.contains(known)) {
            continue;
        }
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Unwritable)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| Unwritable)?;
        fields.append(name, value);
    }
    Ok(())
}

fn set_length(fields: &mut HeaderMap, length: u64) {
    fields.insert(CONTENT_LENGTH, HeaderValue::from(length));
}
