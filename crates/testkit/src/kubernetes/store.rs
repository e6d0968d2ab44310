//! Objects, and every change that led to them.
//!
//! As in etcd, one revision counts the changes of all objects together, and the past can be read
//! until it is compacted away. Unlike etcd, nothing is really dropped: a test's history is short.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::object::set_metadata;

/// Where an object is kept. Objects sort as in etcd: by the text `namespace/name`, in which `a-b/c`
/// comes before `a/b`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Such as `middlewares.traefik.io`.
    pub(super) resource: String,
    /// `namespace/name`, or the name alone for what has no namespace.
    pub(super) path: String,
}

impl Key {
    pub(super) fn new(resource: String, namespace: &str, name: &str) -> Self {
        let path =
            if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
        Self { resource, path }
    }
}

/// One change of one object.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) revision: u64,
    pub(super) key: Key,
    /// `None` when it was created.
    pub(super) before: Option<Arc<Value>>,
    /// `None` when it was deleted.
    pub(super) after: Option<Arc<Value>>,
}

/// What became of one object in a step of the [history](super::ApiServer::history).
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// As it was; `None` when it was not there.
    pub before: Option<Arc<Value>>,
    /// As it is then; `None` when it is not there any more.
    pub after: Option<Arc<Value>>,
}

/// Edits that show together, or not at all.
pub type Step = Vec<Edit>;

/// The asked revision was compacted away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compacted {
    /// The oldest revision that can still be read.
    pub(super) oldest: u64,
}

/// All objects of all kinds.
#[derive(Debug)]
pub(super) struct Store {
    revision: u64,
    oldest: u64,
    /// The next revision when it is not the one after `revision`.
    resume: Option<u64>,
    objects: BTreeMap<Key, Arc<Value>>,
    log: Vec<Change>,
    /// All that has ever happened, what was taken back and the taking back too.
    history: Vec<Step>,
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            revision: FIRST,
            oldest: FIRST,
            resume: None,
            objects: BTreeMap::new(),
            log: Vec::new(),
            history: Vec::new(),
        }
    }

    /// Stores an object under a new revision and returns it as stored.
    pub(super) fn put(&mut self, key: Key, mut object: Value) -> Arc<Value> {
        let revision = self.advance();
        set_metadata(&mut object, "resourceVersion", json!(revision.to_string()));
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), Arc::clone(&object));
        self.record(Change { revision, key, before, after: Some(Arc::clone(&object)) });
        object
    }

    /// Removes an object under a new revision.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        let revision = self.advance();
        let removed = Some(Arc::clone(&before));
        self.record(Change { revision, key: key.clone(), before: removed, after: None });
        Some(before)
    }

    /// Makes everything before the current revision unreadable.
    pub(super) fn compact(&mut self) {
        self.oldest = self.revision;
    }

    /// Goes back to how everything was at `revision`, at most to the oldest that can be read.
    pub(super) fn rollback(&mut self, revision: u64) {
        let revision = revision.clamp(self.oldest, self.revision);
        let kept = self.log.partition_point(|change| change.revision <= revision);
        let mut step = Step::new();
        for change in self.log.split_off(kept).into_iter().rev() {
            step.push(Edit { before: change.after.clone(), after: change.before.clone() });
            undo(&mut self.objects, change);
        }
        self.history.push(step);
        self.revision = revision;
    }

    /// Lets the next change have a revision above `revision`, with all before it unreadable.
    pub(super) fn resume_above(&mut self, revision: u64) {
        let next = revision.max(self.revision) + 1;
        // What was lost before without a change since counts as used, too.
        self.resume = Some(next.max(self.resume.unwrap_or_default()));
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn oldest(&self) -> u64 {
        self.oldest
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// The objects of every resource, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.objects.values()
    }

    /// The keys and objects of one resource as they were at `revision`, in order.
    pub(super) fn at(
        &self,
        resource: &str,
        revision: u64,
    ) -> Result<Vec<(String, Arc<Value>)>, Compacted> {
        let later = self.since(revision)?;
        let start = Key { resource: resource.to_owned(), path: String::new() };
        let mut objects: BTreeMap<Key, Arc<Value>> = self
            .objects
            .range(start..)
            .take_while(|(key, _)| key.resource == resource)
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect();
        for change in later.iter().rev().filter(|change| change.key.resource == resource) {
            undo(&mut objects, change.clone());
        }
        Ok(objects.into_iter().map(|(key, object)| (key.path, object)).collect())
    }

    /// The changes after `revision`, oldest first; none for a revision that is still to come.
    pub(super) fn since(&self, revision: u64) -> Result<&[Change], Compacted> {
        if revision < self.oldest {
            return Err(Compacted { oldest: self.oldest });
        }
        let first = self.log.partition_point(|change| change.revision <= revision);
        Ok(&self.log[first..])
    }

    /// The steps from number `from` on.
    pub(super) fn history(&self, from: usize) -> &[Step] {
        self.history.get(from..).unwrap_or_default()
    }

    fn record(&mut self, change: Change) {
        let (before, after) = (change.before.clone(), change.after.clone());
        self.history.push(vec![Edit { before, after }]);
        self.log.push(change);
    }

    fn advance(&mut self) -> u64 {
        if let Some(revision) = self.resume.take() {
            self.revision = revision;
            self.oldest = revision;
        } else {
            self.revision += 1;
        }
        self.revision
    }
}

