//! A Kubernetes API server of our own: real enough for a client that lists, watches and writes, and
//! able to fail as the real one can.
//!
//! [`ApiServer`] keeps objects as JSON under one counter of revisions, as etcd does, and serves
//! them over plain HTTP/1.1 on loopback: lists in pages of one consistent state, watches with
//! bookmarks and streamed initial lists, creation, update with optimistic concurrency, merge
//! patches, the status subresource, deletion and discovery; every refusal is a `Status`. A
//! [`Schedule`] of [`Fault`]s makes it fail in a way that a seed names, each fault once and
//! counted; [`Churn`] changes objects meanwhile.
//!
//! ```
//! use portway_testkit::kubernetes::{ApiServer, Churn, Schedule};
//!
//! let server = ApiServer::start_with(Schedule::seeded(7));
//! Churn::install(&server);
//! Churn::seeded(7).steps(&server, 100);
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! ```
//!
//! # Differences from the real server
//!
//! Compared by hand with kube-apiserver 1.37.2: the same requests were sent to both. Status codes,
//! `Status` bodies, the events of selectors in watches, pages, streamed lists, refusals of old and
//! of future revisions, conflicts, status and merge patches, discovery and the deletion of a
//! CustomResourceDefinition agree, but for:
//!
//! - Plain JSON alone: clients that take nothing but protobuf, tables or metadata are answered 406.
//! - Objects are stored as they come: no schema, no defaults, no admission. A namespace need not
//!   exist.
//! - `managedFields` are not kept. Server-side apply merges what it is sent: nobody owns fields,
//!   nothing conflicts, lists are replaced as a whole, and what is no longer sent stays.
//! - JSON patches and strategic merge patches are refused (415), and so is the deletion of
//!   collections (405).
//! - An object is gone as soon as it is deleted, whatever its finalizers and owners; the answer is
//!   always a `Status`, where the real server shows Services and Namespaces themselves.
//! - `/status` changes nothing but the status. The real server has it so for custom resources, and
//!   lets labels and annotations of built-in kinds through.
//! - A kind of several versions is stored as it came, not converted. A CustomResourceDefinition is
//!   established and removed at once.
//! - A revision is too old exactly when it was compacted. The real server can have more of the past
//!   (its watch cache outlives etcd's compaction) or less.
//! - "Too large resource version" comes at once; the real server waits for three seconds first.
//!   Both say nothing to a plain watch from a revision that is still to come, not even bookmarks,
//!   and leave out what happens until then.
//! - Bookmarks come every 100 ms. The real server sends one a minute, and none before the revision
//!   has moved.
//! - Of the fields that lists can be narrowed by, those that hold text are known.
//! - Some messages of refusals are shorter. A watch from something that is no revision is refused
//!   by 400, not 500; an object of a foreign kind always by 400, not sometimes by 422.
mod access;
mod answer;
mod churn;
mod discovery;
mod driver;
mod exchange;
mod failure;
mod kind;
mod list;
mod object;
mod path;
mod plan;
mod query;
mod schedule;
mod seen;
mod selector;
mod serve;
mod state;
mod store;
mod stream;
mod watch;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use churn::{Change, Churn};
pub use plan::Faults;
pub use schedule::{Fault, Schedule};
pub use seen::Seen;
pub use store::{Edit, Step};

use kind::Kind;
use serve::Shared;
use state::State;
use store::Key;

/// A running fake API server; clones are the same server, and it ends with the last of them.
///
/// Methods that change objects do so at once, whatever faults there are, and return when watches
/// have been told. They panic when they are asked for a kind that is not installed.
#[derive(Clone, Debug)]
pub struct ApiServer {
    running: Arc<Running>,
}

#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl ApiServer {
    /// A server without faults.
    ///
    /// It knows from the start, with what their CustomResourceDefinitions or built-in types say:
    /// `v1` Services, Endpoints, Secrets, ConfigMaps, Nodes, Namespaces and Events; EndpointSlices,
    /// Ingresses, IngressClasses, Leases and CustomResourceDefinitions.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(Schedule::none())
    }

    /// A server that fails as `schedule` says, from a client's first request on.
    #[must_use]
    pub fn start_with(schedule: Schedule) -> Self {
        let shared = Arc::new(Shared::new(State::new(schedule)).expect("a free port on loopback"));
        let serving = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                tokio::spawn(driver::drive(Arc::clone(&serving)));
                serve::accept(serving).await.expect("the port that is reserved");
            });
        });
        shared.wait_until_listening();
        Self { running: Arc::new(Running { shared, thread: Some(thread) }) }
    }

    /// Its base URL, without a slash at the end; the same after a restart.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.shared().address())
    }

    /// Lets watches that ask for bookmarks have one at every `period`, instead of every 100 ms.
    pub fn bookmark_every(&self, period: Duration) {
        self.shared().state().bookmark_period = period;
    }

    /// Lets a watch from a revision that is still to come end with "Too large resource version"
    /// (504), as a server without watch cache has it. Otherwise such a watch is silent until the
    /// revision has passed.
    pub fn refuse_future_watches(&self) {
        self.shared().state().refuse_future_watches = true;
    }

    /// Installs a kind, with its status subresource: creates its CustomResourceDefinition.
    pub fn install(&self, api_version: &str, kind: &str, plural: &str, namespaced: bool) {
        self.apply(Kind::custom(api_version, kind, plural, namespaced).definition());
    }

    /// Uninstalls a kind as the deletion of its CustomResourceDefinition does: its objects are
    /// deleted, its watches end, and its paths are unknown.
    pub fn uninstall(&self, api_version: &str, plural: &str) {
        let mut state = self.shared().state();
        let kind = state.kinds.by_plural(api_version, plural).cloned();
        let resource = kind.expect("an installed kind").resource();
        let definitions = state.kinds.by_name(DEFINITIONS.0, DEFINITIONS.1).cloned();
        let definitions = definitions.expect("a kind that is always there");
        let key = Key::new(definitions.resource(), "", &resource);
        let old = state.store.get(&key).map(|old| Value::clone(old));
        state.remove(&definitions, &key, &old.expect("a kind of a CustomResourceDefinition"));
        drop(state);
        self.shared().announce();
    }

    /// Creates or replaces an object and returns it as stored.
    ///
    /// The server sets `uid`, `creationTimestamp` (unless the object brings one), `resourceVersion`
    /// and, for kinds that have one, `generation`, which grows when anything but metadata and
    /// status changes. A status that the object does not bring stays. An object that is equal to
    /// the stored one changes nothing. The namespace is `default` unless the object says otherwise.
    pub fn apply(&self, object: Value) -> Value {
        let what = format!("{} {}", object["kind"], object["metadata"]["name"]);
        self.try_apply(object)
            .unwrap_or_else(|| panic!("{what} is of a kind that is not installed"))
    }

    /// As [`apply`](Self::apply); `None` when the kind is not installed.
    pub fn try_apply(&self, object: Value) -> Option<Value> {
        let applied = self.shared().state().apply(object).ok();
        self.shared().announce();
        applied
    }

    /// Deletes an object; false when there was none. `namespace` is `""` for kinds without one.
    pub fn delete(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let mut state = self.shared().state();
        let Some(kind) = state.kinds.by_name(api_version, kind).cloned() else { return false };
        let key = Key::new(kind.resource(), namespace, name);
        let Some(old) = state.store.get(&key).map(|old| Value::clone(old)) else { return false };
        state.remove(&kind, &key, &old);
        drop(state);
        self.shared().announce();
        true
    }

    /// Takes the server away: connections break, new ones are refused. Returns when nobody is
    /// connected.
    pub fn stop(&self) {
        self.shared().stop();
    }

    /// Brings it back on the same port, with all objects. Returns when it listens.
    pub fn restart(&self) {
        self.shared().restart();
    }

    /// Lets all revisions before the present one be too old (410 Gone). Open watches go on.
    pub fn compact(&self) {
        self.shared().state().store.compact();
    }

    /// Goes back to how everything was at `revision`, as when etcd is restored from a backup, and
    /// ends every watch.
    ///
    /// The revisions after it are used again by what happens next. A client can notice that only
    /// while the server is behind it; and from a watch alone not even then, see
    /// [`refuse_future_watches`](Self::refuse_future_watches). A list that asks for a later
    /// revision is answered 504 with the cause `ResourceVersionTooLarge`.
    pub fn rollback(&self, revision: u64) {
        self.shared().state().rollback(revision);
        self.shared().announce();
    }

    /// Answers 403 to these verbs (`get`, `list`, `watch`, `create`, `update`, `patch`, `delete`,
    /// or `*` for all) on a resource, until [`allow`](Self::allow). The resource is a plural, of
    /// any group (`middlewares`) or of one (`middlewares.traefik.io`). Open watches go on, as under
    /// RBAC.
    pub fn forbid(&self, resource: &str, verbs: &[&str]) {
        self.shared().state().access.forbid(resource, verbs, false);
    }

    /// As [`forbid`](Self::forbid), but requests inside a namespace stay allowed: the client has
    /// Roles and no ClusterRole.
    pub fn forbid_cluster_wide(&self, resource: &str, verbs: &[&str]) {
        self.shared().state().access.forbid(resource, verbs, true);
    }

    /// Takes back what was forbidden, by the same resource and verbs.
    pub fn allow(&self, resource: &str, verbs: &[&str]) {
        self.shared().state().access.allow(resource, verbs);
    }

    /// Answers 401 to requests without this bearer token from now on, as after a rotation; `None`
    /// lets anyone in, as at the start.
    pub fn require_token(&self, token: Option<&str>) {
        self.shared().state().access.require_token(token);
    }

    /// The object as stored. `namespace` is `""` for kinds without one.
    #[must_use]
    pub fn object(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Option<Value> {
        let state = self.shared().state();
        let kind = state.kinds.by_name(api_version, kind)?;
        let object = state.store.get(&Key::new(kind.resource(), namespace, name))?;
        Some(Value::clone(object))
    }

    /// All objects of all kinds, by resource, namespace and name.
    #[must_use]
    pub fn objects(&self) -> Vec<Value> {
        self.shared().state().store.all().map(|object| Value::clone(object)).collect()
    }

    /// All that has happened to objects from step `from` on (0 is the first): every state that they
    /// have been in follows from it. What a rollback takes back is one step.
    #[must_use]
    pub fn history(&self, from: usize) -> Vec<Step> {
        self.shared().state().store.history(from).to_vec()
    }

    /// The present revision.
    #[must_use]
    pub fn resource_version(&self) -> u64 {
        self.shared().state().store.revision()
    }

    /// All requests so far, in the order of their answers.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.shared().state().seen.clone()
    }

    /// How many watches are open.
    #[must_use]
    pub fn open_watches(&self) -> usize {
        self.shared().state().watches.len()
    }

    /// What became of the schedule's faults so far.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.shared().state().plan.report()
    }

    /// Waits until every fault has occurred (or was missed) and the server is healthy again; false
    /// when `patience` is over first. A watch that hangs still does.
    #[must_use]
    pub fn wait_until_healthy(&self, patience: Duration) -> bool {
        let start = Instant::now();
        while !self.shared().is_healthy() {
            if start.elapsed() > patience {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    fn shared(&self) -> &Shared {
        &self.running.shared
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.end();
        if let Some(thread) = self.thread.take() {
            // A server that panicked has already failed its test by not answering.
            let _ = thread.join();
        }
    }
}

/// The kind that defines kinds.
const DEFINITIONS: (&str, &str) = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
