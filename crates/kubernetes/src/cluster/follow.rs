//! One resource in one namespace, or in all: listed, then watched, for ever.
//!
//! ```text
//! list ──► watch ──► watch …            a watch ends after a while by itself and goes on where it ended
//!  ▲         │ connection lost, or nothing heard: ask for the present version ──► watch
//!  └─────────┴ too old, from the future, silent, or no watch to be had
//! ```
//!
//! # Invariants
//! - A version that has been reached is never gone back behind: an event that comes twice changes nothing.
//! - An API server whose data come from a backup may be behind what it once said, and then it says nothing at all. So
//!   silence is never taken for peace.
//! - That a resource is not there is believed only of an API server that says that it is ready, and of objects
//!   that were there only when it is said twice. A right that is taken away leaves what was read.

use std::{cmp::Ordering, sync::Arc, time::Duration};

use kube::Client;
use tokio::{sync::mpsc, time::Instant};

use super::{
    reply::{self, Event, News, Page},
    retry::{Fault, Retry},
    target::Target,
};
use crate::api::{Key, Object};

#[cfg(test)]
mod tests;

/// How often a list may begin anew because its pages have expired before it is asked for in one piece.
const PAGED_TRIES: u32 = 2;

/// How long an API server may take to answer what is no watch, or to begin with a watch.
const PATIENCE: Duration = Duration::from_secs(30);

/// A watch that has lasted for as many of the shortest waits is a good one.
const STANDS: u32 = 5;

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long a watch lasts before it is asked for anew, in whole seconds from 1 to 290. An API server that keeps a
    /// watch open and says nothing is found out after that time and the slack.
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
    let (retry, presence) = (Retry::new(pace), Presence::Unknown);
    let mut follower =
        Follower { client, target, number, pace, sender, retry, presence, well: false };
    // That nobody listens any more ends the task, and means nothing else.
    _ = follower.run().await;
}

struct Follower {
    client: Client,
    target: Arc<Target>,
    number: usize,
    pace: Pace,
    sender: mpsc::Sender<Heard>,
    retry: Retry,
    presence: Presence,
    /// Whether listeners know that all is well.
    well: bool,
}

/// Whether the resource is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Presence {
    /// Nobody knows yet.
    Unknown,
    /// It has been listed.
    Listed,
    /// It has been listed, and after that it was not there.
    Doubted,
    /// It is not there.
    Absent,
}

/// How a watch ended.
struct Ended {
    /// Why; `None` when it ended by itself.
    by: Option<Fault>,
    /// Whether it has said something.
    heard: bool,
}

impl Follower {
    async fn run(&mut self) -> Result<(), Deaf> {
        loop {
            let mut version = self.list().await?;
            while self.goes_on(&mut version).await? {}
        }
    }

    /// Watches from `version`, which follows, until the watch ends; whether another can go on from there.
    async fn goes_on(&mut self, version: &mut Version) -> Result<bool, Deaf> {
        let Ended { by, heard } = self.watch(version).await?;
        let Some(fault) = by else {
            return if heard { Ok(true) } else { self.still_is(version).await };
        };
        self.trouble(&fault).await?;
        let is_lost = match fault {
            Fault::Outdated => true,
            Fault::Silent => !heard,
            _ => false,
        };
        // Where no watch can be had, lists must do.
        Ok(!is_lost && !self.retry.is_lasting() && self.still_is(version).await?)
    }

    /// Lists until that succeeds, and returns the version from which to watch.
    async fn list(&mut self) -> Result<Version, Deaf> {
        loop {
            match self.pages().await {
                Ok((objects, version)) => {
                    self.presence = Presence::Listed;
                    self.say(Change::Listed(objects)).await?;
                    return Ok(version);
                }
                Err(fault) if self.may_lack(&fault) => self.lack(fault).await?,
                Err(fault) => self.trouble(&fault).await?,
            }
        }
    }

