//! Model to immutable, validated, runnable; state carried over; publication.
//!
//! [`compile()`] turns what all providers say into a [`Snapshot`]: pure and total, without IO or clock. What
//! cannot be built is disabled and reported, and closes what depends on it: a router that cannot be built
//! for another reason than its rule keeps its claim and answers 500, so that its requests never reach a
//! less guarded router. [`Publisher`] swaps the snapshot that all workers run on; a request takes it from
//! its worker's [`Reader`] once and keeps it to its end.

mod compile;
mod publish;
mod service;
mod settings;
mod snapshot;
mod steps;

pub use compile::{Environment, compile};
pub use publish::{Held, Publisher, Reader, Subscription};
pub use service::{Choice, Failover, FailoverErrors, Mirroring, Service, Taker};
pub use settings::{EntryPointSettings, Settings};
pub use snapshot::{EntryPoint, Route, Snapshot, Table, Target, Timeouts};
pub use steps::{Steps, Then, Wrapper};
