//! What can go wrong between an API server and a follower, and how long to wait then.

use std::{error::Error as _, time::Duration};

use kube::core::Status;
use tokio::time::Instant;

use super::follow::Pace;

/// Failures in a row that nobody needs to know of: connections end, servers start anew.
const HARMLESS: u32 = 2;

/// Failures are not in a row that are as many of the longest waits apart.
const CALM: u32 = 3;

/// The longest wait that an API server can ask for.
const LONGEST_REQUESTED: Duration = Duration::from_secs(120);

/// Why an API server could not be followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// It does not keep what is asked for any more, or not yet: a list mends it.
    #[error("the API server no longer knows the version asked for")]
    Outdated,
    /// There is no such resource.
    #[error(
        "the API server does not know this resource; it is waited for (is its CustomResourceDefinition installed?)"
    )]
    NotFound,
    /// It may not be read; the words of the API server.
    #[error("{0}")]
    Forbidden(String),
    /// Later, and when.
    #[error("the API server has too much to do ({1})")]
    Busy(Duration, String),
    /// It refused or failed otherwise.
    #[error("the API server answered {0}: {1}")]
    Refused(u16, String),
    /// It does not know who asks.
    #[error("the API server does not accept the credentials that it is shown: {0}")]
    Unauthorized(String),
    /// It cannot be reached, or goes away while it answers.
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
    /// What it says cannot be read.
    #[error("the API server cannot be read: {0}")]
    Unreadable(String),
    /// It keeps the connection and says nothing.
    #[error("the API server says nothing")]
    Silent,
    /// It ends watches as soon as they begin.
    #[error("the API server ends watches before their time")]
    CutOff,
}

impl Fault {
    /// What a status says. Kubernetes: `metav1.Status`.
    pub(super) fn of_status(status: &Status) -> Self {
        let message = status.message.clone();
        let details = status.details.as_ref();
        let too_large = details.is_some_and(|details| {
            details.causes.iter().any(|cause| cause.reason == "ResourceVersionTooLarge")
        });
        let later = details.map_or(0, |details| details.retry_after_seconds);
        match status.code {
            410 => Self::Outdated,
            _ if too_large => Self::Outdated,
            404 => Self::NotFound,
            401 => Self::Unauthorized(message),
            403 => Self::Forbidden(message),
            429 => Self::Busy(Duration::from_secs(later.into()), message),
            code => Self::Refused(code, message),
        }
    }
}

impl From<kube::Error> for Fault {
    fn from(error: kube::Error) -> Self {
        if let kube::Error::Api(status) = &error {
            return Self::of_status(status);
        }
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            if !text.contains(&inner_text) {
                text = format!("{text}: {inner_text}");
            }
            cause = inner.source();
        }
        Self::Unreachable(text)
    }
}

/// How often in a row something failed.
///
/// Only a watch that stands counts as success. That a list succeeds does not: where no watch can be had, lists would
/// follow each other without a pause.
#[derive(Debug)]
pub(super) struct Retry {
    pace: Pace,
    failures: u32,
    last: Option<Instant>,
}

impl Retry {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, failures: 0, last: None }
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Whether more has failed than what happens all the time.
    pub(super) fn is_lasting(&self) -> bool {
        self.failures > HARMLESS
    }

    /// Whether a fault, as the next in a row, is worth telling.
    pub(super) fn is_serious(&self, fault: &Fault) -> bool {
        let fleeting = !matches!(fault, Fault::Forbidden(_) | Fault::NotFound);
        !fleeting || self.failures >= HARMLESS
    }

    /// How long to wait after a fault: twice as long as after the one before, give or take a quarter so that many
    /// followers do not come back at the same moment.
    pub(super) fn wait(&mut self, fault: &Fault, now: Instant) -> Duration {
        let apart = self.pace.longest_wait.saturating_mul(CALM);
        if self.last.is_some_and(|last| now.duration_since(last) > apart) {
            self.failures = 0;
        }
        self.last = Some(now);
        let doubled = self.pace.shortest_wait.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let usual = doubled.min(self.pace.longest_wait);
        let usual = usual.mul_f64(0.75 + fraction() / 2.0);
        match fault {
            Fault::Busy(later, _) => usual.max(*later).min(LONGEST_REQUESTED),
            _ => usual,
        }
    }
}

/// A number from 0 to 1 that differs from call to call.
fn fraction() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(());
    f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(wait: Duration, usual: Duration) -> bool {
        wait >= usual.mul_f64(0.74) && wait <= usual.mul_f64(1.26)
    }

    #[test]
    fn waits_grow_to_the_longest_and_begin_anew_after_success() {
        let (pace, now) = (Pace::default(), Instant::now());
        let mut retry = Retry::new(pace);
        let waits: Vec<_> = (0..12).map(|_| retry.wait(&Fault::Silent, now)).collect();
        assert!(within(waits[0], pace.shortest_wait), "{waits:?}");
        assert!(within(waits[1], pace.shortest_wait * 2), "{waits:?}");
        assert!(within(waits[11], pace.longest_wait), "{waits:?}");
        retry.succeeded();
        assert!(within(retry.wait(&Fault::Silent, now), pace.shortest_wait));
    }

    #[test]
    fn failures_that_lie_far_apart_are_not_in_a_row() {
        let (pace, mut now) = (Pace::default(), Instant::now());
        let mut retry = Retry::new(pace);
        for _ in 0..12 {
            now += retry.wait(&Fault::CutOff, now);
        }
        assert!(within(retry.wait(&Fault::CutOff, now), pace.longest_wait));
        now += pace.longest_wait * (CALM + 1);
        assert!(within(retry.wait(&Fault::CutOff, now), pace.shortest_wait));
    }

    #[test]
    fn only_what_lasts_or_needs_somebody_is_told() {
        let mut retry = Retry::new(Pace::default());
        assert!(!retry.is_serious(&Fault::Silent));
        assert!(retry.is_serious(&Fault::Forbidden(String::new())));
        for _ in 0..HARMLESS {
            assert!(!retry.is_lasting());
            retry.wait(&Fault::Silent, Instant::now());
        }
        assert!(retry.is_serious(&Fault::Silent));
    }

    #[test]
    fn a_busy_server_is_left_alone_as_long_as_it_asks_within_reason() {
        let mut retry = Retry::new(Pace::default());
        for (asked, waited) in [(7, 7), (86_400, 120)] {
            let fault = Fault::Busy(Duration::from_secs(asked), String::new());
            let wait = retry.wait(&fault, Instant::now());
            assert_eq!(wait, Duration::from_secs(waited));
        }
    }

    #[test]
    fn what_only_a_list_can_mend_is_told_apart() {
        let status = |json: serde_json::Value| serde_json::from_value::<Status>(json).unwrap();
        let gone = status(serde_json::json!({"code": 410, "reason": "Expired"}));
        assert!(matches!(Fault::of_status(&gone), Fault::Outdated));
        let future = status(serde_json::json!({
            "code": 504, "reason": "Timeout",
            "details": {"causes": [{"reason": "ResourceVersionTooLarge"}], "retryAfterSeconds": 1},
        }));
        assert!(matches!(Fault::of_status(&future), Fault::Outdated));
        let slow = status(serde_json::json!({"code": 504, "reason": "Timeout"}));
        assert!(matches!(Fault::of_status(&slow), Fault::Refused(504, _)));
    }
}
