//! Errors of our own in the form that the client asks for: HTML, JSON, or plain text as Traefik's.

mod template;

use portway_http::{Answer, HeaderValue, Headers, Known, Request, Status, preferred_type};
use portway_observe::Reason;

pub use self::template::InvalidTemplate;
use self::template::{Filling, Template};

/// What is offered; where the client wants several equally, the first counts.
const OFFERS: [&str; 3] = [PLAIN, "application/json", "text/html"];
const PLAIN: &str = "text/plain";

const HTML: &str = include_str!("error_pages/page.html");
const JSON: &str = "{\"status\":{status},\"error\":\"{text}\",\"reason\":\"{reason}\"}\n";

/// The forms of errors. Portway's own: `errorPages`.
#[derive(Debug)]
pub struct ErrorPages {
    html: Template,
    json: Template,
}

impl ErrorPages {
    /// Compiles templates; without one of the user a built-in one counts.
    ///
    /// # Errors
    /// When a template has a placeholder that does not exist, or that for JSON makes none.
    pub fn compile(html: Option<&str>, json: Option<&str>) -> Result<Self, InvalidTemplate> {
        Ok(Self {
            html: Template::html(html.unwrap_or(HTML))?,
            json: Template::json(json.unwrap_or(JSON))?,
        })
    }

    /// What the client gets in the place of an error of our own; `None` where that has a body that was written for it.
    pub(crate) fn page(
        &self,
        request: &Request,
        answer: &Answer,
        reason: Reason,
    ) -> Option<Answer> {
        if answer.status.code() < 400 || !is_plain(answer) {
            return None;
        }
        let mut page = answer.clone();
        self.fill(&mut page, &request.headers, reason);
        page.headers.append(Known::Vary, "Accept");
        Some(page)
    }

    /// The answer to a head that cannot be read, of which this much has come; `None` where plain text is wanted.
    ///
    /// What it says of `Accept` chooses a form and nothing else, so it does no harm if others would read it in another way.
    pub(crate) fn page_for_head(&self, head: &[u8], status: Status) -> Option<Answer> {
        let mut fields = Headers::new();
        for line in head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_at_checked("accept:".len())
                && name.eq_ignore_ascii_case(b"accept:")
                && let Ok(value) = HeaderValue::parse(value.trim_ascii())
            {
                fields.append(Known::Accept, &value);
            }
        }
        let mut page = Answer::empty(status);
        self.fill(&mut page, &fields, Reason::BadRequest).then_some(page)
    }

    /// Gives an answer the body that a client with these fields wants; says whether that is another than plain text.
    fn fill(&self, answer: &mut Answer, fields: &Headers, reason: Reason) -> bool {
        let (template, kind) = match preferred_type(fields, &OFFERS) {
            Some(1) => (&self.json, "application/json"),
            Some(2) => (&self.html, "text/html; charset=utf-8"),
            // Who takes neither is not left without a word.
            _ => return false,
        };
        answer.headers.set(Known::ContentType, kind);
        let filling = Filling { status: answer.status, reason };
        answer.body = template.fill(&filling).into_bytes().into();
        true
    }
}

/// Whether the body says no more than the status does.
fn is_plain(answer: &Answer) -> bool {
    let is_text = |kind: &[u8]| {
        kind.get(..PLAIN.len()).is_some_and(|start| start.eq_ignore_ascii_case(PLAIN.as_bytes()))
    };
    !answer.written
        && !answer.headers.contains(Known::ContentEncoding)
        && answer.headers.get(Known::ContentType).is_none_or(is_text)
}

#[cfg(test)]
mod tests {
    use portway_http::Method;

    use super::*;

    fn request(accept: &str) -> Request {
        let mut request = Request::new();
        request.method = Method::Get;
        request.headers.append(Known::Accept, accept);
        request
    }

    fn built_in() -> ErrorPages {
        ErrorPages::compile(None, None).unwrap()
    }

    fn text(answer: &Answer) -> String {
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    #[test]
    fn programs_get_json() {
        let answer = Answer::no_available_server();
        let page =
            built_in().page(&request("application/json"), &answer, Reason::NoServer).unwrap();
        assert_eq!(
            text(&page),
            "{\"status\":503,\"error\":\"Service Unavailable\",\"reason\":\"NoServer\"}\n"
        );
        assert_eq!(page.status, answer.status);
        assert_eq!(page.headers.get(Known::ContentType), Some(&b"application/json"[..]));
        assert_eq!(page.headers.get(Known::XContentTypeOptions), Some(&b"nosniff"[..]));
        assert_eq!(page.headers.get(Known::Vary), Some(&b"Accept"[..]));
    }

    #[test]
    fn browsers_get_html() {
        let mut answer = Answer::basic_challenge("staff");
        answer.headers.append(Known::Vary, "Origin");
        let page = built_in().page(&request("text/html, */*;q=0.8"), &answer, Reason::Unauthorized);
        let page = page.unwrap();
        assert!(text(&page).starts_with("<!doctype html>"), "{}", text(&page));
        assert!(text(&page).contains("<title>401 Unauthorized</title>"), "{}", text(&page));
        assert!(!text(&page).contains("{status}"));
        assert!(page.headers.contains(Known::WwwAuthenticate));
        assert_eq!(page.headers.count(Known::Vary), 2);
    }

    #[test]
    fn others_get_what_traefik_gives() {
        for accept in ["*/*", "text/plain, application/json", "image/png", "text/html;q=0"] {
            let answer = Answer::not_found();
            let page = built_in().page(&request(accept), &answer, Reason::NoRouter).unwrap();
            assert_eq!((page.status, &page.body), (answer.status, &answer.body), "{accept}");
        }
    }

    #[test]
    fn what_was_written_for_an_answer_stays() {
        let pages = built_in();
        let asked = request("text/html");
        let page = |answer: &Answer| pages.page(&asked, answer, Reason::Middleware);
        let mut answer = Answer::proxy_error(Status::TOO_MANY_REQUESTS);
        assert!(page(&answer).is_some());
        answer.headers.set(Known::ContentType, "Text/Plain; charset=utf-8");
        assert!(page(&answer).is_some());
        answer.written = true;
        assert!(page(&answer).is_none());
        answer.written = false;
        answer.headers.set(Known::ContentType, "application/grpc-web");
        assert!(page(&answer).is_none());
        answer.headers.remove(Known::ContentType);
        answer.headers.set(Known::ContentEncoding, "gzip");
        assert!(page(&answer).is_none());
        assert!(page(&Answer::redirect(Status::FOUND, "/")).is_none());
    }

    #[test]
    fn a_head_that_cannot_be_read_may_say_what_is_wanted() {
        let pages = built_in();
        let kind = |head: &str| {
            let page = pages.page_for_head(head.as_bytes(), Status::FIELDS_TOO_LARGE)?;
            assert_eq!(page.status, Status::FIELDS_TOO_LARGE);
            page.headers.get_str(Known::ContentType).map(str::to_owned)
        };
        let html = Some("text/html; charset=utf-8".to_owned());
        assert_eq!(kind("GET / HTTP/1.1\r\nAccept: text/html\r\nCookie: a"), html);
        assert_eq!(kind("x\naccept:text/html"), html);
        assert_eq!(kind("x\r\nAccept: image/png\r\nACCEPT: text/html\r\n\r\n"), html);
        for other in ["", "Accept", "x\r\n\r\nAccept: text/html", "x\r\nAccept: text/\0html", "x"] {
            assert_eq!(kind(other), None, "{other:?}");
        }
    }
}
