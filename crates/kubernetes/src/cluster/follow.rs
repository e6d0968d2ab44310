//! One resource in one namespace, or in all: listed, then watched, for ever.
//!
//! ```text
//! list ──► watch ──► watch …            a watch ends after a while by itself and goes on where it ended
//!  ▲         │ connection lost, refused, silent: probe ──► watch
//!  └─────────┴ too old, from the future, or nothing known any more
//! ```

use std::{fmt, sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use kube::Client;
use tokio::{sync::mpsc, time::Instant};

use super::{
    reply::{self, Event, Page},
    resources::{Need, Resource},
    retry::{Fault, Retry},
};
use crate::api::{Group, Key, Kind, Object};

/// Objects of a page of a list. Kubernetes' own clients ask for as many.
const PAGE: u32 = 500;

/// How often a list may begin anew because its pages have expired before it is asked for in one piece.
const PAGED_TRIES: u32 = 2;

/// How long an API server may take to answer what is no watch, or to begin with a watch.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long a watch lasts before it is asked for anew. An API server that keeps a watch open and says nothing is
    /// found out after that time and the slack.
    pub watch: Duration,
    /// How much later than that a watch may end.
    pub slack: Duration,
    /// The shortest wait after a failure; it doubles with each to [`Pace::longest_wait`].
    pub shortest_wait: Duration,
    /// The longest wait after a failure.
    pub longest_wait: Duration,
    /// How long after it was not there a resource is asked for again.
    pub absence: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            watch: Duration::from_secs(45),
            slack: Duration::from_secs(5),
            shortest_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(10),
            absence: Duration::from_secs(5),
        }
    }
}

/// A resource in one namespace, or in all.
#[derive(Debug)]
pub(super) struct Target {
    resource: Resource,
    namespace: Option<String>,
    path: String,
}

impl Target {
    pub(super) fn new(resource: Resource, namespace: Option<String>) -> Self {
        let base = match resource.group {
            Group::Kubernetes => resource.kind.kubernetes_path(),
            Group::TraefikIo => "/apis/traefik.io/v1alpha1",
            Group::TraefikContainous => "/apis/traefik.containo.us/v1alpha1",
        };
        let plural = resource.kind.plural();
        let path = match &namespace {
            Some(namespace) => format!("{base}/namespaces/{namespace}/{plural}"),
            None => format!("{base}/{plural}"),
        };
        Self { resource, namespace, path }
    }

    pub(super) fn kind(&self) -> Kind {
        self.resource.kind
    }

    pub(super) fn group(&self) -> Group {
        self.resource.group
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(super) fn selector(&self) -> &str {
        &self.resource.selector
    }

    /// The path of the list in the API.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn is_required(&self) -> bool {
        self.resource.need == Need::Required
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().plural())?;
        match self.group() {
            Group::Kubernetes => {}
            Group::TraefikIo => f.write_str(".traefik.io")?,
            Group::TraefikContainous => f.write_str(".traefik.containo.us")?,
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => Ok(()),
        }
    }
}

/// What was heard of a target.
#[derive(Debug)]
pub(super) struct Heard {
    /// Its number.
    pub(super) target: usize,
    pub(super) change: Change,
}

/// What became of a target.
#[derive(Debug)]
pub(super) enum Change {
    /// These are all its objects.
    Listed(Vec<Object>),
    /// An object was made or changed.
    Applied(Box<Object>),
    /// An object is gone.
    Deleted(Key),
    /// There is no such resource, or it may not be read and need not be; and why, if somebody should know.
    Absent(Option<String>),
    /// It cannot be followed now, and why; the last good state stays.
    Trouble(String),
    /// It is followed.
    Well,
}

/// The resource version from which a watch goes on.
type Version = String;

/// Nobody listens any more.
struct Deaf;

/// Follows a target until nobody listens.
pub(super) async fn follow(
    client: Client,
    target: Arc<Target>,
    number: usize,
    pace: Pace,
    sender: mpsc::Sender<Heard>,
) {
    let retry = Retry::new(pace);
    // That nobody listens any more ends the task, and means nothing else.
    _ = Follower { client, target, number, pace, sender, retry, well: false }.run().await;
}

struct Follower {
    client: Client,
    target: Arc<Target>,
    number: usize,
    pace: Pace,
    sender: mpsc::Sender<Heard>,
    retry: Retry,
    /// Whether listeners know that all is well.
    well: bool,
}

/// How a watch ended.
enum Ended {
    /// By itself.
    InTime,
    /// Too old to go on, or something else that only a list can mend.
    Outdated,
    /// By a fault.
    By(Fault),
}

impl Follower {
    async fn run(&mut self) -> Result<(), Deaf> {
        loop {
            let mut version = self.list().await?;
            loop {
                match self.watch(&mut version).await? {
                    Ended::InTime => {}
                    Ended::Outdated => break,
                    // A server whose data come from a backup may leave out what was before the version asked for.
                    Ended::By(Fault::Silent) => {
                        self.trouble(&Fault::Silent).await?;
                        break;
                    }
                    Ended::By(fault) => {
                        self.trouble(&fault).await?;
                        if !self.still_is(&version).await {
                            break;
                        }
                    }
                }
            }
        }
    }

