//! Moments that end waits, cheap where it never comes to waiting.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tokio::time::{Sleep, sleep_until};

/// A limit of waits that come again and again, such as those for the next request of a connection.
///
/// Its timer is left running from wait to wait and put off only when it goes off too early: a wait that ends
/// in time costs no timer.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    timer: Option<(Pin<Box<Sleep>>, Waker)>,
}

impl Patience {
    /// Whether `until` has come; otherwise the task is woken when it does. Without `until` it never comes.
    pub(crate) fn is_over(&mut self, cx: &mut Context<'_>, until: Option<Instant>) -> bool {
        let Some(until) = until else { return false };
        if let Some((sleep, waker)) = &self.timer
            && sleep.deadline().into_std() <= until
            && !sleep.is_elapsed()
            && waker.will_wake(cx.waker())
        {
            return false;
        }
        let (sleep, waker) = self
            .timer
            .get_or_insert_with(|| (Box::pin(sleep_until(until.into())), cx.waker().clone()));
        waker.clone_from(cx.waker());
        while sleep.as_mut().poll(cx).is_ready() || sleep.deadline().into_std() > until {
            if sleep.is_elapsed() && sleep.deadline().into_std() >= until {
                return true;
            }
            sleep.as_mut().reset(until.into());
        }
        false
    }
}

/// How long bodies may stand still.
#[derive(Debug, Default)]
pub(crate) struct Idleness {
    limit: Option<Duration>,
    moved: Option<u64>,
    deadline: Deadline,
}

impl Idleness {
    /// Never too long without a limit.
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self { limit, moved: None, deadline: Deadline::default() }
    }

    /// Whether nothing has moved for too long, where `moved` bytes have in all; otherwise the task is woken when
    /// that has come.
    pub(crate) fn is_over(&mut self, cx: &mut Context<'_>, moved: u64) -> bool {
        if self.limit.is_none() {
            return false;
        }
        if self.moved != Some(moved) {
            self.moved = Some(moved);
            self.deadline = Deadline::from_now(self.limit);
        }
        self.deadline.has_passed(cx)
    }
}

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
        let at = limit.map(|limit| tokio::time::Instant::now().into_std().checked_add(limit));
        Self::at(at.flatten())
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{Instant as Clock, advance, timeout};

    use super::*;

    fn wait(patience: &mut Patience, until: Clock) -> impl Future<Output = ()> {
        poll_fn(move |cx| match patience.is_over(cx, Some(until.into_std())) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn waits_end_in_time_whether_they_are_put_off_or_brought_forward() {
        let mut patience = Patience::default();
        let start = Clock::now();
        let seconds = |count| start + Duration::from_secs(count);
        let mut given_up = async |until| {
            let short = Duration::from_secs(1);
            timeout(short, wait(&mut patience, seconds(until))).await.is_err()
        };
        assert!(given_up(10).await && given_up(20).await && given_up(5).await);
        wait(&mut patience, seconds(30)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(30));
        wait(&mut patience, seconds(29)).await;
        wait(&mut patience, seconds(31)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(31));
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_went_off_unseen_does_not_end_the_next_wait() {
        let mut patience = Patience::default();
        let start = Clock::now();
        let first = wait(&mut patience, start + Duration::from_secs(5));
        assert!(timeout(Duration::from_secs(1), first).await.is_err());
        advance(Duration::from_secs(60)).await;
        wait(&mut patience, start + Duration::from_secs(100)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(100));
    }
}
