use super::*;
use crate::testing::{context, get, listed, origin, shown};

fn config(average: i64, burst: i64) -> dynamic::RateLimit {
    let criterion =
        dynamic::SourceCriterion { request_header_name: "X-User".to_owned(), ..Default::default() };
    dynamic::RateLimit { average, burst, source_criterion: Some(criterion), ..Default::default() }
}

fn compiled(config: &dynamic::RateLimit) -> RateLimit {
    RateLimit::compile(config, &origin(), &mut Vec::new()).unwrap()
}

async fn ask(filter: &RateLimit, user: &str, now: Instant) -> Option<Answer> {
    let mut context = context();
    context.now = now;
    match filter.on_request(&mut get("/", &[("X-User", user)]), &mut context).await {
        Flow::Continue => None,
        Flow::Respond(answer) => Some(answer),
    }
}

#[tokio::test]
async fn each_source_has_its_bucket() {
    let (filter, now) = (compiled(&config(1, 2)), Instant::now());
    for user in ["a", "b"] {
        assert_eq!(ask(&filter, user, now).await, None);
        assert_eq!(ask(&filter, user, now).await, None);
        let answer = ask(&filter, user, now).await.unwrap();
        assert_eq!(answer.status, Status::TOO_MANY_REQUESTS);
        assert_eq!(answer.body.as_ref(), b"Too Many Requests");
        assert_eq!(listed(&answer.headers), ["Retry-After: 1", "X-Retry-In: 1s"]);
    }
}

#[test]
fn waits_are_told_in_whole_seconds_and_as_in_go() {
    let refusal = refusal(Duration::from_millis(61_500));
    assert_eq!(listed(&refusal.headers), ["Retry-After: 62", "X-Retry-In: 1m1.5s"]);
}

#[tokio::test]
async fn an_average_of_nothing_limits_nothing() {
    let filter = compiled(&config(0, 1));
    for _ in 0..100 {
        assert_eq!(ask(&filter, "a", Instant::now()).await, None);
    }
}

#[tokio::test]
async fn routers_count_apart_and_go_on_where_they_were() {
    let (filter, now) = (compiled(&config(1, 1)), Instant::now());
    let (one, other) = (filter.of_router("a@file", 0), filter.of_router("b@file", 0));
    assert_eq!(ask(&one, "a", now).await, None);
    assert_eq!(ask(&other, "a", now).await, None);
    assert!(ask(&filter.of_router("a@file", 0), "a", now).await.is_some());
}

#[test]
fn settings_without_a_meaning_are_refused_in_the_words_of_traefik() {
    let mut period = config(1, 1);
    period.period = Period::seconds(-5);
    let mut criteria = config(1, 1);
    criteria.source_criterion.as_mut().unwrap().request_host = true;
    let redis = |endpoints: &[&str], tls| {
        let endpoints = endpoints.iter().map(|&text| text.to_owned()).collect();
        let redis = dynamic::Redis { endpoints, tls, ..dynamic::Redis::default() };
        dynamic::RateLimit { redis: Some(Box::new(redis)), ..config(1, 1) }
    };
    let cert = dynamic::Material::inline("none");
    let half = dynamic::ClientTls { cert: cert.clone(), ..Default::default() };
    let other = dynamic::ClientTls { ca: cert, ..Default::default() };
    for (config, expected) in [
        (config(-1, 1), "negative value not valid for average: -1"),
        (period, "negative value not valid for period: -5s"),
        (
            criteria,
            "getting source extractor: requestHost and RequestHeaderName are mutually exclusive",
        ),
        (
            redis(&["a:1", "b"], None),
            "creating redis limiter: redis.endpoints[1]: `b` is no `host:port`",
        ),
        (
            redis(&["::1"], None),
            "creating redis limiter: redis.endpoints[0]: `::1` is no `host:port`",
        ),
        (redis(&[], None), "creating redis limiter: redis.endpoints: there is no address"),
        (
            redis(&["a:1"], Some(half)),
            "creating redis limiter: creating TLS config: both TLS cert and key must be defined",
        ),
        (
            redis(&["a:1"], Some(other)),
            "creating redis limiter: creating TLS config: ca: the certificate is not PEM: no `-----BEGIN CERTIFICATE-----` is in it",
        ),
    ] {
        let mut problems = Vec::new();
        assert!(RateLimit::compile(&config, &origin(), &mut problems).is_none());
        assert_eq!(shown(&problems), [format!("Error {expected}")]);
    }
}

#[test]
fn sources_without_number_take_no_memory_without_bound() {
    let (filter, now) = (compiled(&config(1, 1)), Instant::now());
    let rate = filter.settings.rate.unwrap();
    let mut context = context();
    for user in 0..(3 * 65_536) {
        let request = get("/", &[("X-User", &user.to_string())]);
        let name = filter.settings.criterion.name(&request, &context);
        let taken = filter.take(&rate, &name, now + Duration::from_micros(user));
        assert_eq!(taken, Ok(Duration::ZERO));
        assert!(filter.buckets.part(&name).len() <= MAX_SOURCES);
    }
    context.now = now;
}
