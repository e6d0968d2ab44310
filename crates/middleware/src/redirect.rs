//! What `redirectRegex` and `redirectScheme` share: the answer, and the form of its `Location`.

pub(crate) mod url;

use portway_http::{Answer, Known, Method, Request, Status};

use crate::{Context, Flow};

/// Redirects to `location`, or answers 502 if it is no URL, as Traefik does.
///
/// GET gets 302 or 301, every other method the status that keeps it: 307 or 308.
pub(crate) fn redirect(
    location: &[u8],
    method: &Method,
    permanent: bool,
    context: &mut Context<'_>,
) -> Flow {
    let Some(location) = url::normalize(location) else { return broken(context) };
    let status = match (permanent, method) {
        (false, Method::Get) => Status::FOUND,
        (false, _) => Status::TEMPORARY_REDIRECT,
        (true, Method::Get) => Status::MOVED_PERMANENTLY,
        (true, _) => Status::PERMANENT_REDIRECT,
    };
    let mut answer = Answer::proxy_error(status);
    answer.headers.append(Known::Location, location);
    context.reason = Some("redirected");
    Flow::Respond(answer)
}

/// What becomes of a request whose URL is already the one to redirect to: it passes, unless
/// nobody can make sense of that URL.
///
/// A `#` in the query begins a fragment once the URL has been parsed, and is not sent on.
pub(crate) fn unchanged(location: &[u8], request: &mut Request, context: &mut Context<'_>) -> Flow {
    if url::normalize(location).is_none() {
        return broken(context);
    }
    request.target.resume_client_uri();
    if request.target.query().contains(&b'#') {
        let mut uri = Vec::new();
        request.target.write_request_uri(&mut uri);
        let sent = uri.split(|&byte| byte == b'#').next().unwrap_or_default();
        // What has been written can be read, and a part of a query is one.
        let read = request.target.set_path_and_query(sent);
        debug_assert!(read.is_ok());
    }
    Flow::Continue
}

fn broken(context: &mut Context<'_>) -> Flow {
    context.reason = Some("the location of a redirection is no URL");
    Flow::Respond(Answer::proxy_error(Status::BAD_GATEWAY))
}
