//! Sources to one merged configuration: file, manifests, a cluster.
//!
//! A [`Source`] can be read again and again; [`run()`] reads it whenever a [`Watch`] says that something may have
//! changed, and sends what it says as an [`Update`]. The [`Aggregator`] keeps the latest of each provider and says
//! when there is something new to compile.

mod aggregate;
pub mod cluster;
pub mod file;
pub mod manifests;
pub mod material;
mod run;
mod stamp;
mod watch;

pub use aggregate::{Aggregator, Merged};
pub use run::{FolderOfManifests, Reading, Said, Source, Update, run, updates};
pub use watch::{Heard, Watch, tree};
