//! A cluster is followed through whatever its API server does: the real client, the fake API server.
//!
//! ```text
//! Churn ─► ApiServer (Schedule of faults) ─► Cluster ─► Index ─► translate
//!             └──────────── history ─────────► Witness ◄───┘
//! ```
//!
//! Through every schedule of faults, at each change, what the [`Cluster`](portway_kubernetes::cluster::Cluster) shows
//! of a resource is a state that the server has had, and no router is lost whose objects are there; at the end all is
//! as a fresh list has it.
//!
//! `PORTWAY_SCHEDULES` schedules (500 unless it is set) run from seed `PORTWAY_SCHEDULE_SEED` (1) on.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "schedules/access.rs"]
mod access;
#[path = "schedules/anchors.rs"]
mod anchors;
#[path = "schedules/faults.rs"]
mod faults;
#[path = "schedules/followed.rs"]
mod followed;
#[path = "schedules/laxer.rs"]
mod laxer;
#[path = "schedules/objects.rs"]
mod objects;
#[path = "schedules/waiting.rs"]
mod waiting;
#[path = "schedules/witness.rs"]
mod witness;
