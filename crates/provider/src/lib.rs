//! Sources to one merged configuration: file, manifests.
