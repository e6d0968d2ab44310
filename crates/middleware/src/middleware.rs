//! The closed set of middlewares.

use portway_http::{Answer, Headers as Fields, Request};
use portway_model::Problem;
use portway_model::dynamic;
use portway_tls::NativeRoots;

use crate::{
    AddPrefix, BasicAuth, BodyLimit, Buffering, CircuitBreaker, Compress, ContentType, Context,
    DigestAuth, EncodedCharacters, Errors, ForwardAuth, GrpcWeb, Headers, InFlightReq, IpAllowList,
    IpDenyList, Maintenance, PassTlsClientCert, RateLimit, RedirectRegex, RedirectScheme,
    ReplacePath, ReplacePathRegex, Retry, StripPrefix, StripPrefixRegex,
};

/// A compiled middleware.
///
/// It follows from its settings alone, so a snapshot may take it over from the one before as long
/// as the settings are equal; a `basicAuth` then still remembers whom it has verified.
#[derive(Debug)]
pub enum Middleware {
    /// Adds a prefix to the path.
    AddPrefix(AddPrefix),
    /// Asks for a user and a password.
    BasicAuth(Box<BasicAuth>),
    /// Limits the bodies of requests while they pass.
    BodyLimit(BodyLimit),
    /// Reads bodies whole before it passes them on, within limits. A wrapper.
    Buffering(Buffering),
    /// Asks what fails no more, until it has recovered. A wrapper.
    CircuitBreaker(CircuitBreaker),
    /// Compresses the bodies of responses. A wrapper.
    Compress(Compress),
    /// Gives responses without a type that which their beginning looks like.
    ContentType(ContentType),
    /// Asks for a user and a digest of a password.
    DigestAuth(Box<DigestAuth>),
    /// Refuses paths that hold some characters encoded.
    EncodedCharacters(EncodedCharacters),
    /// Puts another service's page in the place of an error. A wrapper.
    Errors(Errors),
    /// Asks another server whether a request may pass. A wrapper.
    ForwardAuth(Box<ForwardAuth>),
    /// Translates between gRPC-Web and gRPC. A wrapper.
    GrpcWeb(GrpcWeb),
    /// Changes request and response headers.
    Headers(Box<Headers>),
    /// Limits the requests of one source that are served at once.
    InFlightReq(InFlightReq),
    /// Lets in clients of some addresses only.
    IpAllowList(IpAllowList),
    /// Keeps out clients of some addresses.
    IpDenyList(IpDenyList),
    /// The same as `IpAllowList` under its old name.
    IpWhiteList(IpAllowList),
    /// Answers every request in the same way.
    Maintenance(Box<Maintenance>),
    /// Tells servers the client's certificate.
    PassTlsClientCert(Box<PassTlsClientCert>),
    /// Limits the requests of one source in a time.
    RateLimit(RateLimit),
    /// Redirects by a regular expression over the URL.
    RedirectRegex(RedirectRegex),
    /// Redirects to another scheme or port.
    RedirectScheme(RedirectScheme),
    /// Replaces the path.
    ReplacePath(ReplacePath),
    /// Replaces the path by a regular expression.
    ReplacePathRegex(ReplacePathRegex),
    /// Asks again when a server could not be reached, or answered with some status. A wrapper.
    Retry(Retry),
    /// Removes a prefix from the path.
    StripPrefix(StripPrefix),
    /// Removes what a regular expression matches at the start of the path.
    StripPrefixRegex(StripPrefixRegex),
}

/// What a middleware is compiled with besides its settings.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Its qualified name.
    pub name: &'a str,
    /// Whom servers that it asks itself are signed by, where its settings do not say.
    pub authorities: &'a NativeRoots,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Flow {
    /// It goes on to what follows.
    Continue,
    /// It is answered here.
    Respond(Answer),
}

