//! Watches: from where they start, what they say of a change, and how they end.

use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::failure::Failure;
use super::kind::Kind;
use super::list::{in_namespace, version_of};
use super::object::set_metadata;
use super::path::Place;
use super::query::Query;
use super::schedule::Fault;
use super::selector::Selector;
use super::state::State;
use super::store::Change;

/// An open watch, as others can reach it.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) resource: String,
    /// What it must do next, and when it must at the latest.
    pub(super) command: Option<(Command, Instant)>,
}

/// What an open watch is told to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Command {
    /// End as after its time; what has not been said yet is left to the next watch.
    End,
    /// End after saying everything.
    Finish,
    /// Say that its revision is too old, and end.
    Expire,
    /// Suffer a fault, at its next event or when the time comes.
    Suffer(Fault),
}

/// How a watch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The response ends as it should.
    Clean,
    /// The connection breaks.
    Abrupt,
    /// The connection stays open and silent until the client leaves.
    Hang,
}

/// What a watch does next.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Waits so long first.
    pub(super) wait: Duration,
    pub(super) lines: Vec<Bytes>,
    pub(super) end: Option<End>,
}

/// One client's watch.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) number: u64,
    kind: Kind,
    place: Place,
    selector: Selector,
    /// The revision up to which the client knows everything.
    position: u64,
    /// True when the client takes bookmarks.
    pub(super) bookmarks: bool,
    /// When it ends by itself.
    pub(super) deadline: Option<Instant>,
}

impl Watch {
    /// Opens a watch; what it says at once comes with it.
    pub(super) fn open(
        state: &mut State,
        kind: &Kind,
        place: &Place,
        query: &Query,
        now: Instant,
    ) -> Result<(Self, Step), Failure> {
        validate(query)?;
        let selector =
            Selector::parse(kind, query.text("labelSelector"), query.text("fieldSelector"))?;
        let asked = version_of(query)?;
        let current = state.store.revision();
        let initial_end = query.flag("sendInitialEvents");
        let initial =
            initial_end || (asked.unwrap_or(0) == 0 && query.text("sendInitialEvents").is_empty());
        let deadline = query.number("timeoutSeconds")?.filter(|seconds| *seconds > 0);
        let mut watch = Self {
            number: state.enter_watch(kind.resource()),
            kind: kind.clone(),
            place: place.clone(),
            selector,
            position: asked.filter(|version| *version > 0 && !initial).unwrap_or(current),
            bookmarks: query.flag("allowWatchBookmarks"),
            deadline: deadline.map(|seconds| now + Duration::from_secs(seconds)),
        };
        if asked.is_some_and(|asked| asked > current)
            && (initial_end || state.refuse_future_watches)
        {
            let failure = Failure::version_too_large(asked.unwrap_or(0), current);
            return Ok((watch, Step::failed(&failure)));
        }
        let step =
            if initial { watch.present(state, initial_end) } else { watch.advance(state, now) };
        Ok((watch, step))
    }

    /// Says what happened since the last time, and obeys the command that it has.
    pub(super) fn advance(&mut self, state: &mut State, now: Instant) -> Step {
        let mut lines = match state.store.since(self.position) {
            Ok(changes) => {
                changes.iter().filter_map(|change| self.line(change)).collect::<Vec<_>>()
            }
            Err(compacted) => {
                let oldest = compacted.oldest.saturating_sub(1);
                let message = format!("too old resource version: {} ({oldest})", self.position);
                return Step::failed(&Failure::expired(message));
            }
        };
        // A position that is still to come stays: what happens until then is not said.
        self.position = self.position.max(state.store.revision());
        let command = state.watches.get_mut(&self.number).and_then(|open| {
            let due = open.command.is_some_and(|(_, at)| now >= at || !lines.is_empty());
            if due { open.command.take() } else { None }
        });
        match command {
            None => Step { lines, ..Step::default() },
            Some((Command::Finish, _)) => Step { lines, end: Some(End::Clean), ..Step::default() },
            Some((Command::End, _)) => Step { end: Some(End::Clean), ..Step::default() },
            Some((Command::Expire, _)) => Step::failed(&compacted_on_the_way()),
            Some((Command::Suffer(fault), _)) => {
                let Some(step) = self.suffer(state, fault, &mut lines) else {
                    state.plan.give_back(fault);
                    return Step { lines, ..Step::default() };
                };
                state.plan.occurred(fault);
                Step { lines, ..step }
            }
        }
    }

