//! Replaces the request path and tells servers which it was.
//!
//! Traefik: `replacePath`. Differences: a path that cannot be decoded is warned of when the
//! configuration is read; it is answered with 500, as in Traefik.

use portway_http::{Answer, Request, StaticName, Status};
use portway_model::{Problem, dynamic};

use crate::{Context, Flow};

/// A compiled `replacePath`.
#[derive(Debug)]
pub struct ReplacePath {
    path: Box<[u8]>,
}

impl ReplacePath {
    /// Compiles the user's settings; any path will do, the empty one too.
    pub fn compile(config: &dynamic::ReplacePath, problems: &mut Vec<Problem>) -> Self {
        if let Some(escape) = invalid_escape(config.path.as_bytes()) {
            let message = format!("{escape}: every request is answered with 500");
            problems.push(Problem::warning("replacePath.path", message));
        }
        Self { path: config.path.as_bytes().into() }
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        tell(request);
        if !replace(request, &self.path) {
            return refuse(&self.path, context);
        }
        // It is remembered as it was written, for those who put something before it.
        let path = request.target.path().to_vec();
        request.target.set_path(&path, Some(&self.path));
        Flow::Continue
    }
}

/// The path as Go has it: as it came, where it needs to be remembered.
pub(crate) fn path(request: &Request) -> &[u8] {
    request.target.raw_path().unwrap_or(request.target.escaped_path().as_bytes())
}

/// Tells the server the path as it is now, which is about to be replaced.
pub(crate) fn tell(request: &mut Request) {
    let path = request.target.raw_path().unwrap_or(request.target.escaped_path().as_bytes());
    request.headers.append(REPLACED_PATH, path);
}

/// Puts an encoded path into the place of the request's; says whether it could be decoded.
pub(crate) fn replace(request: &mut Request, path: &[u8]) -> bool {
    request.target.set_escaped_path(path).is_ok()
}

/// The answer where a path cannot be decoded.
pub(crate) fn refuse(path: &[u8], context: &mut Context<'_>) -> Flow {
    context.reason = Some("the path that replaces another cannot be decoded");
    let text = invalid_escape(path).unwrap_or_default();
    Flow::Respond(Answer::error(Status::INTERNAL_SERVER_ERROR, &text))
}

/// Where servers see the path as it was.
const REPLACED_PATH: StaticName = StaticName::new("X-Replaced-Path");

/// What Go says of the first `%` that two hexadecimal digits do not follow.
fn invalid_escape(path: &[u8]) -> Option<String> {
    let is_escape = |rest: &[u8]| matches!(rest, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    let mut rest = path;
    loop {
        let start = rest.iter().position(|&byte| byte == b'%')?;
        rest = rest.get(start..)?;
        if !is_escape(rest) {
            let shown = rest.get(..3).unwrap_or(rest);
            return Some(format!("invalid URL escape {}", quoted(shown)));
        }
        rest = rest.get(3..)?;
    }
}

/// Go's `strconv.Quote`.
fn quoted(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => out.extend(['\\', character]),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                control if control.is_control() => {
                    out.push_str(&format!("\\x{:02x}", u32::from(control)));
                }
                other => out.push(other),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, get, listed, shown};

    /// The URI that goes on and what the server is told; status and body for a refusal.
    #[track_caller]
    fn check(path: &str, uri: &str, expected: &str) {
        let config = dynamic::ReplacePath { path: path.to_owned() };
        let filter = ReplacePath::compile(&config, &mut Vec::new());
        let mut request = get(uri, &[]);
        let outcome = match filter.on_request(&mut request, &mut context()) {
            Flow::Continue => {
                let fields = listed(&request.headers).join(", ");
                format!("{} {fields}", request.target.request_uri())
            }
            Flow::Respond(answer) => {
                format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
            }
        };
        assert_eq!(outcome, expected, "{path} for {uri}");
    }

    #[test]
    fn the_path_is_replaced_and_told() {
        check("/new", "/a/b", "/new X-Replaced-Path: /a/b");
        check("/new", "/a%2fb?x=1", "/new?x=1 X-Replaced-Path: /a%2Fb");
        check("/new", "/a/\"q\"", "/new X-Replaced-Path: /a/%22q%22");
        check("/a%2Fb%20c", "/", "/a%2Fb%20c X-Replaced-Path: /");
        check("/a%2Fb c", "/", "/a/b%20c X-Replaced-Path: /");
        check("", "/a?", "/? X-Replaced-Path: /a");
        check("/a?b", "/", "/a%3Fb X-Replaced-Path: /");
        check("/../x", "/", "/../x X-Replaced-Path: /");
    }

    #[test]
    fn a_path_that_cannot_be_decoded_is_an_error() {
        check("/%zz", "/a", "500 invalid URL escape \"%zz\"\n");
        check("/%41%2", "/a", "500 invalid URL escape \"%2\"\n");
        check("/%\"é", "/a", "500 invalid URL escape \"%\\\"\\xc3\"\n");
        let mut problems = Vec::new();
        let config = dynamic::ReplacePath { path: "/%".to_owned() };
        let _ = ReplacePath::compile(&config, &mut problems);
        assert_eq!(
            shown(&problems),
            [
                "Warning replacePath.path: invalid URL escape \"%\": every request is answered with 500"
            ]
        );
    }
}
