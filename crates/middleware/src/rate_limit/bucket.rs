//! A bucket of tokens that fills by and by (Go: `golang.org/x/time/rate`).

use std::time::{Duration, Instant};

/// How fast a bucket fills, how much it holds, and how long a request may wait for a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    per_second: f64,
    burst: f64,
    max_delay: Duration,
    /// How long a bucket is kept that nobody asks for a token.
    lifetime: Duration,
}

/// The tokens of one source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// Negative where requests wait for tokens to come.
    tokens: f64,
    last: Instant,
    expiry: Instant,
}

impl Rate {
    /// `average` tokens in a period, and at least one at once.
    #[expect(clippy::cast_precision_loss, reason = "a rate is no count")]
    pub(super) fn new(average: i64, period: Duration, burst: i64) -> Self {
        let per_second = average as f64 / period.as_secs_f64();
        let half = Duration::from_millis(500);
        let (max_delay, lifetime) = if per_second < 1.0 {
            (half, 1.0 + (1.0 / per_second).floor())
        } else {
            (half.div_f64(per_second.floor()), 2.0)
        };
        let lifetime = Duration::try_from_secs_f64(lifetime).unwrap_or(LONGEST).min(LONGEST);
        Self { per_second, burst: burst.max(1) as f64, max_delay, lifetime }
    }

    /// Tokens in a microsecond, and at once.
    pub(super) fn per_microsecond(&self) -> (f64, f64) {
        (self.per_second / 1e6, self.burst)
    }

    /// How long a request may wait for a token.
    pub(super) fn max_delay(&self) -> Duration {
        self.max_delay
    }

    /// How long a bucket is kept that nobody asks for a token; whole seconds.
    pub(super) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    fn time_for(&self, tokens: f64) -> Duration {
        Duration::try_from_secs_f64(tokens / self.per_second).unwrap_or(LONGEST).min(LONGEST)
    }
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(rate: &Rate, now: Instant) -> Self {
        Self { tokens: rate.burst, last: now, expiry: now + rate.lifetime }
    }

    /// Takes a token, and says how long to wait for it; takes none where that is too long.
    pub(super) fn take(&mut self, rate: &Rate, now: Instant) -> Result<Duration, Duration> {
        // Workers' clocks differ a little.
        let now = now.max(self.last);
        let come = (now - self.last).as_secs_f64() * rate.per_second;
        self.tokens = (self.tokens + come).min(rate.burst);
        self.last = now;
        self.expiry = now + rate.lifetime;
        let left = self.tokens - 1.0;
        let delay = if left < 0.0 { rate.time_for(-left) } else { Duration::ZERO };
        if delay > rate.max_delay {
            return Err(delay);
        }
        self.tokens = left;
        Ok(delay)
    }

    /// Whether nobody has asked for a token for so long that it is as if new.
    pub(super) fn has_expired(&self, now: Instant) -> bool {
        self.expiry <= now
    }

    /// When it will have expired.
    pub(super) fn expiry(&self) -> Instant {
        self.expiry
    }
}

/// Longer times do not come.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks at these milliseconds; each answer is the wait in milliseconds, negative for a refusal.
    #[track_caller]
    fn check(rate: Rate, asked: &[(u64, i64)]) {
        let start = Instant::now();
        let mut bucket = Bucket::new(&rate, start);
        for &(at, expected) in asked {
            let now = start + Duration::from_millis(at);
            if bucket.has_expired(now) {
                bucket = Bucket::new(&rate, now);
            }
            let milliseconds = |delay: Duration| i64::try_from(delay.as_millis()).unwrap();
            let wait =
                bucket.take(&rate, now).map_or_else(|wait| -milliseconds(wait), milliseconds);
            assert_eq!(wait, expected, "at {at}");
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_request_that_comes_a_little_early_waits() {
        check(Rate::new(10, SECOND, 1), &[(0, 0), (0, -100), (60, 40), (60, -140), (200, 0)]);
    }

    #[test]
    fn a_burst_passes_at_once() {
        check(
            Rate::new(1, SECOND, 3),
            &[(0, 0), (0, 0), (0, 0), (0, -1000), (1000, 0), (1000, -1000)],
        );
        check(Rate::new(1, SECOND, 3), &[(0, 0), (0, 0), (0, 0), (500, 500), (500, -1500)]);
        check(Rate::new(1, SECOND, 0), &[(0, 0), (0, -1000)]);
    }

    #[test]
    fn slow_rates_wait_half_a_second_at_most() {
        let minute = Duration::from_mins(1);
        check(Rate::new(10, minute, 1), &[(0, 0), (0, -6000), (5499, -501), (5500, 500)]);
    }

    #[test]
    fn a_bucket_that_nobody_asks_is_full_again() {
        let rate = Rate::new(6, Duration::from_mins(1), 2);
        check(rate, &[(0, 0), (0, 0), (0, -10_000), (10_999, 0), (10_999, -9_001)]);
        check(rate, &[(0, 0), (0, 0), (11_000, 0), (11_000, 0)]);
    }

    #[test]
    fn extreme_rates_do_no_harm() {
        check(Rate::new(i64::MAX, Duration::from_nanos(1), i64::MAX), &[(0, 0), (0, 0)]);
        let slow = Rate::new(1, Duration::from_nanos(u64::MAX), 1);
        let mut bucket = Bucket::new(&slow, Instant::now());
        assert_eq!(bucket.take(&slow, Instant::now()), Ok(Duration::ZERO));
        assert!(bucket.take(&slow, Instant::now()).is_err());
    }
}
