//! Answers every request in the same way.
//!
//! Portway's own: `maintenance`. Requests of clients in `sourceRange` pass.

use portway_http::{Answer, HeaderName, HeaderValue, Known, Request, StaticName, Status};
use portway_model::{Problem, dynamic};

use crate::client::{Addresses, Strategy};
use crate::{Context, Flow};

/// A compiled `maintenance`.
#[derive(Debug)]
pub struct Maintenance {
    answer: Answer,
    passing: Addresses,
    strategy: Strategy,
}

impl Maintenance {
    /// Compiles the user's settings; a status that announces another response is refused, and so are fields that no
    /// response can have or that frame it, and a body where the status allows none.
    pub fn compile(config: &dynamic::Maintenance, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut refused = |field: String, message: String| {
            problems.push(Problem::error(format!("maintenance.{field}"), message));
        };
        let passing = Addresses::compile(&config.source_range);
        let passing = passing.map_err(|reason| refused("sourceRange".to_owned(), reason)).ok();
        let strategy = Strategy::compile(config.ip_strategy.as_ref());
        let strategy = strategy.map_err(|reason| refused("ipStrategy".to_owned(), reason)).ok();
        let answer = answer(config, &mut refused);
        Some(Self { answer: answer?, passing: passing?, strategy: strategy? })
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let address = self.strategy.client(request, context).address();
        if address.is_some_and(|address| self.passing.contain(address)) {
            return Flow::Continue;
        }
        context.reason = Some("maintenance: the router answers nobody else");
        Flow::Respond(self.answer.clone())
    }
}

/// The answer; each thing that no answer can have is told to `refused`.
fn answer(
    config: &dynamic::Maintenance,
    refused: &mut impl FnMut(String, String),
) -> Option<Answer> {
    let mut is_good = true;
    let mut refused = |field: String, message: String| {
        is_good = false;
        refused(field, message);
    };
    let code = if config.status == 0 { 503 } else { config.status };
    let status = u16::try_from(code).ok().and_then(Status::new);
    let status = status.filter(|status| (200..600).contains(&status.code()));
    let status = status.unwrap_or_else(|| {
        refused("status".to_owned(), format!("{code} is not from 200 to 599"));
        Status::SERVICE_UNAVAILABLE
    });
    let body = config.body.clone().unwrap_or_else(|| status.text().to_owned());
    if !status.allows_body() && config.body.as_ref().is_some_and(|body| !body.is_empty()) {
        refused("body".to_owned(), format!("a response with status {code} has none"));
    }
    let mut answer = Answer::empty(status);
    answer.written = config.body.is_some();
    if status.allows_body() {
        answer.body = body.into_bytes().into();
        let written = match config.content_type.as_str() {
            "" => "text/plain; charset=utf-8",
            written => written,
        };
        match HeaderValue::parse(written) {
            Ok(value) => answer.headers.set(Known::ContentType, &value),
            Err(error) => refused("contentType".to_owned(), error.to_string()),
        }
    }
    if config.retry_after.nanoseconds < 0 {
        refused("retryAfter".to_owned(), format!("{} is negative", config.retry_after));
    }
    if let Some(after) = config.retry_after.positive() {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        answer.headers.set(RETRY_AFTER, seconds.to_string());
    }
    for (name, value) in &config.headers {
        let field = || format!("headers.{name}");
        match (HeaderName::parse(name), HeaderValue::parse(value)) {
            (Ok(name), _) if FRAMING.iter().any(|framing| framing.as_str() == name.as_str()) => {
                refused(field(), "how a message is framed is for the proxy to say".to_owned());
            }
            (Ok(name), Ok(value)) => answer.headers.set(&name, &value),
            (Err(error), _) => refused(field(), error.to_string()),
            (_, Err(error)) => refused(field(), error.to_string()),
        }
    }
    is_good.then_some(answer)
}

/// Fields that only the proxy writes.
const FRAMING: [Known; 5] = [
    Known::Connection,
    Known::ContentLength,
    Known::TransferEncoding,
    Known::Trailer,
    Known::Upgrade,
];

