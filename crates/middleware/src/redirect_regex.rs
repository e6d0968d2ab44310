//! Redirects by a regular expression over the URL.
//!
//! Traefik: `redirectRegex`. Differences: none.

use portway_http::Request;
use portway_model::{Problem, dynamic};
use portway_rule::Expression;

use crate::redirect::{redirect, unchanged};
use crate::template::{Template, expression};
use crate::{Context, Flow};

/// A compiled `redirectRegex`.
#[derive(Debug)]
pub struct RedirectRegex {
    regex: Expression,
    replacement: Template,
    permanent: bool,
}

impl RedirectRegex {
    /// Compiles the user's settings; an expression that is none is refused.
    pub fn compile(config: &dynamic::RedirectRegex, problems: &mut Vec<Problem>) -> Option<Self> {
        let regex = expression(&config.regex, problems)?;
        let replacement = Template::parse(&config.replacement, &regex);
        Some(Self { regex, replacement, permanent: config.permanent })
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let mut url = Vec::with_capacity(
            request.authority().len() + request.target.escaped_path().len() + 16,
        );
        url.extend_from_slice(if context.tls { b"https://" } else { b"http://" });
        url.extend_from_slice(request.authority().as_bytes());
        request.target.write_client_uri(&mut url);
        let Some(location) = self.replacement.replace_all(&self.regex, &url) else {
            return Flow::Continue;
        };
        if location == url {
            return unchanged(&location, request, context);
        }
        redirect(&location, &request.method, self.permanent, context)
    }
}

#[cfg(test)]
mod tests;
