//! The only crate that knows Kubernetes: objects in, one index, the dynamic configuration out.
//!
//! ```text
//! YAML documents ─┐  api::read           Index::{apply, delete, reset}      translate
//!                 ├───────────► Object ──────────────────────────────► Index ─────────► dynamic::Config
//! an API server ──┘  cluster
//! ```
//!
//! A folder of manifests and a cluster feed the same [`Index`]; [`translate()`] (Traefik's own objects) and
//! [`translate_ingresses()`] are pure and total, and their results do not depend on the order in which objects
//! came; a [`Translator`] gives the same at the cost of what changes. The names they make are those of Traefik's
//! providers `kubernetescrd` and `kubernetes`, so that references from elsewhere (`default-auth@kubernetescrd`) keep
//! working. [`ingress_statuses`] says what to write back.

pub mod api;
mod class;
pub mod cluster;
mod index;
pub mod schema;
mod selection;
mod status;
mod translate;

pub use index::{Changes, Extent, Index, ServiceName};
pub use selection::{InvalidSelector, Selection};
pub use status::{Condition, IngressStatus, NoAddresses, Report, ingress_statuses, reports};
pub use translate::{Translated, Translator, translate, translate_ingresses};

/// The name of the provider of Traefik's own objects, after the `@` of names that come from them.
pub const PROVIDER: &str = "kubernetescrd";

/// The name of the provider of Ingresses.
pub const INGRESS_PROVIDER: &str = "kubernetes";
