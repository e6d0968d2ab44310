//! The objects of a cluster, followed as they change.
//!
//! ```text
//! API server ─► follow (list, then watch; one task for each resource and namespace) ─► Cluster ─► Index
//! ```
//!
//! # Invariants
//! - What a task has heard is the state of its resource at some moment, never a mixture: a list replaces
//!   everything at once, and events come in order.
//! - While an API server does not answer, refuses or forgets, the last good state stays.
//! - Nothing is taken to be complete before each resource has been listed to its end.

use std::{collections::BTreeSet, sync::Arc};

pub use kube::Client;
use portway_model::{Diagnostic, Severity};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{Changes, Index, api::Group};

mod answer;
mod connection;
mod follow;
mod lease;
mod reply;
mod resources;
mod retry;
mod target;
mod token;
mod writer;

pub use connection::{InvalidConnection, client, connect};
pub use follow::Pace;
pub use lease::Candidate;
pub use resources::Resources;
pub use writer::{Work, write};

use follow::{Change, Heard};
use target::Target;

/// Changes that may wait for the task that owns the index.
const WAITING: usize = 1024;

/// Changes that are applied before others are looked at again.
const AT_ONCE: usize = 4096;

/// The objects of a cluster and the tasks that follow them, which end with it.
#[derive(Debug)]
pub struct Cluster {
    index: Arc<Index>,
    targets: Vec<State>,
    heard: mpsc::Receiver<Heard>,
    _tasks: JoinSet<()>,
}

/// What is known of a target.
#[derive(Debug)]
struct State {
    target: Arc<Target>,
    standing: Standing,
    /// Why it is not followed now.
    trouble: Option<String>,
}

/// Whether a target's objects are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// Not yet.
    Unknown,
    /// It has been listed to its end.
    Listed,
    /// It is not there, or may not be read and need not be.
    Absent,
}

/// What has changed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Changed {
    /// Objects and endpoints.
    pub index: Changes,
    /// What is known of the connection.
    pub connection: bool,
    /// What the API server keeps about objects, such as their status.
    pub records: bool,
}

impl Changed {
    /// Adds what has changed besides.
    pub fn add(&mut self, other: Self) {
        self.index.add(other.index);
        self.connection |= other.connection;
        self.records |= other.records;
    }

    /// Whether nothing has.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether anything has but endpoints and records.
    pub fn is_of_objects(&self) -> bool {
        self.connection || !self.index.objects.is_empty()
    }
}

impl Cluster {
    /// Begins to follow `resources`.
    pub fn follow(client: &Client, resources: &Resources, pace: Pace) -> Self {
        let (sender, heard) = mpsc::channel(WAITING);
        let mut tasks = JoinSet::new();
        let targets: Vec<_> = resources.targets().map(Arc::new).collect();
        for (number, target) in targets.iter().enumerate() {
            let target = Arc::clone(target);
            tasks.spawn(follow::follow(client.clone(), target, number, pace, sender.clone()));
        }
        let targets = targets.into_iter();
        let standing = Standing::Unknown;
        let targets = targets.map(|target| State { target, standing, trouble: None });
        Self { index: Arc::default(), targets: targets.collect(), heard, _tasks: tasks }
    }

    /// Waits for a change and applies it, with those that have come since.
    ///
    /// May be dropped and called again without losing a change.
    pub async fn changed(&mut self) -> Changed {
        let mut changed = Changed::default();
        while changed.is_nothing() {
            let Some(heard) = self.heard.recv().await else { return std::future::pending().await };
            self.apply(heard, &mut changed);
            for _ in 0..AT_ONCE {
                let Ok(heard) = self.heard.try_recv() else { break };
                self.apply(heard, &mut changed);
            }
        }
        changed
    }

    /// Whether everything has been listed, so that what is missing does not exist.
    pub fn is_complete(&self) -> bool {
        self.targets.iter().all(|state| state.standing != Standing::Unknown)
    }

    /// What is known now. Who keeps it while changes are applied makes them dear: the index is copied.
    pub fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index)
    }

    /// What cannot be followed now, and why: an error where its last good state may be out of date, a warning where
    /// it counts as empty.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut told = BTreeSet::new();
        for state in &self.targets {
            let Some(trouble) = &state.trouble else { continue };
            let absent = state.standing == Standing::Absent;
            let required = state.target.is_required();
            // Of what is only wished for, no trouble is told but that it may not be read: nothing replaces that.
            if !(absent && required && self.is_replaced(&state.target)) {
                let required = required && !absent;
                told.insert((state.target.to_string(), trouble, required));
            }
        }
        let diagnostic = |(object, message, required): (_, &String, _)| Diagnostic {
            severity: if required { Severity::Error } else { Severity::Warning },
            object,
            field: String::new(),
            message: message.clone(),
            place: None,
        };
        told.into_iter().map(diagnostic).collect()
    }

    /// Whether the older of Traefik's groups has what the newer lacks: one of them is enough.
    fn is_replaced(&self, target: &Target) -> bool {
        target.group() == Group::TraefikIo
            && self.targets.iter().any(|state| {
                let same = state.target.kind() == target.kind();
                same && state.standing == Standing::Listed
            })
    }

    fn apply(&mut self, heard: Heard, changed: &mut Changed) {
        let Some(state) = self.targets.get_mut(heard.target) else { return };
        let target = &state.target;
        let kind = target.kind();
        let index = Arc::make_mut(&mut self.index);
        match heard.change {
            Change::Listed(objects) => {
                let (group, namespace) = (target.group(), target.namespace());
                index.reset(kind, group, namespace, objects, &mut changed.index);
                changed.connection |= state.standing != Standing::Listed;
                changed.records = true;
                state.standing = Standing::Listed;
            }
            Change::Applied(object) => {
                let known = index.exactly(&object.key);
                let has_status = kind.is_reported();
                changed.records |=
                    has_status && known.is_none_or(|known| known.record != object.record);
                index.apply_noting(*object, &mut changed.index);
            }
            Change::Deleted(key) => drop(index.delete_noting(&key, &mut changed.index)),
            Change::Absent(why) => {
                let (group, namespace) = (target.group(), target.namespace());
                index.reset(kind, group, namespace, [], &mut changed.index);
                changed.connection |= state.standing != Standing::Absent || state.trouble != why;
                state.standing = Standing::Absent;
                state.trouble = why;
            }
            Change::Trouble(why) => {
                changed.connection |= state.trouble.as_ref() != Some(&why);
                state.trouble = Some(why);
            }
            Change::Well => {
                changed.connection |= state.trouble.is_some();
                state.trouble = None;
            }
        }
    }
}
