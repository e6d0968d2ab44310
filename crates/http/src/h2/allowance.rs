//! How often a peer may still do something.

use std::time::Instant;

use super::limits::Rate;

/// What is left of a [`Rate`].
///
/// The while begins when the allowance is used up, or at the start: a peer that spreads what it
/// does is never refused, one that does it all at once is, at twice the rate at the latest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    rate: Rate,
    left: u32,
    since: Option<Instant>,
}

impl Allowance {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, left: rate.times, since: None }
    }

    /// Counts one; `false` if that is one too many.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        if self.left == 0 && now.saturating_duration_since(since) >= self.rate.within {
            self.left = self.rate.times;
            self.since = Some(now);
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// Makes room for more.
    pub(super) fn give(&mut self, more: u32) {
        self.left = self.left.saturating_add(more).min(self.rate.times);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_used_up_comes_back_after_a_while() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut allowance = Allowance::new(Rate { times: 2, within: second });
        assert!(allowance.take(start) && allowance.take(start));
        assert!(!allowance.take(start) && !allowance.take(start + second / 2));
        assert!(allowance.take(start + second) && allowance.take(start + second));
        assert!(!allowance.take(start + second));
        allowance.give(1);
        assert!(allowance.take(start + second) && !allowance.take(start + second));
        allowance.give(9);
        assert_eq!(allowance.left, 2);
    }
}
