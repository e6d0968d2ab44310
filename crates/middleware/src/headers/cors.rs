//! Cross-origin resource sharing: the answer to a preflight request, and what other responses say.

use portway_http::{
    Answer, HeaderValue, Headers as Fields, Known, Method, Request, StaticName, Status,
};
use portway_model::{Problem, dynamic};
use portway_rule::Expression;

/// Compiled settings.
#[derive(Debug)]
pub(super) struct Cors {
    credentials: bool,
    headers: Allowed,
    methods: Allowed,
    origins: Box<[Box<[u8]>]>,
    expressions: Box<[Expression]>,
    expose: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    vary: bool,
}

/// What a preflight request may ask for.
#[derive(Debug)]
enum Allowed {
    /// Whatever it asks for.
    Asked,
    /// What this says; empty says nothing.
    These(HeaderValue),
}

impl Cors {
    /// Compiles the user's settings; an expression that is none is refused.
    pub(super) fn compile(config: &dynamic::Cors, problems: &mut Vec<Problem>) -> Option<Self> {
        let credentials = config.access_control_allow_credentials;
        let any = |list: &[String]| credentials && list.iter().any(|item| item == "*");
        let allowed = |list: &[String]| match any(list) {
            true => Allowed::Asked,
            false => Allowed::These(joined(list)),
        };
        let expressions = config.access_control_allow_origin_list_regex.iter().map(|source| {
            let refused = |reason| {
                let message = format!(
                    "error occurred during origin parsing: error parsing regexp: {reason}: `{source}`"
                );
                problems.push(Problem::error("", message));
            };
            Expression::compile(source).map_err(refused).ok()
        });
        let expose = &config.access_control_expose_headers;
        let origins = &config.access_control_allow_origin_list;
        Some(Self {
            credentials,
            headers: allowed(&config.access_control_allow_headers),
            methods: allowed(&config.access_control_allow_methods),
            expressions: expressions.collect::<Option<_>>()?,
            origins: origins.iter().map(|origin| origin.as_bytes().into()).collect(),
            expose: (!expose.is_empty() && !any(expose)).then(|| joined(expose)),
            max_age: config.access_control_max_age.map(|age| HeaderValue::lossy(&age.to_string())),
            vary: config.add_vary_header,
        })
    }

    /// The answer to a preflight request; `None` for others.
    pub(super) fn preflight(&self, request: &Request) -> Option<Answer> {
        if request.method != Method::Options {
            return None;
        }
        let method = request.headers.get(REQUEST_METHOD).filter(|method| !method.is_empty())?;
        let origin = request.headers.get(Known::Origin).filter(|origin| !origin.is_empty())?;
        let mut answer = Answer::empty(Status::OK);
        let headers = &mut answer.headers;
        if self.credentials {
            headers.append(ALLOW_CREDENTIALS, "true");
        }
        let asked = request.headers.get(REQUEST_HEADERS).unwrap_or_default();
        self.headers.write(ALLOW_HEADERS, asked, headers);
        self.methods.write(ALLOW_METHODS, method, headers);
        if let Some(origin) = self.allows(origin) {
            headers.append(ALLOW_ORIGIN, origin);
        }
        if let Some(age) = &self.max_age {
            headers.append(MAX_AGE, age);
        }
        if let Some(expose) = &self.expose {
            headers.append(EXPOSE_HEADERS, expose);
        }
        Some(answer)
    }

    /// Sees the fields of a response.
    pub(super) fn on_response(&self, headers: &mut Fields, request: &Request) {
        let origin = request.headers.get(Known::Origin).unwrap_or_default();
        if let Some(origin) = self.allows(origin) {
            headers.set(ALLOW_ORIGIN, origin);
        }
        if self.credentials {
            headers.set(ALLOW_CREDENTIALS, "true");
        }
        if let Some(expose) = &self.expose {
            headers.set(EXPOSE_HEADERS, expose);
        }
        if self.vary {
            match headers.get(Known::Vary) {
                Some(b"Origin") => {}
                None | Some(b"") => headers.set(Known::Vary, "Origin"),
                Some(others) => {
                    let all = [others, b",Origin"].concat();
                    headers.set(Known::Vary, all);
                }
            }
        }
    }

    /// What `Access-Control-Allow-Origin` says to this origin; an empty one stands for none.
    fn allows<'o>(&'o self, origin: &'o [u8]) -> Option<&'o [u8]> {
        for allowed in &self.origins {
            if **allowed == *origin {
                return Some(origin);
            }
            if **allowed == *b"*" {
                // A browser takes no `*` where it sends credentials.
                return Some(if self.credentials { origin } else { allowed });
            }
        }
        self.expressions.iter().any(|expression| expression.is_match(origin)).then_some(origin)
    }
}

impl Allowed {
    fn write(&self, name: StaticName, asked: &[u8], headers: &mut Fields) {
        let value = match self {
            Self::Asked => asked,
            Self::These(these) => these.as_bytes(),
        };
        if !value.is_empty() {
            headers.append(name, value);
        }
    }
}

fn joined(list: &[String]) -> HeaderValue {
    HeaderValue::lossy(&list.join(","))
}

const ALLOW_CREDENTIALS: StaticName = StaticName::new("Access-Control-Allow-Credentials");
const ALLOW_HEADERS: StaticName = StaticName::new("Access-Control-Allow-Headers");
const ALLOW_METHODS: StaticName = StaticName::new("Access-Control-Allow-Methods");
const ALLOW_ORIGIN: StaticName = StaticName::new("Access-Control-Allow-Origin");
const EXPOSE_HEADERS: StaticName = StaticName::new("Access-Control-Expose-Headers");
const MAX_AGE: StaticName = StaticName::new("Access-Control-Max-Age");
const REQUEST_HEADERS: StaticName = StaticName::new("Access-Control-Request-Headers");
const REQUEST_METHOD: StaticName = StaticName::new("Access-Control-Request-Method");

#[cfg(test)]
mod tests;
