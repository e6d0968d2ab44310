//! Whether what follows is asked. As the library that Traefik breaks circuits with (vulcand/oxy).

use std::time::{Duration, Instant};

use super::metrics::Metrics;

/// How long everything takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Between two looks at the measures.
    pub(super) check: Duration,
    /// While nothing is let through.
    pub(super) fallback: Duration,
    /// While more and more is.
    pub(super) recovery: Duration,
}

/// Whether what follows is asked, and what that rests on.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    phase: Phase,
    /// When the measures are looked at again.
    next_check: Option<Instant>,
    metrics: Metrics,
}

#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    /// Everything is let through.
    #[default]
    Standby,
    /// Nothing is, until then.
    Tripped(Instant),
    /// A share is that grows to one half.
    Recovering { since: Instant, allowed: u32, denied: u32 },
}

impl Breaker {
    /// Whether a request is let through.
    pub(super) fn admits(&mut self, times: &Times, now: Instant) -> bool {
        if let Phase::Tripped(until) = self.phase {
            if now < until {
                return false;
            }
            self.phase = Phase::Recovering { since: now, allowed: 0, denied: 0 };
        }
        let Phase::Recovering { since, allowed, denied } = &mut self.phase else { return true };
        let recovered = now.saturating_duration_since(*since);
        if recovered > times.recovery {
            self.phase = Phase::Standby;
            return true;
        }
        let target = 0.5 * recovered.as_secs_f64() / times.recovery.as_secs_f64();
        let share = f64::from(*allowed + 1) / (f64::from(*allowed + 1) + f64::from(*denied));
        let admits = share < target;
        let count = if admits { allowed } else { denied };
        *count = count.saturating_add(1);
        admits
    }

    /// Records an answer, and stops asking where `trips` says so of the measures.
    pub(super) fn record(
        &mut self,
        times: &Times,
        status: u16,
        latency: Duration,
        now: Instant,
        trips: impl FnOnce(&mut Metrics) -> bool,
    ) {
        self.metrics.record(status, latency, now);
        if self.next_check.is_some_and(|next| now <= next) {
            return;
        }
        self.next_check = Some(now + times.check);
        if !matches!(self.phase, Phase::Tripped(_)) && trips(&mut self.metrics) {
            self.phase = Phase::Tripped(now + times.fallback);
            self.metrics.clear(now);
        }
    }
}
