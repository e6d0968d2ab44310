//! Everything between "this load balancer" and "a connection to one of its servers": services, balancing,
//! connection pools and transports.
//!
//! [`Servers`] are compiled from the model and immutable. What must outlive a snapshot (a balancer's
//! position, how busy a server is, its identity in the pools) lives behind `Arc`s that the next snapshot adopts through
//! [`Carried`]. Pools are per worker and never shared.

mod balance;
mod budget;
mod carried;
mod choice;
mod connect;
mod health;
mod http2;
mod load;
mod pool;
mod server;
mod service;
mod standing;
mod sticky;
mod stream;
mod transport;
mod turns;

pub use balance::{Balancer, Candidate, Chosen, Member, Settings};
pub use budget::{Budget, Part};
pub use carried::{Carried, ServerId};
pub use choice::{Asking, Picked, Random};
pub use connect::{ConnectError, Opened, connect};
pub use health::{Check, Checkups, News, Passive, Target};
pub use http2::{
    Arrived, Cutter, Driver, Http2Stream, Multiplexed, Silence, StreamEnded, Unresponsive,
};
pub use load::{InFlight, Load, Tunnelled};
pub use pool::{Attempt, Connecting, Connection, Pool};
pub use server::{Scheme, Server, ServerUrlError};
pub use service::Servers;
pub use standing::Standing;
pub use sticky::cookie_name;
pub use stream::{Socket, Stream, Unread};
pub use transport::Transport;
pub use turns::Turns;
