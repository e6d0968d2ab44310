//! One file for each middleware, and the chain that runs them.
//!
//! A middleware is compiled once from what the user wrote ([`Middleware::compile`]) and is then
//! immutable but for what it remembers. A [`Chain`] runs several of them over a request on its way
//! in and over the response on its way out.
//!
//! # Invariants
//!
//! - Nothing here waits for a computation: hashing that takes long runs on a [`PasswordPool`].
//! - No setting is left out in silence: what cannot be honoured is an error that closes the
//!   routers of the middleware, or, where Traefik ignores it as well, a warning.
//! - No message holds a password or a hash.

mod add_prefix;
mod basic_auth;
mod body_filter;
mod body_limit;
mod buffering;
mod chain;
mod circuit_breaker;
mod client;
mod compress;
mod content_type;
mod context;
mod digest_auth;
mod encoded_characters;
mod errors;
mod forward_auth;
mod grpc_web;
mod headers;
mod in_flight_req;
mod ip_allow_list;
mod ip_deny_list;
mod maintenance;
mod middleware;
mod pass_tls_client_cert;
mod password_pool;
mod predicate;
mod rate_limit;
mod redirect;
mod redirect_regex;
mod redirect_scheme;
mod replace_path;
mod replace_path_regex;
mod retry;
mod source;
mod status_ranges;
mod strip_prefix;
mod strip_prefix_regex;
mod template;

pub use add_prefix::AddPrefix;
pub use basic_auth::BasicAuth;
pub use body_filter::BodyFilter;
pub use body_limit::BodyLimit;
pub use buffering::{BodyBounds, Buffering};
pub use chain::Chain;
pub use circuit_breaker::{CircuitBreaker, Recording};
pub use compress::{Budget, Compress, Encoder, Encoding, Judgement, Offer, Verdict};
pub use content_type::{ContentType, detect_content_type, detect_type_of_answer, lacks_type};
pub use context::{Context, Marks};
pub use digest_auth::DigestAuth;
pub use encoded_characters::EncodedCharacters;
pub use errors::{ErrorPage, Errors};
pub use forward_auth::{Cookies, ForwardAuth};
pub use grpc_web::{BadBase64, Base64Reader, GrpcWeb, GrpcWebBody, Spoken, Translation};
pub use headers::Headers;
pub use in_flight_req::{InFlightReq, Permit};
pub use ip_allow_list::IpAllowList;
pub use ip_deny_list::IpDenyList;
pub use maintenance::Maintenance;
pub use middleware::{Flow, Middleware, Origin};
pub use pass_tls_client_cert::PassTlsClientCert;
pub use password_pool::PasswordPool;
pub use rate_limit::RateLimit;
pub use redirect_regex::RedirectRegex;
pub use redirect_scheme::RedirectScheme;
pub use replace_path::ReplacePath;
pub use replace_path_regex::ReplacePathRegex;
pub use retry::{Attempt, Retry};
pub use status_ranges::{NotAStatusRange, StatusRanges};
pub use strip_prefix::StripPrefix;
pub use strip_prefix_regex::StripPrefixRegex;

#[cfg(test)]
mod testing;
