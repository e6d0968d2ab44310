//! Lists: whole, in pages, and as they were at an earlier revision.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::random::Random;

use super::failure::Failure;
use super::kind::Kind;
use super::object::set;
use super::path::Place;
use super::query::Query;
use super::selector::Selector;
use super::state::State;

/// What a fault does to a list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Twist {
    /// The page ends early, and the token for the next counts as too old.
    pub(super) expire_token: bool,
    /// The items come in an order of this seed; no client may count on any order.
    pub(super) shuffle: Option<u64>,
}

/// Answers a list of a collection.
pub(super) fn list(
    state: &mut State,
    kind: &Kind,
    place: &Place,
    query: &Query,
    twist: Twist,
) -> Result<Value, Failure> {
    validate(query)?;
    let selector = Selector::parse(kind, query.text("labelSelector"), query.text("fieldSelector"))?;
    let start = Start::choose(state, query)?;
    let objects = state.store.at(&kind.resource(), start.revision).map_err(|_| {
        if start.after.is_empty() {
            Failure::expired("The resourceVersion for the provided list is too old.")
        } else {
            Failure::continue_expired(token(INCONSISTENT, &start.after))
        }
    })?;
    let mut found: Vec<(String, Arc<Value>)> = objects
        .into_iter()
        .filter(|(path, _)| *path > start.after && in_namespace(kind, path, &place.namespace))
        .filter(|(_, object)| selector.matches(object))
        .collect();

    let asked = query.number("limit")?.unwrap_or(0) as usize;
    let limit = if twist.expire_token { asked.min(found.len() / 2).max(1) } else { asked };
    let mut metadata = json!({ "resourceVersion": start.revision.to_string() });
    if limit > 0 && found.len() > limit {
        let rest = found.split_off(limit);
        let next = token(start.revision as i64, &found[limit - 1].0);
        if twist.expire_token {
            state.expired_tokens.insert(next.clone());
        }
        metadata["continue"] = json!(next);
        if selector.is_empty() {
            metadata["remainingItemCount"] = json!(rest.len());
        }
    }
    let mut items: Vec<Value> = found.iter().map(|(_, object)| item(kind, object)).collect();
    if let Some(seed) = twist.shuffle {
        shuffle(&mut items, seed);
    }
    Ok(json!({
        "apiVersion": kind.api_version(),
        "kind": format!("{}List", kind.name),
        "metadata": metadata,
        "items": items,
    }))
}

/// True when the object at `path` is in `namespace`, or `namespace` is all of them.
pub(super) fn in_namespace(kind: &Kind, path: &str, namespace: &str) -> bool {
    namespace.is_empty()
        || !kind.namespaced
        || path.split_once('/').is_some_and(|(its, _)| its == namespace)
}

/// The revision that a client names; `None` when it names none, 0 for any.
pub(super) fn version_of(query: &Query) -> Result<Option<u64>, Failure> {
    let text = query.text("resourceVersion");
    if text.is_empty() {
        return Ok(None);
    }
    let why =
        || Failure::bad_request(format!("Invalid value: \"{text}\": invalid resource version"));
    text.parse().map(Some).map_err(|_| why())
}

/// Where a list starts: after which path, at which revision.
struct Start {
    revision: u64,
    /// `""` at the beginning.
    after: String,
}

impl Start {
    fn choose(state: &mut State, query: &Query) -> Result<Self, Failure> {
        let current = state.store.revision();
        let version = version_of(query)?;
        let sent = query.text("continue");
        if !sent.is_empty() {
            if version.is_some_and(|version| version != 0) {
                return Err(Failure::bad_request(
                    "specifying resource version is not allowed when using continue",
                ));
            }
            let (revision, after) = read_token(sent)?;
            if state.expired_tokens.remove(sent) {
                state.plan.token_expired();
                return Err(Failure::continue_expired(token(INCONSISTENT, &after)));
            }
            let revision = u64::try_from(revision).unwrap_or(current);
            return Self::reached(revision, current).map(|revision| Self { revision, after });
        }
        let exact = match query.text("resourceVersionMatch") {
            "Exact" => true,
            // Lists in pages were exact before the client could say what it wants.
            "" => !matches!(query.text("limit"), "" | "0"),
            _ => false,
        };
        let revision = match version {
            None | Some(0) => current,
            Some(version) => {
                let reached = Self::reached(version, current)?;
                if exact { reached } else { current }
            }
        };
        Ok(Self { revision, after: String::new() })
    }

    fn reached(revision: u64, current: u64) -> Result<u64, Failure> {
        if revision > current {
            return Err(Failure::version_too_large(revision, current));
        }
        Ok(revision)
    }
}

fn validate(query: &Query) -> Result<(), Failure> {
    let forbidden = |field, why| Err(Failure::forbidden_option(field, why));
    let field = "resourceVersionMatch";
    let (version, how) = (query.text("resourceVersion"), query.text(field));
    if !query.text("sendInitialEvents").is_empty() {
        return forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
    }
    if how.is_empty() {
        return Ok(());
    }
    if version.is_empty() {
        let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
        return forbidden(field, why);
    }
    if !query.text("continue").is_empty() {
        let why = "resourceVersionMatch is forbidden when continue is provided";
        return forbidden(field, why);
    }
    if how == "Exact" && version == "0" {
        let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
        return forbidden(field, why);
    }
    if how != "Exact" && how != "NotOlderThan" {
        let why = format!(
            "Unsupported value: \"{how}\": supported values: \"Exact\", \"NotOlderThan\", \"\""
        );
        let cause = "FieldValueNotSupported";
        return Err(Failure::invalid_option("ListOptions", field, cause, &why));
    }
    Ok(())
}

/// An item as lists show it: the real server leaves out the kind of what it knows by itself.
fn item(kind: &Kind, object: &Value) -> Value {
    let mut item = object.clone();
    if !kind.custom {
        set(&mut item, "apiVersion", Value::Null);
        set(&mut item, "kind", Value::Null);
    }
    item
}

fn token(revision: i64, after: &str) -> String {
    let text = json!({ "v": "meta.k8s.io/v1", "rv": revision, "start": format!("{after}\0") });
    URL_SAFE_NO_PAD.encode(text.to_string())
}

fn read_token(token: &str) -> Result<(i64, String), Failure> {
    let refused = || Failure::bad_request("continue key is not valid");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused())?;
    let token: Value = serde_json::from_slice(&bytes).map_err(|_| refused())?;
    let revision = token["rv"].as_i64().ok_or_else(refused)?;
    let start = token["start"].as_str().ok_or_else(refused)?;
    Ok((revision, start.trim_end_matches('\0').to_owned()))
}

fn shuffle(items: &mut [Value], seed: u64) {
    let mut random = Random::new(seed);
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last + 1));
    }
}

/// The revision in a token that continues at the present.
const INCONSISTENT: i64 = -1;
