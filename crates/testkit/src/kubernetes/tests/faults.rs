use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::informer::Informer;
use super::{ApiServer, Lines, MIDDLEWARES, Said, exchange, get, middleware, names};
use crate::kubernetes::{Churn, Fault, Faults, Schedule};
use crate::random::number_from_environment;

const SHORT: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(30);

/// What informers follow: path, version and kind.
const FOLLOWED: [(&str, &str, &str); 5] = [
    ("/api/v1/services", "v1", "Service"),
    ("/api/v1/secrets", "v1", "Secret"),
    ("/apis/discovery.k8s.io/v1/endpointslices", "discovery.k8s.io/v1", "EndpointSlice"),
    ("/apis/traefik.io/v1alpha1/middlewares", super::TRAEFIK, "Middleware"),
    ("/apis/traefik.io/v1alpha1/ingressroutes", super::TRAEFIK, "IngressRoute"),
];

/// Lets informers follow a churning server through a schedule; they must all end with what the
/// server has.
#[track_caller]
fn survive(schedule: Schedule, seed: u64) -> Faults {
    let server = ApiServer::start_with(schedule);
    server.bookmark_every(Duration::from_millis(20));
    Churn::install(&server);
    let mut churn = Churn::seeded(seed);
    churn.steps(&server, 60);
    let informers = FOLLOWED.map(|(path, ..)| Informer::follow(&server, path));
    let start = Instant::now();
    while !server.wait_until_healthy(Duration::from_millis(5)) {
        churn.step(&server);
        assert!(start.elapsed() < PATIENCE, "seed {seed}: faults are left: {:?}", server.faults());
    }
    churn.steps(&server, 20);
    for ((_, api_version, kind), informer) in FOLLOWED.iter().zip(&informers) {
        let expected = objects(&server, api_version, kind);
        let start = Instant::now();
        while informer.objects() != expected {
            let seen = informer.objects();
            let late = start.elapsed() > PATIENCE;
            assert!(!late, "seed {seed}: {kind}: {seen:#?}\nis not\n{expected:#?}");
            thread::sleep(Duration::from_millis(2));
        }
    }
    server.faults()
}

fn objects(server: &ApiServer, api_version: &str, kind: &str) -> BTreeMap<String, Value> {
    let objects = server.objects().into_iter();
    objects
        .filter(|object| object["apiVersion"] == api_version && object["kind"] == kind)
        .map(|object| {
            let metadata = object["metadata"].clone();
            (format!("{}/{}", metadata["namespace"], metadata["name"]), metadata)
        })
        .collect()
}

#[test]
fn every_kind_of_fault_occurs_and_is_survived() {
    let faults = vec![
        Fault::TooManyRequests { retry_after: 0 },
        Fault::InternalError,
        Fault::Unavailable { retry_after: 0 },
        Fault::GatewayTimeout,
        Fault::Forbidden { lasting: SHORT },
        Fault::Unauthorized { lasting: SHORT },
        Fault::ConnectionReset,
        Fault::ListTruncated { abrupt: false },
        Fault::ListTruncated { abrupt: true },
        Fault::ListSlow { by: SHORT },
        Fault::ContinueExpired,
        Fault::ListShuffled { seed: 3 },
        Fault::WatchRefused { by_status: true },
        Fault::WatchRefused { by_status: false },
        Fault::WatchExpired { everywhere: false },
        Fault::WatchExpired { everywhere: true },
        Fault::WatchDropped { abrupt: false, everywhere: true },
        Fault::WatchDropped { abrupt: true, everywhere: false },
        Fault::WatchHung,
        Fault::WatchTruncated { abrupt: false },
        Fault::WatchTruncated { abrupt: true },
        Fault::EventDuplicated,
        Fault::EventsDelayed { by: SHORT },
        Fault::Outage { lasting: SHORT, compacted: false },
        Fault::Outage { lasting: SHORT, compacted: true },
        Fault::Compaction,
        Fault::Rollback { by: 5 },
        Fault::Uninstalled { lasting: SHORT },
    ];
    let mut expected: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in &faults {
        *expected.entry(fault.name()).or_default() += 1;
    }
    let report = survive(Schedule::of(faults), 1);
    assert_eq!(report, Faults { occurred: expected, missed: Vec::new(), left: 0 });
    assert_eq!(report.occurred.len(), Fault::NAMES.len());
}

