//! Changes request headers on the way in and response headers on the way out.
//!
//! Traefik: `headers`. Differences: changes of fields that frame a message are ignored with a
//! warning in responses too, where Traefik breaks the response; a name, value or host that no
//! request can have is refused when the configuration is read, where Traefik answers 500 to each
//! request or sends no host at all; a nonce in one policy does not change the other.

mod cors;
mod security;

use portway_http::{
    Answer, HeaderName, HeaderValue, Headers as Fields, Known, Request, Status, is_valid_host,
};
use portway_model::{Problem, Severity, dynamic};

use self::cors::Cors;
use self::security::Security;
use crate::{Context, Flow};

/// A compiled `headers`.
#[derive(Debug)]
pub struct Headers {
    request: Box<[RequestChange]>,
    response: Box<[ResponseChange]>,
    cors: Option<Cors>,
    security: Option<Security>,
}

#[derive(Debug)]
enum RequestChange {
    Set(HeaderName, HeaderValue),
    Remove(HeaderName),
    Host(Box<str>),
    /// `X-Forwarded-For` goes, and the proxy does not write it either.
    HideClient,
}

#[derive(Debug)]
enum ResponseChange {
    Set(HeaderName, HeaderValue),
    Remove(HeaderName),
}

impl Headers {
    /// Compiles the user's settings; settings without any effect are refused.
    pub fn compile(config: &dynamic::Headers, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let inert = config.inert.is_set();
        if config.custom_request_headers.is_empty()
            && config.custom_response_headers.is_empty()
            && !config.cors.is_set()
            && !config.security.is_set()
            && !inert
        {
            problems.push(Problem::error("", "headers configuration not valid"));
        }
        let mut request = Vec::new();
        for (name, value) in &config.custom_request_headers {
            let field = format!("headers.customRequestHeaders.{name}");
            match request_change(name, value) {
                Ok(change) => request.push(change),
                Err(Refusal::Framing) => problems.push(framing_warning(field)),
                Err(Refusal::Invalid(reason)) => problems.push(Problem::error(field, reason)),
            }
        }
        let mut response = Vec::new();
        for (name, value) in &config.custom_response_headers {
            let field = format!("headers.customResponseHeaders.{name}");
            match response_change(name, value) {
                Ok(change) => response.push(change),
                Err(Refusal::Framing) => problems.push(framing_warning(field)),
                // Go drops such a field of a response in silence and answers all the same.
                Err(Refusal::Invalid(reason)) => problems.push(Problem::warning(field, reason)),
            }
        }
        if inert {
            let message = "sslRedirect, sslTemporaryRedirect, sslHost, sslForceHost and \
                           featurePolicy have no effect since Traefik v3";
            problems.push(Problem::warning("headers", message));
        }
        let cors = config.cors.is_set().then(|| Cors::compile(&config.cors, problems)).flatten();
        let security = config.security.is_set();
        let security = security.then(|| Security::compile(&config.security, problems));
        let failed =
            problems.iter().skip(before).any(|problem| problem.severity == Severity::Error);
        (!failed).then(|| Self {
            request: request.into(),
            response: response.into(),
            cors,
            security,
        })
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        if let Some(answer) = self.cors.as_ref().and_then(|cors| cors.preflight(request)) {
            context.reason = Some("headers: a preflight request");
            return Flow::Respond(answer);
        }
        self.change(request, context);
        if let Some(security) = &self.security
            && !security.allows_host(request)
        {
            context.reason = Some("headers: the host is not allowed");
            let mut answer = Answer::error(Status::INTERNAL_SERVER_ERROR, "Bad Host");
            self.change_response(&mut answer.headers, request);
            return Flow::Respond(answer);
        }
        Flow::Continue
    }

    fn change(&self, request: &mut Request, context: &mut Context<'_>) {
        for change in &self.request {
            match change {
                RequestChange::Set(name, value) => {
                    request.headers.set(name, value);
                    if is_forwarded_for(name) {
                        context.show_client();
                    }
                }
                RequestChange::Remove(name) => {
                    request.headers.remove(name);
                    if is_forwarded_for(name) {
                        context.show_client();
                    }
                }
                RequestChange::Host(host) => {
                    let accepted = request.set_authority(host);
                    debug_assert!(accepted, "hosts are checked when they are compiled");
                }
                RequestChange::HideClient => {
                    request.headers.remove(Known::XForwardedFor);
                    context.hide_client();
                }
            }
        }
    }

    /// Sees the fields of a response to `request`, which came over TLS or not.
    pub(crate) fn on_response(&self, headers: &mut Fields, request: &Request, tls: bool) {
        if let Some(security) = &self.security {
            security.on_response(headers, request, tls);
        }
        self.change_response(headers, request);
    }

    fn change_response(&self, headers: &mut Fields, request: &Request) {
        for change in &self.response {
            match change {
                ResponseChange::Set(name, value) => headers.set(name, value),
                ResponseChange::Remove(name) => {
                    headers.remove(name);
                }
            }
        }
        if let Some(cors) = &self.cors {
            cors.on_response(headers, request);
        }
    }
}

/// Why one entry of a map cannot be used.
enum Refusal {
    /// It frames the message, and the proxy alone decides about that.
    Framing,
    Invalid(String),
}

fn request_change(name: &str, value: &str) -> Result<RequestChange, Refusal> {
    // Only this spelling: any other just removes what the client sent.
    if name == "X-Forwarded-For" && value.is_empty() {
        return Ok(RequestChange::HideClient);
    }
    let parsed = name_of(name)?;
    if value.is_empty() {
        return Ok(RequestChange::Remove(parsed));
    }
    if name.eq_ignore_ascii_case("host") {
        return if is_valid_host(value.as_bytes()) {
            Ok(RequestChange::Host(value.into()))
        } else {
            Err(Refusal::Invalid(format!("\"{value}\" holds a character that no host has")))
        };
    }
    Ok(RequestChange::Set(parsed, value_of(value)?))
}

fn response_change(name: &str, value: &str) -> Result<ResponseChange, Refusal> {
    let parsed = name_of(name)?;
    if value.is_empty() {
        return Ok(ResponseChange::Remove(parsed));
    }
    Ok(ResponseChange::Set(parsed, response_value(value)))
}

/// The value of a response's field: Go writes each control character as a space.
fn response_value(value: &str) -> HeaderValue {
    HeaderValue::lossy(value)
}

fn name_of(name: &str) -> Result<HeaderName, Refusal> {
    let parsed = HeaderName::parse(name)
        .map_err(|error| Refusal::Invalid(format!("\"{name}\": {error}")))?;
    let framing = [Known::ContentLength, Known::TransferEncoding, Known::Trailer];
    if framing.iter().any(|known| known.as_str() == parsed.as_str()) {
        return Err(Refusal::Framing);
    }
    Ok(parsed)
}

fn value_of(value: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::parse(value).map_err(|error| Refusal::Invalid(error.to_string()))
}

fn framing_warning(field: String) -> Problem {
    Problem::warning(field, "ignored: how a message is framed is for the proxy to say")
}

fn is_forwarded_for(name: &HeaderName) -> bool {
    name.as_str().eq_ignore_ascii_case("x-forwarded-for")
}

#[cfg(test)]
mod tests;
