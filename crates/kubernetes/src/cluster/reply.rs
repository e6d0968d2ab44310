//! What an API server is asked, and what it answers.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt};
use kube::{
    Client,
    core::{
        Request, WatchEvent,
        params::{ListParams, WatchParams},
    },
};
use portway_model::Node;
use serde::Deserialize;

use super::{follow::Target, retry::Fault};
use crate::api::{self, Group, Key, Kind, Object};

/// The longest watch that the client asks for, in seconds; its own limit is a little higher.
const LONGEST_WATCH: u32 = 290;

/// A part of a list.
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// The moment that the list is of.
    pub(super) version: String,
    /// What to ask the next part with; empty at the end.
    pub(super) next: String,
}

/// Something that a watch says, with the version that it has reached.
pub(super) enum Event {
    Applied(Box<Object>, String),
    Deleted(Key, String),
    /// Nothing has happened up to here.
    Reached(String),
}

#[derive(Deserialize)]
struct List {
    metadata: ListMeta,
    /// Go writes an empty list as `null`.
    items: Option<Vec<Node>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListMeta {
    resource_version: String,
    r#continue: String,
}

/// At most `limit` objects from where `from` says; no limit is 0.
pub(super) async fn page(
    client: &Client,
    target: &Target,
    limit: u32,
    from: &str,
) -> Result<Page, Fault> {
    let parameters = ListParams {
        label_selector: selector(target),
        limit: (limit > 0).then_some(limit),
        continue_token: (!from.is_empty()).then(|| from.to_owned()),
        ..ListParams::default()
    };
    let request = Request::new(target.path()).list(&parameters).map_err(unaskable)?;
    let list: List = client.request(request).await?;
    let items = list.items.unwrap_or_default();
    Ok(Page {
        objects: items
            .iter()
            .filter_map(|item| object(target.kind(), target.group(), item))
            .collect(),
        version: list.metadata.resource_version,
        next: list.metadata.r#continue,
    })
}

/// The events of a watch.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<Event, Fault>> + Send>>;

/// What happens from `version` on, for as long as `lasting`, which is less than five minutes.
pub(super) async fn watch(
    client: &Client,
    target: &Target,
    version: &str,
    lasting: Duration,
) -> Result<Events, Fault> {
    let parameters = WatchParams {
        label_selector: selector(target),
        timeout: Some(u32::try_from(lasting.as_secs()).unwrap_or(u32::MAX).clamp(1, LONGEST_WATCH)),
        bookmarks: true,
        ..WatchParams::default()
    };
    let request = Request::new(target.path()).watch(&parameters, version).map_err(unaskable)?;
    let events = client.request_events::<Node>(request).await?;
    let (kind, group) = (target.kind(), target.group());
    let event = move |event: Result<_, kube::Error>| read(kind, group, event?);
    Ok(Box::pin(events.map(event)))
}

/// Whether the API server says of itself that it has all its resources (`/readyz`).
pub(super) async fn is_ready(client: &Client) -> Result<bool, Fault> {
    let request = http::Request::get("/readyz").body(Vec::new());
    let request = request.map_err(|error| Fault::Broken(error.to_string()))?;
    match client.request_text(request).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code >= 500 => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn selector(target: &Target) -> Option<String> {
    Some(target.selector().to_owned()).filter(|selector| !selector.is_empty())
}

fn unaskable(error: kube::core::request::Error) -> Fault {
    Fault::Broken(error.to_string())
}

fn read(kind: Kind, group: Group, event: WatchEvent<Node>) -> Result<Event, Fault> {
    match event {
        WatchEvent::Added(node) | WatchEvent::Modified(node) => {
            let reached = version(&node);
            Ok(match object(kind, group, &node) {
                Some(object) => Event::Applied(Box::new(object), reached),
                None => Event::Reached(reached),
            })
        }
        WatchEvent::Deleted(node) => {
            let reached = version(&node);
            Ok(match object(kind, group, &node) {
                Some(object) => Event::Deleted(object.key, reached),
                None => Event::Reached(reached),
            })
        }
        WatchEvent::Bookmark(bookmark) => Ok(Event::Reached(bookmark.metadata.resource_version)),
        WatchEvent::Error(status) => Err(Fault::of_status(&status)),
    }
}

/// The object; `None` for what has no name, which no API server sends.
fn object(kind: Kind, group: Group, node: &Node) -> Option<Object> {
    api::read_as(kind, group, node)
}

fn version(node: &Node) -> String {
    let version = node.get("metadata").and_then(|metadata| metadata.get("resourceVersion"));
    version.and_then(Node::as_text).unwrap_or_default().to_owned()
}
