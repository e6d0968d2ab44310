//! Turns of what computes on one worker: filters of bodies, and connections that unfold large heads of few bytes.
//!
//! A task that yields stands behind all others that are ready, of which each computes as long: where a thousand
//! bodies are compressed, everybody else would wait for all of them, again and again. So they stand in a row of their
//! own, and between two of them whatever else is ready has its turn.

use std::{
    cell::RefCell,
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use tokio::task::{spawn_local, yield_now};

/// What is computed before others have their turn, in bytes, where nobody waits to do the same.
const TURN: usize = 64 * 1024;

thread_local! {
    static ROW: RefCell<Row> = const { RefCell::new(Row::new()) };
}

/// Those that wait for a turn.
#[derive(Debug)]
struct Row {
    /// What is left of the turn, in bytes.
    left: usize,
    /// How many were called.
    called: u64,
    /// Those that stand behind them.
    waiting: VecDeque<Waker>,
    /// Whether somebody calls.
    calls: bool,
}

/// One that needs turns, and where it stands in the row.
#[derive(Debug, Default)]
pub struct Turns {
    place: Option<u64>,
}

impl Turns {
    /// Waits for its turn.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        ROW.with_borrow_mut(|row| row.poll(&mut self.place, cx))
    }

    /// So many bytes were computed.
    pub fn took(bytes: usize) {
        ROW.with_borrow_mut(|row| row.left = row.left.saturating_sub(bytes));
    }
}

impl Drop for Turns {
    /// Holds nothing of its task in the row.
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let leave =
            |row: &mut Row| Some(std::mem::replace(row.waker(place)?, Waker::noop().clone()));
        // What it drops may stand in the row, too.
        drop(ROW.with_borrow_mut(leave));
    }
}

impl Row {
    const fn new() -> Self {
        Self { left: TURN, called: 0, waiting: VecDeque::new(), calls: false }
    }

    fn poll(&mut self, place: &mut Option<u64>, cx: &Context<'_>) -> Poll<()> {
        match *place {
            None if self.left > 0 && self.waiting.is_empty() => return Poll::Ready(()),
            None => {
                *place = Some(self.called + self.waiting.len() as u64);
                self.waiting.push_back(cx.waker().clone());
            }
            Some(number) => match self.waker(number) {
                Some(waker) => waker.clone_from(cx.waker()),
                None => {
                    *place = None;
                    return Poll::Ready(());
                }
            },
        }
        if !std::mem::replace(&mut self.calls, true) {
            spawn_local(call());
        }
        Poll::Pending
    }

    /// What wakes the one at this place, unless it was called.
    fn waker(&mut self, place: u64) -> Option<&mut Waker> {
        let behind = usize::try_from(place.checked_sub(self.called)?).ok()?;
        self.waiting.get_mut(behind)
    }

    /// The next one that may have its turn; nobody calls any more where nobody waits.
    fn call(&mut self) -> Option<Waker> {
        self.left = TURN;
        let next = self.waiting.pop_front();
        match next {
            Some(_) => self.called += 1,
            None => self.calls = false,
        }
        next
    }
}

/// Calls those that wait one by one, until nobody does. Whoever does not come when called holds nobody up.
async fn call() {
    loop {
        // All that is ready runs before.
        yield_now().await;
        match ROW.with_borrow_mut(Row::call) {
            Some(waker) => waker.wake(),
            None => break,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::poll_fn, rc::Rc};

    use tokio::task::LocalSet;

    use super::*;

    #[tokio::test]
    async fn others_have_their_turn_between_any_two_of_the_row() {
        let done = Rc::new(Cell::new(0));
        let local = LocalSet::new();
        for _ in 0..100 {
            let done = Rc::clone(&done);
            local.spawn_local(async move {
                let mut turns = Turns::default();
                for _ in 0..10 {
                    poll_fn(|cx| turns.poll(cx)).await;
                    Turns::took(TURN);
                    done.set(done.get() + 1);
                }
            });
        }
        let seen = Rc::clone(&done);
        let others = local.spawn_local(async move {
            let (mut before, mut most) = (0, 0);
            while before < 1000 {
                yield_now().await;
                most = most.max(seen.get() - before);
                before = seen.get();
            }
            most
        });
        local.await;
        assert!(others.await.unwrap() <= 2);
    }

    #[tokio::test]
    async fn one_that_leaves_the_row_holds_nobody_up() {
        let local = LocalSet::new();
        local
            .run_until(async {
                Turns::took(TURN);
                let mut left = Turns::default();
                assert!(poll_fn(|cx| Poll::Ready(left.poll(cx))).await.is_pending());
                drop(left);
                let mut next = Turns::default();
                poll_fn(|cx| next.poll(cx)).await;
                // Nobody calls any more once nobody waits.
                poll_fn(|cx| next.poll(cx)).await;
                for _ in 0..3 {
                    yield_now().await;
                }
                assert!(!ROW.with_borrow(|row| row.calls));
            })
            .await;
    }
}
