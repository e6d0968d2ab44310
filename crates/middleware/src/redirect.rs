//! What `redirectRegex` and `redirectScheme` share: the answer, and the form of its `Location`.

mod url;

use portway_http::{Answer, Known, Method, Request, Status};

use crate::{Context, Flow};

/// Redirects to `location`, or answers 500 if it is no URL.
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
    let query = request.target.query();
    if let Some(query) = query.split(|&byte| byte == b'#').next()
        && query.len() < request.target.query().len()
    {
        let query = query.to_vec();
        request.target.set_query(&query);
    }
    Flow::Continue
}

fn broken(context: &mut Context<'_>) -> Flow {
    context.reason = Some("the location of a redirection is no URL");
    Flow::Respond(Answer::proxy_error(Status::INTERNAL_SERVER_ERROR))
}
