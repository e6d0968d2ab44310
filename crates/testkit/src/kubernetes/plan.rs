//! A schedule under way: which faults wait, which look for their victim, which have occurred.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::random::Random;

use super::schedule::{Fault, Schedule, Site};

/// What became of the faults of a schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// How often each kind occurred, by its name.
    pub occurred: BTreeMap<&'static str, usize>,
    /// Those that could not occur: the client never did what they need.
    pub missed: Vec<Fault>,
    /// How many are still to occur.
    pub left: usize,
}

#[derive(Debug)]
pub(super) struct Plan {
    waiting: VecDeque<Fault>,
    armed: Vec<Armed>,
    /// Taken and not yet over.
    under_way: usize,
    overlap: usize,
    occurred: BTreeMap<&'static str, usize>,
    missed: Vec<Fault>,
    /// Chooses victims.
    pub(super) random: Random,
    /// No fault before: the first request, and a pause after each fault.
    next: Option<Instant>,
    /// No rollback goes back before this revision.
    pub(super) floor: u64,
}

/// A fault that looks for its victim.
#[derive(Clone, Copy, Debug)]
struct Armed {
    fault: Fault,
    since: Instant,
    provocations: u32,
}

impl Armed {
    /// What brings the fault about, now or because it has waited for long enough.
    fn need(&mut self, now: Instant, can_provoke: bool) -> Option<Need> {
        let site = self.fault.site();
        let due = now >= self.since + PATIENCE * (self.provocations + 1)
            && (can_provoke || site == Site::Server);
        self.provocations += u32::from(due);
        match site {
            Site::Watch | Site::Server => Some(Need::Strike(self.fault)),
            Site::List if due => Some(Need::Lists),
            Site::Request | Site::WatchStart if due => Some(Need::Requests),
            _ => None,
        }
    }
}

/// What the driver must do so that an armed fault finds its victim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Need {
    /// Strikes the server, or an open watch: now.
    Strike(Fault),
    /// Waits for a request: the open watches should end.
    Requests,
    /// Waits for a list: the open watches should expire.
    Lists,
}

impl Plan {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self {
            waiting: schedule.faults.into(),
            armed: Vec::new(),
            under_way: 0,
            overlap: schedule.overlap.max(1),
            occurred: BTreeMap::new(),
            missed: Vec::new(),
            random: Random::new(schedule.seed),
            next: None,
            floor: 0,
        }
    }

    /// Begins with the first request of a client.
    pub(super) fn begin(&mut self, now: Instant, revision: u64) {
        if self.next.is_none() {
            self.next = Some(now + PAUSE);
            self.floor = revision;
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.left() == 0
    }

    pub(super) fn report(&self) -> Faults {
        Faults { occurred: self.occurred.clone(), missed: self.missed.clone(), left: self.left() }
    }

    /// An armed fault of `site` that `fits`. It is under way until it has
    /// [`occurred`](Self::occurred) or is [given back](Self::give_back).
    pub(super) fn take(&mut self, site: Site, fits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let found =
            self.armed.iter().position(|armed| armed.fault.site() == site && fits(&armed.fault))?;
        self.under_way += 1;
        Some(self.armed.remove(found).fault)
    }

    /// Counts a fault that was taken.
    pub(super) fn occurred(&mut self, fault: Fault) {
        self.under_way = self.under_way.saturating_sub(1);
        *self.occurred.entry(fault.name()).or_default() += 1;
        self.next = Some(Instant::now() + PAUSE);
    }

    /// Lets a fault that was taken look for another victim.
    pub(super) fn give_back(&mut self, fault: Fault) {
        self.under_way = self.under_way.saturating_sub(1);
        self.armed.push(Armed { fault, since: Instant::now(), provocations: 0 });
    }

    /// True while a token of the next list in pages must be too old. The fault stays armed until
    /// the client has used such a token.
    pub(super) fn wants_expired_token(&self) -> bool {
        self.armed.iter().any(|armed| armed.fault == Fault::ContinueExpired)
    }

    /// A client used a token that was declared too old.
    pub(super) fn token_expired(&mut self) {
        if let Some(fault) = self.take(Site::List, |fault| *fault == Fault::ContinueExpired) {
            self.occurred(fault);
        }
    }

    /// Gives up what cannot occur, arms what is due, and says what the armed faults need.
    /// `can_provoke` is true while there is a watch that could end to bring requests about.
    pub(super) fn needs(&mut self, now: Instant, can_provoke: bool) -> Vec<Need> {
        let hopeless = self.armed.extract_if(.., |armed| armed.provocations > PROVOCATIONS);
        self.missed.extend(hopeless.map(|armed| armed.fault));
        if self.next.is_some_and(|next| now >= next)
            && self.armed.len() + self.under_way < self.overlap
            && let Some(fault) = self.waiting.pop_front()
        {
            self.armed.push(Armed { fault, since: now, provocations: 0 });
        }
        self.armed.iter_mut().filter_map(|armed| armed.need(now, can_provoke)).collect()
    }

    fn left(&self) -> usize {
        self.waiting.len() + self.armed.len() + self.under_way
    }
}

/// Between the end of one fault and the next: time for the client to come back, sometimes.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a fault waits for its victim before the server brings it about, and again.
const PATIENCE: Duration = Duration::from_millis(80);

/// How often that is tried.
const PROVOCATIONS: u32 = 40;
