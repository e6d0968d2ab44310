//! What the answer of the server does.

use portway_http::{Answer, HeaderName, Headers, Known, Method, Request, Response, Status};

use super::{
    ForwardAuth,
    asking::{frames, is_of_hop},
    cookies,
};

/// Cookies of the server's answer, for the response.
#[derive(Debug)]
pub struct Cookies<'a> {
    auth: &'a ForwardAuth,
    set: Vec<Vec<u8>>,
}

impl ForwardAuth {
    /// Whether the request may pass.
    #[must_use]
    pub fn lets_in(&self, status: Status) -> bool {
        (200..300).contains(&status.code())
    }

    /// The user that the answer names, for the access log.
    #[must_use]
    pub fn user(&self, answer: &Headers) -> Option<String> {
        let user = answer.get(self.user_field.as_ref()?)?;
        Some(String::from_utf8_lossy(user).into_owned())
    }

    /// Gives a request that may pass the fields of the answer.
    pub fn admit(&self, request: &mut Request, answer: &Headers) {
        for name in &self.copied {
            // A server may take a client's own for the same, where its name has `_` for `-`.
            request.headers.remove_where(|field| is_alike(field.name, name.as_str()));
            answer.get_all(name).for_each(|value| request.headers.append(name, value));
        }
        let Some(expression) = &self.copied_by else { return };
        let matches = |name: &str| !frames(name) && expression.is_match(name.as_bytes());
        let may_match = |name: &str| {
            name.contains('_')
                && HeaderName::parse(&name.replace('_', "-"))
                    .is_ok_and(|name| matches(name.as_str()))
        };
        request.headers.remove_where(|field| matches(field.name) || may_match(field.name));
        for field in answer.iter().filter(|field| matches(field.name)) {
            if let Ok(name) = HeaderName::verbatim(field.name) {
                request.headers.append(&name, field.value);
            }
        }
    }

    /// The cookies of the answer, if it has any that the response may get.
    #[must_use]
    pub fn cookies(&self, answer: &Headers) -> Option<Cookies<'_>> {
        if self.cookies.is_empty() {
            return None;
        }
        let mut lines =
            answer.get_all(Known::SetCookie).filter(|line| cookies::name(line).is_some());
        // Whatever it is, one cookie makes room for the listed ones, as in Traefik.
        let first = lines.next()?;
        let listed = std::iter::once(first).chain(lines).filter(|line| self.lists(line));
        let set = listed.map(<[u8]>::to_vec).collect();
        Some(Cookies { auth: self, set })
    }

    /// What the client gets instead of what it asked for. `detects_type` says whether an answer without a type gets one.
    #[must_use]
    pub fn refusal(
        &self,
        request: &Request,
        answer: &Response,
        body: Vec<u8>,
        detects_type: bool,
    ) -> Answer {
        if answer.status == Status::UNAUTHORIZED
            && let Some(url) = &self.sign_in
        {
            return sign_in(url, request, detects_type);
        }
        let mut refusal = Answer::empty(answer.status);
        refusal.body = body.into();
        refusal.says_length = answer.headers.contains(Known::ContentLength);
        refusal.written = true;
        refusal.headers = answer.headers.clone();
        refusal.headers.remove_where(|field| is_of_hop(field) || frames(field.name));
        refusal.headers.remove(Known::Date);
        if let Some(length) = answer.headers.get(Known::ContentLength)
            && self.keeps_method
            && request.method == Method::Head
        {
            // What the server would say to GET, as it does itself.
            refusal.headers.set(Known::ContentLength, length);
        }
        let location = answer.headers.get(Known::Location).filter(|location| !location.is_empty());
        if let Some(location) = location {
            let location = match self.keeps_location {
                true => crate::redirect::url::normalize(location),
                false => self.base.resolve(location),
            };
            match location {
                None => return Answer::empty(Status::INTERNAL_SERVER_ERROR),
                Some(location) if location.is_empty() => {}
                Some(location) => refusal.headers.set(Known::Location, location),
            }
        }
        refusal
    }

    fn lists(&self, line: &[u8]) -> bool {
        cookies::name(line).is_some_and(|name| self.cookies.iter().any(|one| **one == *name))
    }
}

/// Whether two names are one, or differ by `_` for `-` only.
fn is_alike(name: &str, other: &str) -> bool {
    let folded = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.bytes().map(folded).eq(other.bytes().map(folded))
}

impl Cookies<'_> {
    /// Gives a response these cookies, in place of its own of all names that are listed.
    pub fn set(&self, fields: &mut Headers) {
        fields.remove_where(|field| {
            field.known == Some(Known::SetCookie) && self.auth.lists(field.value)
        });
        self.set.iter().for_each(|line| fields.append(Known::SetCookie, line));
    }
}

/// Sends a client to sign in (Go: `http.Redirect`).
fn sign_in(url: &str, request: &Request, detects_type: bool) -> Answer {
    let mut location = String::new();
    for byte in absolute(url, request).bytes() {
        match byte.is_ascii() {
            true => location.push(char::from(byte)),
            false => location.push_str(&format!("%{byte:x}")),
        }
    }
    let mut answer = Answer::empty(Status::FOUND);
    answer.headers.append(Known::Location, &location);
    if detects_type && matches!(request.method, Method::Get | Method::Head) {
        answer.headers.append(Known::ContentType, "text/html; charset=utf-8");
        if request.method == Method::Get {
            let shown = location
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&#34;")
                .replace('\'', "&#39;");
            answer.body = format!("<a href=\"{shown}\">Found</a>.\n\n").into_bytes().into();
        }
    }
    answer
}

/// A URL that is relative to the request's, from the root.
fn absolute(url: &str, request: &Request) -> String {
    let Some(parsed) = crate::redirect::url::normalize(url.as_bytes()) else {
        return url.to_owned();
    };
    let has_scheme = parsed.iter().position(|byte| b":/?#".contains(byte));
    let has_scheme = has_scheme.and_then(|place| parsed.get(place)) == Some(&b':');
    if has_scheme || (parsed.starts_with(b"//") && parsed != b"//") {
        return url.to_owned();
    }
    let from_root = match url.starts_with('/') {
        true => url.to_owned(),
        false => {
            let path = request.target.escaped_path();
            let folder = path.rfind('/').and_then(|slash| path.get(..=slash)).unwrap_or("/");
            format!("{folder}{url}")
        }
    };
    let (path, query) = match from_root.find('?') {
        Some(mark) => from_root.split_at_checked(mark).unwrap_or((&from_root, "")),
        None => (from_root.as_str(), ""),
    };
    let slash = if path.ends_with('/') && clean(path) != "/" { "/" } else { "" };
    format!("{}{slash}{query}", clean(path))
}

/// A rooted path without empty and dot segments (Go: `path.Clean`).
fn clean(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}
