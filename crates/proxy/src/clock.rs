//! The `Date` field, formatted once a second.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant, SystemTime},
};

/// A worker's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    formatted: Cell<Option<Instant>>,
    date: RefCell<String>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { formatted: Cell::new(None), date: RefCell::new(String::new()) }
    }

    /// Calls `write` with the value of `Date` (RFC 9110 §5.6.7) at `now`, at most a second old.
    pub(crate) fn with_date<T>(&self, now: Instant, write: impl FnOnce(&[u8]) -> T) -> T {
        let fresh = self
            .formatted
            .get()
            .is_some_and(|then| now.saturating_duration_since(then) < Duration::from_millis(500));
        if !fresh {
            self.formatted.set(Some(now));
            *self.date.borrow_mut() = httpdate::fmt_http_date(SystemTime::now());
        }
        write(self.date.borrow().as_bytes())
    }
}