impl Middleware {
    /// Compiles what the user wrote. Adds what is wrong with it to `problems`, and gives `None` if
    /// one of these is an error. Where Traefik reports the same, the message is its own, without a
    /// field before it.
    ///
    /// A chain is no middleware of its own here: whoever knows the names puts its parts in its
    /// place.
    pub fn compile(
        config: &dynamic::Middleware,
        origin: &Origin<'_>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        use dynamic::Middleware as Config;
        match config {
            Config::AddPrefix(config) => AddPrefix::compile(config, problems).map(Self::AddPrefix),
            Config::BasicAuth(config) => BasicAuth::compile(config, problems)
                .map(|compiled| Self::BasicAuth(compiled.into())),
            Config::BodyLimit(config) => BodyLimit::compile(config, problems).map(Self::BodyLimit),
            Config::Buffering(config) => Buffering::compile(config, problems).map(Self::Buffering),
            Config::CircuitBreaker(config) => {
                CircuitBreaker::compile(config, problems).map(Self::CircuitBreaker)
            }
            Config::Compress(config) => Compress::compile(config, problems).map(Self::Compress),
            Config::ContentType(config) => {
                Some(Self::ContentType(ContentType::compile(config, problems)))
            }
            Config::DigestAuth(config) => DigestAuth::compile(config, problems)
                .map(|compiled| Self::DigestAuth(compiled.into())),
            Config::EncodedCharacters(config) => {
                Some(Self::EncodedCharacters(EncodedCharacters::compile(config)))
            }
            Config::Errors(config) => Errors::compile(config, problems).map(Self::Errors),
            Config::ForwardAuth(config) => ForwardAuth::compile(config, problems)
                .map(|compiled| Self::ForwardAuth(compiled.into())),
            Config::GrpcWeb(config) => Some(Self::GrpcWeb(GrpcWeb::compile(config))),
            Config::Headers(config) => {
                Headers::compile(config, problems).map(|compiled| Self::Headers(compiled.into()))
            }
            Config::InFlightReq(config) => {
                InFlightReq::compile(config, problems).map(Self::InFlightReq)
            }
            Config::PassTlsClientCert(config) => {
                Some(Self::PassTlsClientCert(PassTlsClientCert::compile(config).into()))
            }
            Config::RateLimit(config) => {
                RateLimit::compile(config, origin, problems).map(Self::RateLimit)
            }
            Config::IpAllowList(config) => {
                IpAllowList::compile(config, problems).map(Self::IpAllowList)
            }
            Config::IpWhiteList(config) => {
                IpAllowList::compile_white_list(config, problems).map(Self::IpWhiteList)
            }
            Config::IpDenyList(config) => {
                IpDenyList::compile(config, problems).map(Self::IpDenyList)
            }
            Config::Maintenance(config) => Maintenance::compile(config, problems)
                .map(|compiled| Self::Maintenance(compiled.into())),
            Config::RedirectRegex(config) => {
                RedirectRegex::compile(config, problems).map(Self::RedirectRegex)
            }
            Config::RedirectScheme(config) => {
                RedirectScheme::compile(config, problems).map(Self::RedirectScheme)
            }
            Config::ReplacePath(config) => {
                Some(Self::ReplacePath(ReplacePath::compile(config, problems)))
            }
            Config::ReplacePathRegex(config) => {
                ReplacePathRegex::compile(config, problems).map(Self::ReplacePathRegex)
            }
            Config::Retry(config) => Retry::compile(config, problems).map(Self::Retry),
            Config::StripPrefix(config) => {
                Some(Self::StripPrefix(StripPrefix::compile(config, problems)))
            }
            Config::StripPrefixRegex(config) => {
                StripPrefixRegex::compile(config, problems).map(Self::StripPrefixRegex)
            }
            Config::Chain(_) => {
                problems.push(Problem::error("chain", "a chain has no behaviour of its own"));
                None
            }
            Config::Unserved(kinds) => {
                problems.extend(kinds.keys().map(|kind| {
                    let message = format!(
                        "middleware kind \"{kind}\" is not served by this version of Portway yet"
                    );
                    Problem::error(kind.as_str(), message)
                }));
                None
            }
            Config::Unreadable => {
                problems.push(Problem::error("", "the settings could not be read"));
                None
            }
        }
    }

    /// What a router runs in its place, if that has a state of its own for each router, as in Traefik: the same as
    /// before where it has been asked for already. `number` tells places in one router apart.
    #[must_use]
    pub fn of_router(&self, router: &str, number: usize) -> Option<Self> {
        match self {
            Self::InFlightReq(filter) => Some(Self::InFlightReq(filter.of_router(router, number))),
            Self::RateLimit(filter) => Some(Self::RateLimit(filter.of_router(router, number))),
            Self::CircuitBreaker(breaker) => {
                Some(Self::CircuitBreaker(breaker.of_router(router, number)))
            }
            _ => None,
        }
    }