const RETRY_AFTER: StaticName = StaticName::new("Retry-After");

#[cfg(test)]
mod tests {
    use portway_model::Period;

    use super::*;
    use crate::testing::{context, get, listed, shown};

    fn ask(config: &dynamic::Maintenance) -> Option<Answer> {
        let filter = Maintenance::compile(config, &mut Vec::new()).unwrap();
        let mut context = context();
        match filter.on_request(&mut get("/", &[]), &mut context) {
            Flow::Continue => None,
            Flow::Respond(answer) => {
                assert!(context.reason.is_some());
                Some(answer)
            }
        }
    }

    #[test]
    fn by_default_the_service_is_unavailable() {
        let answer = ask(&dynamic::Maintenance::default()).unwrap();
        assert_eq!(answer.status, Status::SERVICE_UNAVAILABLE);
        assert_eq!(answer.body.as_ref(), b"Service Unavailable");
        assert_eq!(listed(&answer.headers), ["Content-Type: text/plain; charset=utf-8"]);
    }

    #[test]
    fn the_answer_is_what_is_written() {
        let mut config = dynamic::Maintenance {
            status: 418,
            body: Some("<p>Back soon".to_owned()),
            content_type: "text/html".to_owned(),
            retry_after: Period { nanoseconds: 90_500_000_000 },
            headers: [("X-A".to_owned(), "1".to_owned())].into(),
            ..Default::default()
        };
        let answer = ask(&config).unwrap();
        assert_eq!(answer.status.code(), 418);
        assert_eq!(answer.body.as_ref(), b"<p>Back soon");
        assert_eq!(
            listed(&answer.headers),
            ["Content-Type: text/html", "Retry-After: 91", "X-A: 1"]
        );
        config = dynamic::Maintenance { status: 204, body: None, ..config };
        let answer = ask(&config).unwrap();
        assert_eq!(answer.body.as_ref(), b"");
        assert_eq!(listed(&answer.headers), ["Retry-After: 91", "X-A: 1"]);
        config.headers = [("retry-after".to_owned(), "5".to_owned())].into();
        assert_eq!(listed(&ask(&config).unwrap().headers), ["Retry-After: 5"]);
        config = dynamic::Maintenance { body: Some(String::new()), ..Default::default() };
        assert_eq!(ask(&config).unwrap().body.as_ref(), b"");
    }

    #[test]
    fn those_in_the_range_pass_and_those_who_are_not_known_do_not() {
        let range = |text: &str, depth| dynamic::Maintenance {
            source_range: vec![text.to_owned()],
            ip_strategy: Some(dynamic::IpStrategy { depth, ..Default::default() }),
            ..Default::default()
        };
        assert!(ask(&range("127.0.0.0/8", 0)).is_none());
        assert!(ask(&range("10.0.0.0/8", 0)).is_some());
        assert!(ask(&range("0.0.0.0/0", 1)).is_some());
    }

    #[test]
    fn what_no_answer_can_have_is_refused() {
        let headers = [("Content-Length", "1"), ("X A", "1"), ("X-B", "\n")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let config = dynamic::Maintenance {
            status: 100,
            content_type: "a\nb".to_owned(),
            retry_after: Period::seconds(-1),
            headers,
            source_range: vec!["a".to_owned()],
            ip_strategy: Some(dynamic::IpStrategy { ipv6_subnet: Some(0), ..Default::default() }),
            ..Default::default()
        };
        let mut problems = Vec::new();
        assert!(Maintenance::compile(&config, &mut problems).is_none());
        let empty =
            dynamic::Maintenance { status: 304, body: Some("a".into()), ..Default::default() };
        assert!(Maintenance::compile(&empty, &mut problems).is_none());
        let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "maintenance.sourceRange",
                "maintenance.ipStrategy",
                "maintenance.status",
                "maintenance.contentType",
                "maintenance.retryAfter",
                "maintenance.headers.Content-Length",
                "maintenance.headers.X A",
                "maintenance.headers.X-B",
                "maintenance.body",
            ],
            "{:?}",
            shown(&problems)
        );
    }
}
