//! One backend address.

use std::{fmt, net::SocketAddr, sync::Arc};

use portway_http::Target;

use crate::{Passive, Transport, carried::ServerId};

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// HTTP/1.1 in plaintext.
    Http,
    /// HTTP/2 or HTTP/1.1 over TLS, as the server chooses.
    Https,
    /// HTTP/2 in plaintext.
    H2c,
}

/// One backend address, ready to be connected to.
#[derive(Debug)]
pub struct Server {
    /// As configured, such as `http://10.0.0.1:8080`; for logs and the API.
    pub url: String,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Host and port as written, for the Host header where the client's is not passed.
    pub authority: String,
    /// The host: a name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The address, where the host is one.
    pub address: Option<SocketAddr>,
    /// The path that goes before the request's (`preservePath`); empty otherwise.
    pub path: String,
    /// How to reach it.
    pub transport: Arc<Transport>,
    /// Who hears what comes of its requests, where they tell of its health.
    pub passive: Option<Arc<Passive>>,
    /// Its identity in the pools.
    pub(crate) id: Arc<ServerId>,
}

/// A server URL that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ServerUrlError {
    /// There is no `scheme://` in front.
    #[error("`{0}` has no scheme; write it as `http://host:port`")]
    NoScheme(String),
    /// The scheme is none that HTTP servers have.
    #[error("unsupported scheme `{0}`; `http`, `https` and `h2c` are served")]
    UnknownScheme(String),
    /// There is no host, or one with characters that no host has.
    #[error("`{0}` has no valid host")]
    BadHost(String),
    /// The port is no number from 1 to 65535.
    #[error("`{0}` has no valid port")]
    BadPort(String),
    /// A `%` in the path stands before what are no two hexadecimal digits.
    #[error("`{0}` has a path with a `%` that encodes nothing")]
    BadPath(String),
}

/// The parts of a server URL.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Parts {
    pub(crate) scheme: Scheme,
    pub(crate) authority: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) path: String,
}

impl Server {
    /// The number that pools know this server by.
    pub(crate) fn number(&self) -> u64 {
        self.id.number()
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Parts {
    pub(crate) fn parse(url: &str) -> Result<Self, ServerUrlError> {
        let (scheme, rest) =
            url.split_once("://").ok_or_else(|| ServerUrlError::NoScheme(url.to_owned()))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "h2c" => Scheme::H2c,
            _ => return Err(ServerUrlError::UnknownScheme(scheme.to_owned())),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let path = path.split(['?', '#']).next().unwrap_or_default();
        // As in Traefik, a user and a password say nothing, and no server is told them.
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = host_and_port(authority, url)?;
        let default = if scheme == Scheme::Https { 443 } else { 80 };
        let port = match port {
            "" => default,
            text => match text.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(ServerUrlError::BadPort(url.to_owned())),
            },
        };
        // Encoded as a request's is, so that what both together encode stays as it is.
        let mut target = Target::default();
        if !path.is_empty() && target.set_escaped_path(path.as_bytes()).is_err() {
            return Err(ServerUrlError::BadPath(url.to_owned()));
        }
        let path = if path.is_empty() { "" } else { target.escaped_path() };
        Ok(Self {
            scheme,
            authority: authority.to_owned(),
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }
}

fn host_and_port<'a>(authority: &'a str, url: &str) -> Result<(&'a str, &'a str), ServerUrlError> {
    let bad = || ServerUrlError::BadHost(url.to_owned());
    if let Some(inner) = authority.strip_prefix('[') {
        let (host, rest) = inner.split_once(']').ok_or_else(bad)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| bad())?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, port)),
            None if rest.is_empty() => Ok((host, "")),
            None => Err(bad()),
        };
    }
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || !host.bytes().all(fits) {
        return Err(bad());
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<(&str, u16, &str), ServerUrlError>) {
        let parts = Parts::parse(url);
        let parts = parts.as_ref().map(|p| (p.host.as_str(), p.port, p.path.as_str()));
        assert_eq!(parts, expected.as_ref().map(|e| *e), "{url}");
    }

    #[test]
    fn urls_split_into_their_parts() {
        check("http://10.0.0.1:8080", Ok(("10.0.0.1", 8080, "")));
        check("https://backend", Ok(("backend", 443, "")));
        check("http://[::1]:80/base?x", Ok(("::1", 80, "/base")));
        check("http://u:p@10.0.0.1:8080/b", Ok(("10.0.0.1", 8080, "/b")));
        check("http://u@x@[::1]:80", Ok(("::1", 80, "")));
        check("HTTP://a.b/", Ok(("a.b", 80, "/")));
        check("http://a/b c", Ok(("a", 80, "/b%20c")));
        check("http://a/b/%2F", Ok(("a", 80, "/b/%2F")));
    }

    #[test]
    fn the_user_of_a_url_is_left_out() {
        assert_eq!(Parts::parse("http://u:p@a.b:80/").unwrap().authority, "a.b:80");
    }

    #[test]
    fn bad_urls_say_why() {
        check("10.0.0.1:80", Err(ServerUrlError::NoScheme("10.0.0.1:80".into())));
        check("h2c://a", Ok(("a", 80, "")));
        check("ftp://a", Err(ServerUrlError::UnknownScheme("ftp".into())));
        check("http://", Err(ServerUrlError::BadHost("http://".into())));
        check("http://u:p@", Err(ServerUrlError::BadHost("http://u:p@".into())));
        check("http://a b", Err(ServerUrlError::BadHost("http://a b".into())));
        check("http://a:b", Err(ServerUrlError::BadPort("http://a:b".into())));
        check("http://a/%zz", Err(ServerUrlError::BadPath("http://a/%zz".into())));
        check("http://a:0", Err(ServerUrlError::BadPort("http://a:0".into())));
    }
}
