//! The only crate that knows Kubernetes: object types, index, translate.
