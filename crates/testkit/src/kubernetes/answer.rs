//! From a request to its answer: who asks, for what, and which fault comes between.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::discovery;
use super::failure::Failure;
use super::kind::{Kind, split_api_version};
use super::list::{Twist, list, version_of};
use super::path::{Place, Target};
use super::query::Query;
use super::schedule::{Fault, Site};
use super::seen::Seen;
use super::state::State;
use super::store::Key;
use super::watch::{Step, Watch};

/// A request that arrived whole.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) accept: String,
    pub(super) authorization: String,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
    pub(super) when: Instant,
}

/// What is sent back.
#[derive(Debug)]
pub(super) enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    Refused(Failure),
    Watch(Box<Watch>, Step),
    /// The connection is reset.
    Reset,
}

/// An answer and how faults spoil it.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) answer: Answer,
    /// Waits so long first.
    pub(super) wait: Duration,
    /// Ends in the middle; true when the connection breaks there.
    pub(super) truncated: Option<bool>,
    fault: Option<&'static str>,
}

impl State {
    /// Answers a request and records it.
    pub(super) fn answer(&mut self, asked: Asked) -> Reply {
        self.plan.begin(asked.when, self.store.revision());
        let query = Query::parse(&asked.query);
        let body = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
        let reply = self.decide(&asked, &query, &body);
        let status = match &reply.answer {
            Answer::Json(status, _) | Answer::Text(status, _) => *status,
            Answer::Refused(failure) => failure.code,
            Answer::Watch(..) => 200,
            Answer::Reset => 0,
        };
        self.seen.push(Seen {
            method: asked.method,
            path: asked.path,
            query: query.into_pairs(),
            body,
            status,
            when: asked.when,
            fault: reply.fault,
        });
        reply
    }

    fn decide(&mut self, asked: &Asked, query: &Query, body: &Value) -> Reply {
        let target = Target::parse(&asked.path);
        let resource = self.kind_of(&target).map(|kind| kind.resource());
        let fits = |fault: &Fault| resource.is_some() || !matches!(fault, Fault::Forbidden { .. });
        let Some(fault) = self.plan.take(Site::Request, fits) else {
            return self.serve(asked, &target, query, body);
        };
        self.plan.occurred(fault);
        let reply = match self.strike_request(fault, resource.unwrap_or_default(), asked.when) {
            Some(answer) => Reply::of(answer),
            None => self.serve(asked, &target, query, body),
        };
        Reply { fault: Some(fault.name()), ..reply }
    }

    /// What a fault answers at once; `None` when it only changes what the client may do.
    fn strike_request(&mut self, fault: Fault, resource: String, now: Instant) -> Option<Answer> {
        let failure = match fault {
            Fault::TooManyRequests { retry_after } => Failure::too_many_requests(retry_after),
            Fault::InternalError => Failure::internal_error("etcdserver: leader changed"),
            Fault::Unavailable { retry_after } => Failure::unavailable(retry_after),
            Fault::GatewayTimeout => Failure::timeout(),
            Fault::Unauthorized { lasting } => {
                self.access.refuse_tokens_until(now + lasting);
                return None;
            }
            Fault::Forbidden { lasting } => {
                self.access.forbid_until(resource, now + lasting);
                return None;
            }
            _ => return Some(Answer::Reset),
        };
        Some(Answer::Refused(failure))
    }

    fn serve(&mut self, asked: &Asked, target: &Target, query: &Query, body: &Value) -> Reply {
        let allowed = self
            .access
            .authenticate(&asked.authorization, asked.when)
            .and_then(|()| discovery::negotiate(&asked.accept));
        if let Err(failure) = allowed {
            return Reply::of(Answer::Refused(failure));
        }
        let found = match target {
            Target::Objects(place) => return self.objects(asked, place, query, body),
            Target::Health if asked.method == "GET" => return Reply::of(Answer::Text(200, "ok")),
            _ if asked.method != "GET" => {
                return Reply::of(Answer::Refused(Failure::method_not_allowed()));
            }
            Target::Version => Some(discovery::version()),
            Target::CoreVersions => Some(discovery::core_versions()),
            Target::Groups => Some(discovery::groups(&self.kinds)),
            Target::Group(name) => discovery::group(&self.kinds, name),
            Target::Kinds(api_version) => discovery::kinds(&self.kinds, api_version),
            Target::Health | Target::Unknown => None,
        };
        match (found, target) {
            (Some(value), _) => Reply::of(Answer::Json(200, value)),
            (None, Target::Kinds(api_version)) => self.unknown(api_version),
            (None, _) => Reply::of(UNKNOWN),
        }
    }

    fn objects(&mut self, asked: &Asked, place: &Place, query: &Query, body: &Value) -> Reply {
        let Some(kind) = self.kinds.by_plural(&place.api_version, &place.plural).cloned() else {
            return self.unknown(&place.api_version);
        };
        let known_part = place.part.is_empty() || (place.part == "status" && kind.status);
        let known_scope = if place.name.is_empty() {
            kind.namespaced || place.namespace.is_empty()
        } else {
            kind.namespaced != place.namespace.is_empty()
        };
        if !known_part || !known_scope {
            return self.unknown(&place.api_version);
        }
        let collection = place.name.is_empty();
        let watch = query.flag("watch");
        let verb = match (asked.method.as_str(), collection) {
            ("GET", _) if watch => "watch",
            ("GET", true) => "list",
            ("GET", false) => "get",
            ("POST", true) => "create",
            ("PUT", false) => "update",
            ("PATCH", false) => "patch",
            ("DELETE", false) => "delete",
            _ => return Reply::of(Answer::Refused(Failure::method_not_allowed())),
        };
        if let Err(failure) = self.access.authorize(&kind, verb, place, asked.when) {
            return Reply::of(Answer::Refused(failure));
        }
        match verb {
            "watch" => self.open_watch(&kind, place, query, asked.when),
            "list" => self.list(&kind, place, query),
            "get" => Reply::of(self.get(&kind, place, query).unwrap_or_else(Answer::Refused)),
            _ => Reply::of(match self.write(&kind, verb, place, query, asked, body) {
                Ok((status, object)) => Answer::Json(status, object),
                Err(failure) => Answer::Refused(failure),
            }),
        }
    }

