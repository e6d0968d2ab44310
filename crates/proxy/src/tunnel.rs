//! After `101 Switching Protocols`: what stays of the exchange, until both sides have ended or one breaks.
//!
//! Tunnels may stand for days and be very many, so that each holds what it needs and no more: the exchange, its memory
//! and the snapshot that it ran on are given back when the tunnel begins.

mod begin;
mod flow;

use std::{
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll},
};

use portway_http::Request;
use portway_middleware::{Permit, Recording};
use portway_observe::Reason;
use portway_upstream::{Stream, Tunnelled};

use self::flow::Flow;
use crate::{
    buffer::ReadBuffer,
    connection::Connection,
    copies::{self, Copy},
    memory::Memory,
    record::Facts,
    relay::Side,
    worker::Worker,
};

/// A tunnel between a client, whose connection is apart from it, and a server.
#[derive(Debug)]
pub(crate) struct Tunnel {
    server: Stream,
    /// What was read from the server and not passed on.
    from_server: ReadBuffer,
    flow: Flow,
    /// Boxed, since most have nothing of it.
    due: Option<Box<Due>>,
}

/// What is let go and done when a tunnel has ended.
#[derive(Debug)]
struct Due {
    facts: Facts,
    /// The request, as the access record wants it.
    request: Request,
    /// What middlewares hold until the end.
    permits: Vec<Permit>,
    /// What is recorded at the end.
    recordings: Vec<Recording>,
    /// Copies of the request that are sent at the end, as in Traefik.
    copies: Vec<Copy>,
    /// Counts the tunnel at its server.
    in_flight: Option<Tunnelled>,
}

impl Due {
    /// Whether there is nothing to be let go, nor to be done.
    fn is_nothing(&self) -> bool {
        let Self { facts, permits, recordings, copies, in_flight, .. } = self;
        !facts.are_logged()
            && permits.is_empty()
            && recordings.is_empty()
            && copies.is_empty()
            && in_flight.is_none()
    }
}

/// Carries the tunnel that the exchange with this memory has become to its end.
pub(crate) async fn run(connection: &mut Connection, mut memory: Box<Memory>) {
    let worker = Rc::clone(&connection.worker);
    let tunnel = memory.tunnel.take();
    worker.memories.put(memory);
    connection.rest();
    if let Some(mut tunnel) = tunnel {
        let is_cut = poll_fn(|cx| tunnel.poll(cx, connection, &worker)).await;
        tunnel.end(connection, &worker, is_cut);
    }
}

impl Tunnel {
    /// Passes on what there is; ready with whether the grace time is over when the tunnel is.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        worker: &Worker,
    ) -> Poll<bool> {
        let half_open =
            worker.entry_points.get(connection.entry_point).and_then(|e| e.idle_timeout);
        let mut client = Side { stream: &mut connection.stream, input: &mut connection.input };
        let mut server = Side { stream: &mut self.server, input: &mut self.from_server };
        if self.flow.poll(cx, &mut client, &mut server, &worker.buffers, half_open).is_ready() {
            return Poll::Ready(false);
        }
        // The task is woken for it, see `until_cut`: nothing needs to be registered here.
        let is_cut = worker.ending(connection.entry_point).is_none_or(|ending| ending.is_cut());
        if is_cut { Poll::Ready(true) } else { Poll::Pending }
    }

    /// Lets go of what the tunnel held, and writes the access record.
    fn end(self, connection: &Connection, worker: &Worker, is_cut: bool) {
        let Self { server, mut from_server, flow, due } = self;
        drop(server);
        from_server.discard(&worker.buffers);
        let Some(due) = due else { return };
        let Due { mut facts, request, permits, recordings, copies, in_flight } = *due;
        drop(in_flight);
        copies::send(connection, copies, &worker.snapshots.load(), is_cut);
        drop((permits, recordings));
        if is_cut {
            facts.reason = Some(Reason::GraceOver);
        }
        facts.sent = flow.received();
        facts.write(connection, &request);
    }
}

#[cfg(test)]
mod tests;
