//! Limits the requests of one source that are served at once.
//!
//! Traefik: `inFlightReq`. Differences: none.

use std::sync::Arc;

use portway_http::{Answer, Request, Status};
use portway_model::{Problem, dynamic};

use crate::source::{Criterion, Instances, Name, Sources};
use crate::{Context, Flow};

/// A compiled `inFlightReq`.
#[derive(Clone, Debug)]
pub struct InFlightReq {
    settings: Arc<Settings>,
    counts: Arc<Counts>,
}

#[derive(Debug)]
struct Settings {
    amount: i64,
    criterion: Criterion,
    refusal: Answer,
    instances: Instances<Counts>,
}

/// How many requests of each source are being served.
type Counts = Sources<i64>;

/// A request that is being served: it counts as long as this is held.
#[derive(Debug)]
pub struct Permit {
    counts: Arc<Counts>,
    name: Name,
}

impl InFlightReq {
    /// Compiles the user's settings; two criteria are refused, and none mean the host.
    pub fn compile(config: &dynamic::InFlightReq, problems: &mut Vec<Problem>) -> Option<Self> {
        let refused = |reason| {
            let message = format!("error creating requests limiter: {reason}");
            problems.push(Problem::error("", message));
        };
        let criterion = Criterion::compile(config.source_criterion.as_ref());
        let criterion = criterion.map_err(refused).ok()?.unwrap_or(Criterion::Host);
        let mut refusal = Answer::empty(Status::TOO_MANY_REQUESTS);
        let text = format!("max connections reached: {}", config.amount);
        refusal.body = text.into_bytes().into();
        let instances = Instances::default();
        let settings = Settings { amount: config.amount, criterion, refusal, instances };
        Some(Self { settings: Arc::new(settings), counts: Arc::default() })
    }

    /// The same with the counts of a router.
    pub(crate) fn of_router(&self, router: &str, number: usize) -> Self {
        let counts = self.settings.instances.of_router(router, number);
        Self { settings: Arc::clone(&self.settings), counts }
    }

    pub(crate) fn on_request(&self, request: &mut Request, context: &mut Context<'_>) -> Flow {
        let name = self.settings.criterion.name(request, context);
        let mut part = self.counts.part(&name);
        let count = part.get(&name).copied().unwrap_or(0);
        if count >= self.settings.amount {
            drop(part);
            context.reason = Some("inFlightReq: too many requests at once");
            return Flow::Respond(self.settings.refusal.clone());
        }
        part.insert(name, count + 1);
        drop(part);
        context.permits.push(Permit { counts: Arc::clone(&self.counts), name });
        Flow::Continue
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut part = self.counts.part(&self.name);
        let count = part.get(&self.name).copied().unwrap_or(0);
        if count > 1 {
            part.insert(self.name, count - 1);
        } else {
            part.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, request, shown};

    fn compiled(amount: i64) -> InFlightReq {
        let config = dynamic::InFlightReq { amount, source_criterion: None };
        InFlightReq::compile(&config, &mut Vec::new()).unwrap()
    }

    /// What becomes of a request of this host; it is served until the permits are dropped.
    fn ask(filter: &InFlightReq, host: &str) -> Result<Vec<Permit>, Answer> {
        let mut context = context();
        match filter.on_request(&mut request("GET", "/", host, &[]), &mut context) {
            Flow::Continue => Ok(context.permits),
            Flow::Respond(answer) => Err(answer),
        }
    }

    #[test]
    fn as_many_as_allowed_are_served_at_once() {
        let filter = compiled(2);
        let first = ask(&filter, "a.test").unwrap();
        let second = ask(&filter, "a.test").unwrap();
        let refusal = ask(&filter, "a.test").unwrap_err();
        assert_eq!(refusal.status, Status::TOO_MANY_REQUESTS);
        assert_eq!(refusal.body.as_ref(), b"max connections reached: 2");
        assert!(refusal.headers.is_empty());
        assert!(ask(&filter, "b.test").is_ok(), "others are counted apart");
        drop(first);
        let third = ask(&filter, "a.test").unwrap();
        assert!(ask(&filter, "a.test").is_err());
        drop((second, third));
        assert!(ask(&filter, "a.test").is_ok());
    }

    #[test]
    fn nobody_is_remembered_who_is_not_served() {
        let filter = compiled(1);
        let permit = ask(&filter, "a.test").unwrap();
        let name = permit[0].name;
        assert_eq!(filter.counts.part(&name).len(), 1);
        drop(permit);
        assert!(filter.counts.part(&name).is_empty());
    }

    #[test]
    fn an_amount_of_nothing_refuses_all() {
        assert!(ask(&compiled(0), "a.test").is_err());
        assert!(ask(&compiled(-1), "a.test").is_err());
    }

    #[test]
    fn routers_count_apart_and_go_on_where_they_were() {
        let filter = compiled(1);
        let (one, other) = (filter.of_router("a@file", 0), filter.of_router("b@file", 0));
        let permit = ask(&one, "a.test").unwrap();
        assert!(ask(&other, "a.test").is_ok());
        assert!(ask(&filter.of_router("a@file", 0), "a.test").is_err());
        assert!(ask(&filter.of_router("a@file", 1), "a.test").is_ok());
        drop(permit);
    }

    #[test]
    fn two_criteria_are_refused() {
        let criterion = dynamic::SourceCriterion {
            request_header_name: "a".to_owned(),
            request_host: true,
            ..Default::default()
        };
        let config = dynamic::InFlightReq { amount: 1, source_criterion: Some(criterion) };
        let mut problems = Vec::new();
        assert!(InFlightReq::compile(&config, &mut problems).is_none());
        assert_eq!(
            shown(&problems),
            ["Error error creating requests limiter: requestHost and RequestHeaderName are \
              mutually exclusive"]
        );
    }
}
