use portway_model::Period;
use proptest::prelude::*;

use super::*;

fn config(expression: &str) -> dynamic::CircuitBreaker {
    dynamic::CircuitBreaker { expression: expression.to_owned(), ..Default::default() }
}

fn compiled(config: &dynamic::CircuitBreaker) -> Result<CircuitBreaker, String> {
    let mut problems = Vec::new();
    CircuitBreaker::compile(config, &mut problems).ok_or_else(|| Problem::errors(&problems))
}

/// Sends a request at this time whose answer has this status; says whether it was let through.
fn ask(breaker: &CircuitBreaker, now: Instant, status: u16, latency: Duration) -> bool {
    let Ok(mut recording) = breaker.admit(now) else { return false };
    breaker.record(status, latency, now + latency);
    recording.status = None;
    true
}

#[test]
fn bad_settings_are_refused() {
    let reason = |config: &dynamic::CircuitBreaker| compiled(config).err().unwrap_or_default();
    let expected =
        "expression: at character 23: this is compared with a number with a point such as `0.30`";
    assert_eq!(reason(&config("NetworkErrorRatio() > 1")), expected);
    let bad = dynamic::CircuitBreaker { response_code: 42, ..config("NetworkErrorRatio() > 0.5") };
    assert_eq!(reason(&bad), "responseCode: invalid HTTP status code 42");
    assert!(compiled(&config("LatencyAtQuantileMS(50) > 100")).is_err());
    assert!(
        compiled(&config("LatencyAtQuantileMS(50.0) > 100 || NetworkErrorRatio() > 0.5")).is_ok()
    );
}

#[test]
fn what_fails_is_left_alone_and_asked_more_and_more() {
    let breaker = compiled(&config("NetworkErrorRatio() > 0.5")).unwrap();
    let start = Instant::now();
    let at = |milliseconds| start + Duration::from_millis(milliseconds);
    assert!(ask(&breaker, at(0), 200, Duration::ZERO));
    assert!(ask(&breaker, at(50), 502, Duration::ZERO));
    assert!(ask(&breaker, at(90), 502, Duration::ZERO), "it is not looked at before 100 ms");
    assert!(ask(&breaker, at(150), 504, Duration::ZERO));
    assert!(!ask(&breaker, at(151), 200, Duration::ZERO));
    assert!(!ask(&breaker, at(10_149), 200, Duration::ZERO));
    // It recovers: at first nothing, in the end one half of all.
    let passed = |from: u64, to: u64| {
        (from..to).step_by(10).filter(|time| ask(&breaker, at(*time), 200, Duration::ZERO)).count()
    };
    assert_eq!(passed(10_150, 10_200), 0);
    let half = passed(10_200, 20_140);
    assert!((450..=510).contains(&half), "{half}");
    assert_eq!(passed(20_200, 21_200), 100);
}

#[test]
fn what_fails_again_while_it_recovers_is_left_alone_again() {
    let breaker = compiled(&config("ResponseCodeRatio(500, 600, 0, 600) > 0.25")).unwrap();
    let start = Instant::now();
    let at = |milliseconds| start + Duration::from_millis(milliseconds);
    assert!(ask(&breaker, at(0), 500, Duration::ZERO));
    let admitted: Vec<_> = (10_001..18_000)
        .step_by(10)
        .filter(|time| ask(&breaker, at(*time), 500, Duration::ZERO))
        .collect();
    assert_eq!(admitted.len(), 1, "{admitted:?}");
}

#[test]
fn latencies_are_those_of_the_last_minute() {
    let breaker = compiled(&config("LatencyAtQuantileMS(50.0) > 100")).unwrap();
    let start = Instant::now();
    for second in 0..5 {
        let now = start + Duration::from_secs(second);
        assert!(ask(&breaker, now, 200, Duration::from_millis(50)));
    }
    for second in 5..10 {
        ask(&breaker, start + Duration::from_secs(second), 200, Duration::from_millis(200));
    }
    assert!(ask(&breaker, start + Duration::from_secs(10), 200, Duration::from_millis(200)));
    assert!(!ask(&breaker, start + Duration::from_secs(11), 200, Duration::ZERO));
}

#[test]
fn routers_have_states_of_their_own() {
    let breaker = compiled(&config("NetworkErrorRatio() > 0.5")).unwrap();
    let (one, other) = (breaker.of_router("a@file", 0), breaker.of_router("b@file", 0));
    let now = Instant::now();
    assert!(ask(&one, now, 502, Duration::ZERO));
    assert!(!ask(&one, now, 502, Duration::ZERO));
    assert!(ask(&other, now, 502, Duration::ZERO));
    assert!(one.of_router("a@file", 0).admit(now).is_err(), "it goes on where it was");
}

#[test]
fn what_was_broken_off_says_nothing() {
    let breaker = compiled(&config("NetworkErrorRatio() > 0.5")).unwrap();
    drop(breaker.admit(Instant::now()).unwrap());
    let mut recording = breaker.admit(Instant::now()).unwrap();
    recording.answered(502);
    drop(recording);
    assert!(breaker.admit(Instant::now()).is_err());
}

proptest! {
    /// Against a list of all answers, looked through anew each time.
    #[test]
    fn counts_are_those_of_the_last_ten_seconds(
        steps in prop::collection::vec((0..4_000_u64, prop::sample::select(vec![200_u16, 404, 500, 502, 504])), 1..60)
    ) {
        let start = Instant::now();
        let mut metrics = Metrics::default();
        let mut answers = Vec::new();
        let mut time = 0;
        for (pause, status) in steps {
            time += pause;
            let now = start + Duration::from_millis(time);
            metrics.record(status, Duration::ZERO, now);
            // The first answer is what seconds are counted from.
            let first = *answers.first().map_or(&time, |(first, _)| first);
            answers.push((time, status));
            let second = |time: u64| (time - first) / 1000;
            let recent = answers.iter().filter(|(then, _)| second(*then) + 10 > second(time));
            let recent: Vec<_> = recent.collect();
            let share = |of: &dyn Fn(u16) -> bool| {
                recent.iter().filter(|(_, status)| of(*status)).count() as f64
            };
            let all = recent.len() as f64;
            prop_assert_eq!(metrics.network_error_ratio(now), share(&|status| status == 502 || status == 504) / all);
            prop_assert_eq!(metrics.status_ratio([500, 600, 0, 600], now), share(&|status| status >= 500) / all);
        }
    }
}

#[test]
fn times_have_their_defaults() {
    let odd = dynamic::CircuitBreaker {
        check_period: Period::seconds(-1),
        ..config("NetworkErrorRatio() > 0.5")
    };
    assert_eq!(compiled(&odd).unwrap().settings.times.check, Duration::from_millis(100));
}
