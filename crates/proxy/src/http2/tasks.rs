//! The tasks that lead streams, used again from stream to stream: to begin and end a task costs as much as to find a
//! router.

use std::{
    cell::RefCell,
    fmt,
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use super::{Led, lead};

/// Tasks without a stream that a worker keeps at most: as many as streams of a connection usually may be open at a
/// time, since those end together as they began.
const MAX_IDLE: usize = 256;

/// The tasks of a worker that lead no stream at the moment.
#[derive(Default)]
pub(crate) struct Tasks {
    idle: RefCell<Vec<Rc<Desk>>>,
}

/// Where a task finds the next stream.
#[derive(Default)]
struct Desk {
    next: RefCell<Option<Led>>,
    waker: RefCell<Option<Waker>>,
}

impl Tasks {
    /// Gives a stream to a task without one, or to a new task.
    pub(super) fn lead(&self, led: Led) {
        let Some(desk) = self.idle.borrow_mut().pop() else {
            // Boxed: the runtime moves a task several times while it begins and ends.
            tokio::task::spawn_local(Box::pin(work(led)));
            return;
        };
        *desk.next.borrow_mut() = Some(led);
        if let Some(waker) = &*desk.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Puts a task without a stream among the others; `false` where there are enough of them.
    fn rest(&self, desk: &Rc<Desk>) -> bool {
        let mut idle = self.idle.borrow_mut();
        let wanted = idle.len() < MAX_IDLE;
        if wanted {
            idle.push(Rc::clone(desk));
        }
        wanted
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("idle", &self.idle.borrow().len()).finish()
    }
}

impl Desk {
    fn poll_next(&self, cx: &Context<'_>) -> Poll<Led> {
        if let Some(led) = self.next.borrow_mut().take() {
            return Poll::Ready(led);
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// Leads one stream after another.
async fn work(first: Led) {
    let desk = Rc::default();
    let mut led = first;
    loop {
        // Not longer than the stream is led: a task without one must not keep its worker.
        let worker = Rc::clone(led.worker());
        lead(led).await;
        if !worker.stream_tasks.rest(&desk) {
            return;
        }
        drop(worker);
        led = poll_fn(|cx| desk.poll_next(cx)).await;
    }
}
