//! Changes request headers on the way in and response headers on the way out.
//!
//! Traefik: `headers`. Differences: the CORS and security fields are not served yet and close the
//! routers of the middleware; changes of fields that frame a message are ignored with a warning in
//! responses too, where Traefik breaks the response; a name, value or host that no request can
//! have is refused when the configuration is read, where Traefik answers 500 to each request or
//! sends no host at all.

use portway_http::{HeaderName, HeaderValue, Headers as Fields, Known, Request, is_valid_host};
use portway_model::{Problem, Severity, dynamic};

use crate::{Context, Flow};

/// A compiled `headers`.
#[derive(Debug)]
pub struct Headers {
    request: Box<[RequestChange]>,
    response: Box<[ResponseChange]>,
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
        let inert = report_unserved(config, problems);
        if config.custom_request_headers.is_empty()
            && config.custom_response_headers.is_empty()
            && problems.len() == before
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
        let failed =
            problems.iter().skip(before).any(|problem| problem.severity == Severity::Error);
        (!failed).then(|| Self { request: request.into(), response: response.into() })
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
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
        Flow::Continue
    }

    pub(crate) fn on_response(&self, headers: &mut Fields) {
        for change in &self.response {
            match change {
                ResponseChange::Set(name, value) => headers.set(name, value),
                ResponseChange::Remove(name) => {
                    headers.remove(name);
                }
            }
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
    // Go writes each control character of a response's field as a space.
    let value = value.replace(|c: char| c.is_ascii_control() && c != '\t', " ");
    Ok(ResponseChange::Set(parsed, value_of(&value)?))
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

/// Reports fields that are not served yet; says whether there are such as Traefik ignores, too.
fn report_unserved(config: &dynamic::Headers, problems: &mut Vec<Problem>) -> bool {
    let mut inert = false;
    for (name, value) in config.unserved.iter().filter(|(name, value)| takes_effect(name, value)) {
        let ignored =
            ["sslRedirect", "sslTemporaryRedirect", "sslHost", "sslForceHost", "featurePolicy"];
        if ignored.iter().any(|ignored| ignored.eq_ignore_ascii_case(name)) {
            inert = true;
        } else {
            let message = format!("\"{name}\" is not served by this version of Portway yet");
            problems.push(Problem::error(format!("headers.{name}"), message));
        }
        debug_assert!(!value.is_null());
    }
    inert
}

/// Whether a value differs from the field's default. Zero counts where Traefik tells it from
/// nothing.
fn takes_effect(name: &str, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        Value::Number(number) => {
            number.as_f64() != Some(0.0)
                || ["accessControlMaxAge", "stsSeconds"]
                    .iter()
                    .any(|pointer| pointer.eq_ignore_ascii_case(name))
        }
        Value::Bool(true) => true,
    }
}

#[cfg(test)]
mod tests;
