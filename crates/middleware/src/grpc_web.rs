//! Translates between gRPC-Web, which browsers speak, and gRPC.
//!
//! Traefik: `grpcWeb`. Differences: servers are told `TE: trailers`, without which many refuse requests; the body of a
//! request may be several texts of base64, each with its own end, as the protocol has it; a response always says that it
//! depends on `Origin`; a response of gRPC that says its length gets its status all the same; a response to a client of
//! text that says its length is not cut off, nor is one that `buffering` further out has held; `forwardAuth` behind it
//! with `forwardBody` asks about calls without a body, where Traefik fails with 500.

mod base64;
mod body;

use portway_http::{Answer, Headers as Fields, Known, Method, Request, StaticName, Status};
use portway_model::dynamic;

pub use self::{
    base64::{BadBase64, Base64Reader},
    body::GrpcWebBody,
};

/// How long browsers may keep the answer to a preflight request, in seconds.
const MAX_AGE: &str = "600";

const GRPC: &[u8] = b"application/grpc";
const WEB: &[u8] = b"application/grpc-web";
const WEB_TEXT: &[u8] = b"application/grpc-web-text";

/// A compiled `grpcWeb`.
#[derive(Debug)]
pub struct GrpcWeb {
    origins: Box<[Box<[u8]>]>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Spoken<'a> {
    /// It passes as it is.
    Other,
    /// It asks what a page may do, and this is the answer.
    Preflight(Answer),
    /// It is translated, and so is its response.
    Web(Translation<'a>),
}

/// The translation of one request and its response.
#[derive(Debug)]
pub struct Translation<'a> {
    grpc_web: &'a GrpcWeb,
    origin: Option<Vec<u8>>,
    /// The type that the request had.
    kind: Option<Vec<u8>>,
    text: bool,
}

impl GrpcWeb {
    /// Compiles the user's settings.
    #[must_use]
    pub fn compile(config: &dynamic::GrpcWeb) -> Self {
        let origins = config.allow_origins.iter();
        Self { origins: origins.map(|origin| origin.as_bytes().into()).collect() }
    }

    /// Sees a request on its way in; one of gRPC-Web becomes one of gRPC, but for its body.
    pub fn on_request(&self, request: &mut Request) -> Spoken<'_> {
        let kind = request.headers.get(Known::ContentType).unwrap_or_default();
        let is_web = request.method == Method::Post && kind.starts_with(WEB);
        let asks = request.method == Method::Options && {
            let named = request.headers.get(REQUEST_HEADERS).unwrap_or_default();
            named.to_ascii_lowercase().windows(10).any(|name| name == b"x-grpc-web")
        };
        if !is_web && !asks {
            return Spoken::Other;
        }
        let method = request.headers.get(REQUEST_METHOD).unwrap_or_default();
        if request.method == Method::Options && !method.is_empty() {
            return Spoken::Preflight(self.preflight(request, method));
        }
        let origin = request.headers.get(Known::Origin).map(<[u8]>::to_vec);
        let text = kind.starts_with(WEB_TEXT);
        let web = if text { WEB_TEXT } else { WEB };
        let (old, new) = (kind.to_vec(), replaced(kind, web, GRPC));
        let had_kind = request.headers.contains(Known::ContentType);
        request.headers.set(Known::ContentType, new);
        request.headers.remove(Known::ContentLength);
        // Pages cannot say it, and servers of gRPC insist on it.
        request.headers.set(Known::Te, "trailers");
        let kind = had_kind.then_some(old);
        Spoken::Web(Translation { grpc_web: self, origin, kind, text })
    }

    fn preflight(&self, request: &Request, method: &[u8]) -> Answer {
        let mut answer = Answer::empty(Status::OK);
        let fields = &mut answer.headers;
        for name in ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"] {
            fields.append(Known::Vary, name);
        }
        let origin = request.headers.get(Known::Origin).filter(|origin| self.allows(origin));
        let Some(origin) = origin.filter(|_| may_ask(method)) else { return answer };
        fields.set(ALLOW_ORIGIN, origin);
        fields.set(ALLOW_METHODS, method.to_ascii_uppercase());
        let named = header_list(request.headers.get(REQUEST_HEADERS).unwrap_or_default());
        if !named.is_empty() {
            fields.set(ALLOW_HEADERS, named);
        }
        fields.set(ALLOW_CREDENTIALS, "true");
        fields.set(AGE, MAX_AGE);
        answer
    }

    fn allows(&self, origin: &[u8]) -> bool {
        let allowed = |one: &[u8]| one == b"*" || one == origin;
        !origin.is_empty() && self.origins.iter().any(|one| allowed(one))
    }
}

