//! A moment that ends a wait, cheap where it never comes to waiting.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::time::{Sleep, sleep_until};

/// A moment that ends a wait. Its timer is made when something first waits for it, so that an exchange
/// that need not wait costs none.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// `limit` after `start`; never without a limit.
    pub(crate) fn after(start: Instant, limit: Option<Duration>) -> Self {
        Self { at: limit.and_then(|limit| start.checked_add(limit)), sleep: None }
    }

    /// At this moment, if any.
    pub(crate) fn at(at: Option<Instant>) -> Self {
        Self { at, sleep: None }
    }

    /// Whether the moment has come; otherwise the task is woken when it does.
    pub(crate) fn has_passed(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(at) = self.at else { return false };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at.into())));
        match sleep.as_mut().poll(cx) {
            Poll::Ready(()) => true,
            Poll::Pending => false,
        }
    }

    /// `limit` from now; never without a limit.
    pub(crate) fn from_now(limit: Option<Duration>) -> Self {
        Self::after(tokio::time::Instant::now().into_std(), limit)
    }

    /// Puts it off to `limit` from now.
    pub(crate) fn put_off(&mut self, limit: Option<Duration>) {
        self.at = Self::from_now(limit).at;
        match (&mut self.sleep, self.at) {
            (Some(sleep), Some(at)) => sleep.as_mut().reset(at.into()),
            _ => self.sleep = None,
        }
    }

    /// It never comes.
    pub(crate) fn cancel(&mut self) {
        *self = Self::default();
    }
}
