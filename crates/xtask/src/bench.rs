//! Benches: what is measured, what is compared with other proxies, and what with the record.

pub(crate) mod peers;
pub(crate) mod stages;