impl Translation<'_> {
    /// Whether the body of the request is base64.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.text
    }

    /// Makes the request what it was, but for its body.
    pub fn restore(&mut self, request: &mut Request) {
        match self.kind.take() {
            Some(kind) => request.headers.set(Known::ContentType, kind),
            None => {
                request.headers.remove(Known::ContentType);
            }
        }
    }

    /// Makes the head of a response, one of gRPC-Web, and gives what does the same to
    /// its body; `None` where that stays as it is. `detects_type` says whether a response without a type may get one.
    pub fn on_response(
        &self,
        fields: &mut Fields,
        status: Status,
        says_length: bool,
        detects_type: bool,
    ) -> Option<GrpcWebBody> {
        let kind = fields.get(Known::ContentType).unwrap_or_default().to_vec();
        let is_grpc = kind.starts_with(GRPC);
        self.allow(fields);
        fields.remove(Known::Trailer);
        if !kind.is_empty() {
            let web = if self.text { WEB_TEXT } else { WEB };
            fields.set(Known::ContentType, replaced(&kind, GRPC, web));
        }
        let mut names = names(fields, detects_type);
        if says_length && !fields.contains(Known::ContentLength) {
            names.push(Known::ContentLength.as_str().to_owned());
        }
        let exposed = names.iter().map(String::as_str).chain(["grpc-status", "grpc-message"]);
        fields.set(EXPOSE_HEADERS, exposed.collect::<Vec<_>>().join(", "));
        // As in Traefik, what says its length has no room for more, which clients of gRPC could not do without.
        if !status.allows_body() || (says_length && !is_grpc && !self.text) {
            return None;
        }
        Some(GrpcWebBody::new(self.text, names))
    }

    /// Says which pages may read the response, unless what made it has said so.
    fn allow(&self, fields: &mut Fields) {
        if !fields.tokens(Known::Vary).any(|name| name.eq_ignore_ascii_case(b"origin")) {
            fields.append(Known::Vary, "Origin");
        }
        let mut say = |name: StaticName, value: &[u8]| {
            if !fields.contains(name) {
                fields.append(name, value);
            }
        };
        if let Some(origin) = self.origin.as_ref().filter(|origin| self.grpc_web.allows(origin)) {
            say(ALLOW_ORIGIN, origin);
            say(ALLOW_CREDENTIALS, b"true");
        }
    }
}

/// The names of fields, each once, and that of the type, which Traefik lists where it is not to be guessed, as well.
fn names(fields: &Fields, detects_type: bool) -> Vec<String> {
    let mut names = Vec::new();
    if !detects_type {
        names.push(Known::ContentType.as_str().to_owned());
    }
    for field in fields.iter() {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(field.name)) {
            names.push(field.name.to_owned());
        }
    }
    names
}

/// Methods that pages of other origins may ask with.
fn may_ask(method: &[u8]) -> bool {
    [&b"GET"[..], b"POST", b"HEAD", b"OPTIONS"].iter().any(|one| one.eq_ignore_ascii_case(method))
}

/// The names in a list, in canonical form, as the library behind Traefik's middleware reads them.
fn header_list(list: &[u8]) -> Vec<u8> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut name = Vec::new();
    let mut starts = true;
    for byte in list {
        match byte {
            b' ' | b',' if name.is_empty() => {}
            b' ' | b',' => {
                names.push(std::mem::take(&mut name));
                starts = true;
            }
            _ => {
                if byte.is_ascii_alphanumeric() || b"_-".contains(byte) {
                    let upper = byte.to_ascii_uppercase();
                    name.push(if starts { upper } else { byte.to_ascii_lowercase() });
                }
                starts = b"_-".contains(byte);
            }
        }
    }
    names.extend((!name.is_empty()).then_some(name));
    names.join(&b", "[..])
}

/// A text with the first `old` in it replaced.
fn replaced(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let Some(place) = text.windows(old.len()).position(|window| window == old) else {
        return text.to_vec();
    };
    let (before, rest) = text.split_at_checked(place).unwrap_or_default();
    [before, new, rest.get(old.len()..).unwrap_or_default()].concat()
}

const AGE: StaticName = StaticName::new("Access-Control-Max-Age");
const ALLOW_CREDENTIALS: StaticName = StaticName::new("Access-Control-Allow-Credentials");
const ALLOW_HEADERS: StaticName = StaticName::new("Access-Control-Allow-Headers");
const ALLOW_METHODS: StaticName = StaticName::new("Access-Control-Allow-Methods");
const ALLOW_ORIGIN: StaticName = StaticName::new("Access-Control-Allow-Origin");
const EXPOSE_HEADERS: StaticName = StaticName::new("Access-Control-Expose-Headers");
const REQUEST_HEADERS: StaticName = StaticName::new("Access-Control-Request-Headers");
const REQUEST_METHOD: StaticName = StaticName::new("Access-Control-Request-Method");

#[cfg(test)]
mod tests;
