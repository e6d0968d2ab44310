//! Puts another service's page in the place of an error.
//!
//! Traefik: `errors`. Differences: instead of 204 and 304 a page comes without its body, where Traefik breaks it off; of
//! several `statusRewrites` that hold a status the first by its text counts, where Traefik takes any; a status that no
//! response can have is refused when the middleware is built, where Traefik breaks off the response.

use portway_http::{BodyFraming, HeaderName, Headers, Method, Request, Status, Version};
use portway_model::{Problem, dynamic};

use crate::StatusRanges;
use crate::redirect_scheme::client_scheme;

/// A compiled `errors`.
#[derive(Debug)]
pub struct Errors {
    status: StatusRanges,
    rewrites: Box<[(StatusRanges, Status)]>,
    service: String,
    query: String,
    /// `None` means all.
    passed: Option<Box<[HeaderName]>>,
}

/// Which page is asked for, and what the client is told.
#[derive(Debug)]
pub struct ErrorPage {
    /// The status that the client gets, whatever the service says.
    pub status: Status,
    /// The request for the page; `None` where there can be none.
    pub request: Option<Request>,
}

impl Errors {
    /// Compiles the user's settings.
    pub fn compile(config: &dynamic::Errors, problems: &mut Vec<Problem>) -> Option<Self> {
        let compiled = Self::compiled(config);
        compiled.map_err(|message| problems.push(Problem::error("", message))).ok()
    }

    fn compiled(config: &dynamic::Errors) -> Result<Self, String> {
        let status = StatusRanges::parse(&config.status).map_err(|reason| reason.to_string())?;
        let rewrite = |(from, to): (&String, &i64)| {
            let from = StatusRanges::parse(&[from]).map_err(|reason| reason.to_string())?;
            let status = u16::try_from(*to).ok().and_then(Status::new);
            let status = status.filter(|status| status.code() >= 200);
            Ok((from, status.ok_or_else(|| format!("invalid HTTP status code {to}"))?))
        };
        let name = |name: &String| {
            HeaderName::parse(name).map_err(|_| format!("`{name}` is no name of a header"))
        };
        let passed = config.error_request_headers.as_ref();
        let passed = passed.map(|names| names.iter().map(name).collect::<Result<_, String>>());
        Ok(Self {
            status,
            rewrites: config.status_rewrites.iter().map(rewrite).collect::<Result<_, String>>()?,
            service: config.service.clone(),
            query: config.query.clone(),
            passed: passed.transpose()?,
        })
    }

    /// The service that has the pages, as it was written.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Whether a status is an error.
    pub fn covers(&self, status: u16) -> bool {
        self.status.contains(status)
    }

    /// What becomes of an error of this status in answer to `request`, which came over TLS or not.
    pub fn page(&self, status: u16, request: &Request, tls: bool) -> ErrorPage {
        let rewrite = self.rewrites.iter().find(|(from, _)| from.contains(status));
        let shown = rewrite.map(|(_, to)| *to).or_else(|| Status::new(status));
        let shown = shown.unwrap_or(Status::INTERNAL_SERVER_ERROR);
        ErrorPage { status: shown, request: self.request(status, shown, request, tls) }
    }

    fn request(&self, status: u16, shown: Status, of: &Request, tls: bool) -> Option<Request> {
        let mut target = String::new();
        if !self.query.is_empty() {
            let url = escaped(&url_of(of, tls));
            let query = self.query.replace("{status}", &shown.code().to_string());
            let query = query.replace("{originalStatus}", &status.to_string());
            target = query.replace("{url}", &url);
        }
        let mut request = Request::new();
        request.method = Method::Get;
        request.version = Version::Http11;
        request.body = BodyFraming::None;
        let path = format!("/{}", target.strip_prefix('/').unwrap_or(&target));
        request.target.set_path_and_query(path.as_bytes()).ok()?;
        if !of.authority().is_empty() && !request.set_authority(of.authority()) {
            return None;
        }
        request.headers = self.headers(of);
        Some(request)
    }

