//! A client's connection of HTTP/2, with many calls at a time.

use std::{collections::VecDeque, io, net::SocketAddr, time::Instant};

use mio::net::TcpStream;
use portway_http::{
    Response, StaticName, Status,
    h2::{Client, Connection, Event, Limits, StreamId},
};

use super::{
    call::Call,
    channel::{Channel, Place},
    response::Fault,
    tally::Broken,
};

const GRPC_STATUS: StaticName = StaticName::new("Grpc-Status");

/// A connection and its calls.
#[derive(Debug)]
pub(super) struct Session<'plan> {
    channel: Channel,
    calls: Calls<'plan>,
}

/// What is under way on a connection.
#[derive(Debug)]
struct Calls<'plan> {
    engine: Connection<Client>,
    call: &'plan Call,
    /// The length that each answer's body must have.
    length: u64,
    response: Response,
    /// Calls in the order of their streams; those with an answer leave when they come to the front.
    open: VecDeque<Pending>,
    /// When calls were begun that have their answers since [`Session::advance`] began.
    answered: Vec<Instant>,
}

/// A call that waits for its answer.
#[derive(Debug)]
struct Pending {
    stream: StreamId,
    /// When it was begun; `None` once it has its answer.
    since: Option<Instant>,
    /// How much of the request's body was sent.
    sent: usize,
    /// How much of the answer's body has come.
    received: u64,
}

impl<'plan> Session<'plan> {
    /// Starts to connect.
    pub(super) fn connect(
        address: SocketAddr,
        place: Option<&Place>,
        call: &'plan Call,
        length: u64,
    ) -> io::Result<Self> {
        let calls = Calls {
            engine: Connection::client(&Limits::default()),
            call,
            length,
            response: Response::new(),
            open: VecDeque::new(),
            answered: Vec::new(),
        };
        Ok(Self { channel: Channel::connect(address, place)?, calls })
    }

    /// The socket.
    pub(super) fn stream(&mut self) -> &mut TcpStream {
        self.channel.stream()
    }

    /// Begins so many calls, and sends what can be sent of all.
    pub(super) fn begin(&mut self, calls: usize, now: Instant) -> Result<(), Broken> {
        (0..calls).try_for_each(|_| self.calls.begin(now))?;
        Ok(self.push()?)
    }

    /// Does what can be done; each answer that comes is followed by the next call. Answers when those
    /// were begun that have their answers.
    pub(super) fn advance(
        &mut self,
        buffer: &mut [u8],
        now: Instant,
    ) -> Result<&[Instant], Broken> {
        self.push()?;
        self.calls.answered.clear();
        loop {
            let mut taken = Ok(());
            let calls = &mut self.calls;
            let read = self.channel.receive(buffer, |bytes| {
                if taken.is_ok() {
                    taken = calls.take(bytes, now);
                }
            })?;
            taken?;
            match read {
                None => break,
                Some(0) => return Err(Broken::Closed),
                // A short read has drained the socket.
                Some(length) if length < buffer.len() => break,
                Some(_) => {}
            }
        }
        // Calls that begin together leave in one write.
        self.begin(self.calls.answered.len(), now)?;
        Ok(&self.calls.answered)
    }

    fn push(&mut self) -> io::Result<()> {
        let calls = &mut self.calls;
        calls.go_on();
        if calls.engine.output().is_empty() {
            return self.channel.flush();
        }
        while !calls.engine.output().is_empty() {
            match self.channel.send(calls.engine.output())? {
                0 => break,
                taken => calls.engine.written(taken),
            }
            calls.go_on();
        }
        Ok(())
    }
}

impl Calls<'_> {
    fn begin(&mut self, now: Instant) -> Result<(), Broken> {
        let (stream, sent) = self.call.open(&mut self.engine).ok_or(Broken::Closed)?;
        self.open.push_back(Pending { stream, since: Some(now), sent, received: 0 });
        Ok(())
    }

    /// Sends on what waited for windows or for room in the output.
    fn go_on(&mut self) {
        while let Some(stream) = self.engine.next_writable() {
            if let Some(pending) = find(&mut self.open, stream) {
                pending.sent = self.call.go_on(&mut self.engine, stream, pending.sent);
            }
        }
    }

    fn take(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Broken> {
        loop {
            let step = self.engine.next(bytes, &mut self.response, now);
            let step = step.map_err(io::Error::other)?;
            bytes = bytes.get(step.consumed..).unwrap_or_default();
            match step.event {
                None => return Ok(()),
                Some(Event::Head { stream, end }) => self.take_head(stream, end)?,
                Some(Event::Data { stream, payload, end }) => {
                    self.engine.release(stream, payload.len());
                    let pending = find(&mut self.open, stream).ok_or(Fault::Malformed)?;
                    pending.received += payload.len() as u64;
                    if end {
                        self.end(stream, false)?;
                    }
                }
                Some(Event::Trailers { stream }) => {
                    let fine = self.engine.trailers().get(GRPC_STATUS) == Some(b"0");
                    self.end(stream, fine)?;
                }
                Some(Event::Reset { .. } | Event::GoAway { .. }) => return Err(Broken::Closed),
                Some(Event::Refused { .. } | Event::Wasted | Event::Pong { .. }) => {
                    return Err(Fault::Malformed.into());
                }
            }
        }
    }

    fn take_head(&mut self, stream: StreamId, end: bool) -> Result<(), Broken> {
        if self.response.status != Status::OK {
            return Err(Fault::Status.into());
        }
        if end { self.end(stream, false) } else { Ok(()) }
    }

    /// An answer is complete; `fine` says that it ends with the trailers that gRPC wants.
    fn end(&mut self, stream: StreamId, fine: bool) -> Result<(), Broken> {
        let pending = find(&mut self.open, stream).ok_or(Fault::Malformed)?;
        if pending.received != self.length {
            return Err(Fault::Length.into());
        }
        if self.call.is_grpc() && !fine {
            return Err(Fault::Trailers.into());
        }
        self.answered.extend(pending.since.take());
        while self.open.front().is_some_and(|pending| pending.since.is_none()) {
            self.open.pop_front();
        }
        Ok(())
    }
}

/// Streams of a client have every second number, so that the first tells the place of each.
fn find(open: &mut VecDeque<Pending>, stream: StreamId) -> Option<&mut Pending> {
    let before = stream.number().checked_sub(open.front()?.stream.number())?;
    open.get_mut(usize::try_from(before / 2).ok()?).filter(|pending| pending.since.is_some())
}