#[test]
fn seeded_schedules_occur_in_full_and_are_survived() {
    let first = number_from_environment("PORTWAY_FAKE_SEED", 1);
    for seed in first..first + number_from_environment("PORTWAY_FAKE_SCHEDULES", 12) {
        let schedule = Schedule::seeded(seed);
        let count = schedule.faults().len();
        let report = survive(schedule, seed);
        assert_eq!(report.missed, [], "seed {seed}");
        assert_eq!(report.occurred.values().sum::<usize>(), count, "seed {seed}");
    }
}

/// A server with one fault and a few Middlewares.
fn faulty(fault: Fault) -> ApiServer {
    let server = ApiServer::start_with(Schedule::of(vec![fault]));
    server.install(super::TRAEFIK, "Middleware", "middlewares", true);
    for name in ["a", "b", "c", "d"] {
        server.apply(middleware(name, "blue"));
    }
    server
}

/// Repeats a request until the fault has struck it.
fn struck(server: &ApiServer, target: &str) -> (u16, Value, bool) {
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "the fault never came");
        let answered = exchange(server, "GET", target, "", "");
        if server.requests().last().unwrap().fault.is_some() {
            return answered.map_or((0, Value::Null, false), |response| {
                let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
                (response.status, body, response.complete)
            });
        }
    }
}

#[test]
fn refusals_look_as_from_the_real_server() {
    for (fault, status, reason) in [
        (Fault::TooManyRequests { retry_after: 1 }, 429, "TooManyRequests"),
        (Fault::InternalError, 500, "InternalError"),
        (Fault::Unavailable { retry_after: 1 }, 503, "ServiceUnavailable"),
        (Fault::GatewayTimeout, 504, "Timeout"),
        (Fault::Forbidden { lasting: SHORT }, 403, "Forbidden"),
        (Fault::Unauthorized { lasting: SHORT }, 401, "Unauthorized"),
    ] {
        let (answered, body, _) = struck(&faulty(fault), MIDDLEWARES);
        assert_eq!(answered, status);
        assert_eq!((&body["kind"], &body["reason"]), (&"Status".into(), &reason.into()));
    }
}

#[test]
fn a_refusal_says_when_to_come_back() {
    let server = faulty(Fault::TooManyRequests { retry_after: 1 });
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "the fault never came");
        let response = exchange(&server, "GET", MIDDLEWARES, "", "").unwrap();
        if response.status == 429 {
            assert_eq!(response.headers.value("retry-after"), Some("1"));
            break;
        }
    }
}

#[test]
fn a_reset_connection_is_reset_and_not_closed() {
    let server = faulty(Fault::ConnectionReset);
    let start = Instant::now();
    let error = loop {
        assert!(start.elapsed() < PATIENCE, "the fault never came");
        if let Err(error) = exchange(&server, "GET", MIDDLEWARES, "", "") {
            break error;
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(server.requests().last().unwrap().status, 0);
}

#[test]
fn a_right_that_is_lost_for_a_time_comes_back() {
    let server = faulty(Fault::Forbidden { lasting: Duration::from_millis(200) });
    assert_eq!(struck(&server, MIDDLEWARES).0, 403);
    assert_eq!(get(&server, MIDDLEWARES).0, 403);
    assert_eq!(get(&server, "/api/v1/services").0, 200, "only what was asked for");
    assert!(server.wait_until_healthy(PATIENCE));
    assert_eq!(get(&server, MIDDLEWARES).0, 200);
}

#[test]
fn a_truncated_list_is_no_json() {
    for abrupt in [false, true] {
        let (status, body, complete) =
            struck(&faulty(Fault::ListTruncated { abrupt }), MIDDLEWARES);
        assert_eq!((status, body, complete), (200, Value::Null, !abrupt));
    }
}

#[test]
fn a_shuffled_list_has_the_same_items() {
    let (_, list, _) = struck(&faulty(Fault::ListShuffled { seed: 1 }), MIDDLEWARES);
    let mut found = names(&list);
    assert_ne!(found, ["a", "b", "c", "d"]);
    found.sort_unstable();
    assert_eq!(found, ["a", "b", "c", "d"]);
}

#[test]
fn a_token_expires_in_the_middle_of_a_list() {
    let server = faulty(Fault::ContinueExpired);
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "the fault never came");
        let (_, first) = get(&server, &format!("{MIDDLEWARES}?limit=4"));
        let Some(token) = first["metadata"]["continue"].as_str() else { continue };
        assert_eq!(names(&first), ["a", "b"], "a page that ends early");
        let (status, gone) = get(&server, &format!("{MIDDLEWARES}?limit=4&continue={token}"));
        assert_eq!((status, &gone["reason"]), (410, &"Expired".into()));
        break;
    }
    assert!(server.wait_until_healthy(PATIENCE));
}