    /// A bookmark at the revision up to which everything has been said. None while the server is
    /// behind the client: the real server says nothing at all then.
    pub(super) fn bookmark(&self, state: &State) -> Option<Bytes> {
        (self.position <= state.store.revision()).then(|| self.bookmark_at(self.position, false))
    }

    /// Everything there is, as if it had just been added.
    fn present(&mut self, state: &State, initial_end: bool) -> Step {
        let revision = state.store.revision();
        let objects = state.store.at(&self.kind.resource(), revision).unwrap_or_default();
        let mut lines: Vec<_> = objects
            .iter()
            .filter(|(path, object)| self.covers(path) && self.selector.matches(object))
            .map(|(_, object)| line("ADDED", object))
            .collect();
        if initial_end && self.bookmarks {
            lines.push(self.bookmark_at(revision, true));
        }
        Step { lines, ..Step::default() }
    }

    /// Changes what is about to be said as `fault` wants it; `None` when that cannot be.
    fn suffer(&self, state: &State, fault: Fault, lines: &mut Vec<Bytes>) -> Option<Step> {
        let mut step = Step::default();
        match fault {
            Fault::WatchDropped { abrupt, .. } => {
                lines.pop();
                step.end = Some(if abrupt { End::Abrupt } else { End::Clean });
            }
            Fault::WatchHung => {
                lines.clear();
                step.end = Some(End::Hang);
            }
            Fault::WatchTruncated { abrupt } => {
                let whole = lines.pop().unwrap_or_else(|| self.bookmark_at(self.position, false));
                lines.push(whole.slice(..whole.len() / 2));
                step.end = Some(if abrupt { End::Abrupt } else { End::Clean });
            }
            Fault::EventDuplicated => {
                let again = lines.last().cloned().or_else(|| self.last_line(state))?;
                lines.push(again);
            }
            Fault::EventsDelayed { by } => step.wait = by,
            _ => {
                *lines = vec![line("ERROR", &compacted_on_the_way().body())];
                step.end = Some(End::Clean);
            }
        }
        Some(step)
    }

    /// The event that this watch would have said last, had it been open for ever.
    fn last_line(&self, state: &State) -> Option<Bytes> {
        let changes = state.store.since(state.store.oldest()).ok()?;
        changes.iter().rev().find_map(|change| self.line(change))
    }

    /// What a change means to this client: an object that begins to match was added, one that
    /// ceases to match was deleted.
    fn line(&self, change: &Change) -> Option<Bytes> {
        if change.key.resource != self.kind.resource() || !self.covers(&change.key.path) {
            return None;
        }
        let before = change.before.as_ref().filter(|object| self.selector.matches(object));
        let after = change.after.as_ref().filter(|object| self.selector.matches(object));
        match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some(line("ADDED", after)),
            (Some(_), Some(after)) => Some(line("MODIFIED", after)),
            (Some(before), None) => {
                let mut last = Value::clone(before);
                set_metadata(&mut last, "resourceVersion", json!(change.revision.to_string()));
                Some(line("DELETED", &last))
            }
        }
    }

    fn covers(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        in_namespace(&self.kind, path, &self.place.namespace)
            && (self.place.name.is_empty() || self.place.name == name)
    }

    fn bookmark_at(&self, revision: u64, initial_end: bool) -> Bytes {
        let mut metadata = json!({ "resourceVersion": revision.to_string() });
        if initial_end {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let object = json!({
            "kind": self.kind.name,
            "apiVersion": self.kind.api_version(),
            "metadata": metadata,
        });
        line("BOOKMARK", &object)
    }
}

impl Step {
    /// An event of type ERROR, and the end.
    pub(super) fn failed(failure: &Failure) -> Self {
        let lines = vec![line("ERROR", &failure.body())];
        Self { lines, end: Some(End::Clean), ..Self::default() }
    }
}

fn validate(query: &Query) -> Result<(), Failure> {
    let forbidden = |why| Err(Failure::forbidden_option("resourceVersionMatch", why));
    let how = query.text("resourceVersionMatch");
    let initial = !query.text("sendInitialEvents").is_empty();
    if initial && how != "NotOlderThan" {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        return forbidden(why);
    }
    if !initial && !how.is_empty() {
        let why =
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
        return forbidden(why);
    }
    Ok(())
}

fn compacted_on_the_way() -> Failure {
    Failure::expired("The resourceVersion for the provided watch is too old.")
}

fn line(event: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({ "type": event, "object": object })))
}
