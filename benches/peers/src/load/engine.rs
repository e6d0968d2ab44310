//! The loop over all connections of HTTP/1.1, with one request at a time on each.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::Result;
use mio::{Events, Interest, Poll, Token};
use rustls::HandshakeKind;

use super::{
    channel::{Channel, Place},
    pace::Pace,
    response::{Fault, Progress, ResponseReader},
    tally::{Broken, Tally},
    traffic::{Outcome, Plan, Random, Requests},
};

/// Connections that open at a time where many are to be held.
const OPENING: usize = 64;

/// An edge of the window that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// It begins.
    Start,
    /// It has ended.
    End,
}

/// Runs a plan of HTTP/1.1 to its end; `probe` is called at the window's edges.
pub(super) fn drive(
    plan: &Plan<'_>,
    requests: &Requests,
    mut probe: impl FnMut(Edge),
) -> Result<Outcome> {
    let mut engine = Engine::new(plan, requests)?;
    let mut events = Events::with_capacity(1024);
    engine.begin(&mut probe)?;
    while !engine.tally.is_over() {
        match engine.poll.poll(&mut events, Some(Duration::from_millis(20))) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            match (event.token().0, &engine.pace) {
                (index, _) if index < plan.connections => engine.advance(index),
                (_, Some(pace)) => pace.tick(),
                _ => {}
            }
        }
        let now = Instant::now();
        engine.keep_pace(now);
        engine.tally.turn(now, &mut probe);
    }
    Ok(engine.tally.into_outcome())
}

struct Engine<'plan> {
    plan: &'plan Plan<'plan>,
    requests: &'plan Requests,
    tally: Tally<'plan>,
    poll: Poll,
    slots: Vec<Slot<'plan>>,
    buffer: Vec<u8>,
    random: Random,
    pace: Option<Pace>,
    /// Connections that were begun, of those to be held.
    begun: usize,
}

/// A place for one connection after another.
struct Slot<'plan> {
    channel: Option<Channel>,
    place: Option<Place>,
    reader: ResponseReader,
    unsent: &'plan [u8],
    /// When the request in flight was sent or due.
    since: Option<Instant>,
}

impl<'plan> Engine<'plan> {
    fn new(plan: &'plan Plan<'plan>, requests: &'plan Requests) -> Result<Self> {
        let slot = || Slot {
            channel: None,
            place: plan.tls.as_ref().map(|tls| tls.place()),
            reader: ResponseReader::new(plan.length),
            unsent: &[],
            since: None,
        };
        Ok(Self {
            plan,
            requests,
            tally: Tally::new(plan, Instant::now())?,
            poll: Poll::new()?,
            slots: (0..plan.connections).map(|_| slot()).collect(),
            buffer: vec![0; 64 * 1024],
            random: Random::new(),
            pace: None,
            begun: 0,
        })
    }

    fn begin(&mut self, probe: &mut impl FnMut(Edge)) -> Result<()> {
        let now = Instant::now();
        if let Some(rate) = self.plan.rate {
            let token = Token(self.plan.connections);
            self.pace = Some(Pace::new(rate, self.plan.connections, self.poll.registry(), token)?);
            self.keep_pace(now);
            return Ok(());
        }
        if self.plan.hold {
            self.tally.open_window(now, probe);
        }
        let first = if self.plan.hold { OPENING } else { self.plan.connections };
        self.begun = first.min(self.plan.connections);
        (0..self.begun).for_each(|index| self.start(index, now));
        Ok(())
    }

    /// Sends what is due, in an open loop.
    fn keep_pace(&mut self, now: Instant) {
        while let Some((index, due)) = self.pace.as_mut().and_then(|pace| pace.next(now)) {
            self.start(index, due);
        }
    }

    /// Sends a request by the connection at `index`, which it opens if there is none.
    fn start(&mut self, index: usize, since: Instant) {
        let request = self.requests.pick(&mut self.random);
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.since = Some(since);
        slot.unsent = request;
        let started = match slot.channel {
            Some(_) => Ok(()),
            None => slot.open(self.plan, &self.poll, index),
        };
        if let Err(error) = started.and_then(|()| slot.push()) {
            self.fail(index, Broken::Failed(error));
        }
    }

    fn advance(&mut self, index: usize) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        match slot.advance(&mut self.buffer) {
            Ok(Progress::Partial) => {}
            Ok(Progress::Complete) => self.complete(index, Instant::now()),
            Err(broken) => self.fail(index, broken),
        }
    }

    fn complete(&mut self, index: usize, now: Instant) {
        let Some(slot) = self.slots.get_mut(index) else { return };
        let Some(since) = slot.since.take() else {
            return self.fail(index, Broken::Answer(Fault::Malformed));
        };
        if let Some(outcome) = self.tally.complete(since, now)
            && self.plan.renew
        {
            match slot.channel.as_ref().and_then(Channel::handshake) {
                None => {}
                Some(HandshakeKind::Resumed) => outcome.resumed_handshakes += 1,
                Some(_) => outcome.full_handshakes += 1,
            }
        }
        if self.plan.renew {
            slot.channel = None;
        }
        self.go_on(index, now);
    }

    /// After an answer or a failure: what the connection does next.
    fn go_on(&mut self, index: usize, now: Instant) {
        if let Some(pace) = &mut self.pace {
            pace.release(index);
        } else if self.plan.hold {
            self.tally.hold();
            if self.begun < self.plan.connections {
                self.begun += 1;
                self.start(self.begun - 1, now);
            }
        } else if !self.tally.has_failed() {
            self.start(index, now);
        }
    }

    fn fail(&mut self, index: usize, broken: Broken) {
        self.tally.fail(broken);
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.channel = None;
        slot.unsent = &[];
        slot.reader.reset();
        if slot.since.take().is_some() {
            self.go_on(index, Instant::now());
        }
    }
}

impl Slot<'_> {
    fn open(&mut self, plan: &Plan<'_>, poll: &Poll, index: usize) -> io::Result<()> {
        let mut channel = Channel::connect(plan.address, self.place.as_ref())?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(channel.stream(), Token(index), interest)?;
        self.channel = Some(channel);
        Ok(())
    }

    fn push(&mut self) -> io::Result<()> {
        let Some(channel) = &mut self.channel else { return Ok(()) };
        if self.unsent.is_empty() {
            return channel.flush();
        }
        let taken = channel.send(self.unsent)?;
        self.unsent = self.unsent.get(taken..).unwrap_or_default();
        Ok(())
    }

    fn advance(&mut self, buffer: &mut [u8]) -> Result<Progress, Broken> {
        self.push()?;
        let Some(channel) = &mut self.channel else { return Ok(Progress::Partial) };
        loop {
            let mut seen = Ok(Progress::Partial);
            let reader = &mut self.reader;
            let read = channel.receive(buffer, |bytes| {
                seen = match seen {
                    Ok(Progress::Partial) => reader.feed(bytes),
                    Ok(Progress::Complete) => Err(Fault::Malformed),
                    Err(fault) => Err(fault),
                };
            })?;
            let progress = seen?;
            match read {
                None => return Ok(Progress::Partial),
                Some(0) => return Err(Broken::Closed),
                // A short read has drained the socket.
                Some(length) if progress == Progress::Complete || length < buffer.len() => {
                    return Ok(progress);
                }
                Some(_) => {}
            }
        }
    }
}
