//! Asks another server whether a request may pass.
//!
//! Traefik: `forwardAuth`. Differences: bodies without a limit have one all the same ([`MAX_BODY`], [`MAX_ANSWER`]);
//! a user in `address` is not shown in a `Location`; cookies that are not listed keep the form in which their server
//! wrote them; the server is not told of a `User-Agent` or `Accept-Encoding` that the client did not send, nor of an
//! empty address where `headers` hide the client's; a client's own fields beside `authResponseHeaders` go, whose names
//! differ by `_` for `-`; settings that cannot work are refused when the configuration is read, where Traefik answers
//! 500 to each request.

mod answered;
mod asking;
mod cookies;
mod location;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portway_http::{HeaderName, HeaderValue, Target};
use portway_model::{Problem, dynamic};
use portway_rule::Expression;

pub use self::answered::Cookies;
use self::location::Base;

/// Bytes of a request's body that is sent to the server, where the settings have no limit.
const MAX_BODY: u64 = 64 << 20;

/// Bytes of the body of the server's answer, where the settings have no limit.
const MAX_ANSWER: u64 = 4 << 20;

/// How long the server may take for its whole answer. As the client in Traefik.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A compiled `forwardAuth`.
///
/// The proxy asks the server ([`ForwardAuth::server`]) what [`ForwardAuth::request`] says. An answer that
/// [lets in](ForwardAuth::lets_in) changes the request ([`ForwardAuth::admit`]) and the response
/// ([`ForwardAuth::cookies`]), any other one becomes the client's ([`ForwardAuth::refusal`]).
#[derive(Debug)]
pub struct ForwardAuth {
    server: String,
    target: Target,
    base: Base,
    credentials: Option<HeaderValue>,
    trust: Trust,
    /// Fields that the server sees; empty means all.
    shown: Box<[HeaderName]>,
    copied: Box<[HeaderName]>,
    copied_by: Option<Expression>,
    cookies: Box<[Box<[u8]>]>,
    user_field: Option<HeaderName>,
    max_body: Option<u64>,
    /// Whether the lack of a body is framed.
    frames_nothing: bool,
    max_answer: u64,
    keeps_location: bool,
    keeps_method: bool,
    sign_in: Option<Box<str>>,
}

/// What becomes of the `X-Forwarded-*` fields of the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trust {
    /// Nothing was said: some are replaced, others pass.
    Unsaid,
    /// They are replaced.
    No,
    /// They pass.
    Yes,
}