    /// The kind's name as users write it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AddPrefix(_) => "addPrefix",
            Self::BasicAuth(_) => "basicAuth",
            Self::BodyLimit(_) => "bodyLimit",
            Self::Buffering(_) => "buffering",
            Self::CircuitBreaker(_) => "circuitBreaker",
            Self::Compress(_) => "compress",
            Self::ContentType(_) => "contentType",
            Self::DigestAuth(_) => "digestAuth",
            Self::EncodedCharacters(_) => "encodedCharacters",
            Self::Errors(_) => "errors",
            Self::ForwardAuth(_) => "forwardAuth",
            Self::GrpcWeb(_) => "grpcWeb",
            Self::Headers(_) => "headers",
            Self::InFlightReq(_) => "inFlightReq",
            Self::IpAllowList(_) => "ipAllowList",
            Self::IpDenyList(_) => "ipDenyList",
            Self::IpWhiteList(_) => "ipWhiteList",
            Self::Maintenance(_) => "maintenance",
            Self::PassTlsClientCert(_) => "passTLSClientCert",
            Self::RateLimit(_) => "rateLimit",
            Self::RedirectRegex(_) => "redirectRegex",
            Self::RedirectScheme(_) => "redirectScheme",
            Self::ReplacePath(_) => "replacePath",
            Self::ReplacePathRegex(_) => "replacePathRegex",
            Self::Retry(_) => "retry",
            Self::StripPrefix(_) => "stripPrefix",
            Self::StripPrefixRegex(_) => "stripPrefixRegex",
        }
    }

    /// The service that it asks besides what follows it, as it was written.
    #[must_use]
    pub fn aside(&self) -> Option<&str> {
        match self {
            Self::Errors(errors) => Some(errors.service()),
            _ => None,
        }
    }

    /// Whether it calls what follows it zero or more times by itself; as a filter it does nothing.
    #[must_use]
    pub fn is_wrapper(&self) -> bool {
        matches!(
            self,
            Self::Buffering(_)
                | Self::CircuitBreaker(_)
                | Self::Compress(_)
                | Self::Errors(_)
                | Self::ForwardAuth(_)
                | Self::GrpcWeb(_)
                | Self::Retry(_)
        )
    }

    /// Sees a request on its way in; `None`, and nothing has changed, where it may have to wait.
    pub(crate) fn on_request_now(
        &self,
        request: &mut Request,
        context: &mut Context<'_>,
    ) -> Option<Flow> {
        Some(match self {
            Self::AddPrefix(filter) => filter.on_request(request),
            Self::BodyLimit(filter) => filter.on_request(request, context),
            Self::ContentType(filter) => filter.on_request(context),
            Self::DigestAuth(filter) => filter.on_request(request, context),
            Self::EncodedCharacters(filter) => filter.on_request(request, context),
            Self::Headers(filter) => filter.on_request(request, context),
            Self::InFlightReq(filter) => filter.on_request(request, context),
            Self::PassTlsClientCert(filter) => filter.on_request(request, context),
            Self::IpAllowList(filter) | Self::IpWhiteList(filter) => {
                filter.on_request(request, context)
            }
            Self::IpDenyList(filter) => filter.on_request(request, context),
            Self::Maintenance(filter) => filter.on_request(request, context),
            Self::RedirectRegex(filter) => filter.on_request(request, context),
            Self::RedirectScheme(filter) => filter.on_request(request, context),
            Self::ReplacePath(filter) => filter.on_request(request, context),
            Self::ReplacePathRegex(filter) => filter.on_request(request, context),
            Self::StripPrefix(filter) => filter.on_request(request, context),
            Self::StripPrefixRegex(filter) => filter.on_request(request, context),
            Self::Buffering(_)
            | Self::CircuitBreaker(_)
            | Self::Compress(_)
            | Self::Errors(_)
            | Self::ForwardAuth(_)
            | Self::GrpcWeb(_)
            | Self::Retry(_) => Flow::Continue,
            Self::BasicAuth(_) | Self::RateLimit(_) => return None,
        })
    }

    /// Sees a request on its way in.
    ///
    /// Only `basicAuth` ever waits, for the pool, and `rateLimit`, for half a second at most and for Redis. A future that is
    /// dropped leaves the request as it was.
    pub async fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        match self {
            Self::BasicAuth(filter) => filter.on_request(request, context).await,
            Self::RateLimit(filter) => filter.on_request(request, context).await,
            _ => self.on_request_now(request, context).unwrap_or(Flow::Continue),
        }
    }

    /// Sees the fields of a response on its way out. `request` is as it was sent on, and came over TLS or not.
    pub fn on_response(&self, headers: &mut Fields, request: &Request, tls: bool) {
        if let Self::Headers(filter) = self {
            filter.on_response(headers, request, tls);
        }
    }
}

#[cfg(test)]
mod tests;
