//! Where a question goes: the URL of a server, and what a path or a redirect makes of it (RFC 3986 §5.2).

use crate::{Scheme, Server, server::Parts};

/// An absolute URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) scheme: Scheme,
    /// Host and port as written.
    pub(super) authority: String,
    /// The host, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Without a query; may be empty.
    path: String,
    query: Option<String>,
}

impl Place {
    /// The URL of a server.
    pub(super) fn of(server: &Server) -> Result<Self, String> {
        Self::parse(&server.url)
    }

    fn parse(url: &str) -> Result<Self, String> {
        let Parts { scheme, authority, host, port, path } =
            Parts::parse(url).map_err(|error| error.to_string())?;
        let url = url.split('#').next().unwrap_or_default();
        let query = url.split_once('?').map(|(_, query)| query.to_owned());
        Ok(Self { scheme, authority, host, port, path, query })
    }

    /// Sets the port.
    pub(super) fn set_port(&mut self, port: u16) {
        self.port = port;
        self.authority = match self.host.contains(':') {
            true => format!("[{}]:{port}", self.host),
            false => format!("{}:{port}", self.host),
        };
    }

    /// What a reference seen from here means.
    pub(super) fn resolve(&self, reference: &str) -> Result<Self, String> {
        if reference.bytes().any(|byte| byte.is_ascii_control()) {
            return Err("invalid control character in URL".to_owned());
        }
        let reference = reference.split('#').next().unwrap_or_default();
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme_name()));
        }
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (reference, None),
        };
        let mut place = self.clone();
        place.query = if path.is_empty() { query.or(place.query) } else { query };
        if path.starts_with('/') {
            place.path = without_dots(path);
        } else if !path.is_empty() {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            place.path = without_dots(&format!("{folder}/{path}"));
        }
        Ok(place)
    }

    /// Path and query as they are sent.
    pub(super) fn path_and_query(&self) -> String {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        match &self.query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }

    /// The whole URL.
    pub(super) fn url(&self) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}://{}{}{query}", self.scheme_name(), self.authority, self.path)
    }

    fn scheme_name(&self) -> &'static str {
        match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::H2c => "h2c",
        }
    }
}

/// Whether a reference names a scheme or a host, so that it is no path.
pub(super) fn leads_elsewhere(reference: &str) -> bool {
    has_scheme(reference) || (reference.starts_with("//") && !reference.starts_with("///"))
}

/// Whether it leaves scheme and host as they are, in the sense of Go's `URL.IsAbs`.
pub(super) fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// RFC 3986 §5.2.4, of an absolute path.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            ".." => drop(kept.pop()),
            "." => {}
            segment => {
                kept.push(segment);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, reference: &str, expected: &str) {
        let place = Place::parse(base).unwrap().resolve(reference);
        assert_eq!(place.map_or_else(|error| error, |place| place.url()), expected);
    }

    #[test]
    fn references_are_seen_from_the_server() {
        check("http://a:1/base/x?q=1", "", "http://a:1/base/x?q=1");
        check("http://a:1/base/x?q=1", "?r=2", "http://a:1/base/x?r=2");
        check("http://a:1/base/x?q=1", "/health?x", "http://a:1/health?x");
        check("http://a:1/base/x", "health", "http://a:1/base/health");
        check("http://a:1", "health#top", "http://a:1/health");
        check("http://a/b/c/d", "../e", "http://a/b/e");
        check("http://a/b/c/d", "./", "http://a/b/c/");
        check("http://a/b", "../../..", "http://a/");
        check("http://a", "//b:2/c", "http://b:2/c");
        check("http://a", "https://b/c", "https://b/c");
        check(
            "http://a",
            "ftp://b",
            "unsupported scheme `ftp`; `http`, `https` and `h2c` are served",
        );
        check("http://a", "/a\nb", "invalid control character in URL");
    }

    #[test]
    fn what_names_a_host_or_a_scheme_is_no_path() {
        for reference in ["http://a/b", "//a", "a:b", "h2c:x"] {
            assert!(leads_elsewhere(reference), "{reference}");
        }
        for reference in ["", "/", "/a:b", "a/b:c", "?x:y", "///a", "1:b"] {
            assert!(!leads_elsewhere(reference), "{reference}");
        }
    }

    #[test]
    fn a_port_replaces_the_other() {
        let mut place = Place::parse("http://[::1]:80/x").unwrap();
        place.set_port(81);
        assert_eq!(place.url(), "http://[::1]:81/x");
    }
}
