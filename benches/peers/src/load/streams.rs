//! The loop over all connections of HTTP/2, with many calls at a time on each.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::Result;
use mio::{Events, Interest, Poll, Token};

use super::{
    call::Call,
    channel::Place,
    engine::Edge,
    session::Session,
    tally::{Broken, Tally},
    traffic::{Outcome, Plan},
};

/// Runs a plan of HTTP/2 to its end, a closed loop on each stream; `probe` is called at the window's
/// edges.
pub(super) fn drive(
    plan: &Plan<'_>,
    call: &Call,
    streams: usize,
    mut probe: impl FnMut(Edge),
) -> Result<Outcome> {
    let mut run = Run {
        plan,
        call,
        streams,
        place: plan.tls.as_ref().map(|tls| tls.place()),
        poll: Poll::new()?,
        tally: Tally::new(plan, Instant::now())?,
        sessions: Vec::new(),
        buffer: vec![0; 64 * 1024],
    };
    run.sessions.resize_with(plan.connections, || None);
    let mut events = Events::with_capacity(1024);
    (0..plan.connections).for_each(|index| run.open(index));
    while !run.tally.is_over() {
        match run.poll.poll(&mut events, Some(Duration::from_millis(20))) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            run.advance(event.token().0);
        }
        run.tally.turn(Instant::now(), &mut probe);
    }
    Ok(run.tally.into_outcome())
}

struct Run<'plan> {
    plan: &'plan Plan<'plan>,
    call: &'plan Call,
    streams: usize,
    place: Option<Place>,
    poll: Poll,
    tally: Tally<'plan>,
    sessions: Vec<Option<Session<'plan>>>,
    buffer: Vec<u8>,
}

impl<'plan> Run<'plan> {
    /// Opens a connection, and another instead of one that fails at once.
    fn open(&mut self, index: usize) {
        while !self.tally.has_failed() {
            match self.connect(index) {
                Ok(session) => {
                    if let Some(place) = self.sessions.get_mut(index) {
                        *place = Some(session);
                    }
                    return;
                }
                Err(broken) => self.tally.fail(broken),
            }
        }
    }

    fn connect(&self, index: usize) -> Result<Session<'plan>, Broken> {
        let Plan { address, length, .. } = *self.plan;
        let mut session = Session::connect(address, self.place.as_ref(), self.call, length)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(session.stream(), Token(index), interest)?;
        session.begin(self.streams, Instant::now())?;
        Ok(session)
    }

    fn advance(&mut self, index: usize) {
        let Some(place) = self.sessions.get_mut(index) else { return };
        let Some(session) = place else { return };
        let now = Instant::now();
        match session.advance(&mut self.buffer, now) {
            Ok(answered) => {
                for since in answered {
                    self.tally.complete(*since, now);
                }
            }
            Err(broken) => {
                *place = None;
                self.tally.fail(broken);
                self.open(index);
            }
        }
    }
}
