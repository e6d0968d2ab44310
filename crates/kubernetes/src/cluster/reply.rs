//! What an API server is asked, and what its answers mean.

use std::time::Duration;

use kube::{
    Client,
    core::{
        Request, Status,
        params::{ListParams, WatchParams},
    },
};
use portway_model::Node;
use serde::Deserialize;

use super::{
    answer::{self, Lines},
    retry::Fault,
    target::Target,
};
use crate::api::{self, Group, Key, Kind, Object};

/// The shortest and the longest watch, in seconds: an API server counts no parts of them, and kube's own limit is a
/// little higher than the latter.
const WATCH_SECONDS: (u32, u32) = (1, 290);

/// A part of a list.
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// The moment that the list is of.
    pub(super) version: String,
    /// What to ask the next part with; empty at the end.
    pub(super) next: String,
}

/// Something that a watch says.
pub(super) struct Event {
    pub(super) news: News,
    /// The version that the watch has reached.
    pub(super) version: String,
}

/// What has happened.
pub(super) enum News {
    Applied(Box<Object>),
    Deleted(Key),
    /// Nothing up to here.
    Nothing,
}

/// The events of a watch.
pub(super) struct Events {
    lines: Lines,
    kind: Kind,
    group: Group,
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

/// A line of a watch. Kubernetes: `metav1.WatchEvent`.
#[derive(Deserialize)]
struct Line {
    r#type: String,
    object: Node,
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
    let List { metadata, items } = answer::read(&answer::whole(client, request).await?)?;
    if metadata.resource_version.is_empty() {
        // Whoever answers so is no API server, and must not empty what is known.
        return Err(Fault::Unreadable("its answer is no list of objects".to_owned()));
    }
    let (kind, group) = (target.kind(), target.group());
    let items = items.unwrap_or_default().into_iter();
    Ok(Page {
        objects: items.filter_map(|item| api::read_as(kind, group, &item)).collect(),
        version: metadata.resource_version,
        next: metadata.r#continue,
    })
}

/// What happens from `version` on, for as long as `lasting`, in whole seconds from 1 to 290.
pub(super) async fn watch(
    client: &Client,
    target: &Target,
    version: &str,
    lasting: Duration,
) -> Result<Events, Fault> {
    let (shortest, longest) = WATCH_SECONDS;
    let seconds = u32::try_from(lasting.as_secs()).unwrap_or(longest).clamp(shortest, longest);
    let parameters = WatchParams {
        label_selector: selector(target),
        timeout: Some(seconds),
        bookmarks: true,
        ..WatchParams::default()
    };
    let request = Request::new(target.path()).watch(&parameters, version).map_err(unaskable)?;
    let lines = answer::lines(client, request).await?;
    Ok(Events { lines, kind: target.kind(), group: target.group() })
}

impl Events {
    /// The next event; `None` at the end of the watch.
    ///
    /// May be dropped and called again without losing an event.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, Fault> {
        match self.lines.next().await? {
            Some(line) => self.read(answer::read(&line)?).map(Some),
            None => Ok(None),
        }
    }

    fn read(&self, Line { r#type, object: node }: Line) -> Result<Event, Fault> {
        // No API server sends an object without a name: it stands for nothing that has happened.
        let object = || api::read_as(self.kind, self.group, &node);
        let news = match r#type.as_str() {
            "ADDED" | "MODIFIED" => object().map(|object| News::Applied(Box::new(object))),
            "DELETED" => object().map(|object| News::Deleted(object.key)),
            "BOOKMARK" => None,
            "ERROR" => return Err(failure(&node)),
            _ => return Err(Fault::Unreadable("its watch says what is no event".to_owned())),
        };
        Ok(Event { news: news.unwrap_or(News::Nothing), version: version(&node) })
    }
}

/// Whether the API server says of itself that it has all its resources (`/readyz`).
pub(super) async fn is_ready(client: &Client) -> Result<bool, Fault> {
    let request = http::Request::get("/readyz").body(Vec::new());
    let request = request.map_err(|error| Fault::Unreadable(error.to_string()))?;
    match answer::whole(client, request).await {
        Ok(_) => Ok(true),
        Err(Fault::Refused(500.., _)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

fn selector(target: &Target) -> Option<String> {
    Some(target.selector().to_owned()).filter(|selector| !selector.is_empty())
}

fn unaskable(error: kube::core::request::Error) -> Fault {
    Fault::Unreadable(error.to_string())
}

fn failure(node: &Node) -> Fault {
    match serde_json::from_value::<Status>(node.to_json()) {
        Ok(status) => Fault::of_status(&status),
        Err(_) => {
            Fault::Unreadable("its watch ends with an error that it does not name".to_owned())
        }
    }
}

fn version(node: &Node) -> String {
    let version = node.get("metadata").and_then(|metadata| metadata.get("resourceVersion"));
    version.and_then(Node::as_text).unwrap_or_default().to_owned()
}
