//! What is known on both sides: which generation leads where, what was sent, what arrived, what was wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::judge::is_flaky;
use super::origin::Role;
use super::plan::Generation;
use super::ticket::Ticket;

/// How many faults are told.
const TOLD: usize = 40;

/// The book of one storm.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The configurations so far; each stands at its number.
    generations: Mutex<Vec<Arc<Generation>>>,
    /// The newest that may be live, and the newest that is.
    written: AtomicU64,
    live: AtomicU64,
    faults: Mutex<Vec<String>>,
    counts: Mutex<BTreeMap<String, u64>>,
    /// How often each ticket has reached a server.
    arrived: Mutex<HashMap<u64, usize>>,
    /// Those whose answers came.
    answered: Mutex<Vec<u64>>,
    /// Tickets whose connection ended, as it may, before anything of an answer came.
    unanswered: Mutex<Vec<Ticket>>,
    /// The process has been told to end.
    pub(super) draining: AtomicBool,
    /// Clients begin nothing any more.
    pub(super) over: AtomicBool,
    next: AtomicU64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    /// A number that no other ticket has.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, SeqCst)
    }

    pub(super) fn fault(&self, text: String) {
        let mut faults = locked(&self.faults);
        if faults.len() < TOLD {
            eprintln!("fault: {text}");
            faults.push(text);
        }
    }

    /// Counts something that is no fault.
    pub(super) fn count(&self, what: &str) {
        let mut counts = locked(&self.counts);
        match counts.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(counts.insert(what.to_owned(), 1)),
        }
    }

    pub(super) fn counted(&self, what: &str) -> u64 {
        locked(&self.counts).get(what).copied().unwrap_or(0)
    }

    /// Everything that was counted, one to a line.
    pub(super) fn counts(&self) -> String {
        locked(&self.counts).iter().map(|(what, count)| format!("{count:8} {what}\n")).collect()
    }

    /// All that was wrong; the tickets that servers have seen and nobody answered are.
    pub(super) fn faults(&self) -> Vec<String> {
        let arrived = locked(&self.arrived);
        let lost = locked(&self.unanswered);
        let lost =
            lost.iter().filter(|ticket| arrived.contains_key(&ticket.id) && !is_flaky(ticket));
        let lost = lost.map(|ticket| format!("reached its server and was not answered: {ticket}"));
        locked(&self.faults).iter().cloned().chain(lost).collect()
    }

    /// The next configuration is about to be written.
    pub(super) fn written(&self, generation: Generation) -> Arc<Generation> {
        let generation = Arc::new(generation);
        let mut generations = locked(&self.generations);
        assert_eq!(generations.len() as u64, generation.number);
        generations.push(Arc::clone(&generation));
        self.written.store(generation.number, SeqCst);
        generation
    }

    /// The process was seen to use it.
    pub(super) fn live(&self, number: u64) {
        self.live.store(number, SeqCst);
    }

    /// The newest configuration that is certainly live.
    pub(super) fn since(&self) -> u64 {
        self.live.load(SeqCst)
    }

    /// Those that may have been live at some time from `since` to now.
    pub(super) fn possible(&self, since: u64) -> Vec<Arc<Generation>> {
        let until = self.written.load(SeqCst);
        locked(&self.generations)[since as usize..=until as usize].to_vec()
    }

    /// A request is at a server: was it meant for it?
    pub(super) fn arrive(&self, ticket: &Ticket, server: &str, role: Role) {
        let leads = |generation: &Arc<Generation>| match role {
            Role::Mirror => generation.mirrors(&ticket.route, server),
            _ => generation.leads(&ticket.route, server),
        };
        match role {
            Role::Mirror => self.count("copies"),
            _ => *locked(&self.arrived).entry(ticket.id).or_default() += 1,
        }
        if !self.possible(ticket.since).iter().any(leads) {
            self.fault(format!("{server} got what was not meant for it: {ticket}"));
        }
    }

    /// How often it has reached a server.
    pub(super) fn arrivals(&self, ticket: &Ticket) -> usize {
        locked(&self.arrived).get(&ticket.id).copied().unwrap_or(0)
    }

    /// Its connection ended before anything of an answer came; `told` says that it was told to.
    pub(super) fn unanswered(&self, ticket: &Ticket, why: &str, told: bool) {
        if ticket.rude {
            self.count("rude: no answer");
        } else if told || self.draining.load(SeqCst) {
            self.count(if told { "ended as told: no answer" } else { "drain: no answer" });
            locked(&self.unanswered).push(ticket.clone());
        } else if is_flaky(ticket) && self.arrivals(ticket) > 0 {
            // Its server broke off before the head of the answer was on its way.
            self.count("flaky: no answer");
        } else {
            let arrivals = self.arrivals(ticket);
            self.fault(format!("no answer ({why}; {arrivals} arrivals): {ticket}"));
        }
    }

    /// A client has got an answer.
    pub(super) fn answer(&self, ticket: &Ticket) {
        locked(&self.answered).push(ticket.id);
    }

    /// The tickets to which clients have got answers.
    pub(super) fn answered(&self) -> Vec<u64> {
        locked(&self.answered).clone()
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(SeqCst)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(SeqCst)
    }
}
