//! The load generator: many connections on one thread, as cheap as can be for each request.
//!
//! Each answer is checked for its status and length. A closed loop sends the next request when an
//! answer is complete; an open loop sends at a constant rate whatever has been answered, and
//! measures from the moment when a request was due, so that waiting is never left out.

mod channel;
mod engine;
mod pace;
mod response;
mod traffic;

#[cfg(test)]
mod tests;

pub(crate) use channel::{Sessions, TlsClient};
pub(crate) use engine::{Edge, drive};
#[cfg(test)]
pub(crate) use traffic::Faults;
pub(crate) use traffic::{Outcome, Plan, Requests};
