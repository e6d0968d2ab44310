//! Benches: what is measured, and what is compared with what is on record.

pub(crate) mod stages;
