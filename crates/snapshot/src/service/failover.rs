//! A service, and another for when it fails.

use std::sync::Arc;

use portway_middleware::{NotAStatusRange, StatusRanges};
use portway_model::dynamic;
use portway_upstream::Standing;

use crate::Service;

/// A service, and another for when it fails. Traefik: `failover`.
#[derive(Debug)]
pub struct Failover {
    /// What is asked first.
    pub main: Arc<Service>,
    /// What is asked in its place.
    pub fallback: Arc<Service>,
    /// The answers for which it is; `None` where answers count for nothing.
    pub errors: Option<FailoverErrors>,
    /// Whether what is asked first is left out while it is down.
    pub heeds_main: bool,
    /// Whether the fallback is asked only while it is up.
    pub heeds_fallback: bool,
}

impl Failover {
    /// Whether what is asked first takes requests, as far as it tells.
    pub fn main_is_up(&self) -> bool {
        !self.heeds_main || self.main.is_up()
    }

    /// Whether one of both takes requests.
    pub(crate) fn standing(&self) -> Arc<Standing> {
        if !self.heeds_main || !self.heeds_fallback {
            return Arc::default();
        }
        Arc::new(Standing::of(vec![self.main.standing(), self.fallback.standing()]))
    }
}

/// Answers for which the fallback is asked. Traefik: `failover.errors`.
#[derive(Debug)]
pub struct FailoverErrors {
    status: StatusRanges,
    /// Bytes of a request's body above which it is refused with 413, since it cannot be sent twice; `None` where it is
    /// not refused, and what is too long to be kept is sent once.
    pub max_body: Option<u64>,
}

impl FailoverErrors {
    /// Compiles what the user wrote; `None` where that names no status.
    ///
    /// # Errors
    /// With the first text that is no status code and no range of them.
    pub(crate) fn compile(
        config: &dynamic::FailoverErrors,
    ) -> Result<Option<Self>, NotAStatusRange> {
        let status = StatusRanges::parse(&config.status)?;
        let max_body = config.max_request_body_bytes.and_then(|limit| u64::try_from(limit).ok());
        Ok((!status.is_empty()).then_some(Self { status, max_body }))
    }

    /// Whether an answer with this status is none.
    pub fn covers(&self, status: u16) -> bool {
        self.status.contains(status)
    }
}
