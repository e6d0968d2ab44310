//! The graceful end: idle connections close, busy ones finish their request and close, late ones are cut.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{sync::watch, time::sleep};

/// How the control plane ends the data plane.
#[derive(Clone, Debug)]
pub struct Drain {
    draining: watch::Sender<bool>,
    connections: Arc<AtomicUsize>,
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drain {
    /// Nothing ends yet.
    pub fn new() -> Self {
        let (draining, _) = watch::channel(false);
        Self { draining, connections: Arc::default() }
    }

    /// Begins the end. Each entry point goes on for its `requestAcceptGraceTimeout`, then stops accepting
    /// and ends keep-alive, and cuts what is left after its `graceTimeOut`.
    pub fn begin(&self) {
        self.draining.send_replace(true);
    }

    /// Connections that are open, of all workers; listening sockets count until they are closed.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Waits for [`Drain::begin`]. Cancel-safe.
    pub(crate) async fn begun(&self) {
        let mut receiver = self.draining.subscribe();
        // The sender lives in `self`, so the channel cannot close.
        let _ = receiver.wait_for(|draining| *draining).await;
    }

    /// Counts a connection or a listening socket until the guard is dropped.
    pub(crate) fn count(&self) -> Counted {
        self.connections.fetch_add(1, Ordering::AcqRel);
        Counted(Arc::clone(&self.connections))
    }
}

/// A connection that is counted as open.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How far the end of one entry point has come, on one worker.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    draining: Mark,
    cut: Mark,
}

impl Ending {
    /// Goes through the end: drains after `accept`, cuts after `grace` more.
    pub(crate) async fn go(&self, accept: Duration, grace: Duration) {
        sleep(accept).await;
        self.draining.set();
        sleep(grace).await;
        self.cut.set();
    }

    /// Whether connections end after their current request.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_set.get()
    }

    /// Whether what is left is to end at once. Whoever is cut is woken by [`Ending::cut`].
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.is_set.get()
    }

    /// Waits until nothing more is accepted. Cancel-safe.
    pub(crate) fn drained(&self) -> Waiting<'_> {
        self.draining.wait()
    }

    /// Waits until what is left is cut. Cancel-safe.
    pub(crate) fn cut(&self) -> Waiting<'_> {
        self.cut.wait()
    }
}

/// Something that happens once.
///
/// Every connection waits for it all its life and asks anew whenever its task runs: that costs a comparison.
#[derive(Debug, Default)]
struct Mark {
    is_set: Cell<bool>,
    /// Who is woken; places of those that wait no more are free.
    wakers: RefCell<Vec<Option<Waker>>>,
    free: RefCell<Vec<usize>>,
}

impl Mark {
    fn set(&self) {
        self.is_set.set(true);
        for waker in self.wakers.borrow_mut().iter_mut().filter_map(Option::take) {
            waker.wake();
        }
    }

    fn wait(&self) -> Waiting<'_> {
        Waiting { mark: self, place: None }
    }
}

/// The wait for a [`Mark`].
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    mark: &'a Mark,
    /// Its place among the wakers, once it has waited.
    place: Option<usize>,
}

impl Future for Waiting<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mark = self.mark;
        if mark.is_set.get() {
            return Poll::Ready(());
        }
        let mut wakers = mark.wakers.borrow_mut();
        let place = *self.place.get_or_insert_with(|| {
            mark.free.borrow_mut().pop().unwrap_or_else(|| {
                wakers.push(None);
                wakers.len() - 1
            })
        });
        if let Some(known) = wakers.get_mut(place)
            && !known.as_ref().is_some_and(|known| known.will_wake(cx.waker()))
        {
            *known = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        if let Some(waker) = self.mark.wakers.borrow_mut().get_mut(place) {
            *waker = None;
        }
        self.mark.free.borrow_mut().push(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_those_that_wait_no_more_are_used_again() {
        let mark = Mark::default();
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            let mut first = mark.wait();
            let mut second = mark.wait();
            assert!(Pin::new(&mut first).poll(&mut context).is_pending());
            assert!(Pin::new(&mut second).poll(&mut context).is_pending());
            assert!(Pin::new(&mut first).poll(&mut context).is_pending());
        }
        assert_eq!(mark.wakers.borrow().len(), 2);
        assert!(mark.wakers.borrow().iter().all(Option::is_none));
    }

    #[tokio::test]
    async fn everybody_who_waits_is_woken_and_nobody_waits_afterwards() {
        let mark = Mark::default();
        let woken = async { tokio::join!(mark.wait(), mark.wait()) };
        let set = async {
            tokio::task::yield_now().await;
            mark.set();
        };
        let both = async { tokio::join!(woken, set) };
        tokio::time::timeout(Duration::from_secs(10), both).await.unwrap();
        mark.wait().await;
    }
}