/// Opens a watch, lets one event be told after the other, and returns how that ends.
fn told(fault: Fault) -> (ApiServer, Vec<Said>) {
    let server = faulty(fault);
    let from = server.resource_version();
    let target = format!("{MIDDLEWARES}?watch=1&resourceVersion={from}");
    let mut watch = Lines::open(&server, &target, Duration::from_millis(300)).unwrap();
    let mut said = Vec::new();
    for number in 0..1000 {
        server.apply(middleware("a", &format!("team-{number}")));
        let heard = watch.next();
        let over = !matches!(heard, Said::Event(_));
        said.push(heard);
        if over {
            return (server, said);
        }
        if server.faults().left == 0 {
            break;
        }
    }
    said.push(watch.next());
    (server, said)
}

#[test]
fn watches_end_as_they_are_told() {
    for (fault, end) in [
        (Fault::WatchDropped { abrupt: false, everywhere: false }, Said::Over),
        (Fault::WatchDropped { abrupt: true, everywhere: false }, Said::Broken),
        (Fault::WatchHung, Said::Silence),
    ] {
        let (server, said) = told(fault);
        assert_eq!(said.last(), Some(&end), "{fault:?}");
        assert_eq!(server.faults().occurred, BTreeMap::from([(fault.name(), 1)]));
    }
}

#[test]
fn a_truncated_event_is_no_json() {
    for abrupt in [false, true] {
        let (_, said) = told(Fault::WatchTruncated { abrupt });
        assert!(said.iter().any(|one| matches!(one, Said::Garbage(_))), "{said:?}");
    }
}

#[test]
fn an_expired_watch_says_so() {
    let (_, said) = told(Fault::WatchExpired { everywhere: false });
    let Said::Event(event) = &said[said.len() - 2] else { panic!("{said:?}") };
    assert_eq!((&event["type"], &event["object"]["code"]), (&"ERROR".into(), &410.into()));
    assert_eq!(said.last(), Some(&Said::Over));
}

#[test]
fn a_duplicated_event_comes_twice() {
    let (_, said) = told(Fault::EventDuplicated);
    assert_eq!(said[said.len() - 2], said[said.len() - 1]);
}

#[test]
fn a_rollback_by_schedule_can_be_noticed_by_every_client() {
    let server = faulty(Fault::Rollback { by: 2 });
    get(&server, MIDDLEWARES);
    server.apply(middleware("e", "blue"));
    let lost = server.resource_version();
    assert!(server.wait_until_healthy(PATIENCE));
    assert_eq!(names(&get(&server, MIDDLEWARES).1), ["a", "b", "c", "d"]);
    assert_eq!(get(&server, &format!("{MIDDLEWARES}?resourceVersion={lost}")).0, 504);
    server.apply(middleware("f", "blue"));
    let target = format!("{MIDDLEWARES}?watch=1&resourceVersion={lost}");
    let Said::Event(event) = Lines::open(&server, &target, PATIENCE).unwrap().next() else {
        panic!("no event")
    };
    assert_eq!(event["object"]["code"], 410);
}

#[test]
fn a_fault_that_cannot_occur_is_missed_and_not_waited_for() {
    let server = ApiServer::start_with(Schedule::of(vec![Fault::Uninstalled { lasting: SHORT }]));
    get(&server, "/api/v1/services");
    assert!(server.wait_until_healthy(Duration::from_secs(120)));
    assert_eq!(server.faults().missed, [Fault::Uninstalled { lasting: SHORT }]);
}
