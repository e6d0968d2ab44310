//! What a circuit breaker knows of the last answers. As the library that Traefik measures with (vulcand/oxy).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Seconds of a rolling window.
const WINDOW: usize = 10;

/// Histograms of latencies, each of so long, that are looked at together.
const HISTOGRAMS: usize = 6;
const HISTOGRAM_TIME: Duration = Duration::from_secs(10);

/// The longest latency that is counted, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;

/// Answers of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    total: Rolling,
    network_errors: Rolling,
    statuses: BTreeMap<u16, Rolling>,
    latencies: Latencies,
    /// What seconds are counted from.
    epoch: Option<Instant>,
}

impl Metrics {
    pub(super) fn record(&mut self, status: u16, latency: Duration, now: Instant) {
        let second = self.second(now);
        self.total.add(second);
        if status == 502 || status == 504 {
            self.network_errors.add(second);
        }
        self.statuses.entry(status).or_default().add(second);
        self.latencies.record(latency, now);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, now: Instant) {
        let epoch = self.epoch;
        *self = Self { epoch, ..Self::default() };
        self.latencies.since = Some(now);
    }

    pub(super) fn network_error_ratio(&mut self, now: Instant) -> f64 {
        let second = self.second(now);
        ratio(self.network_errors.sum(second), self.total.sum(second))
    }

    pub(super) fn status_ratio(&mut self, [from, to, of, up_to]: [i64; 4], now: Instant) -> f64 {
        let second = self.second(now);
        let (mut part, mut whole) = (0, 0);
        for (status, count) in &mut self.statuses {
            let count = count.sum(second);
            if (from..to).contains(&i64::from(*status)) {
                part += count;
            }
            if (of..up_to).contains(&i64::from(*status)) {
                whole += count;
            }
        }
        ratio(part, whole)
    }

    /// The latency below which so many of a hundred answers stay.
    pub(super) fn latency_at(&self, quantile: f64) -> Duration {
        self.latencies.at(quantile)
    }

    fn second(&mut self, now: Instant) -> u64 {
        // Behind the window of one that has counted nothing yet.
        let epoch = *self.epoch.get_or_insert(now);
        now.saturating_duration_since(epoch).as_secs() + WINDOW as u64
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of ten seconds are small")]
fn ratio(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A count of the last ten seconds.
#[derive(Debug, Default)]
struct Rolling {
    counts: [i64; WINDOW],
    /// The second that was counted last.
    last: u64,
}

impl Rolling {
    fn add(&mut self, second: u64) {
        self.forget(second);
        if let Some(count) = self.counts.get_mut(place(second)) {
            *count += 1;
        }
        self.last = second;
    }

    fn sum(&mut self, second: u64) -> i64 {
        self.forget(second);
        self.counts.iter().sum()
    }

    /// Clears the seconds that have passed since the last count.
    fn forget(&mut self, second: u64) {
        let passed = second.saturating_sub(self.last).min(WINDOW as u64);
        for back in 0..passed {
            if let Some(count) = self.counts.get_mut(place(second - back)) {
                *count = 0;
            }
        }
    }
}

fn place(second: u64) -> usize {
    usize::try_from(second % WINDOW as u64).unwrap_or_default()
}

/// Latencies of the last minute, in microseconds.
#[derive(Debug, Default)]
struct Latencies {
    histograms: [Option<Box<Histogram<u32>>>; HISTOGRAMS],
    current: usize,
    since: Option<Instant>,
}

impl Latencies {
    fn record(&mut self, latency: Duration, now: Instant) {
        let begun =
            self.since.is_some_and(|since| now.saturating_duration_since(since) < HISTOGRAM_TIME);
        if !begun {
            self.current = (self.current + 1) % HISTOGRAMS;
            if let Some(histogram) = self.histograms.get_mut(self.current) {
                *histogram = None;
            }
            self.since = Some(now);
        }
        let Some(place) = self.histograms.get_mut(self.current) else { return };
        if place.is_none() {
            // It grows with the values that it holds.
            *place = Histogram::new(2).ok().map(Box::new);
        }
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(histogram) = place
            && microseconds <= LONGEST
        {
            // As in Traefik, what cannot be counted is not.
            let _ = histogram.record(microseconds);
        }
    }

    fn at(&self, quantile: f64) -> Duration {
        let Ok(mut merged) = Histogram::<u32>::new(2) else { return Duration::ZERO };
        for histogram in self.histograms.iter().flatten() {
            if merged.add(&**histogram).is_err() {
                return Duration::ZERO;
            }
        }
        Duration::from_micros(merged.value_at_quantile((quantile / 100.0).clamp(0.0, 1.0)))
    }
}