impl ForwardAuth {
    /// Compiles the user's settings; an address that is no URL, and an expression that is none, are refused.
    pub fn compile(config: &dynamic::ForwardAuth, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let refused =
            |field: &str, message: String| Problem::error(format!("forwardAuth.{field}"), message);
        let address = Address::parse(&config.address)
            .map_err(|message| problems.push(refused("address", message)));
        let copied_by = match config.auth_response_headers_regex.as_str() {
            "" => None,
            source => Expression::compile(source)
                .map_err(|reason| {
                    let message = format!(
                        "error compiling regular expression {source}: error parsing regexp: {reason}: `{source}`"
                    );
                    problems.push(Problem::error("", message));
                })
                .ok(),
        };
        let names = |field: &str, names: &[String], problems: &mut Vec<Problem>| {
            let parse = |name: &String| {
                let parsed = HeaderName::parse(name);
                let message = format!("\"{name}\" is no header name; it stands for no field");
                parsed.map_err(|_| problems.push(Problem::warning(field, message))).ok()
            };
            names.iter().filter_map(parse).collect::<Vec<_>>()
        };
        let mut shown =
            names("forwardAuth.authRequestHeaders", &config.auth_request_headers, problems);
        let mut copied =
            names("forwardAuth.authResponseHeaders", &config.auth_response_headers, problems);
        copied.retain(|name| {
            let frames = asking::frames(name.as_str());
            if frames {
                let message =
                    format!("{name} is ignored: how a message is framed is for the proxy to say");
                problems.push(Problem::warning("forwardAuth.authResponseHeaders", message));
            }
            !frames
        });
        let hides_all = !config.auth_request_headers.is_empty() && shown.is_empty();
        if hides_all {
            let message = "none of these is a header name".to_owned();
            problems.push(refused("authRequestHeaders", message));
        }
        let trust = match config.trust_forward_header {
            None => Trust::Unsaid,
            Some(false) => Trust::No,
            Some(true) => Trust::Yes,
        };
        if trust == Trust::Yes && !shown.is_empty() {
            shown.extend(asking::MANAGED.iter().map(|name| HeaderName::from(*name)));
        }
        if config.tls.as_ref().is_some_and(|tls| tls.ca_optional.is_some()) {
            let message = "is deprecated and has no effect: TLS client authentication is a server side option";
            problems.push(Problem::warning("forwardAuth.tls.caOptional", message));
        }
        let address = address.ok()?;
        if problems.iter().skip(before).any(Problem::is_error) {
            return None;
        }
        Some(Self {
            server: address.server,
            target: address.target,
            base: address.base,
            credentials: address.credentials,
            trust,
            shown: shown.into(),
            copied: copied.into(),
            copied_by,
            cookies: config
                .add_auth_cookies_to_response
                .iter()
                .map(|name| name.as_bytes().into())
                .collect(),
            user_field: HeaderName::parse(&config.header_field).ok(),
            max_body: config.forward_body.then(|| limit(config.max_body_size, MAX_BODY)),
            frames_nothing: config.max_body_size.is_none_or(|size| size < 0),
            max_answer: limit(config.max_response_body_size, MAX_ANSWER),
            keeps_location: config.preserve_location_header,
            keeps_method: config.preserve_request_method,
            sign_in: Some(config.auth_signin_url.as_str())
                .filter(|url| !url.is_empty())
                .map(Into::into),
        })
    }

    /// The server that is asked, as a URL without a path.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Bytes of the request's body that the server sees, at most; `None` where it sees none.
    #[must_use]
    pub fn max_body(&self) -> Option<u64> {
        self.max_body
    }

    /// Whether a request without a body comes with one of unknown length that has nothing in it, as Traefik's does
    /// where it reads bodies without a limit.
    #[must_use]
    pub fn frames_nothing(&self) -> bool {
        self.frames_nothing
    }

    /// Bytes of the body of the answer, at most.
    #[must_use]
    pub fn max_answer(&self) -> u64 {
        self.max_answer
    }

    /// How long the server may take for its whole answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        TIMEOUT
    }
}

fn limit(written: Option<i64>, without: u64) -> u64 {
    written.and_then(|size| u64::try_from(size).ok()).unwrap_or(without)
}

/// The parts of `address`.
struct Address {
    server: String,
    target: Target,
    base: Base,
    credentials: Option<HeaderValue>,
}

impl Address {
    fn parse(address: &str) -> Result<Self, String> {
        if address.is_empty() {
            let example = "http://auth:8080/verify";
            return Err(format!(
                "is missing; write the URL of the server that is asked, such as `{example}`"
            ));
        }
        let (scheme, rest) = address.split_once("://").ok_or_else(|| {
            format!("`{address}` has no scheme; write it as `http://host:port/path`")
        })?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(format!("unsupported scheme `{scheme}`; `http` and `https` are served"));
        }
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, uri) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let mut target = Target::default();
        let uri = if uri.starts_with('/') { uri.to_owned() } else { format!("/{uri}") };
        target
            .set_path_and_query(uri.as_bytes())
            .map_err(|_| format!("`{uri}` is no path of a URL"))?;
        let server = format!("{scheme}://{host}");
        let credentials = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            let plain = [unescaped(name), b":".to_vec(), unescaped(password)].concat();
            HeaderValue::lossy(&format!("Basic {}", STANDARD.encode(plain)))
        });
        Ok(Self { base: Base::new(&server, &target), server, target, credentials })
    }
}

/// A user or a password without its escapes; one that is malformed stands for itself.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| byte == b'%');
        let value = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match value.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                out.push(value);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                out.push(byte);
                rest = behind;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