    fn headers(&self, of: &Request) -> Headers {
        let Some(names) = &self.passed else { return of.headers.clone() };
        let mut headers = Headers::new();
        for name in names {
            for value in of.headers.get_all(name) {
                headers.append(name, value);
            }
        }
        headers
    }
}

/// The URL that was asked for, with the scheme in which the client asked.
fn url_of(request: &Request, tls: bool) -> Vec<u8> {
    let scheme = client_scheme(request, tls);
    let (host, path) = (request.authority(), request.target.escaped_path());
    let mut url = [scheme, "://", host, path].concat().into_bytes();
    if request.target.has_query() && !request.target.query().is_empty() {
        url.push(b'?');
        url.extend_from_slice(request.target.query());
    }
    url
}

/// As Go's `url.QueryEscape`.
fn escaped(text: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(*byte));
            }
            b' ' => escaped.push('+'),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use portway_http::Known;

    use super::*;

    fn compiled(change: impl FnOnce(&mut dynamic::Errors)) -> Result<Errors, String> {
        let mut config =
            dynamic::Errors { status: vec!["500-599".to_owned()], ..Default::default() };
        change(&mut config);
        Errors::compiled(&config)
    }

    fn request() -> Request {
        let mut request = Request::new();
        request.target.set_path_and_query(b"/a%20b?c=d&e").unwrap();
        assert!(request.set_authority("a.test:80"));
        for (name, value) in [("X-A", "1"), ("X-B", "2"), ("X-A", "3")] {
            request.headers.append(HeaderName::parse(name).unwrap(), value);
        }
        request
    }

    #[track_caller]
    fn check(query: &str, expected: &str) {
        let errors = compiled(|config| {
            config.query = query.to_owned();
            config.status_rewrites.insert("500-502".to_owned(), 418);
        });
        let page = errors.unwrap().page(501, &request(), true);
        assert_eq!(page.status.code(), 418);
        assert_eq!(page.request.unwrap().target.request_uri(), expected);
    }

    #[test]
    fn a_page_has_its_place() {
        check("", "/");
        check("{status}.html", "/418.html");
        check("/{originalStatus}/{status}?x=1", "/501/418?x=1");
        check("/x?url={url}", "/x?url=https%3A%2F%2Fa.test%3A80%2Fa%2520b%3Fc%3Dd%26e");
    }

    #[test]
    fn the_url_has_the_scheme_in_which_the_client_asked() {
        let errors = compiled(|config| config.query = "{url}".to_owned()).unwrap();
        for (forwarded, tls, expected) in
            [("https", false, "/https"), ("http", true, "/http%3A"), ("", true, "/https")]
        {
            let mut request = request();
            request.headers.set(Known::XForwardedProto, forwarded);
            let page = errors.page(501, &request, tls).request.unwrap();
            assert!(page.target.request_uri().starts_with(expected), "{forwarded}");
        }
    }

    #[test]
    fn headers_pass_as_asked() {
        let of = |passed: Option<&[&str]>| {
            let names = passed.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            let errors = compiled(|config| config.error_request_headers = names).unwrap();
            errors.page(500, &request(), false).request.unwrap().headers.len()
        };
        assert_eq!((of(None), of(Some(&[])), of(Some(&["x-a"]))), (3, 0, 2));
    }

    #[test]
    fn bad_settings_are_refused() {
        let reason = |change: fn(&mut dynamic::Errors)| compiled(change).err().unwrap_or_default();
        assert_eq!(
            reason(|config| config.status = vec!["x".to_owned()]),
            "`x` is neither a status code nor a range such as `500-599`"
        );
        assert_eq!(
            reason(|config| config.status_rewrites = [("500".to_owned(), 42)].into()),
            "invalid HTTP status code 42"
        );
        assert_eq!(
            reason(|config| config.error_request_headers = Some(vec!["a b".to_owned()])),
            "`a b` is no name of a header"
        );
    }
}
