//! What has come of a run so far, and how far the run is.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    engine::Edge,
    response::Fault,
    traffic::{Outcome, Plan},
};

/// A run with so many faults has failed; it need not go on.
const FAULTS: u64 = 100;

/// Without any answer for so long, a run has failed.
const SILENCE: Duration = Duration::from_secs(20);

/// The account of a run.
#[derive(Debug)]
pub(super) struct Tally<'plan> {
    plan: &'plan Plan<'plan>,
    phase: Phase,
    outcome: Outcome,
    /// When the last answer came.
    heard: Instant,
    /// Connections that are held.
    held: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    WarmUp(Instant),
    Window(Instant),
    Over,
}

/// Why an exchange failed.
#[derive(Debug)]
pub(super) enum Broken {
    Answer(Fault),
    Closed,
    Failed(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self::Answer(fault)
    }
}

impl<'plan> Tally<'plan> {
    /// Begins with the warm-up.
    pub(super) fn new(plan: &'plan Plan<'plan>, now: Instant) -> Result<Self> {
        let outcome = Outcome::new()?;
        Ok(Self { plan, phase: Phase::WarmUp(now), outcome, heard: now, held: 0 })
    }

    /// Leaves the warm-up out.
    pub(super) fn open_window(&mut self, now: Instant, probe: &mut impl FnMut(Edge)) {
        probe(Edge::Start);
        self.phase = Phase::Window(now);
    }

    /// Moves from warm-up to window to end.
    pub(super) fn turn(&mut self, now: Instant, probe: &mut impl FnMut(Edge)) {
        match self.phase {
            Phase::WarmUp(since) if now - since >= self.plan.warm_up => {
                probe(Edge::Start);
                self.phase = Phase::Window(Instant::now());
            }
            Phase::Window(since) if self.is_complete(since, now) => {
                self.outcome.elapsed = now - since;
                self.phase = Phase::Over;
                probe(Edge::End);
            }
            _ => {}
        }
        let silent = now - self.heard > SILENCE;
        if silent && self.phase != Phase::Over {
            self.complain("no answer came for a long time".to_owned());
            self.outcome.faults.failed += 1;
        }
        if silent || self.has_failed() {
            self.phase = Phase::Over;
        }
    }

    /// An answer has come, to what was sent or due at `since`. Answers the outcome to tell more of it
    /// within the window.
    pub(super) fn complete(&mut self, since: Instant, now: Instant) -> Option<&mut Outcome> {
        self.heard = now;
        if !matches!(self.phase, Phase::Window(_)) {
            return None;
        }
        self.outcome.completed += 1;
        let taken = u64::try_from((now - since).as_nanos()).unwrap_or(u64::MAX);
        self.outcome.latency.saturating_record(taken);
        Some(&mut self.outcome)
    }

    /// One more connection has its answer and stays.
    pub(super) fn hold(&mut self) {
        self.held += 1;
    }

    pub(super) fn fail(&mut self, broken: Broken) {
        let faults = &mut self.outcome.faults;
        match broken {
            Broken::Answer(Fault::Status) => faults.status += 1,
            Broken::Answer(Fault::Length) => faults.length += 1,
            Broken::Answer(Fault::Malformed) => faults.malformed += 1,
            Broken::Answer(Fault::Trailers) => faults.trailers += 1,
            Broken::Closed => faults.closed += 1,
            Broken::Failed(error) => {
                faults.failed += 1;
                self.complain(error.to_string());
            }
        }
    }

    /// Whether there were so many faults that it need not go on.
    pub(super) fn has_failed(&self) -> bool {
        self.outcome.faults.total() > FAULTS
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    pub(super) fn into_outcome(self) -> Outcome {
        self.outcome
    }

    fn is_complete(&self, since: Instant, now: Instant) -> bool {
        if self.plan.hold {
            return self.held == self.plan.connections && now - self.heard >= self.plan.window;
        }
        now - since >= self.plan.window
    }

    fn complain(&mut self, complaint: String) {
        self.outcome.complaint.get_or_insert(complaint);
    }
}