fn undo(objects: &mut BTreeMap<Key, Arc<Value>>, change: Change) {
    match change.before {
        Some(before) => objects.insert(change.key, before),
        None => objects.remove(&change.key),
    };
}

/// Where revisions begin: above 1, so that a test can ask for older ones.
const FIRST: u64 = 100;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Compacted, FIRST, Key, Store};

    fn key(name: &str) -> Key {
        Key::new("services".to_owned(), "default", name)
    }

    fn names(store: &Store, revision: u64) -> Vec<String> {
        let objects = store.at("services", revision).unwrap();
        objects.into_iter().map(|(path, object)| format!("{path}={}", object["data"])).collect()
    }

    fn three_changes() -> Store {
        let mut store = Store::new();
        store.put(key("a"), json!({"data": 1}));
        store.put(key("a"), json!({"data": 2}));
        store.put(key("b"), json!({"data": 3}));
        store.remove(&key("a"));
        store
    }

    #[test]
    fn every_revision_can_be_read_again() {
        let store = three_changes();
        assert_eq!(names(&store, FIRST), [""; 0]);
        assert_eq!(names(&store, FIRST + 1), ["default/a=1"]);
        assert_eq!(names(&store, FIRST + 2), ["default/a=2"]);
        assert_eq!(names(&store, FIRST + 3), ["default/a=2", "default/b=3"]);
        assert_eq!(names(&store, FIRST + 4), ["default/b=3"]);
    }

    #[test]
    fn compaction_keeps_the_current_revision_only() {
        let mut store = three_changes();
        store.compact();
        assert_eq!(store.at("services", FIRST + 3).unwrap_err(), Compacted { oldest: FIRST + 4 });
        assert_eq!(names(&store, FIRST + 4), ["default/b=3"]);
    }

    #[test]
    fn rollback_forgets_what_came_after() {
        let mut store = three_changes();
        store.rollback(FIRST + 2);
        assert_eq!(store.history(4)[0].len(), 2, "two changes are taken back at once");
        assert_eq!(store.revision(), FIRST + 2);
        assert_eq!(names(&store, FIRST + 2), ["default/a=2"]);
        store.put(key("c"), json!({"data": 4}));
        assert_eq!(names(&store, FIRST + 3), ["default/a=2", "default/c=4"]);
    }

    #[test]
    fn a_restored_store_that_resumes_never_uses_a_revision_twice() {
        let mut store = three_changes();
        let lost = store.revision();
        store.rollback(FIRST + 1);
        store.resume_above(lost);
        assert_eq!(store.revision(), FIRST + 1);
        store.put(key("c"), json!({"data": 4}));
        assert_eq!(store.revision(), lost + 1);
        assert_eq!(store.since(lost).unwrap_err(), Compacted { oldest: lost + 1 });
    }

    #[test]
    fn a_store_that_is_restored_twice_never_uses_a_revision_twice() {
        let mut store = three_changes();
        let lost = store.revision();
        for steps in [1, 2] {
            let now = store.revision();
            store.rollback(lost - steps);
            store.resume_above(now);
        }
        store.put(key("c"), json!({"data": 4}));
        assert_eq!(store.revision(), lost + 1);
    }

    #[test]
    fn objects_sort_by_the_text_of_their_path() {
        let mut store = Store::new();
        for (namespace, name) in [("a", "b"), ("a-b", "c")] {
            store.put(Key::new("services".to_owned(), namespace, name), json!({}));
        }
        let paths: Vec<_> = store.at("services", store.revision()).unwrap();
        assert_eq!(
            paths.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
            ["a-b/c", "a/b"]
        );
    }
}