    /// All objects, of one moment.
    async fn pages(&self) -> Result<(Vec<Object>, Version), Fault> {
        for _ in 0..PAGED_TRIES {
            match self.all(self.target.page()).await {
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

    /// Whether a list that fails so can mean that there is nothing to list.
    fn may_lack(&self, fault: &Fault) -> bool {
        match fault {
            Fault::NotFound => true,
            // What is served already stays.
            Fault::Forbidden(_) => {
                let is_served = matches!(self.presence, Presence::Listed | Presence::Doubted);
                !self.target.is_required() && !is_served
            }
            _ => false,
        }
    }

    /// Says that a resource is not there, if that is certain, and waits until it may be there.
    async fn lack(&mut self, fault: Fault) -> Result<(), Deaf> {
        if self.presence != Presence::Absent {
            if !self.is_certain(&fault).await {
                return self.trouble(&fault).await;
            }
            self.presence = match self.presence {
                Presence::Listed => Presence::Doubted,
                _ => Presence::Absent,
            };
        }
        if self.presence == Presence::Absent {
            let why = match fault {
                // Few have the kinds that are only wished for.
                Fault::NotFound if !self.target.is_required() => None,
                fault => Some(fault.to_string()),
            };
            self.well = false;
            self.say(Change::Absent(why)).await?;
        }
        tokio::time::sleep(self.pace.absence).await;
        Ok(())
    }

    /// Whether an API server that has all its resources says the same: one that has just started does not know them yet,
    /// nor who may read them.
    async fn is_certain(&self, fault: &Fault) -> bool {
        let ready = match patiently(reply::is_ready(&self.client)).await {
            Ok(ready) => ready,
            // Not every API server has this, or lets everybody ask.
            Err(Fault::NotFound | Fault::Forbidden(_)) => true,
            Err(_) => false,
        };
        let same = |again: &Fault| std::mem::discriminant(again) == std::mem::discriminant(fault);
        ready && self.page(1, "").await.err().as_ref().is_some_and(same)
    }

    /// Watches until the watch ends; `version` follows.
    async fn watch(&mut self, version: &mut Version) -> Result<Ended, Deaf> {
        let begun = Instant::now();
        let mut heard = false;
        let watch = reply::watch(&self.client, &self.target, version, self.pace.watch);
        let mut events = match patiently(watch).await {
            Ok(events) => events,
            Err(fault) => return Ok(Ended { by: Some(fault), heard }),
        };
        let end = begun + self.pace.watch + self.pace.slack;
        let stands = (Instant::now() + self.pace.shortest_wait * STANDS).min(end);
        loop {
            if Instant::now() >= stands {
                self.well().await?;
            }
            let until = if self.well { end } else { stands };
            let by = match tokio::time::timeout_at(until, events.next()).await {
                Ok(Ok(Some(event))) => {
                    heard = true;
                    self.hear(event, version).await?;
                    continue;
                }
                Err(_) if until < end => continue,
                Err(_) => Some(Fault::Silent),
                Ok(Err(fault)) => Some(fault),
                Ok(Ok(None)) if begun.elapsed() * 2 < self.pace.watch => Some(Fault::CutOff),
                Ok(Ok(None)) => None,
            };
            return Ok(Ended { by, heard });
        }
    }

    async fn hear(&mut self, event: Event, version: &mut Version) -> Result<(), Deaf> {
        if matches!(order(&event.version, version), Some(Ordering::Less | Ordering::Equal)) {
            return Ok(());
        }
        match event.news {
            News::Applied(object) => self.say(Change::Applied(object)).await?,
            News::Deleted(key) => self.say(Change::Deleted(key)).await?,
            News::Nothing => {}
        }
        if !event.version.is_empty() {
            *version = event.version;
        }
        Ok(())
    }

    /// Whether an API server still knows what it has said up to `version`; in doubt it does not.
    async fn still_is(&mut self, version: &str) -> Result<bool, Deaf> {
        loop {
            match self.page(1, "").await {
                Ok(Page { version: now, .. }) => {
                    return Ok(order(&now, version).is_some_and(Ordering::is_ge));
                }
                // Whoever has too much to do is not asked for everything, and in the end a watch may do.
                Err(fault @ (Fault::Busy(..) | Fault::Refused(..))) => {
                    self.trouble(&fault).await?;
                    if self.retry.is_lasting() {
                        return Ok(true);
                    }
                }
                Err(_) => return Ok(false),
            }
        }
    }

    /// All is well: says so, unless that is known.
    async fn well(&mut self) -> Result<(), Deaf> {
        self.retry.succeeded();
        if !self.well {
            self.well = true;
            self.say(Change::Well).await?;
        }
        Ok(())
    }

    /// Says what is wrong, where that is worth saying, and waits.
    async fn trouble(&mut self, fault: &Fault) -> Result<(), Deaf> {
        if self.retry.is_serious(fault) {
            self.well = false;
            self.say(Change::Trouble(fault.to_string())).await?;
        }
        tokio::time::sleep(self.retry.wait(fault, Instant::now())).await;
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

/// How two versions follow each other; `None` when they do not say.
fn order(version: &str, other: &str) -> Option<Ordering> {
    let number = |version: &str| version.parse::<u64>().ok();
    Some(number(version)?.cmp(&number(other)?))
}