    fn open_watch(&mut self, kind: &Kind, place: &Place, query: &Query, now: Instant) -> Reply {
        let from_a_revision = !["", "0"].contains(&query.text("resourceVersion"));
        if from_a_revision
            && query.text("sendInitialEvents").is_empty()
            && let Some(fault) = self.plan.take(Site::WatchStart, |_| true)
        {
            self.plan.occurred(fault);
            let failure = Failure::expired(format!(
                "too old resource version: {} ({})",
                query.text("resourceVersion"),
                self.store.revision()
            ));
            let answer = if fault == (Fault::WatchRefused { by_status: true }) {
                Answer::Refused(failure)
            } else {
                match Watch::open(self, kind, place, query, now) {
                    Ok((watch, _)) => Answer::Watch(Box::new(watch), Step::failed(&failure)),
                    Err(failure) => Answer::Refused(failure),
                }
            };
            return Reply { fault: Some(fault.name()), ..Reply::of(answer) };
        }
        Reply::of(match Watch::open(self, kind, place, query, now) {
            Ok((watch, step)) => Answer::Watch(Box::new(watch), step),
            Err(failure) => Answer::Refused(failure),
        })
    }

    fn list(&mut self, kind: &Kind, place: &Place, query: &Query) -> Reply {
        let first_page = query.text("continue").is_empty();
        let in_pages = !matches!(query.text("limit"), "" | "0");
        let expire_token = first_page && in_pages && self.plan.wants_expired_token();
        let mut twist = Twist { expire_token, ..Twist::default() };
        let answer = list(self, kind, place, query, twist);
        let mut value = match answer {
            Ok(value) => value,
            Err(failure) => return Reply::of(Answer::Refused(failure)),
        };
        let items = value["items"].as_array().map_or(0, Vec::len);
        let fits = |fault: &Fault| match fault {
            Fault::ContinueExpired => false,
            Fault::ListShuffled { .. } => items > 1,
            _ => true,
        };
        let Some(fault) = self.plan.take(Site::List, fits) else {
            return Reply::of(Answer::Json(200, value));
        };
        self.plan.occurred(fault);
        let (mut wait, mut truncated) = (Duration::ZERO, None);
        match fault {
            Fault::ListSlow { by } => wait = by,
            Fault::ListTruncated { abrupt } => truncated = Some(abrupt),
            Fault::ListShuffled { seed } => {
                twist.shuffle = Some(seed);
                value = list(self, kind, place, query, twist).unwrap_or(value);
            }
            _ => {}
        }
        Reply { wait, truncated, fault: Some(fault.name()), answer: Answer::Json(200, value) }
    }

    fn get(&self, kind: &Kind, place: &Place, query: &Query) -> Result<Answer, Failure> {
        let current = self.store.revision();
        if let Some(version) = version_of(query)?.filter(|version| *version > current) {
            return Err(Failure::version_too_large(version, current));
        }
        let key = Key::new(kind.resource(), &place.namespace, &place.name);
        let object = self.store.get(&key).ok_or_else(|| Failure::not_found(kind, &place.name))?;
        Ok(Answer::Json(200, Value::clone(object)))
    }

    /// What the handlers of a built-in group do not know is answered with a `Status`; what no
    /// handler knows is not, and clients make their own.
    fn unknown(&self, api_version: &str) -> Reply {
        let group = split_api_version(api_version).0;
        let built_in = self.kinds.all().any(|kind| kind.group == group && !kind.custom);
        Reply::of(if built_in { Answer::Refused(Failure::unknown_resource()) } else { UNKNOWN })
    }

    fn write(
        &mut self,
        kind: &Kind,
        verb: &str,
        place: &Place,
        query: &Query,
        asked: &Asked,
        body: &Value,
    ) -> Result<(u16, Value), Failure> {
        let media_type = asked.content_type.split(';').next().unwrap_or_default().trim();
        if verb == "patch" && !PATCHES.split(", ").any(|patch| patch == media_type) {
            return Err(Failure::unsupported_media_type(PATCHES));
        }
        if verb != "delete" && !body.is_object() {
            return Err(Failure::bad_request("the body of the request is not a JSON object"));
        }
        match (verb, media_type) {
            ("create", _) => self.create(kind, place, query, body.clone()),
            ("update", _) => self.replace(kind, place, query, body.clone()),
            ("patch", "application/merge-patch+json") => self.merge_patch(kind, place, query, body),
            ("patch", _) => self.server_side_apply(kind, place, query, body.clone()),
            _ => self.delete(kind, place, query, body),
        }
    }

    fn kind_of(&self, target: &Target) -> Option<&Kind> {
        match target {
            Target::Objects(place) => self.kinds.by_plural(&place.api_version, &place.plural),
            _ => None,
        }
    }
}

impl Reply {
    fn of(answer: Answer) -> Self {
        Self { answer, wait: Duration::ZERO, truncated: None, fault: None }
    }
}

/// The answer of a server that has no handler for the path.
const UNKNOWN: Answer = Answer::Text(404, "404 page not found\n");

/// The patches that this server takes.
const PATCHES: &str = "application/merge-patch+json, application/apply-patch+yaml";
