//! Brings the faults of a schedule about that strike the server or an open watch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::kind::Kind;
use super::object::{set_metadata, text};
use super::plan::Need;
use super::schedule::{Fault, Site};
use super::serve::Shared;
use super::state::State;
use super::store::Key;
use super::watch::Command;

/// Runs until every fault of the schedule has occurred.
pub(super) async fn drive(shared: Arc<Shared>) {
    while !shared.state().plan.is_over() {
        tokio::time::sleep(TICK).await;
        let begun = shared.state().strike(Instant::now());
        shared.announce();
        match begun {
            None => {}
            Some(Lasting::Outage { fault, lasting, compacted }) => {
                shared.fail(true);
                tokio::time::sleep(lasting).await;
                let mut state = shared.state();
                if compacted {
                    state.store.compact();
                }
                state.plan.occurred(fault);
                drop(state);
                shared.fail(false);
            }
            Some(Lasting::Uninstalled { fault, lasting, definition }) => {
                tokio::time::sleep(lasting).await;
                let mut state = shared.state();
                // What was deleted and made again is another object.
                let _ = state.apply(definition);
                state.plan.floor = state.store.revision();
                state.plan.occurred(fault);
                drop(state);
                shared.announce();
            }
        }
    }
}

/// A fault that takes time, and what ends it.
enum Lasting {
    Outage { fault: Fault, lasting: Duration, compacted: bool },
    Uninstalled { fault: Fault, lasting: Duration, definition: Value },
}

impl State {
    /// Strikes with what is armed; returns the first fault that takes time.
    fn strike(&mut self, now: Instant) -> Option<Lasting> {
        let can_provoke = self.watches.values().any(|open| open.command.is_none());
        for need in self.plan.needs(now, can_provoke) {
            match need {
                Need::Requests => self.command_watches(Command::End),
                Need::Lists => self.command_watches(Command::Expire),
                Need::Strike(fault) if fault.site() == Site::Watch => self.strike_watch(fault, now),
                Need::Strike(fault) => {
                    let begun = self.strike_server(fault);
                    if begun.is_some() {
                        return begun;
                    }
                }
            }
        }
        None
    }

    /// Lets one open watch suffer the fault, at its next event or soon.
    fn strike_watch(&mut self, fault: Fault, now: Instant) {
        let free: Vec<u64> = self
            .watches
            .iter()
            .filter(|(_, open)| open.command.is_none())
            .map(|(number, _)| *number)
            .collect();
        if free.is_empty() {
            return;
        }
        let Some(fault) = self.plan.take(Site::Watch, |armed| *armed == fault) else { return };
        let chosen = *self.plan.random.pick(&free);
        if let Some(open) = self.watches.get_mut(&chosen) {
            open.command = Some((Command::Suffer(fault), now + SOON));
        }
        match fault {
            Fault::WatchDropped { everywhere: true, .. } => {
                self.command_watches(Command::End);
            }
            Fault::WatchExpired { everywhere: true } => {
                self.command_watches(Command::Expire);
            }
            _ => {}
        }
    }

    fn strike_server(&mut self, fault: Fault) -> Option<Lasting> {
        let definition = self.some_definition();
        let possible = match fault {
            Fault::Rollback { .. } => self.store.revision() > self.rollback_floor(),
            Fault::Uninstalled { .. } => definition.is_some(),
            _ => true,
        };
        if !possible {
            return None;
        }
        let fault = self.plan.take(Site::Server, |armed| *armed == fault)?;
        match (fault, definition) {
            (Fault::Outage { lasting, compacted }, _) => {
                return Some(Lasting::Outage { fault, lasting, compacted });
            }
            (Fault::Uninstalled { lasting }, Some((key, definition))) => {
                self.store.remove(&key);
                self.undefine(&definition);
                return Some(Lasting::Uninstalled { fault, lasting, definition });
            }
            (Fault::Rollback { by }, _) => {
                let lost = self.store.revision();
                let target = lost.saturating_sub(by).max(self.rollback_floor());
                self.rollback(target);
                self.store.resume_above(lost);
            }
            _ => {
                self.store.compact();
                self.command_watches(Command::End);
            }
        }
        self.plan.occurred(fault);
        None
    }

    fn rollback_floor(&self) -> u64 {
        self.plan.floor.max(self.store.oldest())
    }

    /// One of the CustomResourceDefinitions, by chance.
    fn some_definition(&mut self) -> Option<(Key, Value)> {
        let resources: Vec<String> =
            self.kinds.all().filter(|kind| kind.custom).map(Kind::resource).collect();
        if resources.is_empty() {
            return None;
        }
        let resource = "customresourcedefinitions.apiextensions.k8s.io".to_owned();
        let chosen: &String = self.plan.random.pick(&resources);
        let key = Key::new(resource, "", chosen);
        let mut definition = Value::clone(self.store.get(&key)?);
        debug_assert_eq!(text(&definition, "/metadata/name"), key.path);
        for name in ["uid", "creationTimestamp", "generation"] {
            set_metadata(&mut definition, name, Value::Null);
        }
        Some((key, definition))
    }
}

/// How often faults are brought about.
const TICK: Duration = Duration::from_millis(5);

/// How long a watch may wait for an event to suffer its fault.
const SOON: Duration = Duration::from_millis(30);
