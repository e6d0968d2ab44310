//! Threads that compare passwords with hashes that take long, so that no worker waits for them.
//!
//! Traefik: none; it hashes on the goroutine of the request.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::basic_auth::{Fingerprint, Hash};

/// A few threads behind a bounded queue, for the whole process.
///
/// Identical checks that are under way at the same time are made once. A check that nobody waits
/// for any more is not made. One middleware can hold at most half of the queue.
pub struct PasswordPool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    limit: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// Those who wait for a check that is queued or under way.
    waiting: HashMap<Fingerprint, Vec<oneshot::Sender<bool>>>,
    closed: bool,
}

struct Job {
    owner: u64,
    fingerprint: Fingerprint,
    hash: Arc<Hash>,
    password: Box<[u8]>,
}

impl PasswordPool {
    /// A pool of `threads` threads (at least one) in front of which at most `queue` checks wait
    /// (at least two).
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn new(threads: usize, queue: usize) -> io::Result<Self> {
        let pool = Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                wake: Condvar::new(),
                limit: queue.max(2),
            }),
        };
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&pool.shared);
            let builder = thread::Builder::new().name(format!("password-{number}"));
            builder.spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    /// Compares a password with a hash; `None` if too many checks are waiting.
    ///
    /// `fingerprint` identifies hash and password among all checks. Dropping the future takes the
    /// check back unless it is under way.
    pub(crate) async fn verify(
        &self,
        owner: u64,
        fingerprint: Fingerprint,
        hash: &Arc<Hash>,
        password: &[u8],
    ) -> Option<bool> {
        let answer = self.shared.submit(owner, fingerprint, hash, password)?;
        answer.await.ok()
    }
}

impl Shared {
    fn submit(
        &self,
        owner: u64,
        fingerprint: Fingerprint,
        hash: &Arc<Hash>,
        password: &[u8],
    ) -> Option<oneshot::Receiver<bool>> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        if let Some(waiting) = state.waiting.get_mut(&fingerprint) {
            waiting.retain(|sender| !sender.is_closed());
            if waiting.len() >= MAX_WAITING {
                return None;
            }
            waiting.push(sender);
            return Some(receiver);
        }
        let mine = state.queue.iter().filter(|job| job.owner == owner).count();
        if state.queue.len() >= self.limit || mine >= self.limit / 2 {
            return None;
        }
        state.waiting.insert(fingerprint, vec![sender]);
        let job = Job { owner, fingerprint, hash: Arc::clone(hash), password: password.into() };
        state.queue.push_back(job);
        drop(state);
        self.wake.notify_one();
        Some(receiver)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // A check that panics leaves its thread alive and its clients without an answer.
            let outcome = catch_unwind(AssertUnwindSafe(|| job.hash.verify(&job.password)));
            let waiting = self.lock().waiting.remove(&job.fingerprint).unwrap_or_default();
            if let Ok(matches) = outcome {
                for sender in waiting {
                    // Whoever has gone needs no answer.
                    let _ = sender.send(matches);
                }
            }
        }
    }

    /// Waits for a check that somebody waits for; `None` when the pool is gone.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            while let Some(job) = state.queue.pop_front() {
                let waiting = state.waiting.get(&job.fingerprint);
                if waiting.is_some_and(|all| all.iter().any(|sender| !sender.is_closed())) {
                    return Some(job);
                }
                state.waiting.remove(&job.fingerprint);
            }
            if state.closed {
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PasswordPool {
    /// Ends the threads after the checks that they are at.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.queue.clear();
        state.waiting.clear();
        drop(state);
        self.shared.wake.notify_all();
    }
}

impl fmt::Debug for PasswordPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordPool").field("limit", &self.shared.limit).finish_non_exhaustive()
    }
}

/// How many requests can wait for one and the same check.
const MAX_WAITING: usize = 4096;

#[cfg(test)]
mod tests;
