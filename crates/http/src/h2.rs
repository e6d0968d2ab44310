//! HTTP/2 without sockets and clocks (RFC 9113, RFC 7541, RFC 8441), for both roles.
//!
//! A [`Connection`] belongs to the task that owns the socket. What was read goes into
//! [`Connection::next`], which says step by step what it was ([`Event`]); what is to be sent is given
//! to it stream by stream, and comes out of [`Connection::output`] as one piece:
//!
//! ```text
//! socket ─ read ─► next(input) ─► Head · Data · Trailers · Reset …  ─► the streams' owners
//!                                 release(stream, bytes)           ◄─ passed on
//! socket ◄ write ─ output()    ◄─ respond · send_data · reset …    ◄─ the streams' owners
//!                  written(n)  ─► next_writable()                   ─► who may send again
//! ```
//!
//! - *frames*: `receive` puts frames together and hands each kind to a file of its own;
//!   payload of DATA is never copied, only named as a range of the input.
//! - *heads*: `hpack` decodes fields, `fields` collects them by the rules of RFC 9113 §8, `server`
//!   makes a [`Request`](crate::Request) of them, `client` a [`Response`](crate::Response).
//! - *streams*: a `stream` is two halves that end one after the other; `streams` keeps the living
//!   and remembers some of the dead, for what was under way when they ended.
//! - *sending*: `send` writes into `output` within the windows of `flow` and a bound of our own.
//!
//! # Invariants
//!
//! - Whatever a peer sends, memory is bounded by [`Limits`], and no input panics.
//! - How the input is cut never matters.
//! - After an error the output ends with the GOAWAY that tells it.

mod allowance;
mod client;
mod connection;
mod error;
mod event;
mod fields;
mod flow;
mod frame;
pub mod hpack;
mod limits;
mod output;
mod receive;
mod role;
mod send;
mod server;
mod settings;
mod stream;
mod streams;

pub use client::{RequestHead, Unsent};
pub use connection::Connection;
pub use error::{ConnectionError, ErrorCode, Gone};
pub use event::{Event, Step};
pub use frame::PREFACE;
pub use limits::{Limits, Rate};
pub use role::{Client, Role, Server};
pub use stream::StreamId;

#[cfg(test)]
mod tests;
