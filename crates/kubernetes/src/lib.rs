//! The only crate that knows Kubernetes: objects in, one index, the dynamic configuration out.
//!
//! ```text
//! YAML documents ─┐  api::read           Index::{apply, delete, reset}      translate
//!                 ├───────────► Object ──────────────────────────────► Index ─────────► dynamic::Config
//! an API server ──┘  cluster
//! ```
//!
//! A folder of manifests and a cluster feed the same [`Index`]; [`translate()`] is pure and total, and its
//! result does not depend on the order in which objects came. The names it makes are those of Traefik's
//! provider `kubernetescrd`, so that references from elsewhere (`default-auth@kubernetescrd`) keep working.

pub mod api;
pub mod cluster;
mod index;
pub mod schema;
mod selection;
mod translate;

pub use index::Index;
pub use selection::{InvalidSelector, Selection};
pub use translate::translate;

/// The name of the provider, after the `@` of names that come from here.
pub const PROVIDER: &str = "kubernetescrd";
