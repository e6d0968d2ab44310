//! Everything that the server knows, behind one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::access::Access;
use super::kind::{Kind, Kinds};
use super::object::text;
use super::plan::Plan;
use super::schedule::Schedule;
use super::seen::Seen;
use super::store::{Key, Store};
use super::watch::{Command, Open};

/// The whole server but for its sockets.
#[derive(Debug)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) kinds: Kinds,
    pub(super) access: Access,
    pub(super) plan: Plan,
    pub(super) seen: Vec<Seen>,
    /// The watches that are open, by their number.
    pub(super) watches: BTreeMap<u64, Open>,
    /// Tokens of lists that a fault declared too old.
    pub(super) expired_tokens: BTreeSet<String>,
    pub(super) bookmark_period: Duration,
    /// A watch from a revision that is still to come is refused, instead of staying silent.
    pub(super) refuse_future_watches: bool,
    next_watch: u64,
    next_uid: u64,
}

impl State {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self {
            store: Store::new(),
            kinds: Kinds::of_a_new_cluster(),
            access: Access::default(),
            plan: Plan::new(schedule),
            seen: Vec::new(),
            watches: BTreeMap::new(),
            expired_tokens: BTreeSet::new(),
            bookmark_period: Duration::from_millis(100),
            refuse_future_watches: false,
            next_watch: 0,
            next_uid: 0,
        }
    }

    /// True when no fault is left, waits for its victim or lasts.
    pub(super) fn is_healthy(&self) -> bool {
        self.plan.is_over() && self.access.is_settled(Instant::now())
    }

    /// A new identity in the form of a UUID, never used twice.
    pub(super) fn uid(&mut self) -> String {
        self.next_uid += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.next_uid)
    }

    /// Enters an open watch of `resource`.
    pub(super) fn enter_watch(&mut self, resource: String) -> u64 {
        self.next_watch += 1;
        self.watches.insert(self.next_watch, Open { resource, command: None });
        self.next_watch
    }

    /// Forgets a watch; a fault that it was to suffer waits for another.
    pub(super) fn leave_watch(&mut self, number: u64) {
        if let Some(Open { command: Some((Command::Suffer(fault), _)), .. }) =
            self.watches.remove(&number)
        {
            self.plan.give_back(fault);
        }
    }

    /// Commands every open watch that has no command yet.
    pub(super) fn command_watches(&mut self, command: Command) {
        let now = Instant::now();
        for open in self.watches.values_mut() {
            open.command.get_or_insert((command, now));
        }
    }

    /// Commands every open watch of `resource` (of all, if `None`), whatever else it was to do.
    fn overrule_watches(&mut self, command: Command, resource: Option<&str>) {
        let now = Instant::now();
        let concerned =
            |open: &&mut Open| resource.is_none_or(|resource| open.resource == resource);
        for open in self.watches.values_mut().filter(concerned) {
            if let Some((Command::Suffer(fault), _)) = open.command.replace((command, now)) {
                self.plan.give_back(fault);
            }
        }
    }

    /// Goes back to `revision`; what is installed follows, and every watch ends.
    pub(super) fn rollback(&mut self, revision: u64) {
        self.store.rollback(revision);
        let customs: Vec<Kind> = self.kinds.all().filter(|kind| kind.custom).cloned().collect();
        for kind in customs {
            self.kinds.remove(&kind.api_version(), &kind.plural);
        }
        let definitions: Vec<Arc<Value>> = self
            .store
            .all()
            .filter(|object| text(object, "/kind") == "CustomResourceDefinition")
            .cloned()
            .collect();
        for definition in definitions {
            self.define(&definition);
        }
        self.overrule_watches(Command::End, None);
    }

    /// Installs the kinds of a CustomResourceDefinition.
    pub(super) fn define(&mut self, definition: &Value) {
        for kind in Kind::of_definition(definition) {
            self.kinds.insert(kind);
        }
    }

    /// Uninstalls the kinds of a CustomResourceDefinition with all their objects.
    pub(super) fn undefine(&mut self, definition: &Value) {
        for kind in Kind::of_definition(definition) {
            let resource = kind.resource();
            let revision = self.store.revision();
            let paths = self.store.at(&resource, revision).unwrap_or_default();
            for (path, _) in paths {
                self.store.remove(&Key { resource: resource.clone(), path });
            }
            self.kinds.remove(&kind.api_version(), &kind.plural);
            self.overrule_watches(Command::Finish, Some(&resource));
        }
    }
}
