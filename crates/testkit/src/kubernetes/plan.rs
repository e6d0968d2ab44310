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

    /// An armed fault of `site` that `fits`. It is under way until it has [`occurred`](Self::occurred)
    /// or is [given back](Self::give_back).
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

    /// True while a token of the next list in pages must be too old. The fault stays armed until the
    /// client has used such a token.
    pub(super) fn wants_expired_token(&self) -> bool {
        self.armed.iter().any(|armed| armed.fault == Fault::ContinueExpired)
    }

    /// A client used a token that was declared too old.
    pub(super) fn token_expired(&mut self) {
        if let Some(fault) = self.take(Site::List, |fault| *fault == Fault::ContinueExpired) {
            self.occurred(fault);
        }
    }

    /// Arms what is due, gives up what cannot occur, and says what armed faults need.
    pub(super) fn needs(&mut self, now: Instant, can_provoke: bool) -> Vec<Need> {
        if self.next.is_some_and(|next| now >= next)
            && self.armed.len() + self.under_way < self.overlap
            && let Some(fault) = self.waiting.pop_front()
        {
            self.armed.push(Armed { fault, since: now, provocations: 0 });
        }
        let mut needs = Vec::new();
        let mut given_up = Vec::new();
        for armed in &mut self.armed {
            let patience = PATIENCE * (armed.provocations + 1);
            let site = armed.fault.site();
            if matches!(site, Site::Watch | Site::Server) {
                needs.push(Need::Strike(armed.fault));
            }
            if now < armed.since + patience || (site != Site::Server && !can_provoke) {
                continue;
            }
            armed.provocations += 1;
            match site {
                Site::Request | Site::WatchStart => needs.push(Need::Requests),
                Site::List => needs.push(Need::Lists),
                Site::Watch | Site::Server => {}
            }
            if armed.provocations > PROVOCATIONS {
                given_up.push(armed.fault);
            }
        }
        self.armed.retain(|armed| armed.provocations <= PROVOCATIONS);
        needs.retain(|need| !given_up.iter().any(|fault| *need == Need::Strike(*fault)));
        self.missed.extend(given_up);
        needs
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
