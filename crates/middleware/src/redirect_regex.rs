//! Redirects by a regular expression over the URL.
//!
//! Traefik: `redirectRegex`. Differences: expressions that Go and this crate's engine might read
//! differently are refused when the configuration is read.

mod pattern;
mod template;

use portway_http::Request;
use portway_model::{Problem, dynamic};
use regex::bytes::Regex;

use self::template::Template;
use crate::redirect::{redirect, unchanged};
use crate::{Context, Flow};

/// A compiled `redirectRegex`.
#[derive(Debug)]
pub struct RedirectRegex {
    regex: Regex,
    replacement: Template,
    permanent: bool,
}

impl RedirectRegex {
    /// Compiles the user's settings; an expression that is none is refused.
    pub fn compile(config: &dynamic::RedirectRegex, problems: &mut Vec<Problem>) -> Option<Self> {
        match pattern::compile(&config.regex) {
            Ok(regex) => {
                let replacement = Template::parse(&config.replacement, &regex);
                Some(Self { regex, replacement, permanent: config.permanent })
            }
            Err(reason) => {
                let message = format!("error parsing regexp: {reason}: `{}`", config.regex);
                problems.push(Problem::error("", message));
                None
            }
        }
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let mut url = Vec::with_capacity(
            request.authority().len() + request.target.escaped_path().len() + 16,
        );
        url.extend_from_slice(if context.tls { b"https://" } else { b"http://" });
        url.extend_from_slice(request.authority().as_bytes());
        request.target.write_client_uri(&mut url);
        let Some(location) = self.replace(&url) else { return Flow::Continue };
        if location == url {
            return unchanged(&location, request, context);
        }
        redirect(&location, &request.method, self.permanent, context)
    }

    /// Replaces every match (Go: `ReplaceAllString`); `None` if there is none.
    fn replace(&self, url: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(url.len());
        let mut end = 0;
        let mut matched = false;
        for captures in self.regex.captures_iter(url) {
            let Some(whole) = captures.get(0) else { continue };
            matched = true;
            out.extend_from_slice(url.get(end..whole.start()).unwrap_or_default());
            self.replacement.expand(&captures, &mut out);
            end = whole.end();
        }
        out.extend_from_slice(url.get(end..).unwrap_or_default());
        matched.then_some(out)
    }
}

#[cfg(test)]
mod tests;
