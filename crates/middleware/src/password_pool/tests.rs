use std::time::Duration;

use tokio::sync::oneshot::error::TryRecvError;

use super::*;

/// A hash whose check takes a little and whose password is `U*U`.
const HASH: &str = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

fn hash() -> Arc<Hash> {
    Arc::new(Hash::parse(HASH))
}

fn fingerprint(number: u64) -> Fingerprint {
    Fingerprint::of_number(number)
}

/// A pool without threads, whose queue therefore stays as it is.
fn idle(limit: usize) -> PasswordPool {
    let shared = Shared { state: Mutex::default(), wake: Condvar::new(), limit };
    PasswordPool { shared: Arc::new(shared) }
}

#[tokio::test]
async fn passwords_are_checked() {
    let pool = PasswordPool::new(2, 8).unwrap();
    assert_eq!(pool.verify(1, fingerprint(1), &hash(), b"U*U").await, Some(true));
    assert_eq!(pool.verify(1, fingerprint(2), &hash(), b"u*u").await, Some(false));
}

#[tokio::test]
async fn a_check_never_blocks_the_thread_that_asks() {
    let pool = PasswordPool::new(1, 8).unwrap();
    let slow =
        Arc::new(Hash::parse("$2y$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
    let mut ticks = 0;
    let check = pool.verify(1, fingerprint(1), &slow, b"x");
    tokio::pin!(check);
    let outcome = loop {
        tokio::select! {
            outcome = &mut check => break outcome,
            () = tokio::time::sleep(Duration::from_millis(1)) => ticks += 1,
        }
    };
    assert_eq!(outcome, Some(false));
    assert!(ticks > 3, "{ticks}");
}

#[test]
fn a_full_queue_takes_nothing_more() {
    let pool = idle(4);
    let mut receivers = Vec::new();
    for number in 0..4 {
        let submitted = pool.shared.submit(number, fingerprint(number), &hash(), b"x");
        receivers.push(submitted.unwrap());
    }
    assert!(pool.shared.submit(9, fingerprint(9), &hash(), b"x").is_none());
}

#[test]
fn one_middleware_takes_at_most_half_of_the_queue() {
    let pool = idle(4);
    let submit = |owner, number| pool.shared.submit(owner, fingerprint(number), &hash(), b"x");
    let held = [submit(1, 1), submit(1, 2)];
    assert!(held.iter().all(Option::is_some));
    assert!(submit(1, 3).is_none());
    assert!(submit(2, 4).is_some());
}

#[test]
fn the_same_check_is_made_once_for_all_who_wait() {
    let pool = idle(4);
    let submit = || pool.shared.submit(1, fingerprint(1), &hash(), b"U*U").unwrap();
    let mut receivers = [submit(), submit(), submit()];
    assert_eq!(pool.shared.lock().queue.len(), 1);
    pool.shared.lock().closed = true;
    pool.shared.work();
    assert!(receivers.iter_mut().all(|receiver| receiver.try_recv() == Ok(true)));
    assert!(pool.shared.lock().waiting.is_empty());
}

#[test]
fn a_check_that_nobody_waits_for_is_not_made() {
    let pool = idle(4);
    let gone = pool.shared.submit(1, fingerprint(1), &hash(), b"x").unwrap();
    let mut here = pool.shared.submit(1, fingerprint(2), &hash(), b"x").unwrap();
    drop(gone);
    let job = pool.shared.next().unwrap();
    assert!(job.fingerprint == fingerprint(2));
    assert_eq!(pool.shared.lock().waiting.len(), 1);
    assert_eq!(here.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn those_who_wait_for_a_pool_that_ends_get_no_answer() {
    let pool = idle(4);
    let mut receiver = pool.shared.submit(1, fingerprint(1), &hash(), b"x").unwrap();
    drop(pool);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}
