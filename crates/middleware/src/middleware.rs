//! The closed set of middlewares.

use portway_http::{Answer, Headers as Fields, Request};
use portway_model::Problem;
use portway_model::dynamic;

use crate::{AddPrefix, BasicAuth, Context, Headers, RedirectRegex, RedirectScheme, StripPrefix};

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
    /// Changes request and response headers.
    Headers(Headers),
    /// Redirects by a regular expression over the URL.
    RedirectRegex(RedirectRegex),
    /// Redirects to another scheme or port.
    RedirectScheme(RedirectScheme),
    /// Removes a prefix from the path.
    StripPrefix(StripPrefix),
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
    pub fn compile(config: &dynamic::Middleware, problems: &mut Vec<Problem>) -> Option<Self> {
        use dynamic::Middleware as Config;
        match config {
            Config::AddPrefix(config) => AddPrefix::compile(config, problems).map(Self::AddPrefix),
            Config::BasicAuth(config) => BasicAuth::compile(config, problems)
                .map(|compiled| Self::BasicAuth(compiled.into())),
            Config::Headers(config) => Headers::compile(config, problems).map(Self::Headers),
            Config::RedirectRegex(config) => {
                RedirectRegex::compile(config, problems).map(Self::RedirectRegex)
            }
            Config::RedirectScheme(config) => {
                RedirectScheme::compile(config, problems).map(Self::RedirectScheme)
            }
            Config::StripPrefix(config) => {
                Some(Self::StripPrefix(StripPrefix::compile(config, problems)))
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

    /// The kind's name as users write it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AddPrefix(_) => "addPrefix",
            Self::BasicAuth(_) => "basicAuth",
            Self::Headers(_) => "headers",
            Self::RedirectRegex(_) => "redirectRegex",
            Self::RedirectScheme(_) => "redirectScheme",
            Self::StripPrefix(_) => "stripPrefix",
        }
    }

    /// Sees a request on its way in.
    ///
    /// Only `basicAuth` ever waits, and only for the pool. A future that is dropped leaves the
    /// request as it was.
    pub async fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        match self {
            Self::AddPrefix(filter) => filter.on_request(request),
            Self::BasicAuth(filter) => filter.on_request(request, context).await,
            Self::Headers(filter) => filter.on_request(request, context),
            Self::RedirectRegex(filter) => filter.on_request(request, context),
            Self::RedirectScheme(filter) => filter.on_request(request, context),
            Self::StripPrefix(filter) => filter.on_request(request, context),
        }
    }

    /// Sees the fields of a response on its way out.
    pub fn on_response(&self, headers: &mut Fields) {
        if let Self::Headers(filter) = self {
            filter.on_response(headers);
        }
    }
}

#[cfg(test)]
mod tests;
