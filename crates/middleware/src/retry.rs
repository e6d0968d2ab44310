//! Asks again when a server could not be reached, or answered with some status.
//!
//! Traefik: `retry`. Differences: each attempt begins with the request as it came to the middleware; Traefik's later
//! attempts see what middlewares behind it have changed already (a prefix is added twice). An attempt goes to a
//! server that was not asked yet while one is left.

use std::time::Duration;

use portway_http::Method;
use portway_model::{Problem, dynamic};

use crate::StatusRanges;

/// How far a pause may be from the usual one, as a part of it. As the library that Traefik waits with.
const SPREAD: f64 = 0.5;

/// When the last pause may begin after the first attempt, as in the library that Traefik waits with.
const MAX_ELAPSED: Duration = Duration::from_secs(15 * 60);

/// A compiled `retry`.
#[derive(Debug)]
pub struct Retry {
    attempts: u32,
    timeout: Option<Duration>,
    initial_interval: Option<Duration>,
    max_body: Option<u64>,
    status: StatusRanges,
    on_network_error: bool,
    non_idempotent: bool,
}

/// What one attempt came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attempt {
    /// A server was chosen, and nothing of the request was sent to it.
    Unsent,
    /// This status was answered, by a server or by Portway itself.
    Answered(u16),
}

impl Retry {
    /// Compiles the user's settings; they must leave a reason to try again, and an attempt.
    pub fn compile(config: &dynamic::Retry, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut refused = |message: String| problems.push(Problem::error("", message));
        if config.status.is_empty() && config.disable_retry_on_network_error {
            // Traefik's words.
            let message = "retry middleware requires at least HTTP status codes or retry on TCP";
            refused(message.to_owned());
            return None;
        }
        let attempts = match u32::try_from(config.attempts) {
            Ok(attempts) if attempts > 0 => attempts,
            _ => {
                let attempts = config.attempts;
                refused(format!("incorrect (or empty) value for attempt ({attempts})"));
                return None;
            }
        };
        let status = match StatusRanges::parse(&config.status) {
            Ok(status) => status,
            Err(reason) => {
                refused(format!("creating HTTP code ranges: {reason}"));
                return None;
            }
        };
        Some(Self {
            attempts,
            timeout: config.timeout.positive(),
            initial_interval: config.initial_interval.positive(),
            max_body: u64::try_from(config.max_request_body_bytes).ok(),
            status,
            on_network_error: !config.disable_retry_on_network_error,
            non_idempotent: config.retry_non_idempotent_method,
        })
    }

    /// How often a request is tried in all.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Bytes of a body up to which it is kept for another attempt.
    pub fn max_body(&self) -> Option<u64> {
        self.max_body
    }

    /// Whether a server that cannot be reached is a reason to try again.
    pub fn heeds_network(&self) -> bool {
        self.on_network_error
    }

    /// Whether the status of an answer to this method may be a reason to try again.
    pub fn heeds_status(&self, method: &Method) -> bool {
        let changes = matches!(method.as_str(), "POST" | "PATCH" | "LOCK");
        self.attempts > 1 && !self.status.is_empty() && (self.non_idempotent || !changes)
    }

    /// Whether another attempt follows one that ended `elapsed` after the first began; `heeds_status` says whether
    /// the status is a reason.
    pub fn again(&self, attempt: Attempt, elapsed: Duration, heeds_status: bool) -> bool {
        let in_time = self.timeout.is_none_or(|timeout| elapsed < timeout);
        in_time
            && match attempt {
                Attempt::Unsent if self.on_network_error => true,
                Attempt::Unsent => false,
                Attempt::Answered(status) => heeds_status && self.status.contains(status),
            }
    }

