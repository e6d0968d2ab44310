//! Measurements.

pub(crate) mod peers;
