//! Sources to one merged configuration: file, manifests.

pub mod manifests;