    /// The pause after so many attempts; `random` is from 0 to 1. `None` when it has been too long.
    pub fn pause(&self, after: u32, elapsed: Duration, random: f64) -> Option<Duration> {
        let Some(initial) = self.initial_interval else { return Some(Duration::ZERO) };
        let growth = f64::from(after.saturating_sub(1)) / f64::from(self.attempts.max(2) - 1);
        let usual = initial.mul_f64(growth.exp2());
        let pause = usual.mul_f64(1.0 - SPREAD + 2.0 * SPREAD * random.clamp(0.0, 1.0));
        (elapsed + pause <= MAX_ELAPSED).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use portway_model::Period;

    use super::*;

    fn compiled(change: impl FnOnce(&mut dynamic::Retry)) -> Result<Retry, String> {
        let mut config = dynamic::Retry { attempts: 3, ..dynamic::Retry::default() };
        change(&mut config);
        let mut problems = Vec::new();
        Retry::compile(&config, &mut problems).ok_or_else(|| Problem::errors(&problems))
    }

    #[test]
    fn settings_that_try_nothing_again_are_refused() {
        let reason = |change: fn(&mut dynamic::Retry)| compiled(change).err().unwrap_or_default();
        assert_eq!(
            reason(|retry| retry.disable_retry_on_network_error = true),
            "retry middleware requires at least HTTP status codes or retry on TCP"
        );
        assert_eq!(
            reason(|retry| retry.attempts = 0),
            "incorrect (or empty) value for attempt (0)"
        );
        assert_eq!(
            reason(|retry| retry.status = vec!["5xx".to_owned()]),
            "creating HTTP code ranges: `5xx` is neither a status code nor a range such as `500-599`"
        );
    }

    #[test]
    fn what_was_not_sent_is_tried_again() {
        let retry = compiled(|_| ()).unwrap();
        assert!(retry.again(Attempt::Unsent, Duration::ZERO, false));
        assert!(!retry.again(Attempt::Answered(502), Duration::ZERO, true));
        let retry = compiled(|retry| {
            retry.disable_retry_on_network_error = true;
            retry.status = vec!["500-599".to_owned()];
        });
        assert!(!retry.unwrap().again(Attempt::Unsent, Duration::ZERO, true));
    }

    #[test]
    fn a_status_is_a_reason_where_nothing_is_changed_twice() {
        let retry = compiled(|retry| retry.status = vec!["500-599".to_owned()]).unwrap();
        assert!(retry.heeds_status(&Method::Get) && retry.heeds_status(&Method::Put));
        assert!(!retry.heeds_status(&Method::Post) && !retry.heeds_status(&Method::Patch));
        assert!(retry.again(Attempt::Answered(503), Duration::ZERO, true));
        assert!(!retry.again(Attempt::Answered(503), Duration::ZERO, false));
        assert!(!retry.again(Attempt::Answered(404), Duration::ZERO, true));
        let retry = compiled(|retry| {
            retry.status = vec!["500".to_owned()];
            retry.retry_non_idempotent_method = true;
        });
        assert!(retry.unwrap().heeds_status(&Method::Post));
    }

    #[test]
    fn after_the_timeout_nothing_is_tried_again() {
        let retry = compiled(|retry| retry.timeout = Period::seconds(2)).unwrap();
        assert!(retry.again(Attempt::Unsent, Duration::from_millis(1999), false));
        assert!(!retry.again(Attempt::Unsent, Duration::from_secs(2), false));
    }

    #[test]
    fn pauses_grow_to_twice_the_first() {
        let retry = compiled(|retry| retry.initial_interval = Period::seconds(1)).unwrap();
        let pause = |after| retry.pause(after, Duration::ZERO, 0.5).unwrap().as_millis();
        assert_eq!([1, 2, 3].map(pause), [1000, 1414, 2000]);
        let bounds = [0.0, 1.0].map(|random| retry.pause(1, Duration::ZERO, random).unwrap());
        assert_eq!(bounds.map(|pause| pause.as_millis()), [500, 1500]);
        assert_eq!(retry.pause(1, MAX_ELAPSED, 0.5), None);
        let at_once = compiled(|_| ()).unwrap();
        assert_eq!(at_once.pause(2, MAX_ELAPSED, 0.5), Some(Duration::ZERO));
    }
}
