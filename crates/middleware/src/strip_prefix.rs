//! Removes a prefix from the request path and tells servers which.
//!
//! Traefik: `stripPrefix`. Differences: none.

use portway_http::{Answer, HeaderValue, Known, Request, Status, Stripped};
use portway_model::{Problem, dynamic};

use crate::{Context, Flow};

/// A compiled `stripPrefix`.
#[derive(Debug)]
pub struct StripPrefix {
    prefixes: Box<[Prefix]>,
    force_slash: bool,
}

#[derive(Debug)]
struct Prefix {
    text: Box<[u8]>,
    /// What `X-Forwarded-Prefix` says.
    header: HeaderValue,
}

impl StripPrefix {
    /// Compiles the user's settings; white space around prefixes is dropped.
    pub fn compile(config: &dynamic::StripPrefix, problems: &mut Vec<Problem>) -> Self {
        if config.force_slash.is_some() {
            let message =
                "`ForceSlash` option is deprecated, please remove any usage of this option.";
            problems.push(Problem::warning("stripPrefix.forceSlash", message));
        }
        let prefixes = config.prefixes.iter().filter_map(|prefix| {
            let text = prefix.trim();
            // No path that came by HTTP holds what no field may hold, but an escaped one can.
            let header = HeaderValue::parse(text.replace(|c: char| c.is_ascii_control(), " "));
            Some(Prefix { text: text.as_bytes().into(), header: header.ok()? })
        });
        Self { prefixes: prefixes.collect(), force_slash: config.force_slash.unwrap_or_default() }
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        for prefix in &self.prefixes {
            match request.target.strip_prefix(&prefix.text, self.force_slash) {
                Stripped::NoMatch => {}
                Stripped::Done => {
                    request.headers.append(Known::XForwardedPrefix, &prefix.header);
                    break;
                }
                Stripped::Ambiguous => {
                    context.reason = Some("stripPrefix: the rest of the path is ambiguous");
                    return Flow::Respond(Answer::error(Status::BAD_REQUEST, "Bad Request"));
                }
            }
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests;