    /// Lists until that succeeds, and returns the version from which to watch.
    async fn list(&mut self) -> Result<Version, Deaf> {
        loop {
            match self.pages().await {
                Ok((objects, version)) => {
                    self.say(Change::Listed(objects)).await?;
                    self.well().await?;
                    return Ok(version);
                }
                Err(Fault::NotFound) if self.is_ready().await => {
                    self.say(Change::Absent(None)).await?;
                    self.well = false;
                    tokio::time::sleep(self.pace.absence).await;
                }
                Err(Fault::Forbidden(why)) if !self.target.is_required() => {
                    self.say(Change::Absent(Some(why))).await?;
                    self.well = false;
                    tokio::time::sleep(self.pace.absence).await;
                }
                Err(fault) => self.trouble(&fault).await?,
            }
        }
    }

    /// All objects, of one moment.
    async fn pages(&self) -> Result<(Vec<Object>, Version), Fault> {
        for _ in 0..PAGED_TRIES {
            match self.all(PAGE).await {
                Err(Fault::Outdated) => {}
                other => return other,
            }
        }
        self.all(0).await
    }

    async fn all(&self, limit: u32) -> Result<(Vec<Object>, Version), Fault> {
        let (mut objects, mut from) = (Vec::new(), String::new());
        loop {
            let Page { objects: more, version, next } = self.page(limit, &from).await?;
            objects.extend(more);
            if next.is_empty() {
                return Ok((objects, version));
            }
            from = next;
        }
    }

    async fn page(&self, limit: u32, from: &str) -> Result<Page, Fault> {
        patiently(reply::page(&self.client, &self.target, limit, from)).await
    }

    /// Watches until the watch ends; `version` follows.
    async fn watch(&mut self, version: &mut Version) -> Result<Ended, Deaf> {
        let asked = Instant::now();
        let watch = reply::watch(&self.client, &self.target, version, self.pace.watch);
        let mut events = match patiently(watch).await {
            Ok(events) => events,
            Err(Fault::Outdated) => return Ok(Ended::Outdated),
            Err(fault) => return Ok(Ended::By(fault)),
        };
        let end = asked + self.pace.watch + self.pace.slack;
        loop {
            let event = match tokio::time::timeout_at(end, events.try_next()).await {
                Err(_) => return Ok(Ended::By(Fault::Silent)),
                Ok(Ok(None)) if asked.elapsed() * 2 < self.pace.watch => {
                    return Ok(Ended::By(Fault::CutOff));
                }
                Ok(Ok(None)) => return Ok(Ended::InTime),
                Ok(Err(Fault::Outdated)) => return Ok(Ended::Outdated),
                Ok(Err(fault)) => return Ok(Ended::By(fault)),
                Ok(Ok(Some(event))) => event,
            };
            self.well().await?;
            let (change, reached) = match event {
                Event::Applied(object, reached) => (Some(Change::Applied(object)), reached),
                Event::Deleted(key, reached) => (Some(Change::Deleted(key)), reached),
                Event::Reached(reached) => (None, reached),
            };
            if let Some(change) = change {
                self.say(change).await?;
            }
            if !reached.is_empty() {
                *version = reached;
            }
        }
    }

    /// Whether an API server that was away still knows what it said: one whose data come from a backup has gone back in
    /// time, and would say nothing before it has caught up.
    async fn still_is(&self, version: &str) -> bool {
        let Ok(Page { version: now, .. }) = self.page(1, "").await else { return true };
        let number = |version: &str| version.parse::<u64>().ok();
        number(version).zip(number(&now)).is_some_and(|(then, now)| then <= now)
    }

    /// Whether the API server has all its resources. One that has just started may not know them yet.
    async fn is_ready(&self) -> bool {
        match patiently(reply::is_ready(&self.client)).await {
            Ok(ready) => ready,
            // Not every API server has this, or lets everybody ask.
            Err(Fault::NotFound | Fault::Forbidden(_)) => true,
            Err(_) => false,
        }
    }

    async fn well(&mut self) -> Result<(), Deaf> {
        self.retry.succeeded();
        if !self.well {
            self.say(Change::Well).await?;
            self.well = true;
        }
        Ok(())
    }

    /// Says what is wrong, where that is worth saying, and waits.
    async fn trouble(&mut self, fault: &Fault) -> Result<(), Deaf> {
        if self.retry.is_serious(fault) {
            self.well = false;
            self.say(Change::Trouble(fault.to_string())).await?;
        }
        tokio::time::sleep(self.retry.wait(fault)).await;
        Ok(())
    }

    async fn say(&self, change: Change) -> Result<(), Deaf> {
        let heard = Heard { target: self.number, change };
        self.sender.send(heard).await.map_err(|_| Deaf)
    }
}

/// Waits for an answer, but not for ever.
async fn patiently<T>(answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or(Err(Fault::Silent))
}
