//! Asks what fails no more, until it has recovered.
//!
//! Traefik: `circuitBreaker`. Differences: the state outlives reloads that do not touch its settings; a status that no
//! response can have is refused when the middleware is built.

mod metrics;
mod state;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portway_http::{Answer, Status};
use portway_model::{Problem, dynamic};

use self::metrics::Metrics;
use self::state::{Breaker, Times};
use crate::predicate::{Function, Kind, Predicate, Value};
use crate::source::Instances;

/// A compiled `circuitBreaker`.
#[derive(Clone, Debug)]
pub struct CircuitBreaker {
    settings: Arc<Settings>,
    breaker: Arc<Mutex<Breaker>>,
}

#[derive(Debug)]
struct Settings {
    expression: Predicate<Measure>,
    times: Times,
    refusal: Answer,
    instances: Instances<Mutex<Breaker>>,
}

/// What is measured, over the last ten seconds; latencies over the last minute.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    /// The latency in milliseconds below which this share of answers stays, from 0 to 100.
    Latency(f64),
    /// The share of 502 and 504.
    NetworkErrors,
    /// The answers with a status from the first up to before the second, as a share of those from the third up to
    /// before the fourth.
    Statuses([i64; 4]),
}

impl Function for Measure {
    const NAMES: &'static [&'static str] =
        &["LatencyAtQuantileMS", "NetworkErrorRatio", "ResponseCodeRatio"];

    fn call(name: &str, arguments: &[Value]) -> Option<Result<(Self, Kind), &'static str>> {
        Some(match (name, arguments) {
            ("LatencyAtQuantileMS", [Value::Float(quantile)]) => {
                Ok((Self::Latency(*quantile), Kind::Int))
            }
            ("NetworkErrorRatio", []) => Ok((Self::NetworkErrors, Kind::Float)),
            (
                "ResponseCodeRatio",
                [Value::Int(from), Value::Int(to), Value::Int(of), Value::Int(up_to)],
            ) => Ok((Self::Statuses([*from, *to, *of, *up_to]), Kind::Float)),
            ("LatencyAtQuantileMS", _) => Err("a number with a point such as `50.0`"),
            ("NetworkErrorRatio", _) => Err("nothing"),
            ("ResponseCodeRatio", _) => Err("four whole numbers such as `500, 600, 0, 600`"),
            _ => return None,
        })
    }
}

/// A request that was let through: what became of it is recorded when this is dropped.
#[derive(Debug)]
pub struct Recording {
    breaker: CircuitBreaker,
    began: Instant,
    status: Option<u16>,
}

impl CircuitBreaker {
    /// Compiles the user's settings.
    pub fn compile(config: &dynamic::CircuitBreaker, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut refused = |field: &str, message: String| {
            problems.push(Problem::error(field, message));
        };
        let expression = Predicate::parse(&config.expression)
            .map_err(|error| refused("expression", error.to_string()))
            .ok()?;
        let code = config.response_code;
        let status = u16::try_from(code).ok().and_then(Status::new);
        let Some(status) = status.filter(|status| status.code() >= 200) else {
            refused("responseCode", format!("invalid HTTP status code {code}"));
            return None;
        };
        let or = |period: portway_model::Period, default| period.positive().unwrap_or(default);
        let times = Times {
            check: or(config.check_period, Duration::from_millis(100)),
            fallback: or(config.fallback_duration, Duration::from_secs(10)),
            recovery: or(config.recovery_duration, Duration::from_secs(10)),
        };
        let (refusal, instances) = (Answer::proxy_error(status), Instances::default());
        let settings = Settings { expression, times, refusal, instances };
        Some(Self { settings: Arc::new(settings), breaker: Arc::default() })
    }

    /// The same with the state of a router.
    pub(crate) fn of_router(&self, router: &str, number: usize) -> Self {
        let breaker = self.settings.instances.of_router(router, number);
        Self { settings: Arc::clone(&self.settings), breaker }
    }

    /// Lets a request through, or answers it.
    ///
    /// # Errors
    /// With the answer, while what follows is not asked.
    pub fn admit(&self, now: Instant) -> Result<Recording, Answer> {
        if self.lock(|breaker| breaker.admits(&self.settings.times, now)) {
            return Ok(Recording { breaker: self.clone(), began: now, status: None });
        }
        Err(self.settings.refusal.clone())
    }

    fn record(&self, status: u16, latency: Duration, now: Instant) {
        let Settings { expression, times, .. } = &*self.settings;
        self.lock(|breaker| {
            breaker.record(times, status, latency, now, |metrics: &mut Metrics| {
                expression.holds(&mut |measure: &Measure| metrics.value(*measure, now))
            });
        });
    }

    fn lock<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> T {
        act(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Metrics {
    fn value(&mut self, measure: Measure, now: Instant) -> Value {
        match measure {
            Measure::Latency(quantile) => {
                let latency = self.latency_at(quantile).as_millis();
                Value::Int(i64::try_from(latency).unwrap_or(i64::MAX))
            }
            Measure::NetworkErrors => Value::Float(self.network_error_ratio(now)),
            Measure::Statuses(ranges) => Value::Float(self.status_ratio(ranges, now)),
        }
    }
}

impl Recording {
    /// The status that was answered.
    pub fn answered(&mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // What was broken off before any answer says nothing.
        if let Some(status) = self.status {
            let now = Instant::now();
            self.breaker.record(status, now.saturating_duration_since(self.began), now);
        }
    }
}

#[cfg(test)]
mod tests;
