//! Redirects to another scheme or port.
//!
//! Traefik: `redirectScheme`. Differences: none.

use portway_http::{Known, Request, split_host_port};
use portway_model::{Problem, dynamic};

use crate::redirect::{redirect, unchanged};
use crate::{Context, Flow};

/// A compiled `redirectScheme`.
#[derive(Debug)]
pub struct RedirectScheme {
    scheme: Box<str>,
    /// With its colon; empty for the scheme's own.
    port: Box<str>,
    permanent: bool,
}

impl RedirectScheme {
    /// Compiles the user's settings; an empty scheme is refused.
    pub fn compile(config: &dynamic::RedirectScheme, problems: &mut Vec<Problem>) -> Option<Self> {
        if config.scheme.is_empty() {
            problems.push(Problem::error("", "you must provide a target scheme"));
            return None;
        }
        let port = match (config.scheme.as_str(), config.port.as_str()) {
            (_, "") | ("http", "80") | ("https", "443") => String::new(),
            (_, port) => format!(":{port}"),
        };
        Some(Self {
            scheme: config.scheme.as_str().into(),
            port: port.into(),
            permanent: config.permanent,
        })
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let scheme = client_scheme(request, context.tls);
        let (host, port) = match split_host_port(request.authority()) {
            Some((host, port)) => (host, Some(port)),
            None => (request.authority(), None),
        };
        let port =
            port.filter(|port| !matches!((scheme, *port), ("http", "80") | ("https", "443")));
        if scheme == &*self.scheme && self.port_is(port) && is_plain(host, port, request) {
            request.target.resume_client_uri();
            return Flow::Continue;
        }
        let mut rest = Vec::with_capacity(host.len() + request.target.escaped_path().len() + 16);
        rest.extend_from_slice(host.as_bytes());
        if let Some(port) = port {
            rest.push(b':');
            rest.extend_from_slice(port.as_bytes());
        }
        request.target.write_client_uri(&mut rest);
        let (host, old_port, uri) = split(&rest);
        let location = [self.scheme.as_bytes(), b"://", host, self.port.as_bytes(), uri].concat();
        if scheme == &*self.scheme && old_port == self.port.as_bytes() {
            return unchanged(&location, request, context);
        }
        redirect(&location, &request.method, self.permanent, context)
    }

    fn port_is(&self, port: Option<&str>) -> bool {
        match port {
            None => self.port.is_empty(),
            Some(port) => self.port.strip_prefix(':') == Some(port),
        }
    }
}

/// The scheme in which the client asked: that of the connection, unless `X-Forwarded-Proto` says
/// otherwise. Upgrades begin as plain requests.
pub(crate) fn client_scheme(request: &Request, tls: bool) -> &'static str {
    let forwarded = request.headers.get(Known::XForwardedProto).unwrap_or_default();
    let is = |scheme: &str| forwarded.eq_ignore_ascii_case(scheme.as_bytes());
    if is("http") || is("ws") {
        "http"
    } else if is("https") || is("wss") || tls {
        "https"
    } else {
        "http"
    }
}

/// Whether the URL is one that cannot be malformed, so that nothing needs to be built.
fn is_plain(host: &str, port: Option<&str>, request: &Request) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty()
        && host.bytes().all(plain)
        && port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
        && !request.target.query().contains(&b'#')
}

/// Splits what follows `scheme://` as Traefik's expression
/// `(\[[\w:.]+\]|[\w\._-]+)?(:\d+)?(.*)` does.
fn split(rest: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let run = |text: &[u8], allowed: &dyn Fn(&u8) -> bool| {
        text.iter().position(|byte| !allowed(byte)).unwrap_or(text.len())
    };
    let host = match rest.split_first() {
        Some((b'[', inside)) => {
            let length = run(inside, &|byte| word(byte) || matches!(byte, b':' | b'.'));
            if length > 0 && inside.get(length) == Some(&b']') { length + 2 } else { 0 }
        }
        _ => run(rest, &|byte| word(byte) || matches!(byte, b'.' | b'-')),
    };
    let (host, rest) = rest.split_at_checked(host).unwrap_or((b"", rest));
    let port = match rest.split_first() {
        Some((b':', digits)) => match run(digits, &u8::is_ascii_digit) {
            0 => 0,
            length => length + 1,
        },
        _ => 0,
    };
    let (port, uri) = rest.split_at_checked(port).unwrap_or((b"", rest));
    (host, port, uri)
}

#[cfg(test)]
mod tests;
