//! The load generator: many connections on one thread, as cheap as can be for each request.
//!
//! Each answer is checked for its status and length, and one of gRPC for its trailers. A closed loop
//! sends the next request when an answer is complete; an open loop sends at a constant rate whatever
//! has been answered, and measures from the moment when a request was due, so that waiting is never
//! left out. HTTP/1.1 has one request at a time on each connection (`engine`), HTTP/2 many (`streams`).

mod call;
mod channel;
mod engine;
mod pace;
mod response;
mod session;
mod streams;
mod tally;
mod traffic;

#[cfg(test)]
mod tests;

pub(crate) use call::Call;
pub(crate) use channel::{Sessions, TlsClient};
pub(crate) use engine::Edge;
#[cfg(test)]
pub(crate) use traffic::Faults;
pub(crate) use traffic::{Outcome, Plan, Requests, Traffic};

use anyhow::Result;

/// Runs a plan to its end; `probe` is called at the window's edges.
pub(crate) fn drive(plan: &Plan<'_>, probe: impl FnMut(Edge)) -> Result<Outcome> {
    match plan.traffic {
        Traffic::Requests(requests) => engine::drive(plan, requests, probe),
        Traffic::Streams(call, streams) => streams::drive(plan, call, *streams, probe),
    }
}
